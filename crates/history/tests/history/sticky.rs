//! Workers that cache runs.

use std::sync::Arc;

use api::enums::v1::WorkflowExecutionStatus;
use environment::Environment;
use model::Span;
use storage_memory::MemoryStore;

use crate::support::{
    BASE, MINUTE, Node, event_types,
    probe::Probe,
    worker::{WorkerOptions, Workers},
};

fn sticky() -> WorkerOptions {
    WorkerOptions { sticky_queue: Some("sticky".to_owned()) }
}

#[tokio::test(start_paused = true)]
async fn a_caching_worker_gets_only_what_is_new() {
    let environment = Environment::simulated(BASE, 1);
    let store = Arc::new(Probe::new(MemoryStore::new()));
    let node = Node::open(Arc::clone(&store) as _, &environment).await;
    let _workers = Workers::start_with(&node, 1, 1, sticky());
    node.sleep(Span::from_secs(1)).await;
    let run = node.start("activity", "workflow").await.unwrap().run;
    assert_eq!(node.closed(&run, MINUTE).await, WorkflowExecutionStatus::Completed);
    let counts = store.take_counts();
    assert_eq!((counts.batches, counts.reads, counts.scans), (4, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_task_leaves_the_queue_of_a_worker_that_is_gone() {
    let environment = Environment::simulated(BASE, 1);
    let node = Node::open(Arc::new(MemoryStore::new()), &environment).await;
    let workers = Workers::start_with(&node, 1, 0, sticky());
    let run = node.start("timer 30", "workflow").await.unwrap().run;
    node.sleep(Span::from_secs(1)).await;
    drop(workers);
    let _workers = Workers::start(&node, 1, 0);
    assert_eq!(node.closed(&run, MINUTE).await, WorkflowExecutionStatus::Completed);
    let closed = node.describe("workflow").await.unwrap().close_time;
    // Nobody waited for the schedule-to-start time-out of five seconds.
    assert!(closed.since(BASE) < Span::from_secs(31), "{:?}", closed.since(BASE));
    let types = event_types(&node.events(&run).await);
    assert!(!types.iter().any(|name| name.ends_with("TASK_TIMED_OUT")), "{types:?}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_a_caching_worker_does_not_take_goes_to_others() {
    let environment = Environment::simulated(BASE, 1);
    let node = Node::open(Arc::new(MemoryStore::new()), &environment).await;
    let workers = Workers::start_with(&node, 1, 0, sticky());
    let run = node.start("timer 3", "workflow").await.unwrap().run;
    node.sleep(Span::from_secs(1)).await;
    drop(workers);
    let _workers = Workers::start(&node, 1, 0);
    // The worker polled a moment ago: its queue still counts as live when the timer fires.
    assert_eq!(node.closed(&run, MINUTE).await, WorkflowExecutionStatus::Completed);
    let types = event_types(&node.events(&run).await);
    assert!(types.iter().any(|name| name.ends_with("TASK_TIMED_OUT")), "{types:?}");
}
