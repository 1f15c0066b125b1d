//! Commits that fail, or whose outcome nobody knows.

use std::{sync::Arc, time::Duration};

use api::enums::v1::{EventType, WorkflowExecutionStatus};
use engine::Signal;
use environment::{Entropy, Environment, SeededEntropy};
use history::{Execution, HistoryError, RunKey};
use model::Span;
use storage::{Scan, Store, Table};
use storage_memory::{Faults, FaultyStore, MemoryStore, Random};

use visibility_query::Predicate;

use crate::support::{
    BASE, Node, event_types,
    worker::{WorkerOptions, Workers},
};

fn faulty(seed: u64, faults: Faults) -> Arc<FaultyStore> {
    faulty_on(&MemoryStore::new(), seed, faults)
}

fn faulty_on(memory: &MemoryStore, seed: u64, faults: Faults) -> Arc<FaultyStore> {
    let entropy = SeededEntropy::new(seed);
    let random = Random::new(move || entropy.random_u64());
    Arc::new(FaultyStore::start(memory.reopened(), faults, random))
}

/// Starts a workflow however often it takes.
async fn start(node: &Node, workflow_type: &str, workflow_id: &str) -> RunKey {
    for _ in 0..1000 {
        match node.start(workflow_type, workflow_id).await {
            Ok(started) => return started.run,
            Err(HistoryError::Unavailable(_)) => node.sleep(Span::from_millis(10)).await,
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("`{workflow_id}` cannot be started");
}

/// Many workflows at once on a store with faults; each completes once, whatever fails.
async fn storm(seed: u64, faults: Faults) {
    let environment = Environment::simulated(BASE, seed);
    let store = faulty(seed, faults);
    let node = Node::open(Arc::clone(&store) as _, &environment).await;
    let _workers = Workers::start(&node, 3, 3);
    let kinds = ["empty", "activities 3", "timers 2", "activity"];
    let mut starts = Vec::new();
    for number in 0..24 {
        let node = node.clone();
        let kind = kinds[number % kinds.len()];
        starts.push(tokio::spawn(async move {
            start(&node, kind, &format!("workflow {number}")).await
        }));
    }
    for started in starts {
        let run = started.await.unwrap();
        let status = node.closed(&run, Span::from_secs(3600)).await;
        assert_eq!(status, WorkflowExecutionStatus::Completed, "seed {seed}");
    }
    store.set_faults(Faults::default());
    node.sleep(Span::from_secs(5)).await;
    for number in 0..24 {
        let run = node.run_key(&format!("workflow {number}")).await;
        let events = node.events(&run).await;
        let types = event_types(&events);
        let completed = EventType::WorkflowExecutionCompleted.as_str_name();
        let found = types.iter().filter(|name| **name == completed).count();
        assert_eq!(found, 1, "seed {seed}: {types:?}");
        let ids: Vec<i64> = events.iter().map(|event| event.event_id).collect();
        let expected: Vec<i64> = (1..=i64::try_from(ids.len()).unwrap()).collect();
        assert_eq!(ids, expected, "seed {seed}");
    }
}

const fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

fn slow() -> Faults {
    Faults { commit_delay: millis(1)..=millis(5), ..Faults::default() }
}

#[tokio::test(start_paused = true)]
async fn refused_commits_change_nothing() {
    for seed in 0..20 {
        storm(seed, Faults { refuse_per_mille: 100, ..slow() }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn lost_acknowledgements_lose_no_workflow() {
    for seed in 0..20 {
        storm(seed, Faults { lose_ack_per_mille: 100, ..slow() }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_crashes_loses_no_workflow() {
    for seed in 0..20 {
        let faults = Faults {
            crash_before_per_mille: 30,
            crash_after_per_mille: 30,
            refuse_per_mille: 10,
            lose_ack_per_mille: 10,
            slow_read_per_mille: 100,
            slow_read_delay: millis(1)..=millis(20),
            restart_delay: millis(10)..=millis(300),
            ..slow()
        };
        storm(seed, faults).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_decided_on_a_failed_commit_fails_too() {
    let environment = Environment::simulated(BASE, 1);
    let store = faulty(1, slow());
    let node = Node::open(Arc::clone(&store) as _, &environment).await;
    let started = node.start("signals 100", "workflow").await.unwrap();
    store.set_faults(Faults { refuse_per_mille: 1000, ..slow() });
    let signals: Vec<_> = (0..5)
        .map(|number| {
            let node = node.clone();
            tokio::spawn(async move { signal(&node, number).await })
        })
        .collect();
    for signalled in signals {
        assert!(matches!(signalled.await.unwrap(), Err(HistoryError::Unavailable(_))));
    }
    store.set_faults(slow());
    node.sleep(Span::from_secs(1)).await;
    signal(&node, 9).await.unwrap();
    let types = event_types(&node.events(&started.run).await);
    let signalled = EventType::WorkflowExecutionSignaled.as_str_name();
    assert_eq!(types.iter().filter(|name| **name == signalled).count(), 1, "{types:?}");
}

async fn signal(node: &Node, number: usize) -> Result<(), HistoryError> {
    let signal = Signal {
        signal_name: "signal".to_owned(),
        request_id: format!("signal {number}"),
        ..Signal::default()
    };
    let execution = Execution::current("workflow");
    node.history.signal_workflow(&node.permit, &node.namespace, &execution, signal).await?;
    Ok(())
}

/// A node that is killed again and again on a store that crashes; then all is well. Returns every
/// record that the store has in the end.
async fn killed_node(seed: u64) -> Vec<(Table, bytes::Bytes, bytes::Bytes)> {
    let entropy = SeededEntropy::new(seed);
    let environment = Environment::simulated(BASE, seed);
    let faults = Faults {
        crash_before_per_mille: 20,
        crash_after_per_mille: 20,
        lose_ack_per_mille: 10,
        slow_read_per_mille: 50,
        slow_read_delay: millis(1)..=millis(20),
        restart_delay: millis(10)..=millis(300),
        ..slow()
    };
    let memory = MemoryStore::new();
    let kinds = ["empty", "activities 3", "timers 4", "activity", "timer 2"];
    for _ in 0..4 {
        let store = faulty_on(&memory, entropy.random_u64(), faults.clone());
        let node = Node::open(Arc::clone(&store) as _, &environment).await;
        let options = WorkerOptions { sticky_queue: Some("sticky".to_owned()) };
        let workers = Workers::start_with(&node, 2, 2, options);
        let starts: Vec<_> = (0..20)
            .map(|number| {
                let node = node.clone();
                let kind = kinds[number % kinds.len()];
                tokio::spawn(async move { start(&node, kind, &format!("workflow {number}")).await })
            })
            .collect();
        let lifetime = i64::try_from(entropy.random_u64() % 3_000_000_000).unwrap();
        node.sleep(Span::from_nanos(lifetime)).await;
        starts.iter().for_each(tokio::task::JoinHandle::abort);
        drop(workers);
        node.abandon().await;
    }
    let node = Node::open(Arc::new(memory.reopened()), &environment).await;
    let _workers = Workers::start(&node, 2, 2);
    for number in 0..20 {
        let workflow_id = format!("workflow {number}");
        let run = start(&node, kinds[number % kinds.len()], &workflow_id).await;
        let status = node.closed(&run, Span::from_secs(3600)).await;
        assert_eq!(status, WorkflowExecutionStatus::Completed, "seed {seed}");
        let types = event_types(&node.events(&run).await);
        for once in [EventType::WorkflowExecutionStarted, EventType::WorkflowExecutionCompleted] {
            let found = types.iter().filter(|name| **name == once.as_str_name()).count();
            assert_eq!(found, 1, "seed {seed}: {types:?}");
        }
    }
    // The new index is filled in the background.
    let all = Predicate::And(Vec::new());
    let mut counted = 0;
    for _ in 0..100 {
        counted = node.visibility.count(node.namespace.id, &all).await.unwrap();
        if counted == 20 {
            break;
        }
        node.sleep(Span::from_millis(10)).await;
    }
    assert_eq!(counted, 20, "seed {seed}");
    node.abandon().await;
    records(&memory).await
}

async fn records(store: &MemoryStore) -> Vec<(Table, bytes::Bytes, bytes::Bytes)> {
    let mut records = Vec::new();
    for table in Table::ALL {
        let scan = Scan {
            table,
            from: bytes::Bytes::new(),
            to: bytes::Bytes::new(),
            reverse: false,
            records_max: usize::MAX,
            bytes_max: usize::MAX,
        };
        for record in store.scan(scan).await.unwrap() {
            records.push((table, record.key, record.value.unwrap()));
        }
    }
    records
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_killed_again_and_again_loses_no_workflow() {
    for seed in 0..30 {
        killed_node(seed).await;
    }
}

#[test]
fn a_seed_decides_every_record() {
    let run = |seed| {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(killed_node(seed))
    };
    for seed in 100..105 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
    assert_ne!(run(100), run(101));
}
