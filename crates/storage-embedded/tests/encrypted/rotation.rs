//! Keys change while the store is in use.

use std::sync::Arc;

use at_rest::DataKeyState;
use storage::{Store as _, StoreError};

use crate::support::{CANARY, Folder, go_through, keys, namespace, read, record, write};

#[tokio::test]
async fn a_new_key_encryption_key_opens_everything_and_the_former_one_nothing() {
    let folder = Folder::new();
    let (store, ring) = folder.open(&[("k1", 1)]).await;
    write(&store, vec![record(1, Some(namespace(1)))]).await;
    ring.rewrap(keys(&[("k1", 1), ("k2", 2)])).await.unwrap();
    assert_eq!(ring.status().key_encryption_key, "k2");
    write(&store, vec![record(2, Some(namespace(2)))]).await;
    store.close().await;
    drop(store);
    assert!(folder.ring(&[("k1", 1)]).await.is_err());
    let (store, _) = folder.open(&[("k2", 2)]).await;
    for number in [1, 2] {
        assert!(read(&*store, number).await.unwrap().is_some());
    }
    store.close().await;
    drop(store);
    // A start with another current key does the same.
    let (store, _) = folder.open(&[("k2", 2), ("k3", 3)]).await;
    assert!(read(&*store, 1).await.unwrap().is_some());
    store.close().await;
    drop(store);
    assert!(folder.ring(&[("k2", 2)]).await.is_err());
    let (store, _) = folder.open(&[("k3", 3)]).await;
    assert!(read(&*store, 2).await.unwrap().is_some());
}

#[tokio::test]
async fn records_are_sealed_again_with_new_data_keys_and_the_former_ones_go() {
    let folder = Folder::new();
    let (store, ring) = folder.open(&[("k1", 1)]).await;
    let owner = |number: u16| Some(namespace(u8::try_from(number % 3).unwrap() + 1));
    write(&store, (0..500).map(|number| record(number, owner(number))).collect()).await;
    let before = ring.status().data_keys.len();
    assert_eq!(before, 4, "three namespaces and the system");
    assert_eq!(ring.rotate_data_keys(None).unwrap(), 4);
    // Written between: sealed with the new key at once.
    write(&store, vec![record(500, owner(500))]).await;
    let leftovers = ring.leftovers().unwrap();
    let (sealed, removed) = go_through(&store).await;
    assert!(sealed >= 500 && removed == 0, "{sealed} {removed}");
    ring.forget(&leftovers).unwrap();
    assert_eq!(ring.leftovers(), None);
    let status = ring.status();
    assert_eq!(status.data_keys.len(), 4);
    assert!(status.data_keys.iter().all(|key| key.state == DataKeyState::Current));
    assert_eq!(go_through(&store).await, (0, 0));
    store.close().await;
    drop(store);
    let (store, _) = folder.open(&[("k1", 1)]).await;
    for number in 0..=500 {
        assert!(read(&*store, number).await.unwrap().is_some(), "{number}");
    }
}

#[tokio::test]
async fn one_namespace_s_key_is_rotated_alone() {
    let folder = Folder::new();
    let (store, ring) = folder.open(&[("k1", 1)]).await;
    write(&store, (1..=4).map(|number| record(number, Some(namespace(1)))).collect()).await;
    write(&store, vec![record(5, Some(namespace(2)))]).await;
    assert_eq!(ring.rotate_data_keys(Some(namespace(1))).unwrap(), 1);
    assert!(ring.rotate_data_keys(Some(namespace(9))).is_err());
    assert_eq!(go_through(&store).await, (4, 0));
}

#[tokio::test]
async fn a_plain_directory_is_encrypted_while_it_is_in_use() {
    let folder = Folder::new();
    let store = Arc::new(folder.open_plain().unwrap());
    write(&store, (0..300).map(|number| record(number, Some(namespace(1)))).collect()).await;
    store.close().await;
    drop(store);
    let (store, ring) = folder.open(&[("k1", 1)]).await;
    assert!(ring.status().plain_values);
    write(&store, vec![record(300, Some(namespace(1)))]).await;
    for number in [0, 299, 300] {
        assert!(read(&*store, number).await.unwrap().is_some());
    }
    let leftovers = ring.leftovers().unwrap();
    assert!(go_through(&store).await.0 >= 300);
    store.compact().unwrap();
    ring.forget(&leftovers).unwrap();
    assert!(!ring.status().plain_values);
    store.close().await;
    drop(store);
    assert_eq!(folder.files_with(CANARY), Vec::<std::path::PathBuf>::new());
    let (store, _) = folder.open(&[("k1", 1)]).await;
    for number in 0..=300 {
        assert!(read(&*store, number).await.unwrap().is_some(), "{number}");
    }
}

#[tokio::test]
async fn a_plain_record_that_turns_up_later_is_damaged() {
    let folder = Folder::new();
    let (store, _) = folder.open(&[("k1", 1)]).await;
    write(&store, vec![record(1, Some(namespace(1)))]).await;
    store.close().await;
    drop(store);
    {
        let database = fjall::Database::builder(folder.data().join("fjall")).open().unwrap();
        let keyspace = database.keyspace("run", Default::default).unwrap();
        let key = crate::support::key(1);
        let forged = storage::envelope::seal(storage::Table::Run, &key, b"forged");
        keyspace.insert(&key[..], &forged[..]).unwrap();
        database.persist(fjall::PersistMode::SyncAll).unwrap();
    }
    let (store, _) = folder.open(&[("k1", 1)]).await;
    let Err(StoreError::Damaged(damage)) = read(&*store, 1).await else { panic!("it opened") };
    assert!(damage.to_string().contains("it is not encrypted"), "{damage}");
}
