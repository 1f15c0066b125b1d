//! A node that dies at any commit boundary: its workflows complete once all the same.

use std::sync::Arc;

use api::enums::v1::{EventType, WorkflowExecutionStatus};
use environment::Environment;
use history::RunKey;
use model::Span;
use storage_memory::MemoryStore;
use visibility_query::Predicate;

use crate::support::{BASE, MINUTE, Node, event_types, probe::Probe, worker::Workers};

/// Runs a workflow on a store that dies with its n-th batch, and goes on with another node on
/// what the store then has. Returns false once the store outlives the workflow.
async fn crash_after(workflow_type: &str, batches: usize, swallow_last: bool) -> bool {
    let environment = Environment::simulated(BASE, 7);
    let memory = MemoryStore::new();
    let dying = Arc::new(Probe::dying(memory.reopened(), batches, swallow_last));
    let node = Node::open(Arc::clone(&dying) as _, &environment).await;
    let workers = Workers::start(&node, 2, 2);
    let start = {
        let node = node.clone();
        let workflow_type = workflow_type.to_owned();
        tokio::spawn(async move { node.start(&workflow_type, "workflow").await })
    };
    node.sleep(Span::from_secs(30)).await;
    let died = dying.is_dead();
    start.abort();
    drop(workers);
    node.abandon().await;

    let node = Node::open(Arc::new(memory), &environment).await;
    let _workers = Workers::start(&node, 2, 2);
    // The starter asks again with the same request id, as clients do.
    let started = node.start(workflow_type, "workflow").await.unwrap();
    let status = node.closed(&started.run, Span::from_secs(3600)).await;
    assert_eq!(status, WorkflowExecutionStatus::Completed);
    check_history(&node, &started.run).await;
    died
}

async fn check_history(node: &Node, run: &RunKey) {
    let events = node.events(run).await;
    let ids: Vec<i64> = events.iter().map(|event| event.event_id).collect();
    let expected: Vec<i64> = (1..=i64::try_from(events.len()).unwrap()).collect();
    assert_eq!(ids, expected);
    let types = event_types(&events);
    for once in [EventType::WorkflowExecutionStarted, EventType::WorkflowExecutionCompleted] {
        let found = types.iter().filter(|name| **name == once.as_str_name()).count();
        assert_eq!(found, 1, "{types:?}");
    }
}

async fn crash_everywhere(workflow_type: &str) {
    for swallow_last in [false, true] {
        let mut batches = 1;
        while crash_after(workflow_type, batches, swallow_last).await {
            batches += 1;
            assert!(batches < 100);
        }
        assert!(batches > 2, "the store outlived `{workflow_type}` after {batches} batches");
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_workflow_survives_a_crash_at_every_commit() {
    crash_everywhere("empty").await;
}

#[tokio::test(start_paused = true)]
async fn a_workflow_with_activities_survives_a_crash_at_every_commit() {
    crash_everywhere("activities 3").await;
}

#[tokio::test(start_paused = true)]
async fn a_workflow_with_timers_survives_a_crash_at_every_commit() {
    crash_everywhere("timers 3").await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_for_a_worker_outlives_its_node() {
    let environment = Environment::simulated(BASE, 7);
    let memory = MemoryStore::new();
    let node = Node::open(Arc::new(memory.reopened()), &environment).await;
    let mut runs = Vec::new();
    for number in 0..100 {
        let started = node.start("activity", &format!("workflow {number}")).await.unwrap();
        runs.push(started.run);
    }
    node.abandon().await;

    let node = Node::open(Arc::new(memory), &environment).await;
    let workers = Workers::start(&node, 3, 3);
    for run in &runs {
        let status = node.closed(run, MINUTE).await;
        assert_eq!(status, WorkflowExecutionStatus::Completed);
        check_history(&node, run).await;
    }
    assert_eq!(workers.work.lock().workflow_tasks, 200);
    assert_eq!(workers.work.lock().activities, 100);
}

#[tokio::test(start_paused = true)]
async fn a_new_index_is_filled_from_the_runs() {
    let environment = Environment::simulated(BASE, 7);
    let memory = MemoryStore::new();
    let node = Node::open(Arc::new(memory.reopened()), &environment).await;
    let workers = Workers::start(&node, 2, 0);
    for number in 0..20 {
        let started = node.start("empty", &format!("closed {number}")).await.unwrap();
        node.closed(&started.run, MINUTE).await;
        node.start("timer 100000", &format!("open {number}")).await.unwrap();
    }
    drop(workers);
    // Its cursors have passed most changes of the old index.
    node.sleep(MINUTE).await;
    node.abandon().await;

    let node = Node::open(Arc::new(memory), &environment).await;
    node.sleep(MINUTE).await;
    let all = Predicate::And(Vec::new());
    assert_eq!(node.visibility.count(node.namespace.id, &all).await.unwrap(), 40);
    let listed = node.visibility.list(node.namespace.id, &all, 100, b"").await.unwrap();
    let open = listed.records.iter().filter(|record| record.workflow_id.starts_with("open"));
    assert_eq!(open.filter(|record| record.status == 1).count(), 20);
    assert_eq!(node.metrics.open_workflows().get(), 20);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_shown_before_its_commit() {
    let environment = Environment::simulated(BASE, 7);
    let store = Arc::new(Probe::dying(MemoryStore::new(), 2, true));
    let node = Node::open(Arc::clone(&store) as _, &environment).await;
    let first = node.start("signals 1", "workflow").await.unwrap();
    let workers = Workers::start(&node, 1, 0);
    let waiting = {
        let (node, run) = (node.clone(), first.run.clone());
        tokio::spawn(async move {
            let deadline = node.now() + MINUTE;
            node.history.wait_for_history(&node.permit, &node.namespace, &run, 2, deadline).await
        })
    };
    let starting = {
        let node = node.clone();
        tokio::spawn(async move { node.start("empty", "other").await })
    };
    node.sleep(MINUTE + MINUTE).await;
    assert!(store.is_dead());
    // The start of the first workflow's task is written, but not acknowledged; the second
    // workflow is not even written.
    assert_eq!(workers.work.lock().workflow_tasks, 0);
    assert_eq!(waiting.await.unwrap().unwrap().last_event_id(), 2);
    assert_eq!(node.describe("workflow").await.unwrap().last_event_id(), 2);
    assert!(!starting.is_finished());
    let all = Predicate::And(Vec::new());
    assert_eq!(node.visibility.count(node.namespace.id, &all).await.unwrap(), 1);
    starting.abort();
}
