//! Reading histories, and waiting for them.

use std::sync::Arc;

use environment::Environment;
use history::{HistoryPage, RunKey};
use model::Span;
use storage_memory::MemoryStore;

use crate::support::{BASE, MINUTE, Node, decode, worker::Workers};

async fn closed_workflow(workflow_type: &str) -> (Node, RunKey) {
    let environment = Environment::simulated(BASE, 1);
    let memory = MemoryStore::new();
    let node = Node::open(Arc::new(memory.reopened()), &environment).await;
    let workers = Workers::start(&node, 1, 1);
    let run = node.start(workflow_type, "workflow").await.unwrap().run;
    node.closed(&run, Span::from_secs(2000)).await;
    drop(workers);
    node.abandon().await;
    (Node::open(Arc::new(memory), &environment).await, run)
}

async fn forward(node: &Node, run: &RunKey, batches_max: usize) -> (Vec<i64>, usize) {
    let (mut ids, mut from, mut pages) = (Vec::new(), 1, 0);
    loop {
        let HistoryPage { batches, next_event_id } = node
            .history
            .read_history(&node.permit, &node.namespace, run, from..i64::MAX, batches_max)
            .await
            .unwrap();
        assert!(batches.len() <= batches_max);
        pages += 1;
        ids.extend(batches.into_iter().flat_map(decode).map(|event| event.event_id));
        match next_event_id {
            Some(next) => from = next,
            None => return (ids, pages),
        }
    }
}

async fn backward(node: &Node, run: &RunKey, batches_max: usize) -> Vec<i64> {
    let (mut ids, mut from) = (Vec::new(), 0);
    loop {
        let HistoryPage { batches, next_event_id } = node
            .history
            .read_history_reverse(&node.permit, &node.namespace, run, from, batches_max)
            .await
            .unwrap();
        assert!(batches.len() <= batches_max);
        ids.extend(batches.into_iter().flat_map(decode).map(|event| event.event_id));
        match next_event_id {
            Some(next) => from = next,
            None => return ids,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_page_size_gives_every_event_once() {
    for workflow_type in ["empty", "activity", "timers 300"] {
        let (node, run) = closed_workflow(workflow_type).await;
        let last = node.describe("workflow").await.unwrap().last_event_id();
        let rising: Vec<i64> = (1..=last).collect();
        let falling: Vec<i64> = rising.iter().rev().copied().collect();
        for batches_max in [1, 2, 3, 7, 256] {
            assert_eq!(forward(&node, &run, batches_max).await.0, rising);
            assert_eq!(backward(&node, &run, batches_max).await, falling);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_the_next_event_the_close_or_the_deadline() {
    let environment = Environment::simulated(BASE, 1);
    let node = Node::open(Arc::new(MemoryStore::new()), &environment).await;
    let _workers = Workers::start(&node, 1, 0);
    let run = node.start("timer 100", "workflow").await.unwrap().run;
    node.sleep(Span::from_secs(1)).await;
    let last = node.describe("workflow").await.unwrap().last_event_id();
    let wait = async |after: i64, patience: Span| {
        let deadline = node.now() + patience;
        let node = node.clone();
        node.history
            .wait_for_history(&node.permit, &node.namespace, &run, after, deadline)
            .await
            .unwrap()
    };
    let before = node.now();
    assert_eq!(wait(last - 1, MINUTE).await.last_event_id(), last);
    assert_eq!(node.now(), before);
    assert_eq!(wait(last, Span::from_secs(20)).await.last_event_id(), last);
    assert_eq!(node.now(), before + Span::from_secs(20));
    let state = wait(last, Span::from_secs(200)).await;
    assert!(state.last_event_id() > last);
    assert!(node.now().since(BASE) < Span::from_secs(101));
    node.closed(&run, MINUTE).await;
    assert!(!wait(i64::MAX, MINUTE).await.is_running());
}
