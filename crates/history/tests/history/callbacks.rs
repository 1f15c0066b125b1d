//! Completion callbacks to servers outside: told at least once, whenever the node dies, and a
//! server that does not answer is not buried under them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use api::{
    common::v1::{Callback, callback},
    enums::v1::{CallbackState, WorkflowExecutionStatus},
};
use bytes::Bytes;
use environment::Environment;
use futures_util::future::BoxFuture;
use history::{Destination, DestinationKind, Outbound, StartRequest};
use http::{Request, Response, StatusCode};
use http_client::{AddressRule, AddressRules, CallError, HttpClient};
use model::Span;
use parking_lot::Mutex;
use storage::Store;
use storage_memory::MemoryStore;

use crate::support::{BASE, Node, Settings, probe::Probe, start_request, worker::Workers};

const URL: &str = "https://outside.example.com/told";

/// A server outside: keeps what it is told.
#[derive(Debug, Default)]
struct Receiver {
    told: Mutex<Vec<Request<Bytes>>>,
    is_broken: AtomicBool,
}

impl HttpClient for Receiver {
    fn send(
        &self,
        request: Request<Bytes>,
        _timeout: std::time::Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, CallError>> {
        self.told.lock().push(request);
        let is_broken = self.is_broken.load(Ordering::Relaxed);
        let status = if is_broken { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
        Box::pin(async move { Ok(Response::builder().status(status).body(Bytes::new()).unwrap()) })
    }
}

async fn open(store: Arc<dyn Store>, environment: &Environment, receiver: &Arc<Receiver>) -> Node {
    let rule = AddressRule { pattern: "*.example.com".to_owned(), allow_insecure: false };
    let outbound = Outbound {
        client: Arc::clone(receiver) as _,
        rules: AddressRules::new([rule]),
        ..Outbound::default()
    };
    let settings = Settings { outbound, ..Settings::default() };
    Node::open_with(store, environment, settings).await
}

fn start_with_callback(workflow_id: &str) -> StartRequest {
    let mut request = start_request("empty", workflow_id);
    let nexus = callback::Nexus { url: URL.to_owned(), ..callback::Nexus::default() };
    request.start.attributes.completion_callbacks =
        vec![Callback { variant: Some(callback::Variant::Nexus(nexus)), ..Callback::default() }];
    request
}

async fn state_of(node: &Node, workflow_id: &str) -> CallbackState {
    let state = node.describe(workflow_id).await.unwrap();
    state.callbacks[0].state()
}

/// As `crashes.rs`; gives whether the node died.
async fn crash_after(batches: usize, swallow_last: bool) -> bool {
    let environment = Environment::simulated(BASE, 7);
    let memory = MemoryStore::new();
    let receiver = Arc::new(Receiver::default());
    let dying = Arc::new(Probe::dying(memory.reopened(), batches, swallow_last));
    let node = open(Arc::clone(&dying) as _, &environment, &receiver).await;
    let workers = Workers::start(&node, 1, 0);
    let start = {
        let node = node.clone();
        tokio::spawn(async move { node.start_with(start_with_callback("told")).await })
    };
    node.sleep(Span::from_secs(30)).await;
    let died = dying.is_dead();
    start.abort();
    drop(workers);
    node.abandon().await;

    let node = open(Arc::new(memory), &environment, &receiver).await;
    let _workers = Workers::start(&node, 1, 0);
    let started = node.start_with(start_with_callback("told")).await.unwrap();
    let status = node.closed(&started.run, Span::from_secs(3600)).await;
    assert_eq!(status, WorkflowExecutionStatus::Completed);
    node.sleep(Span::from_secs(30)).await;
    assert_eq!(state_of(&node, "told").await, CallbackState::Succeeded);
    let told = receiver.told.lock();
    assert!(!told.is_empty());
    for request in told.iter() {
        assert_eq!(request.uri(), URL);
        assert_eq!(request.headers()["nexus-operation-state"], "succeeded");
    }
    died
}

#[tokio::test(start_paused = true)]
async fn a_callback_is_told_whenever_the_node_dies() {
    for swallow_last in [false, true] {
        let mut batches = 1;
        while crash_after(batches, swallow_last).await {
            batches += 1;
            assert!(batches < 100);
        }
        assert!(batches > 3, "the store outlived it all after {batches} batches");
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_fails_is_left_alone_and_found_again() {
    const WORKFLOWS: usize = 20;
    let environment = Environment::simulated(BASE, 7);
    let receiver = Arc::new(Receiver::default());
    receiver.is_broken.store(true, Ordering::Relaxed);
    let node = open(Arc::new(MemoryStore::new()), &environment, &receiver).await;
    let _workers = Workers::start(&node, 1, 0);
    let ids: Vec<String> = (0..WORKFLOWS).map(|number| format!("told {number}")).collect();
    for id in &ids {
        node.start_with(start_with_callback(id)).await.unwrap();
    }
    node.sleep(Span::from_secs(600)).await;
    // Alone, each would have been tried ten times.
    let tried = receiver.told.lock().len();
    assert!((6..60).contains(&tried), "{tried}");
    let destination = Destination {
        kind: DestinationKind::Callback,
        namespace_id: node.namespace.id,
        name: "https://outside.example.com".to_owned(),
    };
    assert!(node.history.is_blocked(&destination));

    receiver.is_broken.store(false, Ordering::Relaxed);
    node.sleep(Span::from_secs(3 * 3600)).await;
    assert!(!node.history.is_blocked(&destination));
    for id in &ids {
        assert_eq!(state_of(&node, id).await, CallbackState::Succeeded, "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_is_checked_again_before_it_is_called() {
    let environment = Environment::simulated(BASE, 7);
    let store = MemoryStore::new();
    let receiver = Arc::new(Receiver::default());
    receiver.is_broken.store(true, Ordering::Relaxed);
    let node = open(Arc::new(store.reopened()), &environment, &receiver).await;
    let workers = Workers::start(&node, 1, 0);
    node.start_with(start_with_callback("told")).await.unwrap();
    node.sleep(Span::from_secs(10)).await;
    drop(workers);
    node.abandon().await;
    let tried = receiver.told.lock().len();

    // The operator has taken the rule away.
    let outbound = Outbound { client: Arc::clone(&receiver) as _, ..Outbound::default() };
    let settings = Settings { outbound, ..Settings::default() };
    let node = Node::open_with(Arc::new(store), &environment, settings).await;
    node.sleep(Span::from_secs(3600)).await;
    assert_eq!(receiver.told.lock().len(), tried);
    let state = node.describe("told").await.unwrap();
    let failure = state.callbacks[0].last_attempt_failure.as_ref().unwrap();
    assert!(failure.message.contains("does not match any configured"), "{}", failure.message);
}
