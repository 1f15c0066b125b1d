//! Reading every record of a store.

use bytes::Bytes;

use crate::{Damage, Scan, Store, StoreError, Table};

/// Records read at once while a store is verified.
const PAGE_RECORDS_MAX: usize = 1000;

/// Bytes read at once while a store is verified (1 MiB).
const PAGE_BYTES_MAX: usize = 1024 * 1024;

/// What a walk through all tables found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// How many records each table holds.
    pub records: Vec<(Table, u64)>,
    /// Every damaged record.
    pub damaged: Vec<Damage>,
}

/// Reads every record of every table and reports those that are damaged.
pub async fn verify(store: &dyn Store) -> Result<Verification, StoreError> {
    let mut verification = Verification::default();
    for table in Table::ALL {
        let records = verify_table(store, table, &mut verification.damaged).await?;
        verification.records.push((table, records));
    }
    Ok(verification)
}

async fn verify_table(
    store: &dyn Store,
    table: Table,
    damaged: &mut Vec<Damage>,
) -> Result<u64, StoreError> {
    let mut records = 0;
    let mut from = Bytes::new();
    loop {
        let page = store
            .scan(Scan {
                table,
                from: from.clone(),
                to: Bytes::new(),
                reverse: false,
                records_max: PAGE_RECORDS_MAX,
                bytes_max: PAGE_BYTES_MAX,
            })
            .await;
        match page {
            Ok(page) => {
                let Some(last) = page.last() else { return Ok(records) };
                from = [last.key.as_ref(), &[0]].concat().into();
                records += page.len() as u64;
                damaged.extend(page.into_iter().filter_map(|record| record.value.err()));
            }
            // A whole stretch is unreadable: nobody knows its keys, so go on with the next slot.
            Err(StoreError::Damaged(damage)) => {
                damaged.push(damage);
                let Some(next) = next_slot(&from) else { return Ok(records) };
                from = next;
            }
            Err(error) => return Err(error),
        }
    }
}

/// The first key of the slot after the one that a key belongs to.
fn next_slot(key: &[u8]) -> Option<Bytes> {
    let mut bytes = key.iter().copied();
    let slot = u16::from_be_bytes([bytes.next().unwrap_or(0), bytes.next().unwrap_or(0)]);
    let next = slot.checked_add(1)?;
    Some(Bytes::copy_from_slice(&next.to_be_bytes()))
}
