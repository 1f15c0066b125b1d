//! What a workflow costs: commits, rows, bytes and reads.

use std::sync::Arc;

use crate::support::{self, BASE, MINUTE, Node, probe::Probe, worker::Workers};
use api::enums::v1::WorkflowExecutionStatus;
use environment::Environment;
use model::Span;
use storage::Table;
use storage_memory::MemoryStore;

async fn run(workflow_type: &str) -> support::probe::Counts {
    let environment = Environment::simulated(BASE, 1);
    let store = Arc::new(Probe::new(MemoryStore::new()));
    let node = Node::open(Arc::clone(&store) as _, &environment).await;
    let _workers = Workers::start(&node, 2, 2);
    node.sleep(Span::from_millis(10)).await;
    store.take_counts();
    let started = node.start(workflow_type, "workflow").await.unwrap();
    let status = node.closed(&started.run, MINUTE).await;
    assert_eq!(status, WorkflowExecutionStatus::Completed);
    let counts = store.take_counts();
    node.sleep(MINUTE).await;
    assert_eq!(store.take_counts(), support::probe::Counts::default(), "an idle node works");
    counts
}

fn rows(counts: &support::probe::Counts, table: Table) -> usize {
    counts.rows.iter().find(|(counted, _)| *counted == table).map_or(0, |(_, rows)| *rows)
}

#[tokio::test(start_paused = true)]
async fn an_empty_workflow_takes_two_commits() {
    let counts = run("empty").await;
    assert_eq!(counts.batches, 2);
    assert_eq!(rows(&counts, Table::History), 2);
    assert_eq!(rows(&counts, Table::Current), 1);
    assert_eq!(rows(&counts, Table::Run), 0);
    // A start-to-close timer, the retention timer, and two changes of the index.
    assert_eq!(rows(&counts, Table::Task), 4);
    assert_eq!((counts.reads, counts.scans), (1, 0));
    assert!(counts.bytes < 1500, "{} bytes", counts.bytes);
    println!("empty: {counts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_workflow_with_an_activity_takes_four_commits() {
    let counts = run("activity").await;
    println!("activity: {counts:?}");
    assert_eq!(counts.batches, 4);
    assert_eq!((counts.reads, counts.scans), (1, 0));
    assert_eq!(rows(&counts, Table::History), 4);
    assert!(counts.bytes < 4000, "{} bytes", counts.bytes);
}

#[tokio::test(start_paused = true)]
async fn a_workflow_with_a_timer_takes_four_commits() {
    let counts = run("timer").await;
    println!("timer: {counts:?}");
    assert_eq!(counts.batches, 4);
    assert_eq!((counts.reads, counts.scans), (1, 0));
    assert!(counts.bytes < 3000, "{} bytes", counts.bytes);
}
