//! What the faulty store promises to the simulator.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use storage::{
    CommitError, Store,
    conformance::{Writer, history_of, put, slot},
};
use storage_memory::{Faults, FaultyStore, MemoryStore, Random};

/// SplitMix64: equal seeds give equal numbers.
fn seeded(seed: u64) -> Random {
    let state = AtomicU64::new(seed);
    Random::new(move || {
        let next = state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

fn millis(from: u64, to: u64) -> std::ops::RangeInclusive<Duration> {
    Duration::from_millis(from)..=Duration::from_millis(to)
}

fn everything_at_once() -> Faults {
    Faults {
        commit_delay: millis(0, 20),
        slow_read_delay: millis(1, 50),
        slow_read_per_mille: 200,
        refuse_per_mille: 30,
        lose_ack_per_mille: 30,
        crash_before_per_mille: 30,
        crash_after_per_mille: 30,
        restart_delay: millis(0, 100),
    }
}

fn start(faults: Faults, seed: u64) -> (Arc<FaultyStore>, Arc<dyn Store>) {
    let store = Arc::new(FaultyStore::start(MemoryStore::new(), faults, seeded(seed)));
    (Arc::clone(&store), store)
}

/// An owner that writes through all faults: pipelines, and reloads the slot after each failure.
/// Gives a trace of all that it saw.
async fn drive(seed: u64) -> Vec<String> {
    let (faulty, store) = start(Faults::default(), seed);
    let mut writer = Writer::claim(&store, slot(1)).await;
    faulty.set_faults(everything_at_once());
    let mut trace = Vec::new();
    let mut acknowledged = 0;
    for _ in 0..200 {
        let first = writer.seq;
        let receipts: Vec<_> = (0..5)
            .map(|_| {
                let event = writer.seq;
                writer.submit(vec![put(slot(1), event.try_into().unwrap(), event.to_string())])
            })
            .collect();
        let mut failed = false;
        for (seq, receipt) in (first + 1..).zip(receipts) {
            let outcome = receipt.await;
            trace.push(format!("{seq} {outcome:?}"));
            match outcome {
                Ok(()) => acknowledged = seq,
                Err(_) => failed = true,
            }
        }
        if failed {
            writer.seq = loop {
                match store.slot_row(slot(1)).await {
                    Ok(row) => break row.seq,
                    Err(error) => trace.push(error.to_string()),
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            };
            assert!(writer.seq >= acknowledged, "an acknowledged batch is gone");
            trace.push(format!("reloaded at {}", writer.seq));
        }
    }
    faulty.set_faults(Faults::default());
    let values: Vec<String> = (0..writer.seq).map(|event| event.to_string()).collect();
    assert_eq!(history_of(faulty.memory(), slot(1)).await, values);
    assert!(faulty.crashes() > 0);
    trace
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_reloads_after_failures_loses_nothing() {
    for seed in 0..20 {
        drive(seed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn equal_seeds_give_equal_runs() {
    assert_eq!(drive(7).await, drive(7).await);
    assert_ne!(drive(7).await, drive(8).await);
}

#[tokio::test(start_paused = true)]
async fn a_crash_before_the_commit_loses_all_in_flight() {
    let (faulty, store) = start(Faults::default(), 1);
    let mut writer = Writer::claim(&store, slot(1)).await;
    writer.commit(vec![put(slot(1), 1, "kept")]).await;
    faulty.set_faults(Faults { crash_before_per_mille: 1000, ..Faults::default() });
    let lost = [writer.submit(vec![put(slot(1), 2, "a")]), writer.submit(vec![])];
    for receipt in lost {
        assert_eq!(receipt.await, Err(CommitError::Unknown));
    }
    faulty.set_faults(Faults::default());
    assert_eq!(store.slot_row(slot(1)).await.unwrap().seq, 1);
    assert_eq!(history_of(&*store, slot(1)).await, ["kept"]);
}

#[tokio::test(start_paused = true)]
async fn a_crash_after_the_commit_loses_only_the_acknowledgement() {
    let (faulty, store) = start(Faults::default(), 1);
    let mut writer = Writer::claim(&store, slot(1)).await;
    faulty.set_faults(Faults { crash_after_per_mille: 1000, ..Faults::default() });
    let outcome = writer.submit(vec![put(slot(1), 1, "in")]).await;
    assert_eq!(outcome, Err(CommitError::Unknown));
    faulty.set_faults(Faults::default());
    assert_eq!(store.slot_row(slot(1)).await.unwrap().seq, 1);
    assert_eq!(history_of(&*store, slot(1)).await, ["in"]);
}

#[tokio::test(start_paused = true)]
async fn a_crash_from_outside_takes_the_group_under_way_with_it() {
    let slow = Faults { commit_delay: millis(100, 100), ..Faults::default() };
    let (faulty, store) = start(slow, 1);
    let mut writer = Writer::claim(&store, slot(1)).await;
    let receipt = writer.submit(vec![put(slot(1), 1, "lost")]);
    tokio::time::sleep(Duration::from_millis(50)).await;
    faulty.crash();
    assert_eq!(receipt.await, Err(CommitError::Unknown));
    assert_eq!(store.slot_row(slot(1)).await.unwrap().seq, 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_batch_is_not_written() {
    let (faulty, store) = start(Faults::default(), 1);
    let mut writer = Writer::claim(&store, slot(1)).await;
    faulty.set_faults(Faults { refuse_per_mille: 1000, ..Faults::default() });
    let outcome = writer.submit(vec![put(slot(1), 1, "x")]).await;
    assert!(matches!(outcome, Err(CommitError::Refused { .. })));
    assert_eq!(store.slot_row(slot(1)).await.unwrap().seq, 0);
}

#[tokio::test(start_paused = true)]
async fn batches_pipeline_behind_a_slow_commit() {
    let slow = Faults { commit_delay: millis(10, 10), ..Faults::default() };
    let (_, store) = start(slow, 3);
    let mut writer = Writer::claim(&store, slot(1)).await;
    let started = tokio::time::Instant::now();
    let receipts: Vec<_> =
        (0..100).map(|event| writer.submit(vec![put(slot(1), event, "x")])).collect();
    for receipt in receipts {
        receipt.await.unwrap();
    }
    assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
}
