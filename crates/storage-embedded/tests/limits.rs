//! Bounds, grouping and counters.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;

use futures_util::future::join_all;
use storage::{
    CommitError, Store,
    conformance::{Writer, history_of, put, slot},
};
use storage_embedded::{EmbeddedStore, Settings};

fn open(folder: &tempfile::TempDir, settings: Settings) -> Arc<EmbeddedStore> {
    Arc::new(EmbeddedStore::open(folder.path(), settings).unwrap())
}

fn settings() -> Settings {
    Settings { free_bytes_min: 0, ..Settings::default() }
}

#[tokio::test]
async fn a_full_queue_refuses_batches_and_fences_those_behind_them() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = open(&folder, Settings { queue_bytes_max: 100_000, ..settings() });
    let store: Arc<dyn Store> = Arc::clone(&embedded) as _;
    let mut writer = Writer::claim(&store, slot(1)).await;
    let receipts: Vec<_> =
        (0..500).map(|event| writer.submit(vec![put(slot(1), event, vec![1; 20_000])])).collect();
    let outcomes = join_all(receipts).await;
    let written = outcomes.iter().take_while(|outcome| outcome.is_ok()).count();
    let refused = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(CommitError::Refused { .. })))
        .count();
    assert!(refused > 0, "500 batches of 20 KB fitted into a queue of 100 KB");
    assert!(outcomes.iter().skip(written).all(Result::is_err), "a batch passed a lost one");
    assert_eq!(history_of(&*store, slot(1)).await.len(), written);
    assert_eq!(store.slot_row(slot(1)).await.unwrap().seq, written as u64);
    assert_eq!(embedded.stats().refused, refused as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_are_ready_together_share_a_sync() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = open(&folder, settings());
    let store: Arc<dyn Store> = Arc::clone(&embedded) as _;
    let epoch = store.claim().await.unwrap().epoch;
    let before = embedded.stats();
    let owners = (0..32).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut writer = Writer::of(&store, slot(number), epoch).await;
            for event in 0..50 {
                writer.commit(vec![put(slot(number), event, "x")]).await;
            }
            assert_eq!(history_of(&*store, slot(number)).await.len(), 50);
        })
    });
    for owner in join_all(owners).await {
        owner.unwrap();
    }
    let after = embedded.stats();
    assert_eq!(after.batches - before.batches, 32 * 50);
    let fsyncs = after.fsyncs - before.fsyncs;
    assert!(fsyncs <= 800, "{fsyncs} syncs for 1,600 batches");
    assert_eq!(after.commits - before.commits, fsyncs);
    assert_eq!((after.queue_entries, after.queue_bytes, after.failures), (0, 0, 0));
}

#[tokio::test]
async fn a_directory_has_one_store_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(&folder, settings());
    let error = EmbeddedStore::open(folder.path(), settings()).unwrap_err().to_string();
    assert!(error.contains("in use by another server"), "{error}");
    assert!(error.contains(&folder.path().display().to_string()), "{error}");
    drop(first);
    drop(open(&folder, settings()));
}
