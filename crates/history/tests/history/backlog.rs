//! More tasks than fit into memory.

use std::sync::Arc;

use api::enums::v1::WorkflowExecutionStatus;
use environment::Environment;
use matching::{MatchingLimits, QueueLimits};
use model::{SlotId, Span, WorkflowKey};
use storage_memory::MemoryStore;

use crate::support::{BASE, MINUTE, Node, Settings, probe::Probe, worker::Workers};

/// Ids of workflows that share the slot of another.
fn ids_of_slot(node: &Node, other: &WorkflowKey) -> impl Iterator<Item = String> {
    let (slot, namespace_id) = (SlotId::of(other), node.namespace.id);
    (0..2_000_000).map(|number| format!("other {number}")).filter(move |workflow_id| {
        SlotId::of(&WorkflowKey { namespace_id, workflow_id: workflow_id.clone() }) == slot
    })
}

#[tokio::test(start_paused = true)]
async fn tasks_that_matching_has_no_room_for_stay_with_their_slots() {
    let environment = Environment::simulated(BASE, 1);
    let queue = QueueLimits { backlog_max: 10, backlog_low_water: 5, ..QueueLimits::default() };
    let matching = MatchingLimits { queue, ..MatchingLimits::default() };
    let settings = Settings { matching, ..Settings::default() };
    let node = Node::open_with(Arc::new(MemoryStore::new()), &environment, settings).await;
    let mut runs = Vec::new();
    for number in 0..200 {
        runs.push(node.start("activity", &format!("workflow {number}")).await.unwrap().run);
    }
    let workers = Workers::start(&node, 2, 2);
    for run in &runs {
        let status = node.closed(run, Span::from_secs(600)).await;
        assert_eq!(status, WorkflowExecutionStatus::Completed);
    }
    assert_eq!(workers.work.lock().workflow_tasks, 400);
    assert_eq!(workers.work.lock().activities, 200);
}

#[tokio::test(start_paused = true)]
async fn tasks_beyond_the_memory_of_a_slot_are_read_again() {
    let environment = Environment::simulated(BASE, 1);
    let store = Arc::new(Probe::new(MemoryStore::new()));
    let node = Node::open(Arc::clone(&store) as _, &environment).await;
    let workers = Workers::start(&node, 1, 0);
    let run = node.start("activities 1000", "workflow").await.unwrap().run;
    node.sleep(Span::from_secs(1)).await;
    let _activity_workers = Workers::start(&node, 0, 5);
    let status = node.closed(&run, Span::from_secs(600)).await;
    assert_eq!(status, WorkflowExecutionStatus::Completed);
    assert!(store.take_counts().scans > 3);
    drop(workers);
}

#[tokio::test(start_paused = true)]
async fn a_slot_full_of_tasks_that_nobody_takes_goes_on() {
    let environment = Environment::simulated(BASE, 1);
    let memory = MemoryStore::new();
    let node = Node::open(Arc::new(memory.reopened()), &environment).await;
    let workers = Workers::start(&node, 1, 0);
    let full = node.start("activities 1000", "workflow").await.unwrap().run;
    node.sleep(Span::from_secs(1)).await;
    drop(workers);
    node.sleep(Span::from_millis(1)).await;
    let others: Vec<String> = ids_of_slot(&node, &full.workflow).take(3).collect();
    // Nobody waits when they start.
    let single = node.start("empty", &others[0]).await.unwrap().run;
    let parent = node.start("parent 2", &others[1]).await.unwrap().run;
    let workers = Workers::start(&node, 1, 0);
    for run in [&single, &parent] {
        assert_eq!(node.closed(run, MINUTE).await, WorkflowExecutionStatus::Completed);
    }
    drop(workers);
    node.sleep(Span::from_millis(1)).await;
    let late = node.start("empty", &others[2]).await.unwrap().run;

    node.abandon().await;
    let node = Node::open(Arc::new(memory), &environment).await;
    let _workers = Workers::start(&node, 1, 0);
    assert_eq!(node.closed(&late, MINUTE).await, WorkflowExecutionStatus::Completed);
    let _activity_workers = Workers::start(&node, 0, 5);
    assert_eq!(node.closed(&full, MINUTE).await, WorkflowExecutionStatus::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_nobody_takes_does_not_hold_the_cursor_for_ever() {
    let environment = Environment::simulated(BASE, 1);
    let memory = MemoryStore::new();
    let node = Node::open(Arc::new(memory.reopened()), &environment).await;
    // Runs of one workflow id share a slot. The first stays without a worker.
    let mut request = crate::support::start_request("empty", "workflow");
    request.start.attributes.task_queue =
        Some(api::taskqueue::v1::TaskQueue { name: "nobody".to_owned(), ..Default::default() });
    let abandoned = node.start_with(request).await.unwrap().run;
    let slot = SlotId::of(&abandoned.workflow);
    let others: Vec<String> = ids_of_slot(&node, &abandoned.workflow).take(400).collect();
    // One after the other, each through the backlog: nobody waits when it starts.
    for workflow_id in &others {
        let run = node.start("empty", workflow_id).await.unwrap().run;
        let workers = Workers::start(&node, 1, 0);
        node.closed(&run, Span::from_secs(60)).await;
        drop(workers);
        node.sleep(Span::from_millis(1)).await;
    }
    let row = storage::Store::slot_row(&memory, slot).await.unwrap();
    assert!(row.cursors.immediate > 256, "{row:?}");

    node.abandon().await;
    let node = Node::open(Arc::new(memory), &environment).await;
    node.sleep(Span::from_secs(1)).await;
    let key = matching::TaskQueueKey::workflow(node.namespace.id, "nobody");
    let waiting = node.matching.describe(&key).unwrap().stats.approximate_backlog_count;
    assert_eq!(waiting, 1);
}
