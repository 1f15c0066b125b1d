//! Updates: what they cost, who waits for them, and what survives.

use std::sync::Arc;

use api::{
    enums::v1::{EventType, WorkflowIdConflictPolicy},
    update::v1::outcome,
};
use engine::{Rejection, Signal};
use environment::Environment;
use history::{Execution, HistoryError, UpdateStage, UpdateStatus, UpdateWithStartRequest};
use model::Span;
use storage_memory::MemoryStore;

use crate::support::{
    BASE, MINUTE, Node, event_types,
    probe::{Counts, Probe},
    start_request,
    updates::{success, update_request},
    worker::{WorkerOptions, Workers},
};

use UpdateStage::{Accepted, Admitted, Completed};

async fn open() -> (Node, Arc<Probe>) {
    let store = Arc::new(Probe::new(MemoryStore::new()));
    let node = Node::open(Arc::clone(&store) as _, &Environment::simulated(BASE, 1)).await;
    (node, store)
}

/// A run whose first workflow task is done, and its worker.
async fn idle() -> (Node, Arc<Probe>, Workers) {
    let (node, store) = open().await;
    let options = WorkerOptions { sticky_queue: Some("sticky".to_owned()) };
    let workers = Workers::start_with(&node, 2, 0, options);
    node.start("updates", "workflow").await.unwrap();
    node.sleep(Span::from_secs(1)).await;
    store.take_counts();
    (node, store, workers)
}

async fn signal(node: &Node) {
    let signal = Signal { signal_name: "signal".to_owned(), ..Signal::default() };
    let execution = Execution::current("workflow");
    node.history.signal_workflow(&node.permit, &node.namespace, &execution, signal).await.unwrap();
}

fn failure(status: &UpdateStatus) -> &str {
    match status.outcome.as_ref().and_then(|outcome| outcome.value.as_ref()) {
        Some(outcome::Value::Failure(failure)) => &failure.message,
        other => panic!("{other:?}"),
    }
}

fn rejected<T: std::fmt::Debug>(outcome: Result<T, HistoryError>) -> Rejection {
    match outcome {
        Err(HistoryError::Rejected(rejection)) => rejection,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_of_an_idle_run_takes_one_commit() {
    let (node, store, workers) = idle().await;
    let updated = node.update("one", "add", Completed).await.unwrap();
    assert_eq!((updated.stage, updated.outcome), (Completed, success()));
    let counts = store.take_counts();
    assert_eq!(counts.batches, 1, "{counts:?}");
    assert_eq!((counts.reads, counts.scans), (0, 0));
    assert!(counts.bytes < 1500, "{} bytes", counts.bytes);
    println!("update: {counts:?}");
    // The same again costs nothing: the outcome is in the history.
    let again = node.update("one", "add", Completed).await.unwrap();
    assert_eq!((again.stage, again.outcome), (Completed, success()));
    node.sleep(MINUTE).await;
    assert_eq!(store.take_counts().batches, 0);
    assert_eq!(workers.work.lock().workflow_tasks, 2);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_update_writes_nothing() {
    let (node, store, workers) = idle().await;
    for _ in 0..3 {
        let rejected = node.update("one", "reject", Completed).await.unwrap();
        assert_eq!((rejected.stage, failure(&rejected)), (Completed, "no"));
    }
    let ignored = node.update("two", "ignore", Completed).await.unwrap();
    assert!(failure(&ignored).starts_with("Workflow Update is rejected"));
    node.sleep(MINUTE).await;
    assert_eq!(store.take_counts(), Counts::default());
    assert_eq!(workers.work.lock().workflow_tasks, 5);
    let unknown = rejected(node.poll_update("one", None).await);
    assert_eq!(unknown, Rejection::UpdateNotFound("one".to_owned()));
    let types = event_types(&node.events(&node.run_key("workflow").await).await).len();
    assert_eq!(types, 4);
}

#[tokio::test(start_paused = true)]
async fn a_caller_is_told_how_far_an_update_has_come() {
    let (node, _store, workers) = idle().await;
    let accepted = node.update("one", "accept", Accepted).await.unwrap();
    assert_eq!((accepted.stage, accepted.outcome), (Accepted, None));
    let polling = {
        let node = node.clone();
        tokio::spawn(async move { node.poll_update("one", Some(Completed)).await })
    };
    // The server answers after 20 seconds at the latest.
    let before = node.now();
    let waited = node.update("one", "accept", Completed).await.unwrap();
    assert_eq!((waited.stage, waited.outcome), (Accepted, None));
    assert_eq!(node.now().since(before), Span::from_secs(20));
    assert_eq!(polling.await.unwrap().unwrap().stage, Accepted);
    let polling = {
        let node = node.clone();
        tokio::spawn(async move { node.poll_update("one", Some(Completed)).await })
    };
    node.sleep(Span::from_secs(1)).await;
    signal(&node).await;
    assert_eq!(polling.await.unwrap().unwrap().outcome, success());
    drop(workers);
    let stuck = node.update("two", "add", Accepted).await.unwrap();
    assert_eq!((stuck.stage, stuck.outcome), (Admitted, None));
    assert_eq!(node.poll_update("two", None).await.unwrap().stage, Admitted);
}

#[tokio::test(start_paused = true)]
async fn an_update_waits_for_a_worker() {
    let (node, _store) = open().await;
    let workers = Workers::start(&node, 1, 0);
    node.start("updates", "workflow").await.unwrap();
    node.sleep(Span::from_secs(1)).await;
    drop(workers);
    let updating = {
        let node = node.clone();
        tokio::spawn(async move { node.update("one", "add", Completed).await })
    };
    node.sleep(Span::from_secs(10)).await;
    // Nothing in memory waits for long: a normal task has taken the place of the speculative one.
    let state = node.describe("workflow").await.unwrap();
    assert!(!state.workflow_task.as_ref().unwrap().is_speculative());
    let _workers = Workers::start(&node, 1, 0);
    assert_eq!(updating.await.unwrap().unwrap().outcome, success());
    let events = node.events(&node.run_key("workflow").await).await;
    assert_eq!(
        event_types(&events)[4..],
        [
            "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
            "EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT",
            "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
            "EVENT_TYPE_WORKFLOW_TASK_STARTED",
            "EVENT_TYPE_WORKFLOW_TASK_COMPLETED",
            "EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
            "EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn updates_at_once_share_workflow_tasks() {
    let (node, store, _workers) = idle().await;
    let updates: Vec<_> = (0..8)
        .map(|number| {
            let node = node.clone();
            let name = if number % 2 == 0 { "add" } else { "reject" };
            tokio::spawn(async move { node.update(&number.to_string(), name, Completed).await })
        })
        .collect();
    for (number, updating) in updates.into_iter().enumerate() {
        let updated = updating.await.unwrap().unwrap();
        assert_eq!(updated.outcome == success(), number % 2 == 0, "{updated:?}");
    }
    assert!(store.take_counts().batches <= 4);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_run_ends_its_updates() {
    let (node, _store, workers) = idle().await;
    node.update("accepted", "accept", Accepted).await.unwrap();
    node.update("done", "add", Completed).await.unwrap();
    drop(workers);
    let updating = {
        let node = node.clone();
        tokio::spawn(async move { node.update("admitted", "add", Completed).await })
    };
    node.sleep(Span::from_secs(1)).await;
    let (permit, namespace) = (&node.permit, &node.namespace);
    let execution = Execution::current("workflow");
    let terminate = history::TerminateRequest::default();
    node.history.terminate_workflow(permit, namespace, &execution, terminate).await.unwrap();
    assert_eq!(rejected(updating.await.unwrap()), Rejection::UpdateAbortedByClosing);
    let failed = node.poll_update("accepted", Some(Completed)).await.unwrap();
    assert!(failure(&failed).ends_with("the Workflow completed before the Update completed."));
    let done = node.update("done", "add", Completed).await.unwrap();
    assert_eq!(done.outcome, success());
    assert_eq!(rejected(node.update("new", "add", Completed).await), Rejection::WorkflowClosed);
    let unknown = Rejection::UpdateNotFound("admitted".to_owned());
    assert_eq!(rejected(node.poll_update("admitted", None).await), unknown);
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_survives_a_restart_and_the_rest_is_asked_again() {
    let environment = Environment::simulated(BASE, 1);
    let memory = MemoryStore::new();
    let node = Node::open(Arc::new(memory.reopened()), &environment).await;
    let workers = Workers::start(&node, 1, 0);
    node.start("updates", "workflow").await.unwrap();
    node.update("done", "add", Completed).await.unwrap();
    node.update("accepted", "accept", Accepted).await.unwrap();
    drop(workers);
    let updating = {
        let node = node.clone();
        tokio::spawn(async move { node.update("admitted", "add", Completed).await })
    };
    node.sleep(Span::from_millis(100)).await;
    node.abandon().await;
    let lost = updating.await.unwrap();
    assert!(matches!(lost, Err(HistoryError::Unavailable(_))), "{lost:?}");

    let node = Node::open(Arc::new(memory), &environment).await;
    assert_eq!(node.poll_update("done", None).await.unwrap().outcome, success());
    assert_eq!(node.poll_update("accepted", None).await.unwrap().stage, Accepted);
    let unknown = Rejection::UpdateNotFound("admitted".to_owned());
    assert_eq!(rejected(node.poll_update("admitted", None).await), unknown);
    let _workers = Workers::start(&node, 1, 0);
    let again = node.update("admitted", "add", Completed).await.unwrap();
    assert_eq!(again.outcome, success());
    let polling = {
        let node = node.clone();
        tokio::spawn(async move { node.poll_update("accepted", Some(Completed)).await })
    };
    signal(&node).await;
    assert_eq!(polling.await.unwrap().unwrap().outcome, success());
}

/// Updates a run on a store that dies with its n-th batch, and asks again on another node. False
/// once the store outlives it all.
async fn crash_after(batches: usize, swallow_last: bool) -> bool {
    let environment = Environment::simulated(BASE, 7);
    let memory = MemoryStore::new();
    let dying = Arc::new(Probe::dying(memory.reopened(), batches, swallow_last));
    let node = Node::open(Arc::clone(&dying) as _, &environment).await;
    let workers = Workers::start(&node, 2, 0);
    let asking = {
        let node = node.clone();
        tokio::spawn(async move {
            node.start("updates", "workflow").await.ok()?;
            node.update("accepted", "accept", Accepted).await.ok()?;
            node.update("rejected", "reject", Completed).await.ok()?;
            node.update("done", "add", Completed).await.ok()
        })
    };
    node.sleep(Span::from_secs(30)).await;
    let died = dying.is_dead();
    asking.abort();
    drop(workers);
    node.abandon().await;

    let node = Node::open(Arc::new(memory), &environment).await;
    let _workers = Workers::start(&node, 2, 0);
    node.start("updates", "workflow").await.unwrap();
    node.update("accepted", "accept", Accepted).await.unwrap();
    let done = node.update("done", "add", Completed).await.unwrap();
    assert_eq!(done.outcome, success());
    signal(&node).await;
    let accepted = node.poll_update("accepted", Some(Completed)).await.unwrap();
    assert_eq!(accepted.outcome, success());
    let events = node.events(&node.run_key("workflow").await).await;
    for event_type in
        [EventType::WorkflowExecutionUpdateAccepted, EventType::WorkflowExecutionUpdateCompleted]
    {
        let count = events.iter().filter(|event| event.event_type() == event_type).count();
        assert_eq!(count, 2, "{:?}", event_types(&events));
    }
    died
}

#[tokio::test(start_paused = true)]
async fn an_update_happens_once_whenever_the_node_dies() {
    for swallow_last in [false, true] {
        let mut batches = 1;
        while crash_after(batches, swallow_last).await {
            batches += 1;
            assert!(batches < 100);
        }
        assert!(batches > 3, "{batches} batches");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_with_start_starts_once() {
    let (node, store) = open().await;
    let _workers = Workers::start(&node, 2, 0);
    node.sleep(Span::from_millis(10)).await;
    store.take_counts();
    let with_start = |request_id: &str, update_id: &str, conflict| {
        let mut start = start_request("updates", "workflow");
        start.start.request_id = request_id.to_owned();
        start.policy.conflict = conflict;
        UpdateWithStartRequest { start, update: update_request(update_id, "add", Completed) }
    };
    let execute = async |request| {
        node.history.update_with_start(&node.permit, &node.namespace, request).await
    };
    use WorkflowIdConflictPolicy::{Fail, TerminateExisting, UseExisting};
    let first = execute(with_start("a", "one", Fail)).await.unwrap();
    assert!(first.started);
    assert_eq!(first.update.outcome, success());
    // The start, and the task that accepts and answers.
    assert_eq!(store.take_counts().batches, 2);
    for (request_id, update_id, conflict) in
        [("a", "two", Fail), ("b", "one", Fail), ("c", "three", UseExisting)]
    {
        let next = execute(with_start(request_id, update_id, conflict)).await.unwrap();
        assert!(!next.started);
        assert_eq!(next.update.run, first.update.run);
        assert_eq!(next.update.outcome, success());
    }
    let refused = execute(with_start("d", "four", Fail)).await;
    assert!(
        matches!(
            &refused,
            Err(history::UpdateWithStartError::Start(HistoryError::Rejected(
                Rejection::AlreadyStarted { .. }
            )))
        ),
        "{refused:?}"
    );
    let replaced = execute(with_start("e", "four", TerminateExisting)).await.unwrap();
    assert!(replaced.started);
    assert_ne!(replaced.update.run, first.update.run);
}
