//! The one node of a simulation, through all its lives, and the network in front of it.

use std::{collections::BTreeMap, sync::Arc};

use api::nexus::v1::{EndpointSpec, EndpointTarget, endpoint_target};
use authz::{Caller, Permit, Policy, Resource, authorize, rpcs};
use deployment::{Deployments, TaskQueues};
use environment::{Clock, Environment, SeededEntropy};
use history::{Delivery, History, HistoryError};
use matching::Matching;
use model::{Limits, NamespaceId, Span, Time};
use namespace::{Namespace, Namespaces, Registration};
use nexus::Endpoints;
use parking_lot::Mutex;
use storage::Store;
use storage_memory::{Faults, FaultyStore, MemoryStore, Random};
use telemetry::Metrics;
use token_keys::TokenKeys;
use tokio_util::sync::CancellationToken;
use visibility::{Index, Location};
use worker_registry::WorkerRegistry;

use crate::{
    broken::Broken,
    dice::{Dice, derived_seed},
    mortal_store::{Doom, MortalStore},
    operation::Handler,
    outside::Outside,
    profile::{Profile, RETENTION},
    trace::Trace,
    worker::nexus::NEXUS_QUEUE,
};

const NAMESPACE: &str = "default";

/// How often the opening of a node is tried on a store that fails.
const OPENINGS_MAX: usize = 1000;

/// One life of the node.
#[derive(Debug)]
pub(crate) struct Life {
    /// Counts from 1.
    pub(crate) number: u64,
    /// The workers that reported themselves in this life.
    pub(crate) workers: WorkerRegistry,
    pub(crate) history: Arc<History>,
    pub(crate) matching: Arc<Matching<Delivery>>,
    pub(crate) visibility: Arc<Index>,
    pub(crate) namespaces: Arc<Namespaces>,
    pub(crate) namespace_id: NamespaceId,
    pub(crate) deployments: Deployments,
    pub(crate) permit: Permit,
    /// The namespace as this life began.
    first_namespace: Arc<Namespace>,
    store: Arc<MortalStore>,
    environment: Environment,
    /// Connections are broken from here on.
    gone: CancellationToken,
}

/// Why a caller has no answer.
#[derive(Debug)]
pub(crate) enum CallError {
    /// The server answered with this error.
    Answered(HistoryError),
    /// There was no answer: the call may have been carried out or not.
    Lost,
}

impl CallError {
    /// True when the run refused the call: it is known that nothing was done.
    pub(crate) fn is_rejection(&self) -> bool {
        matches!(self, Self::Answered(HistoryError::Rejected(_)))
    }
}

impl std::fmt::Display for CallError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answered(error) => write!(formatter, "{error}"),
            Self::Lost => formatter.write_str("no answer"),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) memory: MemoryStore,
    pub(crate) namespace_id: NamespaceId,
    seed: u64,
    clock: Arc<dyn Clock>,
    trace: Arc<Trace>,
    profile: Profile,
    broken: Option<Broken>,
    pub(crate) outside: Arc<Outside>,
    /// The ids of the endpoints, by their names.
    pub(crate) endpoints: BTreeMap<String, String>,
    /// What lives count together.
    metrics: Arc<Metrics>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    life: Option<Arc<Life>>,
    lives: u64,
    faults: Faults,
    /// The index, when it outlives the node as a file does.
    index: Option<Arc<Index>>,
}

impl Cluster {
    /// A node that is not running yet, on a store with one namespace.
    pub(crate) async fn new(
        seed: u64,
        clock: Arc<dyn Clock>,
        trace: Arc<Trace>,
        profile: Profile,
        broken: Option<Broken>,
    ) -> Result<Self, String> {
        let memory = MemoryStore::new();
        let namespaces = environment(&clock, seed, "namespace");
        let namespaces =
            Namespaces::open(Arc::new(memory.reopened()), namespaces, Limits::default())
                .await
                .map_err(|error| error.to_string())?;
        let registration = Registration {
            name: NAMESPACE.to_owned(),
            retention: RETENTION,
            ..Registration::default()
        };
        let registered = namespaces.register(registration).await;
        let namespace_id = registered.map_err(|error| error.to_string())?.id;
        let endpoints = environment(&clock, seed, "endpoint");
        let endpoints = Endpoints::open(Arc::new(memory.reopened()), endpoints)
            .await
            .map_err(|error| error.to_string())?;
        let mut ids = BTreeMap::new();
        for spec in [Outside::endpoint(), workers_endpoint()] {
            let endpoint = endpoints.create(spec).await.map_err(|error| error.to_string())?;
            ids.insert(endpoint.spec.name.clone(), endpoint.id.to_string());
        }
        let outside = Outside::new(seed, &clock, broken);
        let metrics = Arc::new(Metrics::new().map_err(|error| error.to_string())?);
        Ok(Self {
            memory,
            namespace_id,
            seed,
            clock,
            trace,
            profile,
            broken,
            outside,
            endpoints: ids,
            metrics,
            state: Mutex::default(),
        })
    }

    /// The id of the endpoint that points to a handler.
    pub(crate) fn endpoint_id(&self, handler: Handler) -> &str {
        self.endpoints.get(handler.endpoint()).map_or("", String::as_str)
    }

    /// Starts the node on what the store has.
    pub(crate) async fn open(&self) -> Result<(), String> {
        let (number, faults) = {
            let mut state = self.state.lock();
            state.lives += 1;
            (state.lives, state.faults.clone())
        };
        let environment = environment(&self.clock, self.seed, &format!("life {number}"));
        let dice = Dice::new(self.seed, &format!("store {number}"));
        let random = Random::new(move || dice.roll());
        let faulty = FaultyStore::start(self.memory.reopened(), faults, random);
        let store = MortalStore::new(faulty, self.broken);
        let mut failures = 0;
        let life = loop {
            match self.try_open(number, &store, &environment).await {
                Ok(life) => break life,
                Err(error) if failures >= OPENINGS_MAX => {
                    return Err(format!("the node does not open: {error}"));
                }
                Err(_) => failures += 1,
            }
            self.sleep(Span::from_millis(50)).await;
        };
        // Faults may have changed while it opened.
        let faults = self.state.lock().faults.clone();
        life.store.faulty().set_faults(faults);
        self.trace.note(&format!("node: opened for life {number}"));
        self.state.lock().life = Some(Arc::new(life));
        Ok(())
    }

    async fn try_open(
        &self,
        number: u64,
        store: &Arc<MortalStore>,
        environment: &Environment,
    ) -> Result<Life, String> {
        let shared = Arc::clone(store) as Arc<dyn Store>;
        let namespaces =
            Namespaces::open(Arc::clone(&shared), environment.clone(), Limits::default())
                .await
                .map_err(|error| error.to_string())?;
        let endpoints = Endpoints::open(Arc::clone(&shared), environment.clone())
            .await
            .map_err(|error| error.to_string())?;
        let namespaces = Arc::new(namespaces);
        let namespace =
            namespaces.by_name(NAMESPACE).ok_or_else(|| "the namespace is gone".to_owned())?;
        let matching =
            Arc::new(Matching::new(Arc::clone(&self.clock), self.profile.matching.clone()));
        // Before the runs: their waiting tasks are placed by the routes.
        let queues = Arc::clone(&matching) as Arc<dyn TaskQueues>;
        let deployments = Deployments::open(Arc::clone(&shared), environment.clone(), queues)
            .await
            .map_err(|error| error.to_string())?;
        let visibility = self.open_index()?;
        let history = History::open(history::Parts {
            config: self.profile.config.clone(),
            environment: environment.clone(),
            store: shared,
            matching: Arc::clone(&matching),
            namespaces: Arc::clone(&namespaces),
            endpoints: Arc::new(endpoints),
            visibility: Arc::clone(&visibility),
            metrics: Arc::clone(&self.metrics),
            outbound: self.outside.outbound(),
            system_operations: Arc::new(history::NoSystemOperations),
            token_keys: Arc::new(token_keys()),
            batch_members: None,
        });
        Ok(Life {
            number,
            workers: WorkerRegistry::new(Arc::clone(&self.clock)),
            history: history.await.map_err(|error| error.to_string())?,
            matching,
            visibility,
            namespaces,
            namespace_id: namespace.id,
            deployments,
            permit: permit()?,
            first_namespace: namespace,
            store: Arc::clone(store),
            environment: environment.clone(),
            gone: CancellationToken::new(),
        })
    }

    /// The index that the last life left, or a new one.
    fn open_index(&self) -> Result<Arc<Index>, String> {
        let left = self.state.lock().index.clone().filter(|_| self.profile.keeps_index);
        let index = match left {
            Some(index) => index.reopened(),
            None => Index::open(&Location::Inline),
        };
        let index = Arc::new(index.map_err(|error| error.to_string())?);
        self.state.lock().index = Some(Arc::clone(&index));
        Ok(index)
    }

    /// Ends the node with one of its next commits.
    pub(crate) fn doom(&self, doom: Doom) {
        if let Some(life) = &self.state.lock().life {
            life.store.set_doom(doom);
        }
    }

    /// Lets the node live, whatever was in store for it; false when it is too late.
    pub(crate) fn spare(&self) -> bool {
        self.state.lock().life.as_ref().is_some_and(|life| life.store.spare())
    }

    /// Waits until the node has ended by itself.
    pub(crate) async fn death(&self) {
        let death = self.state.lock().life.as_ref().map(|life| life.store.death());
        match death {
            Some(death) => death.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// Ends the node as a lost process ends: its connections break, and a moment later it writes
    /// no more. What it did in that moment nobody was told.
    pub(crate) async fn kill(&self, moment: Span) {
        let Some(life) = self.state.lock().life.take() else { return };
        self.trace.note("node: killed");
        life.gone.cancel();
        if !moment.is_zero() {
            self.sleep(moment).await;
        }
        life.store.kill();
        // Its tasks hang in the store; this ends those that wait for the time.
        tokio::spawn(async move { life.history.drain().await });
    }

    /// Ends the node as an operator ends it.
    pub(crate) async fn stop(&self) {
        let Some(life) = self.state.lock().life.take() else { return };
        self.trace.note("node: stopping");
        life.matching.shutdown();
        life.history.drain().await;
        life.gone.cancel();
        life.store.kill();
        self.trace.note("node: stopped");
    }

    /// Changes the store's faults, in this life and later ones.
    pub(crate) fn set_faults(&self, faults: Faults) {
        let mut state = self.state.lock();
        state.faults = faults.clone();
        if let Some(life) = &state.life {
            life.store.faulty().set_faults(faults);
        }
    }

    /// The node, while it runs.
    pub(crate) fn life(&self) -> Option<Arc<Life>> {
        self.state.lock().life.clone()
    }

    /// Calls the node over a connection that breaks with it, and after `patience` at the latest.
    pub(crate) async fn call<T, F>(
        &self,
        patience: Option<Span>,
        call: impl FnOnce(Arc<Life>) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, HistoryError>>,
    {
        let Some(life) = self.life() else {
            self.sleep(Span::from_millis(20)).await;
            return Err(CallError::Lost);
        };
        let gone = life.gone.clone();
        let impatient = async {
            match patience {
                Some(patience) => self.sleep(patience).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = gone.cancelled() => Err(CallError::Lost),
            answer = call(life) => answer.map_err(CallError::Answered),
            () = impatient => Err(CallError::Lost),
        }
    }

    pub(crate) async fn sleep(&self, span: Span) {
        self.clock.sleep_until(self.clock.now() + span).await;
    }
}

impl Life {
    /// The namespace as it is now.
    pub(crate) fn namespace(&self) -> Arc<Namespace> {
        let now = self.namespaces.by_id(self.namespace_id);
        now.unwrap_or_else(|| Arc::clone(&self.first_namespace))
    }

    pub(crate) fn now(&self) -> Time {
        self.environment.clock.now()
    }

    pub(crate) async fn sleep(&self, span: Span) {
        let clock = &self.environment.clock;
        clock.sleep_until(clock.now() + span).await;
    }

    /// An id for a poll or a request that came without one.
    pub(crate) fn request_id(&self) -> String {
        self.environment.entropy.uuid_v4().to_string()
    }
}

fn environment(clock: &Arc<dyn Clock>, seed: u64, name: &str) -> Environment {
    let entropy = Arc::new(SeededEntropy::new(derived_seed(seed, name)));
    Environment { clock: Arc::clone(clock), entropy }
}

/// What tokens are authenticated with, in every life.
pub(crate) fn token_keys() -> TokenKeys {
    TokenKeys::of(&[[1; 32]])
}

/// The endpoint of workers.
fn workers_endpoint() -> EndpointSpec {
    let worker = endpoint_target::Worker {
        namespace: NAMESPACE.to_owned(),
        task_queue: NEXUS_QUEUE.to_owned(),
    };
    let variant = Some(endpoint_target::Variant::Worker(worker));
    let target = Some(EndpointTarget { variant });
    let name = Handler::Workers.endpoint().to_owned();
    EndpointSpec { name, target, ..EndpointSpec::default() }
}

fn permit() -> Result<Permit, String> {
    let rpc = rpcs().next().ok_or_else(|| "there is no RPC".to_owned())?;
    let resource = Resource::in_namespace(NAMESPACE);
    authorize(&Caller::anonymous(), rpc, resource, &Policy::AllowAll)
        .map_err(|denial| format!("{denial:?}"))
}
