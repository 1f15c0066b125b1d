//! Resets: a run that shares its past with others, through crashes and deletions.

use std::sync::Arc;

use api::{enums::v1::WorkflowExecutionStatus, history::v1::HistoryEvent};
use environment::Environment;
use history::{Execution, HistoryError, ResetRequest, RunKey};
use model::{RunId, Span};
use storage::{Scan, Store, Table};
use storage_memory::MemoryStore;

use crate::support::{BASE, MINUTE, Node, Settings, event_types, probe::Probe, worker::Workers};

/// The event after the start of the first workflow task.
const FIRST_TASK_STARTED: i64 = 4;

fn an_hour() -> Settings {
    Settings { retention: Span::from_secs(3600), ..Settings::default() }
}

async fn reset(node: &Node, run: &RunKey, request_id: &str) -> Result<RunKey, HistoryError> {
    let workflow_id = run.workflow.workflow_id.clone();
    let request = ResetRequest {
        finish_event_id: FIRST_TASK_STARTED,
        request_id: request_id.to_owned(),
        reason: "why".to_owned(),
        ..ResetRequest::default()
    };
    let execution = Execution::run(workflow_id, run.run_id);
    let run_id =
        node.history.reset_workflow(&node.permit, &node.namespace, &execution, request).await?;
    Ok(RunKey { run_id, ..run.clone() })
}

async fn delete(node: &Node, run: &RunKey) -> Result<(), HistoryError> {
    let execution = Execution::run(run.workflow.workflow_id.clone(), run.run_id);
    node.history.delete_workflow(&node.permit, &node.namespace, &execution).await?;
    Ok(())
}

async fn records(store: &MemoryStore) -> Vec<(Table, usize)> {
    let mut found = Vec::new();
    for table in [Table::History, Table::Run, Table::Current, Table::Branch] {
        let scan = Scan {
            table,
            from: bytes::Bytes::new(),
            to: bytes::Bytes::new(),
            reverse: false,
            records_max: usize::MAX,
            bytes_max: usize::MAX,
        };
        found.push((table, store.scan(scan).await.unwrap().len()));
    }
    found
}

fn ids(events: &[HistoryEvent]) -> Vec<i64> {
    events.iter().map(|event| event.event_id).collect()
}

async fn completes(node: &Node, run: &RunKey, past: &[HistoryEvent]) {
    assert_eq!(node.closed(run, MINUTE).await, WorkflowExecutionStatus::Completed);
    let events = node.events(run).await;
    assert_eq!(ids(&events), (1..=events.len() as i64).collect::<Vec<_>>());
    assert_eq!(events[..past.len()], *past);
    assert_eq!(event_types(&events)[3], "EVENT_TYPE_WORKFLOW_TASK_FAILED");
}

#[tokio::test(start_paused = true)]
async fn a_past_stays_until_its_last_run_is_deleted() {
    let environment = Environment::simulated(BASE, 1);
    let store = MemoryStore::new();
    let node = Node::open(Arc::new(store.reopened()), &environment).await;
    let workers = Workers::start(&node, 2, 2);
    let base = node.start("activities 2", "workflow").await.unwrap().run;
    node.closed(&base, MINUTE).await;
    let past: Vec<_> = node.events(&base).await.into_iter().take(3).collect();
    let second = reset(&node, &base, "second").await.unwrap();
    completes(&node, &second, &past).await;
    let third = reset(&node, &second, "third").await.unwrap();
    completes(&node, &third, &past).await;

    delete(&node, &base).await.unwrap();
    completes(&node, &second, &past).await;
    completes(&node, &third, &past).await;
    assert!(reset(&node, &base, "late").await.is_err());
    delete(&node, &third).await.unwrap();
    completes(&node, &second, &past).await;
    drop(workers);
    node.abandon().await;

    // Marks and rows are read again by another node.
    let node = Node::open(Arc::new(store.reopened()), &environment).await;
    assert_eq!(ids(&node.events(&second).await)[..3], [1, 2, 3]);
    delete(&node, &second).await.unwrap();
    assert!(
        records(&store).await.iter().all(|(_, count)| *count == 0),
        "{:?}",
        records(&store).await
    );
}

#[tokio::test(start_paused = true)]
async fn retention_takes_the_base_and_leaves_the_past() {
    let environment = Environment::simulated(BASE, 1);
    let store = MemoryStore::new();
    let node = Node::open_with(Arc::new(store.reopened()), &environment, an_hour()).await;
    let workers = Workers::start(&node, 1, 2);
    let base = node.start("activities 1", "workflow").await.unwrap().run;
    node.closed(&base, MINUTE).await;
    let past: Vec<_> = node.events(&base).await.into_iter().take(3).collect();
    node.sleep(Span::from_secs(1800)).await;
    let second = reset(&node, &base, "second").await.unwrap();
    completes(&node, &second, &past).await;
    node.sleep(Span::from_secs(2400)).await;
    let execution = Execution::run("workflow", base.run_id);
    assert!(node.history.describe(&node.permit, &node.namespace, &execution).await.is_err());
    completes(&node, &second, &past).await;
    node.sleep(Span::from_secs(7200)).await;
    assert!(
        records(&store).await.iter().all(|(_, count)| *count == 0),
        "{:?}",
        records(&store).await
    );
    drop(workers);
}

/// Starts, resets and deletes on a store that dies with its n-th batch, and goes on with another
/// node. Returns false once the store outlives all of it.
async fn crash_after(batches: usize, swallow_last: bool) -> bool {
    let environment = Environment::simulated(BASE, 7);
    let memory = MemoryStore::new();
    let dying = Arc::new(Probe::dying(memory.reopened(), batches, swallow_last));
    let node = Node::open_with(Arc::clone(&dying) as _, &environment, an_hour()).await;
    let workers = Workers::start(&node, 2, 2);
    let story = {
        let node = node.clone();
        tokio::spawn(async move { tell(&node, None).await })
    };
    node.sleep(Span::from_secs(300)).await;
    let died = dying.is_dead();
    story.abort();
    drop(workers);
    node.abandon().await;

    let node = Node::open_with(Arc::new(memory.reopened()), &environment, an_hour()).await;
    let workers = Workers::start(&node, 2, 2);
    tell(&node, Some(&memory)).await;
    drop(workers);
    died
}

/// Every step may have been done before.
async fn tell(node: &Node, memory: Option<&MemoryStore>) {
    let current = node.describe("workflow").await.ok();
    let mut second = current.filter(|state| !state.reset_request_id.is_empty()).map(|state| {
        let run_id: RunId = state.run_id.parse().unwrap();
        (run_id, state)
    });
    if second.is_none() {
        let Ok(started) = node.start("activities 2", "workflow").await else { return };
        let base = started.run;
        assert_eq!(node.closed(&base, MINUTE).await, WorkflowExecutionStatus::Completed);
        let Ok(again) = reset(node, &base, "second").await else { return };
        let Ok(repeated) = reset(node, &base, "second").await else { return };
        assert_eq!(again, repeated);
        second = Some((again.run_id, node.describe("workflow").await.unwrap()));
    }
    let Some((run_id, state)) = second else { return };
    let run = RunKey { run_id, ..node.run_key("workflow").await };
    node.closed(&run, MINUTE).await;
    let events = node.events(&run).await;
    completes(node, &run, &events[..3]).await;
    let base: RunId = state.history_ancestors[0].run_id.parse().unwrap();
    match delete(node, &RunKey { run_id: base, ..run.clone() }).await {
        Ok(()) | Err(HistoryError::Rejected(_)) => {}
        Err(_) => return,
    }
    completes(node, &run, &events[..3]).await;
    if delete(node, &run).await.is_err() {
        return;
    }
    if let Some(memory) = memory {
        // What a deletion left half-way goes with its run's retention at the latest.
        node.sleep(Span::from_secs(2 * 3600)).await;
        let left = records(memory).await;
        assert!(left.iter().all(|(_, count)| *count == 0), "{left:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_survives_a_crash_at_every_commit() {
    for swallow_last in [false, true] {
        let mut batches = 1;
        while crash_after(batches, swallow_last).await {
            batches += 1;
            assert!(batches < 100);
        }
        assert!(batches > 12, "the store outlived the story after {batches} batches");
    }
}
