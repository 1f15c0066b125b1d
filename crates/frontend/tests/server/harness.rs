//! A server in memory, and a client of it.

use std::{net::SocketAddr, sync::Arc};

use api::workflowservice::v1::workflow_service_client::WorkflowServiceClient;
use authz::Policy;
use deployment::{Deployments, QueueConfigs, TaskQueues};
use environment::Environment;
use frontend::{Cluster, Frontend, Parts, RequestLimits, Server, ServerSettings};
use history::History;
use listener::{AddressLimits, Listener, Visitors};
use matching::{Matching, MatchingLimits};
use model::{Limits, Span};
use namespace::{Namespaces, Registration};
use nexus::Endpoints;
use storage::Store;
use storage_memory::MemoryStore;
use telemetry::Metrics;
use token_keys::TokenKeys;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use visibility::{Index, Location};

/// The namespace of the tests.
pub(crate) const NAMESPACE: &str = "tests";

/// A running server.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) ended: JoinHandle<()>,
    pub(crate) visitors: Arc<Visitors>,
}

/// Starts a server that allows everything.
pub(crate) async fn start() -> Running {
    start_with(Policy::AllowAll, RequestLimits::DEVELOPMENT).await
}

/// Starts a server.
pub(crate) async fn start_with(policy: Policy, limits: RequestLimits) -> Running {
    let settings =
        ServerSettings { drain_timeout: Span::from_millis(500), ..ServerSettings::default() };
    start_for(policy, limits, settings, AddressLimits::default()).await
}

/// Starts a server with limits for each address.
pub(crate) async fn start_for(
    policy: Policy,
    limits: RequestLimits,
    settings: ServerSettings,
    addresses: AddressLimits,
) -> Running {
    let environment = Environment::system();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let metrics = Arc::new(Metrics::new().unwrap());
    let visibility = Arc::new(Index::open(&Location::Inline).unwrap());
    let namespaces =
        Namespaces::open(Arc::clone(&store), environment.clone(), Limits::default()).await.unwrap();
    let registration = Registration {
        name: NAMESPACE.to_owned(),
        retention: Span::from_secs(3600),
        ..Registration::default()
    };
    namespaces.register(registration).await.unwrap();
    let namespaces = Arc::new(namespaces);
    let endpoints = Endpoints::open(Arc::clone(&store), environment.clone()).await.unwrap();
    let endpoints = Arc::new(endpoints);
    let clock = Arc::clone(&environment.clock);
    let matching = Arc::new(Matching::new(clock, MatchingLimits::default()));
    let queues = Arc::clone(&matching) as Arc<dyn TaskQueues>;
    let deployments =
        Deployments::open(Arc::clone(&store), environment.clone(), Arc::clone(&queues))
            .await
            .unwrap();
    let queue_configs = QueueConfigs::open(Arc::clone(&store), queues).await.unwrap();
    let history = History::open(history::Parts {
        config: history::Config::default(),
        environment: environment.clone(),
        store,
        matching: Arc::clone(&matching),
        namespaces: Arc::clone(&namespaces),
        endpoints: Arc::clone(&endpoints),
        visibility: Arc::clone(&visibility),
        metrics: Arc::clone(&metrics),
        outbound: history::Outbound::default(),
        system_operations: Arc::new(history::NoSystemOperations),
        token_keys: Arc::new(TokenKeys::of(&[[1; 32]])),
        batch_members: None,
    })
    .await
    .unwrap();
    let frontend = Frontend::new(Parts {
        environment,
        namespaces,
        endpoints,
        deployments: Arc::new(deployments),
        queue_configs: Arc::new(queue_configs),
        history,
        matching,
        visibility,
        metrics,
        policy,
        consult: None,
        limits,
        cluster: Cluster { name: "active".to_owned(), ..Cluster::default() },
        audit: None,
    });
    let server = Server::new(frontend, settings);
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let visitors = Visitors::new(addresses);
    let listener =
        Listener::plain(tcp, listener::Limits::default()).with_visitors(Arc::clone(&visitors));
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let ended = tokio::spawn({
        let stop = stop.clone();
        async move { server.serve(listener, stop).await }
    });
    Running { address, stop, ended, visitors }
}

impl Running {
    /// A connection.
    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    /// A client of the workflow service.
    pub(crate) async fn client(&self) -> WorkflowServiceClient<Channel> {
        WorkflowServiceClient::new(self.channel().await)
    }
}
