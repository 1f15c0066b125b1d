//! What the store makes of files that changed behind its back.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "these are tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use storage::{
    Store, StoreError, Table, Write,
    conformance::{Writer, history_of, put, slot},
    verify,
};
use storage_embedded::{EmbeddedStore, Settings};

const BATCHES: u8 = 8;

fn settings() -> Settings {
    Settings { write_buffer_bytes: 1024 * 1024, free_bytes_min: 0, ..Settings::default() }
}

fn open(folder: &Path) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open(folder, settings())
}

/// What a crash leaves of a store with a few batches: a copy of its files while it runs. The values
/// are recognisable in the journal.
async fn write_batches(folder: &Path) {
    let live = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(open(live.path()).unwrap());
    let mut writer = Writer::claim(&store, slot(1)).await;
    for batch in 1..=BATCHES {
        let value = vec![batch + 100; 40_000];
        writer.commit(vec![put(slot(1), batch.into(), value)]).await;
    }
    copy(live.path(), folder);
    store.close().await;
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn journal(folder: &Path) -> PathBuf {
    let mut journals: Vec<PathBuf> = fs::read_dir(folder.join("fjall"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "jnl"))
        .collect();
    journals.sort();
    journals.pop().unwrap()
}

/// Zeroes a part in the middle of the value of a batch, as if one block never reached the disk.
fn tear(folder: &Path, batch: u8) {
    let path = journal(folder);
    let mut bytes = fs::read(&path).unwrap();
    let value = vec![batch + 100; 40_000];
    let at = bytes.windows(value.len()).position(|window| window == value).unwrap();
    bytes[at + 10_000..at + 14_096].fill(0);
    fs::write(&path, bytes).unwrap();
}

#[tokio::test]
async fn a_commit_that_a_power_failure_tore_apart_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    write_batches(folder.path()).await;
    tear(folder.path(), BATCHES);
    let store: Arc<EmbeddedStore> = Arc::new(open(folder.path()).unwrap());
    let note = store.recovery().unwrap();
    assert!(note.contains("an unfinished commit was cut off"), "{note}");
    let kept = usize::from(BATCHES) - 1;
    assert_eq!(history_of(&*store, slot(1)).await.len(), kept);
    assert_eq!(store.slot_row(slot(1)).await.unwrap().seq, kept as u64);
    let store: Arc<dyn Store> = store;
    let mut writer = Writer::claim(&store, slot(1)).await;
    writer.commit(vec![put(slot(1), 99, "after")]).await;
    drop((store, writer));
    let store = open(folder.path()).unwrap();
    assert_eq!(store.recovery(), None);
    assert_eq!(history_of(&store, slot(1)).await.len(), kept + 1);
}

#[tokio::test]
async fn damage_before_an_acknowledged_commit_stops_the_opening_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write_batches(folder.path()).await;
    tear(folder.path(), 3);
    let before = fs::read(journal(folder.path())).unwrap();
    for _ in 0..2 {
        let error = open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("damaged at byte"), "{error}");
        assert!(error.contains(".jnl"), "{error}");
        assert!(error.contains("restore the directory from a backup"), "{error}");
        assert!(fs::read(journal(folder.path())).unwrap() == before);
    }
}

#[tokio::test]
async fn a_store_that_was_closed_leaves_an_empty_journal() {
    let folder = tempfile::tempdir().unwrap();
    write_batches(folder.path()).await;
    assert!(fs::metadata(journal(folder.path())).unwrap().len() > 0);
    let store = open(folder.path()).unwrap();
    store.close().await;
    assert_eq!(fs::metadata(journal(folder.path())).unwrap().len(), 0);
    let store = open(folder.path()).unwrap();
    assert_eq!(history_of(&store, slot(1)).await.len(), usize::from(BATCHES));
    assert_eq!(store.slot_row(slot(1)).await.unwrap().seq, BATCHES.into());
}

fn tables(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.join("fjall").join("keyspaces")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.parent().unwrap().ends_with("tables") {
                files.push(path);
            }
        }
    }
    files
}

fn run_write(number: u16) -> Write {
    let key = [&[0, 1], number.to_be_bytes().as_slice()].concat().into();
    Write::Put { table: Table::Run, namespace: None, key, value: vec![0xab; 1_000].into() }
}

#[tokio::test]
async fn a_damaged_block_hides_only_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(open(folder.path()).unwrap());
    let mut writer = Writer::claim(&store, slot(1)).await;
    let mut other = Writer::of(&store, slot(2), writer.epoch).await;
    other.commit(vec![put(slot(2), 1, "other")]).await;
    for number in 0..1_500 {
        drop(writer.submit(vec![run_write(number)]));
    }
    writer.commit(vec![]).await;
    store.close().await;
    drop((store, writer, other));
    let table =
        tables(folder.path()).into_iter().max_by_key(|path| fs::metadata(path).unwrap().len());
    let table = table.unwrap();
    let mut bytes = fs::read(&table).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&table, bytes).unwrap();

    let store = open(folder.path()).unwrap();
    let mut damaged = 0;
    for number in 0..1_500 {
        let key: Bytes = run_write(number).key().clone();
        match store.read(Table::Run, key.clone()).await {
            Ok(value) => assert_eq!(value.unwrap().len(), 1_000),
            Err(StoreError::Damaged(damage)) => {
                damaged += 1;
                assert_eq!(damage.table, Table::Run);
                assert!(damage.key.starts_with("0001"), "{damage}");
            }
            Err(error) => assert!(error.to_string().is_empty(), "{error}"),
        }
    }
    assert!((1..50).contains(&damaged), "{damaged} records are unreadable");
    let verification = verify(&store).await.unwrap();
    assert!(!verification.damaged.is_empty());
    assert!(verification.damaged.iter().all(|damage| damage.table == Table::Run));
    assert_eq!(history_of(&store, slot(2)).await, ["other"]);
}
