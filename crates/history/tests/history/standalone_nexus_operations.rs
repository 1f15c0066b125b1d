//! Standalone Nexus operations: what they cost, and crashes.

use std::sync::Arc;

use api::{
    common::v1::Payload,
    enums::v1::NexusOperationExecutionStatus as Status,
    failure::v1::Failure,
    history::v1::NexusOperationScheduledEventAttributes,
    nexus::v1::{
        EndpointSpec, EndpointTarget, Response, StartOperationRequest, StartOperationResponse,
        endpoint_target, request, response,
        start_operation_response::{Async, Sync, Variant},
    },
};
use engine::NexusOperationEnd;
use environment::Environment;
use history::{CallbackToken, Delivery, NexusCompletion, NexusTaskAnswer};
use matching::{Matched, PollRequest, TaskQueueKey};
use model::{RunId, Span};
use parking_lot::Mutex;
use standalone_nexus_operation::{
    Input, Reply, StandaloneNexusOperation, Start, State, outcome::Value,
};
use storage_memory::MemoryStore;
use token_keys::TokenKeys;
use tokio::task::JoinHandle;

use crate::support::{BASE, MINUTE, Node, QUEUE, TOKEN_SECRET, probe::Probe};

/// What a handler has been told to call back with.
type Tokens = Arc<Mutex<Vec<CallbackToken>>>;

const ENDPOINT: &str = "endpoint";

async fn make_endpoint(node: &Node) {
    let worker =
        endpoint_target::Worker { namespace: "default".to_owned(), task_queue: QUEUE.to_owned() };
    let target = EndpointTarget { variant: Some(endpoint_target::Variant::Worker(worker)) };
    let name = ENDPOINT.to_owned();
    let spec = EndpointSpec { name, target: Some(target), ..EndpointSpec::default() };
    node.endpoints.create(spec).await.unwrap();
}

async fn begin(node: &Node, id: &str) -> RunId {
    let scheduled = NexusOperationScheduledEventAttributes {
        endpoint: ENDPOINT.to_owned(),
        endpoint_id: node.endpoints.by_name(ENDPOINT).unwrap().id.to_string(),
        service: "service".to_owned(),
        operation: id.to_owned(),
        ..NexusOperationScheduledEventAttributes::default()
    };
    let start = Start { request_id: "start".to_owned(), scheduled, ..Start::default() };
    let input = Input::Start(Box::new(start));
    let (permit, namespace) = (&node.permit, &node.namespace);
    let asked =
        node.history.request_entity::<StandaloneNexusOperation>(permit, namespace, id, input);
    match asked.await.unwrap() {
        Reply::Started { instance, .. } => instance,
        other => panic!("{other:?}"),
    }
}

async fn closed(node: &Node, id: &str) -> State {
    let waiting = node.history.await_instance::<StandaloneNexusOperation>(
        &node.permit,
        &node.namespace,
        id,
        None,
        |state| !state.is_open(),
    );
    waiting.await.unwrap().unwrap().state().unwrap().clone()
}

/// A worker that does the operation "later" later, and says so once for each time it is asked.
fn handler(node: &Node, tokens: &Tokens) -> JoinHandle<()> {
    let (node, tokens) = (node.clone(), Arc::clone(tokens));
    tokio::spawn(async move {
        let mut failed = false;
        loop {
            let request = PollRequest {
                identity: "worker".to_owned(),
                request_id: format!("poll {}", node.now().nanos()),
                deadline: node.now() + MINUTE,
                ..PollRequest::default()
            };
            let key = TaskQueueKey::nexus(node.namespace.id, QUEUE);
            let polled = node.matching.poll(&key, request).await.unwrap();
            let Matched::Ready(Delivery::Nexus(task)) = polled.matched else { continue };
            let Some(request::Variant::StartOperation(start)) = task.request.variant else {
                continue;
            };
            let answer = if start.operation == "fails" && !std::mem::replace(&mut failed, true) {
                let message = "not yet".to_owned();
                NexusTaskAnswer::Failed(Failure { message, ..Failure::default() })
            } else {
                answer(&start, &tokens)
            };
            node.history.respond_nexus_task(&node.permit, &task.task_id, answer);
        }
    })
}

fn answer(start: &StartOperationRequest, tokens: &Tokens) -> NexusTaskAnswer {
    let variant = if start.operation == "later" {
        let token = &start.callback_header["temporal-callback-token"];
        let keys = TokenKeys::of(&[TOKEN_SECRET]);
        tokens.lock().push(CallbackToken::decode(&keys, token).unwrap());
        let operation_token = "token".to_owned();
        Variant::AsyncSuccess(Async { operation_token, ..Async::default() })
    } else {
        Variant::SyncSuccess(Sync { payload: Some(result()), ..Sync::default() })
    };
    let started = StartOperationResponse { variant: Some(variant) };
    let variant = Some(response::Variant::StartOperation(started));
    NexusTaskAnswer::Completed(Response { variant })
}

fn result() -> Payload {
    Payload { data: "result".into(), ..Payload::default() }
}

/// Says of all that was begun that it is done.
async fn complete(node: &Node, tokens: &Tokens) {
    let known = tokens.lock().clone();
    for token in known {
        let completion = NexusCompletion {
            operation_token: "token".to_owned(),
            links: Vec::new(),
            end: NexusOperationEnd::Succeeded { result: Some(result()), links: Vec::new() },
        };
        let (permit, namespace) = (&node.permit, &node.namespace);
        // What is unknown, or was told before, is refused.
        let _told =
            node.history.complete_nexus_operation(permit, namespace, &token, completion).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_standalone_operation_takes_two_commits() {
    let environment = Environment::simulated(BASE, 7);
    let store = Arc::new(Probe::new(MemoryStore::new()));
    let node = Node::open(Arc::clone(&store) as _, &environment).await;
    make_endpoint(&node).await;
    let handler = handler(&node, &Tokens::default());
    store.take_counts();
    begin(&node, "now").await;
    assert_eq!(closed(&node, "now").await.status(), Status::Completed);
    let counts = store.take_counts();
    assert_eq!(counts.batches, 2, "{counts:?}");
    node.sleep(MINUTE).await;
    assert_eq!(store.take_counts().batches, 0, "an idle node works");
    handler.abort();
}

/// Runs operations on a store that dies with its n-th batch, and goes on with another node on what
/// the store then has. Returns false once the store outlives them.
async fn crash_after(batches: usize, swallow_last: bool) -> bool {
    let environment = Environment::simulated(BASE, 7);
    let memory = MemoryStore::new();
    let node = Node::open(Arc::new(memory.reopened()), &environment).await;
    make_endpoint(&node).await;
    node.abandon().await;

    let tokens = Tokens::default();
    let dying = Arc::new(Probe::dying(memory.reopened(), batches, swallow_last));
    let node = Node::open(Arc::clone(&dying) as _, &environment).await;
    let before = {
        let (node, tokens) = (node.clone(), Arc::clone(&tokens));
        tokio::spawn(async move {
            begin(&node, "now").await;
            let handler = handler(&node, &tokens);
            begin(&node, "fails").await;
            begin(&node, "later").await;
            node.sleep(Span::from_secs(10)).await;
            complete(&node, &tokens).await;
            node.sleep(Span::from_secs(10)).await;
            handler.abort();
        })
    };
    node.sleep(Span::from_secs(40)).await;
    let died = dying.is_dead();
    before.abort();
    node.abandon().await;

    let node = Node::open(Arc::new(memory), &environment).await;
    let handler = handler(&node, &tokens);
    // What was acknowledged goes on; what was not is asked for again, under the same request id.
    for id in ["now", "fails", "later"] {
        begin(&node, id).await;
    }
    node.sleep(MINUTE).await;
    complete(&node, &tokens).await;
    for id in ["now", "fails", "later"] {
        let state = closed(&node, id).await;
        assert_eq!(state.status(), Status::Completed, "{id}");
        assert_eq!(state.end().unwrap().value, Some(Value::Result(result())), "{id}");
    }
    handler.abort();
    died
}

#[tokio::test(start_paused = true)]
async fn a_standalone_operation_survives_a_crash_at_every_commit() {
    for swallow_last in [false, true] {
        let mut batches = 1;
        while crash_after(batches, swallow_last).await {
            batches += 1;
            assert!(batches < 50);
        }
        assert!(batches > 7, "the store outlived the operations after {batches} batches");
    }
}
