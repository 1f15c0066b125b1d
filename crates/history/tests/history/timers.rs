//! Timers: on time, in order, and beyond what is kept in memory.

use std::sync::Arc;

use api::enums::v1::{EventType, WorkflowExecutionStatus};
use environment::Environment;
use model::{Span, Time};
use storage_memory::MemoryStore;

use crate::support::{BASE, Node, probe::Probe, worker::Workers};

#[tokio::test(start_paused = true)]
async fn timers_beyond_the_memory_of_a_slot_fire_on_time() {
    let environment = Environment::simulated(BASE, 1);
    let node = Node::open(Arc::new(MemoryStore::new()), &environment).await;
    let _workers = Workers::start(&node, 1, 0);
    let run = node.start("timers 300", "workflow").await.unwrap().run;
    let status = node.closed(&run, Span::from_secs(1000)).await;
    assert_eq!(status, WorkflowExecutionStatus::Completed);
    let events = node.events(&run).await;
    let time = |event: &api::history::v1::HistoryEvent| Time::from_proto(event.event_time.as_ref());
    let started = events.iter().find(|event| event.event_type() == EventType::TimerStarted);
    let started = time(started.unwrap());
    let fired: Vec<Time> = events
        .iter()
        .filter(|event| event.event_type() == EventType::TimerFired)
        .map(time)
        .collect();
    assert_eq!(fired.len(), 300);
    for (number, fired) in fired.into_iter().enumerate() {
        let due = started + Span::from_secs(i64::try_from(number).unwrap() + 1);
        assert!(fired >= due, "timer {number} fired early");
        assert!(fired.since(due) < Span::from_millis(20), "timer {number} fired late");
    }
}

#[tokio::test(start_paused = true)]
async fn timers_are_found_again_after_a_restart() {
    let environment = Environment::simulated(BASE, 1);
    let memory = MemoryStore::new();
    let node = Node::open(Arc::new(memory.reopened()), &environment).await;
    let workers = Workers::start(&node, 1, 0);
    let run = node.start("timers 300", "workflow").await.unwrap().run;
    node.sleep(Span::from_secs(100)).await;
    drop(workers);
    node.abandon().await;

    let node = Node::open(Arc::new(memory), &environment).await;
    let _workers = Workers::start(&node, 1, 0);
    let status = node.closed(&run, Span::from_secs(1000)).await;
    assert_eq!(status, WorkflowExecutionStatus::Completed);
    let closed = node.describe("workflow").await.unwrap().close_time;
    assert!(closed.since(BASE) < Span::from_secs(302), "{:?}", closed.since(BASE));
}

#[tokio::test(start_paused = true)]
async fn a_node_with_nothing_due_reads_and_writes_nothing() {
    let environment = Environment::simulated(BASE, 1);
    let store = Arc::new(Probe::new(MemoryStore::new()));
    let node = Node::open(Arc::clone(&store) as _, &environment).await;
    let _workers = Workers::start(&node, 1, 0);
    node.start("timer 100000", "workflow").await.unwrap();
    node.sleep(Span::from_secs(60)).await;
    store.take_counts();
    node.sleep(Span::from_secs(90_000)).await;
    assert_eq!(store.take_counts(), crate::support::probe::Counts::default());
}
