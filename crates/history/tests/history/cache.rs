//! Many open runs in little memory.

use std::sync::Arc;

use api::enums::v1::WorkflowExecutionStatus;
use engine::Signal;
use environment::Environment;
use history::{Config, Execution};
use model::Span;
use storage_memory::MemoryStore;

use crate::support::{
    BASE, Node, Settings,
    worker::{Workers, payloads},
};

#[tokio::test(start_paused = true)]
async fn open_runs_leave_memory_and_come_back() {
    let environment = Environment::simulated(BASE, 1);
    let cache_bytes_max = 512 * 1024;
    let config = Config { cache_bytes_max, ..Config::default() };
    let settings = Settings { config, ..Settings::default() };
    let node = Node::open_with(Arc::new(MemoryStore::new()), &environment, settings).await;
    let _workers = Workers::start(&node, 2, 2);
    let mut runs = Vec::new();
    for number in 0..1000 {
        let workflow_id = format!("workflow {number}");
        runs.push(node.start("timer 100000", &workflow_id).await.unwrap().run);
    }
    node.sleep(Span::from_secs(10)).await;
    let (cached, bytes) = node.history.cache_usage();
    assert!(bytes <= cache_bytes_max, "{bytes} bytes");
    assert!(cached < 300, "{cached} runs");
    for run in &runs {
        let status = node.closed(run, Span::from_secs(200_000)).await;
        assert_eq!(status, WorkflowExecutionStatus::Completed);
    }
    let (_, bytes) = node.history.cache_usage();
    assert!(bytes <= cache_bytes_max, "{bytes} bytes");
}

#[tokio::test(start_paused = true)]
async fn a_large_run_is_read_from_its_last_snapshot() {
    let environment = Environment::simulated(BASE, 1);
    let memory = MemoryStore::new();
    let node = Node::open(Arc::new(memory.reopened()), &environment).await;
    let run = node.start("signals 1000", "workflow").await.unwrap().run;
    for number in 0..200 {
        let signal = Signal {
            signal_name: "signal".to_owned(),
            input: Some(payloads(&"x".repeat(1000))),
            request_id: format!("signal {number}"),
            ..Signal::default()
        };
        let execution = Execution::current("workflow");
        node.history
            .signal_workflow(&node.permit, &node.namespace, &execution, signal)
            .await
            .unwrap();
    }
    let before = node.describe("workflow").await.unwrap();
    node.abandon().await;

    let probe = Arc::new(crate::support::probe::Probe::new(memory));
    let node = Node::open(Arc::clone(&probe) as _, &environment).await;
    let after = node.describe("workflow").await.unwrap();
    assert_eq!(before, after);
    let snapshot = storage::run_key(run.slot(), run.run_id);
    let stored = storage::Store::read(&*probe, storage::Table::Run, snapshot).await.unwrap();
    assert!(stored.is_some());
    // The snapshot, the pointer and a page or two of records; then nothing.
    let counts = probe.take_counts();
    assert!(counts.scans <= 8, "{counts:?}");
}
