//! Reads, scans and damaged records.

use std::sync::Arc;

use bytes::Bytes;

use super::{Subject, Writer, put, slot};
use crate::{Record, Scan, Store, StoreError, Table, Write, slot_prefix, verify};

fn key(number: u8) -> Bytes {
    Bytes::copy_from_slice(&[0, 5, number])
}

fn scan(table: Table, from: impl Into<Bytes>, to: impl Into<Bytes>, reverse: bool) -> Scan {
    let (from, to) = (from.into(), to.into());
    Scan { table, from, to, reverse, records_max: 1_000, bytes_max: usize::MAX }
}

async fn keys(store: &dyn Store, scan: Scan) -> Vec<u8> {
    let records = store.scan(scan).await.unwrap();
    records.iter().map(|record| record.key[2]).collect()
}

/// Ten records of one slot, with a neighbour slot on either side.
async fn ten_records(store: &Arc<dyn Store>) {
    let mut writer = Writer::claim(store, slot(5)).await;
    let write = |number: u8| Write::Put {
        table: Table::Run,
        namespace: None,
        key: key(number),
        value: vec![number; 100].into(),
    };
    writer.commit((0..10).map(write).collect()).await;
    for other in [4, 6] {
        let mut neighbour = Writer::of(store, slot(other), writer.epoch).await;
        let key = [slot_prefix(slot(other)).as_ref(), &[200]].concat().into();
        let value = Bytes::from_static(b"neighbour");
        neighbour.commit(vec![Write::Put { table: Table::Run, namespace: None, key, value }]).await;
    }
}

pub async fn a_scan_keeps_its_bounds_in_both_directions(subject: &dyn Subject) {
    let store = subject.open().await;
    ten_records(&store).await;
    let all: Vec<u8> = (0..10).collect();
    let reversed = |mut keys: Vec<u8>| {
        keys.reverse();
        keys
    };
    let cases: Vec<(Bytes, Bytes, Vec<u8>)> = vec![
        (slot_prefix(slot(5)), slot_prefix(slot(6)), all.clone()),
        (key(3), key(7), vec![3, 4, 5, 6]),
        (key(3), key(3), vec![]),
        (key(7), key(3), vec![]),
        (key(9), slot_prefix(slot(6)), vec![9]),
        (Bytes::from_static(&[0, 5, 3, 0]), key(5), vec![4]),
        (key(8), Bytes::new(), vec![8, 9, 200]),
        (Bytes::new(), key(2), vec![200, 0, 1]),
        (Bytes::new(), Bytes::new(), [&[200], all.as_slice(), &[200]].concat()),
        (Bytes::from_static(&[9]), Bytes::new(), vec![]),
    ];
    for (from, to, expected) in cases {
        let forward = scan(Table::Run, from.clone(), to.clone(), false);
        assert_eq!(keys(&*store, forward).await, expected, "{from:?} to {to:?}");
        let backward = scan(Table::Run, from.clone(), to.clone(), true);
        assert_eq!(keys(&*store, backward).await, reversed(expected), "{to:?} down to {from:?}");
    }
}

pub async fn a_scan_stops_at_its_limits(subject: &dyn Subject) {
    let store = subject.open().await;
    ten_records(&store).await;
    let limited = |reverse, records_max, bytes_max| Scan {
        records_max,
        bytes_max,
        ..scan(Table::Run, slot_prefix(slot(5)), slot_prefix(slot(6)), reverse)
    };
    assert_eq!(keys(&*store, limited(false, 3, usize::MAX)).await, [0, 1, 2]);
    assert_eq!(keys(&*store, limited(true, 3, usize::MAX)).await, [9, 8, 7]);
    assert!(keys(&*store, limited(false, 0, usize::MAX)).await.is_empty());
    // Each value has 100 bytes; the one that passes the limit is the last.
    assert_eq!(keys(&*store, limited(false, 100, 250)).await, [0, 1, 2]);
    assert_eq!(keys(&*store, limited(true, 100, 0)).await, [9]);
}

pub async fn a_scan_sees_a_batch_as_a_whole(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    let mut receipts = Vec::new();
    for round in 0..200_u8 {
        let write = |number| Write::Put {
            table: Table::Run,
            namespace: None,
            key: key(number),
            value: vec![round].into(),
        };
        receipts.push(writer.submit((0..20).map(write).collect()));
        let records = store.scan(scan(Table::Run, key(0), key(20), false)).await.unwrap();
        let values: Vec<Bytes> = records.into_iter().map(|record| record.value.unwrap()).collect();
        assert!(values.is_empty() || values.len() == 20);
        assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "{values:?}");
        // Lets the store commit now and then.
        if round % 20 == 0 {
            for receipt in receipts.drain(..) {
                receipt.await.unwrap();
            }
        }
    }
}

pub async fn tables_do_not_mix(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    let tables = [Table::History, Table::Run, Table::Current, Table::Task];
    let write = |table: Table| Write::Put {
        table,
        namespace: None,
        key: key(1),
        value: table.name().into(),
    };
    writer.commit(tables.map(write).to_vec()).await;
    for table in tables {
        let value = store.read(table, key(1)).await.unwrap();
        assert_eq!(value, Some(table.name().into()));
        assert_eq!(keys(&*store, scan(table, Bytes::new(), Bytes::new(), false)).await, [1]);
    }
}

pub async fn a_damaged_record_is_named_and_hides_no_neighbour(subject: &dyn Subject) {
    let store = subject.open().await;
    ten_records(&store).await;
    store.close().await;
    subject.damage(Table::Run, key(4)).await;
    let store = subject.open().await;

    let error = store.read(Table::Run, key(4)).await.unwrap_err();
    let StoreError::Damaged(damage) = error else { panic_on(&error) };
    assert_eq!((damage.table, damage.key.as_str()), (Table::Run, "000504"));
    let message = damage.to_string();
    assert!(message.contains("record 000504 of table `run` is damaged"), "{message}");
    assert!(message.contains("restore the workflow from a backup"), "{message}");

    for number in [3, 5] {
        assert_eq!(store.read(Table::Run, key(number)).await.unwrap().unwrap().len(), 100);
    }
    for reverse in [false, true] {
        let range = scan(Table::Run, slot_prefix(slot(5)), slot_prefix(slot(6)), reverse);
        let records = store.scan(range).await.unwrap();
        assert_eq!(records.len(), 10);
        for Record { key, value } in records {
            assert_eq!(value.is_err(), key[2] == 4, "{key:?}");
        }
    }
    // The damaged record does not stop the slot from writing.
    let mut writer = Writer::claim(&store, slot(5)).await;
    writer.commit(vec![put(slot(5), 1, "x")]).await;
    let value = Bytes::from_static(b"written anew");
    writer
        .commit(vec![Write::Put {
            table: Table::Run,
            namespace: None,
            key: key(4),
            value: value.clone(),
        }])
        .await;
    assert_eq!(store.read(Table::Run, key(4)).await.unwrap(), Some(value));
}

pub async fn verify_counts_all_records_and_finds_the_damaged_one(subject: &dyn Subject) {
    let store = subject.open().await;
    ten_records(&store).await;
    let before = verify(&*store).await.unwrap();
    let counted = |table| before.records.iter().find(|(other, _)| *other == table).unwrap().1;
    assert_eq!((counted(Table::Run), counted(Table::History)), (12, 0));
    assert!(counted(Table::Slot) >= 3);
    assert_eq!(before.damaged, []);
    store.close().await;
    subject.damage(Table::Run, key(4)).await;
    let store = subject.open().await;
    let after = verify(&*store).await.unwrap();
    assert_eq!(after.records, before.records);
    assert_eq!(after.damaged.len(), 1);
    assert_eq!(after.damaged[0].key, "000504");
}

#[expect(clippy::panic, reason = "a test that fails")]
fn panic_on(error: &StoreError) -> ! {
    panic!("not the expected error: {error}")
}
