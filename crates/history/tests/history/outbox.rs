//! Work of a run towards others: done once, whenever the node dies.

use std::sync::Arc;

use api::{
    enums::v1::{EventType, ParentClosePolicy, WorkflowExecutionStatus},
    history::v1::{HistoryEvent, history_event::Attributes},
};
use environment::Environment;
use history::{Execution, HistoryError};
use model::Span;
use storage_memory::MemoryStore;

use crate::support::{BASE, Node, event_types, probe::Probe, worker::Workers};

const PATIENCE: Span = Span::from_secs(3600);

fn count(events: &[HistoryEvent], event_type: EventType) -> usize {
    event_types(events).iter().filter(|name| **name == event_type.as_str_name()).count()
}

async fn history_of(node: &Node, workflow_id: &str) -> Vec<HistoryEvent> {
    let run = node.run_key(workflow_id).await;
    node.events(&run).await
}

async fn closed(node: &Node, workflow_id: &str) -> WorkflowExecutionStatus {
    let run = node.run_key(workflow_id).await;
    node.closed(&run, PATIENCE).await
}

/// Runs workflows on a store that dies with its n-th batch, and goes on with another node on what
/// the store then has. Returns false once the store outlives them.
async fn crash_after(
    workflows: &[(&str, &str)],
    batches: usize,
    swallow_last: bool,
    check: impl AsyncFn(&Node),
) -> bool {
    let environment = Environment::simulated(BASE, 7);
    let memory = MemoryStore::new();
    let dying = Arc::new(Probe::dying(memory.reopened(), batches, swallow_last));
    let node = Node::open(Arc::clone(&dying) as _, &environment).await;
    let workers = Workers::start(&node, 2, 2);
    for (workflow_id, workflow_type) in workflows {
        let node = node.clone();
        let (workflow_id, workflow_type) = ((*workflow_id).to_owned(), (*workflow_type).to_owned());
        tokio::spawn(async move { node.start(&workflow_type, &workflow_id).await });
        tokio::task::yield_now().await;
    }
    node.sleep(Span::from_secs(30)).await;
    let died = dying.is_dead();
    drop(workers);
    node.abandon().await;

    let node = Node::open(Arc::new(memory), &environment).await;
    let _workers = Workers::start(&node, 2, 2);
    for (workflow_id, workflow_type) in workflows {
        node.start(workflow_type, workflow_id).await.unwrap();
    }
    check(&node).await;
    died
}

async fn crash_everywhere(workflows: &[(&str, &str)], check: impl AsyncFn(&Node)) {
    for swallow_last in [false, true] {
        let mut batches = 1;
        while crash_after(workflows, batches, swallow_last, &check).await {
            batches += 1;
            assert!(batches < 100);
        }
        assert!(batches > 6, "the store outlived it all after {batches} batches");
    }
}

#[tokio::test(start_paused = true)]
async fn a_parent_and_its_children_survive_a_crash_at_every_commit() {
    crash_everywhere(&[("parent", "parent 2")], async |node| {
        assert_eq!(closed(node, "parent").await, WorkflowExecutionStatus::Completed);
        let events = history_of(node, "parent").await;
        for once_for_each in [
            EventType::StartChildWorkflowExecutionInitiated,
            EventType::ChildWorkflowExecutionStarted,
            EventType::ChildWorkflowExecutionCompleted,
        ] {
            assert_eq!(count(&events, once_for_each), 2, "{:?}", event_types(&events));
        }
        for event in &events {
            let Some(Attributes::ChildWorkflowExecutionStartedEventAttributes(started)) =
                &event.attributes
            else {
                continue;
            };
            let execution = started.workflow_execution.as_ref().unwrap();
            let child = node.run_key(&execution.workflow_id).await;
            assert_ne!(child.slot(), node.run_key("parent").await.slot());
            assert_eq!(child.run_id.to_string(), execution.run_id);
            let events = node.events(&child).await;
            assert_eq!(count(&events, EventType::WorkflowExecutionStarted), 1);
            assert_eq!(count(&events, EventType::WorkflowExecutionCompleted), 1);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_child_is_terminated_with_its_parent_whenever_the_node_dies() {
    let leaver = format!("leaver {}", ParentClosePolicy::Terminate as i32);
    crash_everywhere(&[("parent", &leaver)], async |node| {
        assert_eq!(closed(node, "parent").await, WorkflowExecutionStatus::Completed);
        let status = closed(node, "parent child 0").await;
        assert_eq!(status, WorkflowExecutionStatus::Terminated);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_child_is_asked_to_cancel_with_its_parent_whenever_the_node_dies() {
    let leaver = format!("leaver {}", ParentClosePolicy::RequestCancel as i32);
    crash_everywhere(&[("parent", &leaver)], async |node| {
        assert_eq!(closed(node, "parent").await, WorkflowExecutionStatus::Completed);
        while !node.describe("parent child 0").await.unwrap().cancel_requested {
            node.sleep(Span::from_millis(10)).await;
        }
        let events = history_of(node, "parent child 0").await;
        assert_eq!(count(&events, EventType::WorkflowExecutionCancelRequested), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_child_goes_on() {
    let leaver = format!("leaver {}", ParentClosePolicy::Abandon as i32);
    crash_everywhere(&[("parent", &leaver)], async |node| {
        assert_eq!(closed(node, "parent").await, WorkflowExecutionStatus::Completed);
        node.sleep(Span::from_secs(60)).await;
        assert!(node.describe("parent child 0").await.unwrap().is_running());
        assert!(!node.describe("parent child 0").await.unwrap().cancel_requested);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_signal_to_another_workflow_arrives_once_whenever_the_node_dies() {
    crash_everywhere(&[("other", "signals 9"), ("sender", "sender 3")], async |node| {
        assert_eq!(closed(node, "sender").await, WorkflowExecutionStatus::Completed);
        let events = history_of(node, "other").await;
        assert_eq!(count(&events, EventType::WorkflowExecutionSignaled), 3);
        assert_eq!(count(&events, EventType::WorkflowExecutionCancelRequested), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn more_children_than_a_slot_remembers_are_all_started() {
    let environment = Environment::simulated(BASE, 7);
    let node = Node::open(Arc::new(MemoryStore::new()), &environment).await;
    let _workers = Workers::start(&node, 8, 0);
    node.start("parent 700", "parent").await.unwrap();
    assert_eq!(closed(&node, "parent").await, WorkflowExecutionStatus::Completed);
    let events = history_of(&node, "parent").await;
    assert_eq!(count(&events, EventType::ChildWorkflowExecutionCompleted), 700);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_is_deleted_is_reported_to_its_parent() {
    let environment = Environment::simulated(BASE, 7);
    let node = Node::open(Arc::new(MemoryStore::new()), &environment).await;
    let _workers = Workers::start(&node, 2, 0);
    node.start("keeper", "parent").await.unwrap();
    node.sleep(Span::from_secs(1)).await;
    let child = Execution::current("parent child 0");
    node.history.delete_workflow(&node.permit, &node.namespace, &child).await.unwrap();
    let gone = node.describe("parent child 0").await;
    assert!(matches!(gone, Err(HistoryError::Rejected(_))), "{gone:?}");
    assert_eq!(closed(&node, "parent").await, WorkflowExecutionStatus::Completed);
}
