//! Records of done tasks disappear without anybody deleting them.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;

use bytes::Bytes;
use model::Time;
use storage::{
    Cursors, Store, Table, TaskCategory, TaskKey, Write,
    conformance::{Writer, slot},
    task_key, verify,
};
use storage_embedded::{EmbeddedStore, Settings};

const SLOTS: u16 = 4;
const ROUNDS: u64 = 120;
/// Tasks of so many rounds before the last one are not done: enough to be on disk and rewritten.
const OPEN_ROUNDS: u64 = 20;
const TASKS_PER_BATCH: u64 = 50;

fn task(number: u16, category: TaskCategory, id: u64) -> Write {
    let nanos = if category == TaskCategory::Timer { i64::try_from(id).unwrap() } else { 0 };
    let key = TaskKey { category, fire_time: Time::from_nanos(nanos), task_id: id };
    let key = task_key(slot(number), key);
    Write::Put { table: Table::Task, namespace: None, key, value: Bytes::from(vec![7; 200]) }
}

fn tasks(number: u16, ids: std::ops::Range<u64>) -> Vec<Write> {
    let both = [TaskCategory::Immediate, TaskCategory::Timer];
    ids.flat_map(|id| both.map(|category| task(number, category, id))).collect()
}

async fn stored_tasks(store: &dyn Store) -> u64 {
    let records = verify(store).await.unwrap().records;
    records.into_iter().find(|(table, _)| *table == Table::Task).unwrap().1
}

#[tokio::test]
async fn tasks_below_the_cursor_disappear_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        Settings { write_buffer_bytes: 512 * 1024, free_bytes_min: 0, ..Settings::default() };
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(folder.path(), settings).unwrap());
    let epoch = store.claim().await.unwrap().epoch;
    let mut writers = Vec::new();
    for number in 0..SLOTS {
        writers.push(Writer::of(&store, slot(number), epoch).await);
    }
    let mut written = 0;
    for round in 0..ROUNDS {
        let first = round * TASKS_PER_BATCH;
        for (number, writer) in (0..).zip(&mut writers) {
            let tasks = tasks(number, first..first + TASKS_PER_BATCH);
            written += tasks.len() as u64;
            let open = first.saturating_sub(OPEN_ROUNDS * TASKS_PER_BATCH);
            let timer = Time::from_nanos(i64::try_from(open).unwrap());
            writer.cursors = Cursors { immediate: open, timer, visibility: 0 };
            writer.commit(tasks).await;
        }
    }
    let mut stored = written;
    for _ in 0..100 {
        stored = stored_tasks(&*store).await;
        if stored < written / 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(stored < written / 2, "{stored} of {written} tasks are still stored");
    for number in 0..SLOTS {
        let open = (ROUNDS - 1 - OPEN_ROUNDS) * TASKS_PER_BATCH;
        for write in tasks(number, open..ROUNDS * TASKS_PER_BATCH) {
            let found = store.read(Table::Task, write.key().clone()).await.unwrap();
            assert!(found.is_some(), "{write:?}");
        }
    }
}
