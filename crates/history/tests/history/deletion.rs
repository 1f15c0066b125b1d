//! The end of runs: by retention, and on request.

use std::sync::Arc;

use api::enums::v1::WorkflowExecutionStatus;
use engine::Rejection;
use environment::Environment;
use history::{Execution, HistoryError};
use model::Span;
use storage::{Scan, Store, Table};
use storage_memory::MemoryStore;
use visibility_query::Predicate;

use crate::support::{BASE, MINUTE, Node, Settings, worker::Workers};

async fn records(store: &MemoryStore, table: Table) -> usize {
    let scan = Scan {
        table,
        from: bytes::Bytes::new(),
        to: bytes::Bytes::new(),
        reverse: false,
        records_max: usize::MAX,
        bytes_max: usize::MAX,
    };
    store.scan(scan).await.unwrap().len()
}

async fn assert_gone(node: &Node, store: &MemoryStore, run: &history::RunKey) {
    let found = node.describe(&run.workflow.workflow_id).await;
    assert!(
        matches!(found, Err(HistoryError::Rejected(Rejection::WorkflowNotFound { .. }))),
        "{found:?}"
    );
    for table in [Table::History, Table::Run, Table::Current] {
        assert_eq!(records(store, table).await, 0, "{table:?}");
    }
    let listed = node
        .visibility
        .list(node.namespace.id, &Predicate::And(Vec::new()), 10, b"")
        .await
        .unwrap();
    assert_eq!(listed.records, []);
}

#[tokio::test(start_paused = true)]
async fn a_closed_run_is_deleted_after_its_retention() {
    let environment = Environment::simulated(BASE, 1);
    let store = MemoryStore::new();
    let settings = Settings { retention: Span::from_secs(3600), ..Settings::default() };
    let node = Node::open_with(Arc::new(store.reopened()), &environment, settings).await;
    let workers = Workers::start(&node, 1, 2);
    let run = node.start("activities 700", "workflow").await.unwrap().run;
    assert_eq!(node.closed(&run, MINUTE).await, WorkflowExecutionStatus::Completed);
    drop(workers);
    node.sleep(Span::from_secs(3500)).await;
    assert!(node.describe("workflow").await.is_ok());
    node.sleep(Span::from_secs(3600)).await;
    assert_gone(&node, &store, &run).await;
}

#[tokio::test(start_paused = true)]
async fn an_open_run_that_is_deleted_is_gone_at_once() {
    let environment = Environment::simulated(BASE, 1);
    let store = MemoryStore::new();
    let node = Node::open(Arc::new(store.reopened()), &environment).await;
    let run = node.start("timer 1000", "workflow").await.unwrap().run;
    let execution = Execution::current("workflow");
    node.history.delete_workflow(&node.permit, &node.namespace, &execution).await.unwrap();
    assert_gone(&node, &store, &run).await;
    // Its timers and tasks find nothing to do.
    let _workers = Workers::start(&node, 1, 0);
    node.sleep(Span::from_secs(100_000)).await;
    assert_gone(&node, &store, &run).await;
    let again = node.start("empty", "workflow").await.unwrap();
    assert_ne!(again.run, run);
}
