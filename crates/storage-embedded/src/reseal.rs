//! Going through a store that encrypts: what was sealed with a former key, or with none, is sealed
//! again, and what no key opens any more is removed.
//!
//! Pages are read and written by the committer between two groups, so that nothing newer is ever
//! overwritten.

use bytes::Bytes;
use fjall::Readable as _;
use storage::{Damage, Fate, StoreError, Table, envelope};

use crate::{
    engine::{Engine, EngineBatch},
    explain::read_error,
};

/// Records that are looked at in one page.
const PAGE_RECORDS_MAX: usize = 2000;

/// Bytes that are written again in one page (256 KiB): a commit waits for no more than that.
const PAGE_BYTES_MAX: usize = 256 * 1024;

/// A page of a table that is gone through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResealPage {
    /// The table.
    pub table: Table,
    /// The first key.
    pub from: Bytes,
}

/// What came of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resealed {
    /// Records that were looked at.
    pub records: u64,
    /// Records that were sealed again.
    pub sealed: u64,
    /// Records that were removed.
    pub removed: u64,
    /// Records that could not be opened; they stay as they are.
    pub damaged: Vec<Damage>,
    /// Where the next page starts; none at the end of the table.
    pub next: Option<Bytes>,
}

impl Engine {
    /// Reads a page and says what is to be written for it.
    pub(crate) fn reseal(&self, page: &ResealPage) -> Result<(Resealed, EngineBatch), StoreError> {
        let mut done = Resealed::default();
        let mut batch = self.batch();
        let Some(cipher) = self.cipher() else { return Ok((done, batch)) };
        let table = page.table;
        let snapshot = self.snapshot();
        let range = snapshot.range::<&[u8], _>(self.keyspace(table), &page.from[..]..);
        for guard in range {
            let (key, stored) = match guard.into_inner() {
                Ok((key, stored)) => {
                    (Bytes::copy_from_slice(&key), Bytes::copy_from_slice(&stored))
                }
                Err(error) => return Err(read_error(table, &page.from, &error)),
            };
            done.records += 1;
            let key_id = envelope::key_id(&stored);
            match key_id.map_or(Fate::Keep, |key_id| cipher.fate(key_id)) {
                Fate::Keep => {}
                Fate::Remove => {
                    done.removed += 1;
                    self.delete(&mut batch, table, key.clone());
                }
                Fate::SealAgain(namespace) => {
                    match envelope::open_with(Some(cipher), table, &key, stored) {
                        Ok(Some(value)) => {
                            let sealed = self.sealed(table, namespace, &key, &value);
                            let sealed = sealed.map_err(StoreError::Unavailable)?;
                            done.sealed += 1;
                            self.put_sealed(&mut batch, table, key.clone(), sealed);
                        }
                        Ok(None) => {
                            done.removed += 1;
                            self.delete(&mut batch, table, key.clone());
                        }
                        Err(damage) => done.damaged.push(damage),
                    }
                }
            }
            let full = done.records >= PAGE_RECORDS_MAX as u64 || batch.bytes >= PAGE_BYTES_MAX;
            if full {
                done.next = Some([key.as_ref(), &[0]].concat().into());
                break;
            }
        }
        Ok((done, batch))
    }
}
