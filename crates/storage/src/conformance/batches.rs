//! Atomicity, order and durability of batches.

use bytes::Bytes;
use model::{NamespaceId, SlotId, Time};

use super::{Subject, Writer, history_of, put, slot, subject::run};
use crate::{
    CommitError, Cursors, Table, TaskCategory, TaskKey, Write, current_key, history_key, run_key,
    task_key,
};

fn delete(slot: SlotId, event: i64) -> Write {
    Write::Delete { table: Table::History, key: history_key(slot, run(), 0, event, 0) }
}

fn task(slot: SlotId, category: TaskCategory, time: i64, task_id: u64) -> Write {
    let fire_time = Time::from_nanos(time);
    let key = task_key(slot, TaskKey { category, fire_time, task_id });
    Write::Put { table: Table::Task, namespace: None, key, value: Bytes::from_static(b"task") }
}

pub async fn a_batch_is_applied_as_a_whole(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    let current = current_key(slot(5), NamespaceId::from_bytes([1; 16]), "order-1");
    let writes = vec![
        put(slot(5), 1, "started"),
        Write::Put {
            table: Table::Run,
            namespace: None,
            key: run_key(slot(5), run()),
            value: Bytes::from_static(b"snapshot"),
        },
        Write::Put {
            table: Table::Current,
            namespace: None,
            key: current.clone(),
            value: Bytes::from_static(b"run"),
        },
        task(slot(5), TaskCategory::Immediate, 0, 1),
    ];
    writer.commit(writes.clone()).await;
    for write in writes {
        let Write::Put { table, key, value, .. } = write else { continue };
        assert_eq!(store.read(table, key).await.unwrap(), Some(value));
    }
    writer.commit(vec![Write::Delete { table: Table::Current, key: current.clone() }]).await;
    assert_eq!(store.read(Table::Current, current).await.unwrap(), None);
}

pub async fn a_batch_that_fails_changes_nothing(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    writer.commit(vec![put(slot(5), 1, "first")]).await;
    let row = store.slot_row(slot(5)).await.unwrap();
    let mut stale = writer.clone();
    stale.seq = 0;
    stale.cursors.immediate = 77;
    let outcome =
        stale.submit(vec![put(slot(5), 1, "overwritten"), put(slot(5), 2, "second")]).await;
    assert_eq!(outcome, Err(CommitError::Fenced));
    assert_eq!(history_of(&*store, slot(5)).await, ["first"]);
    assert_eq!(store.slot_row(slot(5)).await.unwrap(), row);
}

pub async fn the_last_write_of_a_key_wins(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    let writes = vec![
        put(slot(5), 1, "a"),
        put(slot(5), 1, "b"),
        put(slot(5), 2, "c"),
        delete(slot(5), 2),
        delete(slot(5), 3),
        put(slot(5), 3, "d"),
    ];
    writer.commit(writes).await;
    assert_eq!(history_of(&*store, slot(5)).await, ["b", "d"]);
}

pub async fn a_pipelined_put_and_delete_keep_their_order(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    let receipts = [
        writer.submit(vec![put(slot(5), 1, "a"), put(slot(5), 2, "a")]),
        writer.submit(vec![delete(slot(5), 1), put(slot(5), 2, "b")]),
        writer.submit(vec![put(slot(5), 1, "c"), delete(slot(5), 2)]),
        writer.submit(vec![put(slot(5), 3, "d")]),
    ];
    for receipt in receipts {
        receipt.await.unwrap();
    }
    assert_eq!(history_of(&*store, slot(5)).await, ["c", "d"]);
    store.close().await;
    let store = subject.open().await;
    assert_eq!(history_of(&*store, slot(5)).await, ["c", "d"]);
}

pub async fn batches_of_a_slot_keep_their_order_under_pipelining(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writers = Vec::new();
    let epoch = store.claim().await.unwrap().epoch;
    for number in [1, 2, 3] {
        writers.push(Writer::of(&store, slot(number), epoch).await);
    }
    let mut receipts = Vec::new();
    for event in 0..100_u64 {
        for (number, writer) in (1..).zip(&mut writers) {
            let value = event.to_be_bytes().to_vec();
            receipts.push(writer.submit(vec![put(slot(number), 1, value)]));
        }
    }
    for receipt in receipts {
        receipt.await.unwrap();
    }
    for number in [1, 2, 3] {
        let last = 99_u64.to_be_bytes().to_vec();
        assert_eq!(history_of(&*store, slot(number)).await, [last]);
        assert_eq!(store.slot_row(slot(number)).await.unwrap().seq, 100);
    }
}

pub async fn a_batch_outside_its_slot_is_refused(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    let meta = Write::Put {
        table: Table::Meta,
        namespace: None,
        key: Bytes::from_static(&[0, 5, 1]),
        value: Bytes::from_static(b"x"),
    };
    for stray in [put(slot(6), 1, "x"), meta] {
        let outcome = store.submit(writer.batch(vec![put(slot(5), 1, "y"), stray])).await;
        assert!(matches!(outcome, Err(CommitError::Refused { .. })), "{outcome:?}");
    }
    writer.commit(vec![put(slot(5), 2, "z")]).await;
    assert_eq!(history_of(&*store, slot(5)).await, ["z"]);
    assert!(history_of(&*store, slot(6)).await.is_empty());
}

pub async fn a_large_value_survives(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    let large: Bytes = (0..8 * 1024 * 1024_u32).map(|byte| byte.to_be_bytes()[3] ^ 0x5a).collect();
    writer.commit(vec![put(slot(5), 1, large.clone()), put(slot(5), 2, "small")]).await;
    assert!(history_of(&*store, slot(5)).await == [large.clone(), Bytes::from_static(b"small")]);
    store.close().await;
    let store = subject.open().await;
    assert!(history_of(&*store, slot(5)).await == [large, Bytes::from_static(b"small")]);
}

pub async fn an_empty_value_is_not_a_missing_one(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    writer.commit(vec![put(slot(5), 1, "")]).await;
    let key = history_key(slot(5), run(), 0, 1, 0);
    assert_eq!(store.read(Table::History, key).await.unwrap(), Some(Bytes::new()));
    let other = history_key(slot(5), run(), 0, 2, 0);
    assert_eq!(store.read(Table::History, other).await.unwrap(), None);
}

pub async fn every_slot_takes_batches(subject: &dyn Subject) {
    let store = subject.open().await;
    let epoch = store.claim().await.unwrap().epoch;
    let mut receipts = Vec::new();
    for slot in SlotId::all() {
        let mut writer = Writer::of(&store, slot, epoch).await;
        receipts.push(writer.submit(vec![put(slot, 1, slot.number().to_string())]));
    }
    for receipt in receipts {
        receipt.await.unwrap();
    }
    store.close().await;
    let store = subject.open().await;
    let claim = store.claim().await.unwrap();
    assert_eq!(claim.slots.len(), usize::from(model::SLOT_COUNT));
    assert!(claim.slots.iter().all(|(_, row)| row.seq == 1 && row.epoch == claim.epoch));
    for slot in SlotId::all() {
        assert_eq!(history_of(&*store, slot).await, [slot.number().to_string()]);
    }
}

pub async fn acknowledged_batches_are_read_at_once(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    for event in 1..=50 {
        writer.commit(vec![put(slot(5), event, "x")]).await;
        let key = history_key(slot(5), run(), 0, event, 0);
        assert!(store.read(Table::History, key).await.unwrap().is_some());
        assert_eq!(history_of(&*store, slot(5)).await.len(), event.try_into().unwrap());
    }
}

pub async fn cursors_and_task_ids_are_stored_with_the_batch(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    writer.cursors = Cursors { immediate: 3, timer: Time::from_nanos(1_000), visibility: 9 };
    writer.next_task_id = 17;
    writer.commit(vec![put(slot(5), 1, "x")]).await;
    store.close().await;
    let store = subject.open().await;
    let row = store.slot_row(slot(5)).await.unwrap();
    assert_eq!((row.seq, row.cursors, row.next_task_id), (1, writer.cursors, 17));
}

pub async fn tasks_above_the_cursors_are_never_dropped(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    let kept = |cursor: u64| {
        [
            (TaskCategory::Immediate, 0, cursor),
            (TaskCategory::Timer, i64::try_from(cursor).unwrap() * 1_000, 1),
            (TaskCategory::Visibility, 0, cursor),
        ]
    };
    for done in 1..=200 {
        writer.cursors =
            Cursors { immediate: done, timer: Time::from_nanos(1_000), visibility: done };
        let tasks = kept(done).map(|(category, time, id)| task(slot(5), category, time, id));
        writer.commit(tasks.to_vec()).await;
    }
    store.close().await;
    let store = subject.open().await;
    for (category, time, id) in kept(200) {
        let key = task(slot(5), category, time, id).key().clone();
        assert!(store.read(Table::Task, key).await.unwrap().is_some(), "{category:?}");
    }
    for time in 1..=200 {
        let key = task(slot(5), TaskCategory::Timer, time * 1_000, 1).key().clone();
        assert!(store.read(Table::Task, key).await.unwrap().is_some(), "timer {time}");
    }
}

pub async fn a_store_reopens_with_all_that_was_acknowledged(subject: &dyn Subject) {
    for round in 0..3 {
        let store = subject.open().await;
        let mut writer = Writer::claim(&store, slot(5)).await;
        assert_eq!(writer.seq, round * 20);
        for event in 0..20 {
            let event = i64::try_from(round * 20 + event).unwrap();
            writer.commit(vec![put(slot(5), event, event.to_string())]).await;
        }
        store.close().await;
    }
    let store = subject.open().await;
    let values: Vec<String> = (0..60).map(|event| event.to_string()).collect();
    assert_eq!(history_of(&*store, slot(5)).await, values);
}

pub async fn a_closed_store_refuses_batches(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    writer.commit(vec![put(slot(5), 1, "x")]).await;
    store.close().await;
    let outcome = writer.submit(vec![put(slot(5), 2, "y")]).await;
    assert!(matches!(outcome, Err(CommitError::Refused { .. })), "{outcome:?}");
    store.close().await;
}

pub async fn closing_lets_queued_batches_finish(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    let receipts: Vec<_> =
        (0..50).map(|event| writer.submit(vec![put(slot(5), event, "x")])).collect();
    store.close().await;
    for receipt in receipts {
        receipt.await.unwrap();
    }
    let store = subject.open().await;
    assert_eq!(history_of(&*store, slot(5)).await.len(), 50);
}
