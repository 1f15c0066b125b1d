//! Random bit flips in what is stored.

use std::sync::Arc;

use bytes::Bytes;
use storage::{Store as _, StoreError, Table, Write};
use storage_embedded::EmbeddedStore;

use crate::support::{CANARY, Folder, key, namespace, write};

const FLIPS: usize = 10_000;

/// Records, in turn in each of the tables that slots write.
const RECORDS: u16 = 500;

const TABLES: [Table; 5] =
    [Table::History, Table::Run, Table::Current, Table::Entity, Table::Branch];

/// The numbers of a simple generator, the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// Where a record is.
fn place(number: u16) -> (Table, Bytes) {
    (TABLES[usize::from(number) % TABLES.len()], key(number))
}

fn record(number: u16) -> Write {
    let (table, key) = place(number);
    let value = [CANARY, number.to_string().as_bytes(), &[0xab; 100]].concat().into();
    Write::Put { table, namespace: Some(namespace(1)), key, value }
}

async fn opened(folder: &Folder, is_encrypted: bool) -> Arc<EmbeddedStore> {
    if is_encrypted {
        return folder.open(&[("k1", 1)]).await.0;
    }
    Arc::new(folder.open_plain().unwrap())
}

/// Changes the values of all records behind the store's back; gives the values of before.
fn change(folder: &Folder, mut changed: impl FnMut(u16, &[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
    let database = fjall::Database::builder(folder.data().join("fjall")).open().unwrap();
    let mut before = Vec::new();
    for number in 0..RECORDS {
        let (table, key) = place(number);
        let keyspace = database.keyspace(table.name(), Default::default).unwrap();
        let value = keyspace.get(&key).unwrap().unwrap().to_vec();
        keyspace.insert(&key[..], changed(number, &value)).unwrap();
        before.push(value);
    }
    database.persist(fjall::PersistMode::SyncAll).unwrap();
    before
}

async fn finds_every_flip(is_encrypted: bool) {
    let folder = Folder::new();
    let store = opened(&folder, is_encrypted).await;
    write(&store, (0..RECORDS).map(record).collect()).await;
    store.close().await;
    drop(store);
    let mut numbers = Numbers(1);
    let mut flipped = 0;
    while flipped < FLIPS {
        let good = change(&folder, |_, good| {
            let mut bad = good.to_vec();
            let bit = numbers.below(bad.len() * 8);
            bad[bit / 8] ^= 1 << (bit % 8);
            bad
        });
        let store = opened(&folder, is_encrypted).await;
        for number in 0..RECORDS {
            let (table, key) = place(number);
            let name: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            match store.read(table, key).await {
                Err(StoreError::Damaged(damage)) => {
                    assert_eq!((damage.table, damage.key), (table, name));
                }
                other => panic!("record {name} of {table:?}: {other:?}"),
            }
            flipped += 1;
        }
        store.close().await;
        drop(store);
        change(&folder, |number, _| good[usize::from(number)].clone());
    }
    let store = opened(&folder, is_encrypted).await;
    for number in 0..RECORDS {
        let (table, key) = place(number);
        let value = store.read(table, key).await.unwrap().unwrap();
        assert!(value.starts_with(CANARY));
    }
}

#[tokio::test]
async fn every_one_of_ten_thousand_flipped_bits_is_found_and_names_the_record() {
    finds_every_flip(true).await;
}

#[tokio::test]
async fn without_encryption_every_one_of_ten_thousand_flipped_bits_is_found_too() {
    finds_every_flip(false).await;
}
