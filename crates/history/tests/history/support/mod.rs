//! A node on a memory store, with virtual time and scripted workers.

pub(crate) mod probe;
pub(crate) mod updates;
pub(crate) mod worker;

use std::sync::Arc;

use api::{
    common::v1::WorkflowType,
    enums::v1::{WorkflowExecutionStatus, WorkflowIdConflictPolicy, WorkflowIdReusePolicy},
    history::v1::{HistoryEvent, WorkflowExecutionStartedEventAttributes},
    taskqueue::v1::TaskQueue,
};
use authz::{Caller, Permit, Policy, Resource, authorize, rpcs};
use engine::{Start, StartPolicy, State};
use environment::Environment;
use history::{
    Config, Delivery, Execution, History, HistoryError, HistoryPage, Outbound, RunKey,
    StartOutcome, StartRequest,
};
use matching::{Matching, MatchingLimits};
use model::{Limits, Span, Time};
use namespace::{Namespace, Namespaces, Registration};
use nexus::Endpoints;
use storage::Store;
use telemetry::Metrics;
use token_keys::{SECRET_BYTES, TokenKeys};
use visibility::{Index, Location};

/// What tokens are authenticated with.
pub(crate) const TOKEN_SECRET: [u8; SECRET_BYTES] = [1; SECRET_BYTES];

pub(crate) const QUEUE: &str = "queue";
pub(crate) const BASE: Time = Time::from_nanos(1_700_000_000_000_000_000);
pub(crate) const MINUTE: Span = Span::from_secs(60);

/// What a node is made of, besides its store.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) matching: MatchingLimits,
    pub(crate) retention: Span,
    pub(crate) limits: Limits,
    pub(crate) outbound: Outbound,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            config: Config::default(),
            matching: MatchingLimits::default(),
            retention: Span::from_secs(24 * 3600),
            limits: Limits::default(),
            outbound: Outbound::default(),
        }
    }
}

/// A node.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) history: Arc<History>,
    pub(crate) matching: Arc<Matching<Delivery>>,
    pub(crate) visibility: Arc<Index>,
    pub(crate) namespace: Arc<Namespace>,
    pub(crate) namespaces: Arc<Namespaces>,
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) environment: Environment,
    pub(crate) permit: Permit,
    pub(crate) metrics: Arc<Metrics>,
}

impl Node {
    pub(crate) async fn open(store: Arc<dyn Store>, environment: &Environment) -> Self {
        Self::open_with(store, environment, Settings::default()).await
    }

    pub(crate) async fn open_with(
        store: Arc<dyn Store>,
        environment: &Environment,
        settings: Settings,
    ) -> Self {
        let Settings { config, matching, retention, limits, outbound } = settings;
        let clock = Arc::clone(&environment.clock);
        let matching = Arc::new(Matching::new(clock, matching));
        let visibility = Arc::new(Index::open(&Location::Inline).unwrap());
        let namespaces = retry(async || {
            Namespaces::open(Arc::clone(&store), environment.clone(), limits.clone()).await
        });
        let namespaces = Arc::new(namespaces.await);
        let registration =
            Registration { name: "default".to_owned(), retention, ..Registration::default() };
        let namespace = match namespaces.by_name("default") {
            Some(namespace) => namespace,
            None => retry(async || namespaces.register(registration.clone()).await).await,
        };
        let metrics = Arc::new(Metrics::new().unwrap());
        let endpoints =
            retry(async || Endpoints::open(Arc::clone(&store), environment.clone()).await);
        let endpoints = Arc::new(endpoints.await);
        let history = retry(async || {
            History::open(history::Parts {
                config: config.clone(),
                environment: environment.clone(),
                store: Arc::clone(&store),
                matching: Arc::clone(&matching),
                namespaces: Arc::clone(&namespaces),
                endpoints: Arc::clone(&endpoints),
                visibility: Arc::clone(&visibility),
                metrics: Arc::clone(&metrics),
                outbound: outbound.clone(),
                system_operations: Arc::new(history::NoSystemOperations),
                token_keys: Arc::new(TokenKeys::of(&[TOKEN_SECRET])),
                batch_members: None,
            })
            .await
        })
        .await;
        Self {
            history,
            matching,
            visibility,
            namespace,
            namespaces,
            endpoints,
            environment: environment.clone(),
            permit: permit(),
            metrics,
        }
    }

    pub(crate) fn now(&self) -> Time {
        self.environment.clock.now()
    }

    pub(crate) async fn sleep(&self, span: Span) {
        self.environment.clock.sleep_until(self.now() + span).await;
    }

    pub(crate) async fn start(
        &self,
        workflow_type: &str,
        workflow_id: &str,
    ) -> Result<StartOutcome, HistoryError> {
        self.start_with(start_request(workflow_type, workflow_id)).await
    }

    pub(crate) async fn start_with(
        &self,
        request: StartRequest,
    ) -> Result<StartOutcome, HistoryError> {
        self.history.start_workflow(&self.permit, &self.namespace, request).await
    }

    pub(crate) async fn describe(&self, workflow_id: &str) -> Result<Arc<State>, HistoryError> {
        let execution = Execution::current(workflow_id);
        let described = self.history.describe(&self.permit, &self.namespace, &execution).await?;
        Ok(described.state)
    }

    pub(crate) async fn run_key(&self, workflow_id: &str) -> RunKey {
        self.history.current_run(&self.permit, &self.namespace, workflow_id).await.unwrap()
    }

    /// Waits for a run to close; the store may fail meanwhile.
    pub(crate) async fn closed(&self, run: &RunKey, patience: Span) -> WorkflowExecutionStatus {
        let deadline = self.now() + patience;
        loop {
            let waited = self
                .history
                .wait_for_history(&self.permit, &self.namespace, run, i64::MAX, deadline)
                .await;
            match waited {
                Ok(state) if !state.is_running() => {
                    return WorkflowExecutionStatus::try_from(state.status).unwrap();
                }
                _ if self.now() >= deadline => panic!("{run:?} did not close: {waited:?}"),
                _ => self.sleep(Span::from_millis(10)).await,
            }
        }
    }

    pub(crate) async fn events(&self, run: &RunKey) -> Vec<HistoryEvent> {
        let mut events = Vec::new();
        let mut from = 1;
        loop {
            let HistoryPage { batches, next_event_id } = self
                .history
                .read_history(&self.permit, &self.namespace, run, from..i64::MAX, 256)
                .await
                .unwrap();
            events.extend(batches.into_iter().flat_map(decode));
            match next_event_id {
                Some(next) => from = next,
                None => return events,
            }
        }
    }

    /// Stops as a killed process would, as far as the store can tell.
    pub(crate) async fn abandon(self) {
        self.history.drain().await;
    }
}

pub(crate) fn decode(batch: bytes::Bytes) -> Vec<HistoryEvent> {
    api::RawHistory::from_encoded(batch).decode_events().unwrap()
}

pub(crate) fn event_types(events: &[HistoryEvent]) -> Vec<&'static str> {
    events.iter().map(|event| event.event_type().as_str_name()).collect()
}

pub(crate) fn permit() -> Permit {
    let rpc = rpcs().next().unwrap();
    let resource = Resource::in_namespace("default");
    authorize(&Caller::anonymous(), rpc, resource, &Policy::AllowAll).unwrap()
}

pub(crate) fn start_request(workflow_type: &str, workflow_id: &str) -> StartRequest {
    let attributes = WorkflowExecutionStartedEventAttributes {
        workflow_id: workflow_id.to_owned(),
        workflow_type: Some(WorkflowType { name: workflow_type.to_owned() }),
        task_queue: Some(TaskQueue { name: QUEUE.to_owned(), ..Default::default() }),
        ..Default::default()
    };
    StartRequest {
        start: Start { request_id: format!("start {workflow_id}"), attributes, ..Start::default() },
        policy: StartPolicy {
            reuse: WorkflowIdReusePolicy::AllowDuplicate,
            conflict: WorkflowIdConflictPolicy::Fail,
        },
        attach: None,
        eager: None,
    }
}

/// Tries until it works: a store may refuse for a while.
async fn retry<T, E: std::fmt::Debug>(attempt: impl AsyncFn() -> Result<T, E>) -> T {
    for _ in 0..100 {
        match attempt().await {
            Ok(value) => return value,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
    panic!("the store never answers: {:?}", attempt().await.err());
}
