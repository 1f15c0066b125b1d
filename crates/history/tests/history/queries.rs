//! Queries: with a workflow task, without one, and refused.

use std::sync::Arc;

use api::{enums::v1::QueryRejectCondition, query::v1::WorkflowQuery};
use engine::Rejection;
use environment::Environment;
use history::{Execution, HistoryError, QueryAnswer, QueryRequest};
use model::Span;
use storage_memory::MemoryStore;

use crate::support::{
    BASE, MINUTE, Node,
    worker::{WorkerOptions, Workers, payloads},
};

async fn open() -> Node {
    Node::open(Arc::new(MemoryStore::new()), &Environment::simulated(BASE, 1)).await
}

async fn query(node: &Node, condition: QueryRejectCondition) -> Result<QueryAnswer, HistoryError> {
    let request = QueryRequest {
        query: WorkflowQuery { query_type: "state".to_owned(), ..Default::default() },
        reject_condition: condition,
        deadline: node.now() + Span::from_secs(10),
    };
    let execution = Execution::current("workflow");
    node.history.query_workflow(&node.permit, &node.namespace, &execution, request).await
}

fn answer() -> QueryAnswer {
    QueryAnswer::Answered(Some(payloads("answer")))
}

#[tokio::test(start_paused = true)]
async fn a_run_without_a_task_is_asked_directly() {
    let node = open().await;
    let workers = Workers::start(&node, 1, 0);
    node.start("timer 1000", "workflow").await.unwrap();
    node.sleep(Span::from_secs(1)).await;
    assert_eq!(query(&node, QueryRejectCondition::None).await.unwrap(), answer());
    assert_eq!(workers.work.lock().queries, 1);
    node.sleep(Span::from_secs(2000)).await;
    assert_eq!(query(&node, QueryRejectCondition::None).await.unwrap(), answer());
    let refused = query(&node, QueryRejectCondition::NotOpen).await;
    assert!(matches!(refused, Err(HistoryError::Rejected(Rejection::QueryRejected(_)))));
}

#[tokio::test(start_paused = true)]
async fn a_query_waits_for_the_task_of_its_run() {
    let node = open().await;
    node.start("timer 1000", "workflow").await.unwrap();
    let asking = {
        let node = node.clone();
        tokio::spawn(async move { query(&node, QueryRejectCondition::None).await })
    };
    node.sleep(Span::from_secs(1)).await;
    let second = query(&node, QueryRejectCondition::None).await;
    assert!(matches!(second, Err(HistoryError::Rejected(Rejection::BusyWorkflow(_)))));
    let workers = Workers::start(&node, 1, 0);
    assert_eq!(asking.await.unwrap().unwrap(), answer());
    // It came with the workflow task, not by itself.
    assert_eq!(workers.work.lock().queries, 0);
    assert_eq!(workers.work.lock().workflow_tasks, 1);
}

#[tokio::test(start_paused = true)]
async fn a_query_that_comes_during_a_task_is_asked_after_it() {
    let node = open().await;
    node.start("timer 1000", "workflow").await.unwrap();
    let key = matching::TaskQueueKey::workflow(node.namespace.id, crate::support::QUEUE);
    let request = matching::PollRequest {
        request_id: "poll".to_owned(),
        deadline: node.now() + MINUTE,
        ..Default::default()
    };
    let polled = node.matching.poll(&key, request).await.unwrap();
    let matching::Matched::Queued(task) = polled.matched else { panic!("{polled:?}") };
    let poll = history::WorkerPoll { request_id: "poll".to_owned(), ..Default::default() };
    let delivery =
        node.history.start_workflow_task(&node.permit, &node.namespace, &task, poll).await.unwrap();
    assert!(delivery.queries.is_empty());
    let asking = {
        let node = node.clone();
        tokio::spawn(async move { query(&node, QueryRejectCondition::None).await })
    };
    node.sleep(Span::from_secs(1)).await;
    let request = history::CompleteWorkflowTaskRequest {
        input: engine::CompleteWorkflowTask {
            task: crate::support::worker::held(&delivery.task),
            ..Default::default()
        },
        ..Default::default()
    };
    let completed = node
        .history
        .complete_workflow_task(&node.permit, &node.namespace, &delivery.run, request)
        .await
        .unwrap();
    assert_eq!(completed.workflow_task, None);
    let workers = Workers::start(&node, 1, 0);
    assert_eq!(asking.await.unwrap().unwrap(), answer());
    assert_eq!(workers.work.lock().queries, 1);
}

#[tokio::test(start_paused = true)]
async fn a_query_without_a_worker_fails() {
    let node = open().await;
    let workers = Workers::start(&node, 1, 0);
    node.start("timer 1000", "workflow").await.unwrap();
    node.sleep(Span::from_secs(1)).await;
    drop(workers);
    let failed = query(&node, QueryRejectCondition::None).await;
    assert!(matches!(failed, Err(HistoryError::DeadlineExceeded)), "{failed:?}");
    node.sleep(MINUTE).await;
    let failed = query(&node, QueryRejectCondition::None).await;
    let Err(HistoryError::Rejected(Rejection::FailedPrecondition(text))) = failed else {
        panic!("{failed:?}")
    };
    assert_eq!(text, "no poller seen for task queue recently, worker may be down");
}

#[tokio::test(start_paused = true)]
async fn a_query_goes_to_the_worker_that_caches_the_run() {
    let node = open().await;
    let options = WorkerOptions { sticky_queue: Some("sticky".to_owned()) };
    let workers = Workers::start_with(&node, 1, 0, options);
    node.start("timer 1000", "workflow").await.unwrap();
    node.sleep(Span::from_secs(1)).await;
    assert!(node.describe("workflow").await.unwrap().sticky.is_some());
    assert_eq!(query(&node, QueryRejectCondition::None).await.unwrap(), answer());
    assert!(node.describe("workflow").await.unwrap().sticky.is_some());
    drop(workers);
    // The worker is gone: another one answers, and the run forgets where it was cached.
    let _workers = Workers::start(&node, 1, 0);
    assert_eq!(query(&node, QueryRejectCondition::None).await.unwrap(), answer());
    assert_eq!(node.describe("workflow").await.unwrap().sticky, None);
}
