//! Random bit flips in what is stored.

use storage::{Store as _, StoreError, Table};

use crate::support::{CANARY, Folder, key, namespace, record, write};

const FLIPS: u64 = 10_000;

const RECORDS: u16 = 100;

/// Flips to be made behind the store's back at a time.
const ROUND: usize = 100;

/// The numbers of a simple generator, the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

#[tokio::test]
async fn every_one_of_ten_thousand_flipped_bits_is_found_and_names_the_record() {
    let folder = Folder::new();
    let (store, _) = folder.open(&[("k1", 1)]).await;
    let all = (0..RECORDS).map(|number| record(number, Some(namespace(1))));
    write(&store, all.collect()).await;
    store.close().await;
    drop(store);
    let mut numbers = Numbers(1);
    let mut flipped = 0;
    while flipped < FLIPS {
        let mut originals = Vec::new();
        {
            let database = fjall::Database::builder(folder.data().join("fjall")).open().unwrap();
            let keyspace = database.keyspace(Table::Run.name(), Default::default).unwrap();
            for number in 0..ROUND {
                let key = key(u16::try_from(number).unwrap());
                let good = keyspace.get(&key).unwrap().unwrap();
                let mut bad = good.to_vec();
                let bit = numbers.below(bad.len() * 8);
                bad[bit / 8] ^= 1 << (bit % 8);
                keyspace.insert(key.clone(), bad).unwrap();
                originals.push((key, good));
            }
            database.persist(fjall::PersistMode::SyncAll).unwrap();
        }
        let (store, _) = folder.open(&[("k1", 1)]).await;
        for (key, _) in &originals {
            let name: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            match store.read(Table::Run, key.clone()).await {
                Err(StoreError::Damaged(damage)) => assert_eq!(damage.key, name),
                other => panic!("record {name}: {other:?}"),
            }
            flipped += 1;
        }
        store.close().await;
        drop(store);
        let database = fjall::Database::builder(folder.data().join("fjall")).open().unwrap();
        let keyspace = database.keyspace(Table::Run.name(), Default::default).unwrap();
        for (key, good) in originals {
            keyspace.insert(key, good).unwrap();
        }
        database.persist(fjall::PersistMode::SyncAll).unwrap();
    }
    let (store, _) = folder.open(&[("k1", 1)]).await;
    for number in 0..RECORDS {
        let value = store.read(Table::Run, key(number)).await.unwrap().unwrap();
        assert!(value.starts_with(CANARY));
    }
}
