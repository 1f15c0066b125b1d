//! Who may write, and what an owner learns when a commit fails.

use super::{Subject, Writer, history_of, put, slot};
use crate::CommitError;

pub async fn a_claim_fences_the_former_owner(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut former = Writer::claim(&store, slot(5)).await;
    former.commit(vec![put(slot(5), 1, "former")]).await;
    let mut owner = Writer::claim(&store, slot(5)).await;
    assert!(owner.epoch > former.epoch);
    assert_eq!(owner.seq, 1);
    assert_eq!(former.submit(vec![put(slot(5), 2, "stale")]).await, Err(CommitError::Fenced));
    owner.commit(vec![put(slot(5), 3, "owner")]).await;
    assert_eq!(history_of(&*store, slot(5)).await, ["former", "owner"]);
}

pub async fn of_two_owners_that_race_only_the_last_one_writes(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut former = Writer::claim(&store, slot(5)).await;
    // These are queued before the claim and may be in or out, but only as a prefix.
    let queued: Vec<_> =
        (0..20).map(|event| former.submit(vec![put(slot(5), event, "former")])).collect();
    let mut owner = Writer::claim(&store, slot(5)).await;
    let late: Vec<_> =
        (20..40).map(|event| former.submit(vec![put(slot(5), event, "late")])).collect();
    owner.commit(vec![put(slot(5), 99, "owner")]).await;
    let mut written = 0;
    for receipt in queued {
        match receipt.await {
            Ok(()) => written += 1,
            Err(error) => assert_eq!(error, CommitError::Fenced),
        }
    }
    for receipt in late {
        assert_eq!(receipt.await, Err(CommitError::Fenced));
    }
    let history = history_of(&*store, slot(5)).await;
    assert_eq!(history.len(), written + 1);
    assert_eq!(history[written], "owner");
    assert_eq!(store.slot_row(slot(5)).await.unwrap().seq, owner.seq);
}

pub async fn a_failed_batch_fences_the_rest_of_its_slot_but_no_other_slot(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut broken = Writer::claim(&store, slot(5)).await;
    let mut healthy = Writer::of(&store, slot(6), broken.epoch).await;
    let mut receipts = vec![broken.submit(vec![put(slot(5), 1, "in")])];
    broken.seq += 1;
    let mut others = Vec::new();
    for event in 2..10 {
        receipts.push(broken.submit(vec![put(slot(5), event, "out")]));
        others.push(healthy.submit(vec![put(slot(6), event, "in")]));
    }
    let mut outcomes = Vec::new();
    for receipt in receipts {
        outcomes.push(receipt.await);
    }
    assert_eq!(outcomes[0], Ok(()));
    assert!(outcomes[1..].iter().all(|outcome| *outcome == Err(CommitError::Fenced)));
    for receipt in others {
        receipt.await.unwrap();
    }
    assert_eq!(history_of(&*store, slot(5)).await, ["in"]);
    assert_eq!(history_of(&*store, slot(6)).await.len(), 8);
    let mut reloaded = Writer::of(&store, slot(5), broken.epoch).await;
    reloaded.commit(vec![put(slot(5), 2, "again")]).await;
    assert_eq!(history_of(&*store, slot(5)).await, ["in", "again"]);
}

pub async fn the_slot_row_tells_whether_an_unknown_batch_is_in(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    for event in 0..20 {
        // The writer gives up waiting, as after a time-out.
        drop(writer.submit(vec![put(slot(5), event, "x")]));
        let row = store.slot_row(slot(5)).await.unwrap();
        assert_eq!(row.seq, writer.seq);
        assert_eq!(history_of(&*store, slot(5)).await.len() as u64, writer.seq);
    }
    let mut stale = writer.clone();
    stale.seq = 3;
    drop(stale.submit(vec![put(slot(5), 99, "out")]));
    assert_eq!(store.slot_row(slot(5)).await.unwrap().seq, writer.seq);
}

pub async fn a_batch_that_is_in_cannot_be_applied_twice(subject: &dyn Subject) {
    let store = subject.open().await;
    let mut writer = Writer::claim(&store, slot(5)).await;
    let batch = writer.batch(vec![put(slot(5), 1, "once")]);
    store.submit(batch.clone()).await.unwrap();
    assert_eq!(store.submit(batch.clone()).await, Err(CommitError::Fenced));
    writer.seq += 1;
    writer.commit(vec![put(slot(5), 1, "twice")]).await;
    assert_eq!(store.submit(batch).await, Err(CommitError::Fenced));
    assert_eq!(history_of(&*store, slot(5)).await, ["twice"]);
}

pub async fn the_epoch_rises_over_a_reopening(subject: &dyn Subject) {
    let mut last = None;
    for _ in 0..4 {
        let store = subject.open().await;
        let epoch = store.claim().await.unwrap().epoch;
        assert!(Some(epoch) > last, "{epoch:?} after {last:?}");
        assert_eq!(store.slot_row(slot(9)).await.unwrap().epoch, epoch);
        last = Some(epoch);
        store.close().await;
    }
}
