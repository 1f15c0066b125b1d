//! Starts: policies, repeated requests, signals and eager workers.

use std::sync::Arc;

use api::enums::v1::{WorkflowExecutionStatus, WorkflowIdConflictPolicy, WorkflowIdReusePolicy};
use engine::{Rejection, Signal};
use environment::Environment;
use history::{EagerStart, HistoryError};
use storage_memory::MemoryStore;

use crate::support::{
    BASE, MINUTE, Node, event_types, probe::Probe, start_request, worker::Workers,
};

async fn open() -> Node {
    Node::open(Arc::new(MemoryStore::new()), &Environment::simulated(BASE, 1)).await
}

#[tokio::test(start_paused = true)]
async fn a_repeated_start_is_answered_with_its_run() {
    let node = open().await;
    let first = node.start("signals 1", "workflow").await.unwrap();
    let again = node.start("signals 1", "workflow").await.unwrap();
    assert_eq!(first, again);
    let mut other = start_request("signals 1", "workflow");
    other.start.request_id = "other".to_owned();
    let refused = node.start_with(other).await;
    let Err(HistoryError::Rejected(Rejection::AlreadyStarted { run_id, .. })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(run_id, first.run.run_id.to_string());
}

#[tokio::test(start_paused = true)]
async fn an_open_run_is_used_or_replaced_as_the_policy_says() {
    let environment = Environment::simulated(BASE, 1);
    let store = Arc::new(Probe::new(MemoryStore::new()));
    let node = Node::open(Arc::clone(&store) as _, &environment).await;
    let first = node.start("signals 1", "workflow").await.unwrap();
    let mut other = start_request("signals 1", "workflow");
    other.start.request_id = "other".to_owned();
    other.policy.conflict = WorkflowIdConflictPolicy::UseExisting;
    store.take_counts();
    let used = node.start_with(other.clone()).await.unwrap();
    assert_eq!((used.run, used.started), (first.run.clone(), false));
    assert_eq!(store.take_counts().batches, 0);
    other.attach = Some(history::Attach { request_id: true, ..history::Attach::default() });
    let used = node.start_with(other.clone()).await.unwrap();
    assert_eq!((used.run, used.started), (first.run.clone(), false));
    assert_eq!(store.take_counts().batches, 1);

    other.start.request_id = "third".to_owned();
    other.policy.conflict = WorkflowIdConflictPolicy::TerminateExisting;
    store.take_counts();
    let replaced = node.start_with(other).await.unwrap();
    assert_eq!(store.take_counts().batches, 1);
    assert!(replaced.started);
    assert_eq!(node.closed(&first.run, MINUTE).await, WorkflowExecutionStatus::Terminated);
    assert_eq!(node.run_key("workflow").await, replaced.run);
}

#[tokio::test(start_paused = true)]
async fn a_closed_run_is_followed_as_the_policy_says() {
    let node = open().await;
    let _workers = Workers::start(&node, 1, 0);
    let first = node.start("empty", "workflow").await.unwrap();
    node.closed(&first.run, MINUTE).await;
    let mut other = start_request("empty", "workflow");
    other.start.request_id = "other".to_owned();
    other.policy.reuse = WorkflowIdReusePolicy::RejectDuplicate;
    let refused = node.start_with(other.clone()).await;
    assert!(matches!(refused, Err(HistoryError::Rejected(Rejection::AlreadyStarted { .. }))));
    other.policy.reuse = WorkflowIdReusePolicy::AllowDuplicate;
    let second = node.start_with(other).await.unwrap();
    assert_ne!(first.run, second.run);
    node.closed(&second.run, MINUTE).await;
}

#[tokio::test(start_paused = true)]
async fn an_eager_starter_gets_the_first_task_with_the_answer() {
    let environment = Environment::simulated(BASE, 1);
    let store = Arc::new(Probe::new(MemoryStore::new()));
    let node = Node::open(Arc::clone(&store) as _, &environment).await;
    let mut request = start_request("empty", "workflow");
    request.eager = Some(EagerStart {
        identity: "starter".to_owned(),
        request_id: "poll".to_owned(),
        ..EagerStart::default()
    });
    let started = node.start_with(request.clone()).await.unwrap();
    assert_eq!(store.take_counts().batches, 1);
    let task = started.eager_task.clone().unwrap();
    assert_eq!((task.task.history_from, task.task.history_through), (1, 3));
    let events: Vec<_> =
        task.history.batches.iter().cloned().flat_map(crate::support::decode).collect();
    assert_eq!(events.len(), 3);
    request.eager = Some(EagerStart { request_id: "another".to_owned(), ..EagerStart::default() });
    let again = node.start_with(request).await.unwrap();
    assert_eq!(again.eager_task, Some(task));
}

#[tokio::test(start_paused = true)]
async fn a_signal_with_start_starts_once_and_signals_each_time() {
    let node = open().await;
    let request = |request_id: &str| {
        let mut request = start_request("signals 2", "workflow");
        request.policy.conflict = WorkflowIdConflictPolicy::UseExisting;
        request.start.request_id = request_id.to_owned();
        request.start.signal = Some(Box::new(Signal {
            signal_name: "signal".to_owned(),
            request_id: request_id.to_owned(),
            ..Signal::default()
        }));
        request
    };
    let signal = async |request_id: &str| {
        node.history
            .signal_with_start(&node.permit, &node.namespace, request(request_id))
            .await
            .unwrap()
    };
    let first = signal("one").await;
    assert!(first.started);
    let again = signal("one").await;
    assert_eq!(again.run, first.run);
    let second = signal("two").await;
    assert_eq!((second.run, second.started), (first.run.clone(), false));
    signal("two").await;
    let types = event_types(&node.events(&first.run).await);
    let signals = types.iter().filter(|name| name.ends_with("SIGNALED")).count();
    assert_eq!(signals, 2, "{types:?}");
    let _workers = Workers::start(&node, 1, 0);
    assert_eq!(node.closed(&first.run, MINUTE).await, WorkflowExecutionStatus::Completed);
}
