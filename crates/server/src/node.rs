//! One node: everything wired together, started and stopped.

use std::{
    io::Read,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use audit::AuditLog;
use deployment::{Deployments, QueueConfigs, TaskQueues};
use environment::Environment;
use frontend::{
    BatchMembers, Cluster, Frontend, Hosts, HttpServer, HttpSettings, Parts, Server,
    SystemOperations,
};
use history::{History, Outbound};
use http_client::{AddressRules, Client};
use listener::{Listener, Protocols};
use matching::{Matching, MatchingLimits};
use namespace::{NamespaceError, Namespaces, Registration};
use nexus::Endpoints;
use single_sign_on::SingleSignOn;
use storage::Store;
use storage_memory::MemoryStore;
use telemetry::{Metrics, StoreTotals};
use token_keys::TokenKeys;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use visibility::{Index, Location};

use crate::{
    at_rest::{self, AtRest, AtRestOptions},
    belongings::Belongings,
    cluster,
    keys_service::ServerKeys,
    limits::NodeLimits,
    metrics_endpoint, output,
    queue_metrics::watch_queues,
    renewal::Renewal,
    security::{Rules, Security, watch_security},
    stop::StopSignals,
    ui::{self, Ui},
};

/// The name of the only cluster, as the reference's development server has it.
const CLUSTER_NAME: &str = "active";

/// The index of runs, inside the data directory.
const INDEX_FILE: &str = "visibility.sqlite";

/// What every SQLite file starts with.
const SQLITE_MAGIC: &[u8; 15] = b"SQLite format 3";

/// What a node is to do.
pub(crate) struct NodeOptions {
    /// Time and randomness.
    pub(crate) environment: Environment,
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// Where HTTP is served, if anywhere.
    pub(crate) http: Option<SocketAddr>,
    /// Under which names besides those of loopback.
    pub(crate) hosts: Hosts,
    /// The web UI, if there is one.
    pub(crate) ui: Option<Ui>,
    /// How people sign in to it, if they do.
    pub(crate) single_sign_on: Option<single_sign_on::Settings>,
    /// What may be called outside, and from where.
    pub(crate) callbacks: Callbacks,
    /// Where metrics are served, if anywhere.
    pub(crate) metrics: Option<SocketAddr>,
    /// The directory of its data; `None` for memory.
    pub(crate) data_directory: Option<PathBuf>,
    /// Bytes of the store's own cache.
    pub(crate) store_cache_bytes: Option<u64>,
    /// How what is stored is encrypted.
    pub(crate) at_rest: Option<AtRestOptions>,
    /// The runs in memory.
    pub(crate) history: history::Config,
    /// Encryption and credentials.
    pub(crate) security: Security,
    /// Who issues the server's certificate, if it is the server itself.
    pub(crate) renewal: Option<Renewal>,
    /// Who hears of calls, if anybody.
    pub(crate) audit: Option<audit::Settings>,
    /// Who may do what.
    pub(crate) rules: Rules,
    /// How much of it.
    pub(crate) limits: NodeLimits,
    /// Namespaces that are made when they do not exist.
    pub(crate) namespaces: Vec<Registration>,
}

/// How operations and callbacks leave the server and come back.
#[derive(Default)]
pub(crate) struct Callbacks {
    /// Which addresses users may name.
    pub(crate) allowed_addresses: AddressRules,
    /// Where handlers outside say that an operation has ended; by default to the node's own HTTP.
    pub(crate) url_template: Option<String>,
}

/// Where a node listens, once it does.
pub(crate) struct Addresses {
    /// The gRPC API.
    pub(crate) grpc: SocketAddr,
    /// HTTP.
    pub(crate) http: Option<SocketAddr>,
    /// The web UI, where it is by itself.
    pub(crate) ui: Option<SocketAddr>,
    /// The metrics.
    pub(crate) metrics: Option<SocketAddr>,
}

/// Runs a node on its own runtime until a signal ends it; `ready` is called when it serves.
pub(crate) fn run(options: NodeOptions, ready: impl FnOnce(&Addresses)) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    runtime.block_on(serve(options, ready))
}

async fn serve(options: NodeOptions, ready: impl FnOnce(&Addresses)) -> anyhow::Result<()> {
    let signals = StopSignals::catch().context("signals cannot be caught")?;
    let listener = bind(options.listen).await?;
    let http_listener = bind_if(options.http).await?;
    let metrics_listener = bind_if(options.metrics).await?;
    let ui_listener = bind_if(options.ui.as_ref().and_then(|ui| ui.listen)).await?;
    let addresses = Addresses {
        grpc: listener.local_addr()?,
        http: http_listener.as_ref().map(TcpListener::local_addr).transpose()?,
        metrics: metrics_listener.as_ref().map(TcpListener::local_addr).transpose()?,
        ui: ui_listener.as_ref().map(TcpListener::local_addr).transpose()?,
    };
    let environment = options.environment.clone();
    let stop = CancellationToken::new();
    if let Some(renewal) = options.renewal.clone() {
        renewal.renew_if_due(&environment).context("certificates")?;
        tokio::spawn(renewal.watch(environment.clone(), stop.clone()));
    }
    // Before anything is opened: what is wrong with a certificate is told at once.
    let encryption = options.security.encryption(&environment, &stop)?;
    let metrics = Arc::new(Metrics::new()?);
    metrics.restarts().inc();
    let (store, store_name, at_rest) = open_store(&options, &metrics).await?;
    let audit_log = options
        .audit
        .map(|settings| AuditLog::open(settings, &environment, metrics.audit().clone()))
        .transpose()?;
    let token_keys = TokenKeys::load(store.as_ref(), environment.entropy.as_ref()).await?;
    let token_keys = Arc::new(token_keys);
    let keys = ServerKeys {
        at_rest: at_rest.clone(),
        token_keys: Arc::clone(&token_keys),
        store: Arc::clone(&store),
        entropy: Arc::clone(&environment.entropy),
    };
    let single_sign_on = match options.single_sign_on {
        None => None,
        Some(settings) => {
            let (store, environment) = (Arc::clone(&store), environment.clone());
            let http = Arc::new(Client::default());
            let opened = SingleSignOn::open(settings, store, environment, http).await?;
            tokio::spawn(Arc::clone(&opened).watch(stop.clone()));
            Some(opened)
        }
    };
    let signed_in = single_sign_on.clone();
    let mut services =
        options.security.services(&environment, &store, keys, signed_in, &stop).await?;
    services.unproven = encryption.unproven();
    let visibility =
        Arc::new(open_index(options.data_directory.as_deref(), options.at_rest.as_ref())?);
    let namespaces = Arc::new(
        Namespaces::open(Arc::clone(&store), environment.clone(), options.limits.contents.clone())
            .await?,
    );
    let endpoints = Arc::new(Endpoints::open(Arc::clone(&store), environment.clone()).await?);
    for registration in options.namespaces {
        make_namespace(&namespaces, registration).await?;
    }
    let clock = Arc::clone(&environment.clock);
    let matching = Arc::new(Matching::new(clock, MatchingLimits::default()));
    watch_queues(&metrics, &matching, &namespaces);
    // Before the runs: their waiting tasks are placed by the routes.
    let queues = Arc::clone(&matching) as Arc<dyn TaskQueues>;
    let deployments =
        Deployments::open(Arc::clone(&store), environment.clone(), Arc::clone(&queues)).await?;
    let deployments = Arc::new(deployments);
    let queue_configs = Arc::new(QueueConfigs::open(Arc::clone(&store), queues).await?);
    let consult = options.rules.consult(&environment)?;
    let members =
        BatchMembers::new(options.rules.policy.clone(), consult.clone(), audit_log.clone());
    let history = History::open(history::Parts {
        config: options.history,
        environment: environment.clone(),
        store: Arc::clone(&store),
        matching: Arc::clone(&matching),
        namespaces: Arc::clone(&namespaces),
        endpoints: Arc::clone(&endpoints),
        visibility: Arc::clone(&visibility),
        metrics: Arc::clone(&metrics),
        system_operations: Arc::new(SystemOperations::new(
            Arc::clone(&matching),
            Arc::clone(&environment.clock),
            options.limits.requests.time_skips_max,
        )),
        outbound: outbound(options.callbacks, encryption.http_scheme(), addresses.http),
        token_keys,
        batch_members: Some(Arc::new(members)),
    })
    .await
    .context("the runs cannot be opened")?;
    let cluster = Cluster {
        id: cluster::id(store.as_ref(), &environment).await?,
        name: CLUSTER_NAME.to_owned(),
        address: addresses.grpc.to_string(),
        store: store_name,
    };
    let clock_of_node = Arc::clone(&environment.clock);
    options.rules.watch(&stop);
    let watched = (options.rules.policies.clone(), encryption.clone());
    let (limits, hosts) = (options.limits, options.hosts);
    let visitors = limits.visitors();
    watch_security(&metrics, watched, &visitors);
    let frontend = Frontend::new(Parts {
        environment,
        namespaces,
        endpoints,
        deployments: Arc::clone(&deployments),
        queue_configs: Arc::clone(&queue_configs),
        history: Arc::clone(&history),
        matching,
        visibility,
        metrics: Arc::clone(&metrics),
        policy: options.rules.policy,
        consult,
        limits: limits.requests.clone(),
        cluster,
        audit: audit_log.clone(),
    });
    if let Some(at_rest) = &at_rest {
        tokio::spawn(Arc::clone(at_rest).keep_sealed(clock_of_node, stop.clone()));
    }
    let belongings =
        Belongings { deployments, queue_configs, frontend: Arc::clone(&frontend), at_rest };
    history.reclaim_namespaces(Arc::new(belongings));
    let server = Server::with_services(frontend, limits.server, services);
    let (face, pages) = ui::faces(options.ui);
    let http_settings = HttpSettings { hosts, face, single_sign_on, ..HttpSettings::default() };
    let ui_server =
        pages.map(|face| HttpServer::new(&server, HttpSettings { face, ..http_settings.clone() }));
    let http_server = HttpServer::new(&server, http_settings);
    let watching = tokio::spawn(signals.watch(stop.clone()));
    let scraping = metrics_listener.map(|listener| {
        let listener = encryption.metrics_listener(listener, limits.listener);
        tokio::spawn(metrics_endpoint::serve(listener, metrics, stop.clone()))
    });
    let http_stop = stop.clone();
    let open = |tcp, protocols| {
        let listener = Listener::plain(tcp, limits.listener).with_visitors(Arc::clone(&visitors));
        encryption.protect(listener, protocols)
    };
    let serving_http = http_listener
        .map(|listener| open(listener, Protocols::Http1))
        .map(|listener| tokio::spawn(async move { http_server.serve(listener, http_stop).await }));
    let ui_stop = stop.clone();
    let serving_ui = ui_server.zip(ui_listener).map(|(server, listener)| {
        let listener = open(listener, Protocols::Http1);
        tokio::spawn(async move { server.serve(listener, ui_stop).await })
    });
    ready(&addresses);
    server.serve(open(listener, Protocols::Http2), stop).await;
    for serving in [serving_http, serving_ui].into_iter().flatten() {
        serving.await?;
    }
    history.shutdown().await;
    if let Some(log) = audit_log {
        log.close().await;
    }
    if let Some(scraping) = scraping {
        scraping.await?;
    }
    watching.abort();
    Ok(())
}

/// Handlers outside answer to the node's own HTTP, unless they are told another way.
fn outbound(callbacks: Callbacks, scheme: &str, http: Option<SocketAddr>) -> Outbound {
    let own = http
        .map(|http| format!("{scheme}://{http}/namespaces/{{{{.NamespaceName}}}}/nexus/callback"));
    Outbound {
        client: Arc::new(Client::default()),
        rules: callbacks.allowed_addresses,
        callback_url_template: callbacks.url_template.or(own),
    }
}

async fn bind_if(address: Option<SocketAddr>) -> anyhow::Result<Option<TcpListener>> {
    match address {
        Some(address) => Ok(Some(bind(address).await?)),
        None => Ok(None),
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

async fn open_store(
    options: &NodeOptions,
    metrics: &Metrics,
) -> anyhow::Result<(Arc<dyn Store>, &'static str, Option<Arc<AtRest>>)> {
    let Some(directory) = &options.data_directory else {
        return Ok((Arc::new(MemoryStore::new()), "memory", None));
    };
    refuse_foreign_file(directory)?;
    let mut settings = storage_embedded::Settings::default();
    if let Some(bytes) = options.store_cache_bytes {
        settings.cache_bytes = bytes;
    }
    let (store, at_rest) =
        at_rest::open_store(directory, settings, options.at_rest.as_ref()).await?;
    let watched = Arc::downgrade(&store);
    metrics.watch_store(move || {
        watched.upgrade().map_or_else(StoreTotals::default, |store| totals(&store.stats()))
    });
    Ok((store, "embedded", at_rest))
}

fn totals(stats: &storage_embedded::Stats) -> StoreTotals {
    StoreTotals {
        batches: stats.batches,
        commits: stats.commits,
        fsyncs: stats.fsyncs,
        bytes_written: stats.bytes_written,
        refused: stats.refused,
        fenced: stats.fenced,
        failures: stats.failures,
        queue_entries: stats.queue_entries,
        queue_bytes: stats.queue_bytes,
    }
}

/// The reference's data is one SQLite file; ours is a directory.
fn refuse_foreign_file(path: &Path) -> anyhow::Result<()> {
    if path.is_file() {
        let mut start = [0; SQLITE_MAGIC.len()];
        let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
        let sqlite = read.is_ok() && start == *SQLITE_MAGIC;
        let what =
            if sqlite { "a SQLite database, perhaps of Temporal's server" } else { "a file" };
        anyhow::bail!(
            "`{}` is {what}; Longtide keeps its data in a directory of its own: name another path",
            path.display()
        );
    }
    Ok(())
}

/// Opens the index beside the store. It can be rebuilt, so one that cannot be read is replaced.
/// Beside a store that encrypts it is in memory: its file could be read.
fn open_index(directory: Option<&Path>, at_rest: Option<&AtRestOptions>) -> anyhow::Result<Index> {
    let Some(directory) = directory else {
        return Ok(Index::open(&Location::Memory)?);
    };
    let path = directory.join(INDEX_FILE);
    let in_file = at_rest.map(|at_rest| at_rest.settings.dangerous_plaintext_index);
    match in_file {
        Some(false) => {
            remove_index(&path)?;
            return Ok(Index::open(&Location::Memory)?);
        }
        Some(true) => output::warning(
            "THE INDEX IS NOT ENCRYPTED: workflow ids, types, memos and search attributes can be \
             read in the data directory",
        ),
        None => {}
    }
    match Index::open(&Location::File(path.clone())) {
        Err(error @ (visibility::Error::Damaged { .. } | visibility::Error::Format { .. })) => {
            tracing::warn!(%error, "the index is made anew");
            remove_index(&path)?;
            Ok(Index::open(&Location::File(path))?)
        }
        opened => Ok(opened?),
    }
}

/// Removes the index and what SQLite keeps beside it.
fn remove_index(path: &Path) -> anyhow::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.to_owned().into_os_string();
        file.push(suffix);
        if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error).context("the former index cannot be removed");
        }
    }
    Ok(())
}

async fn make_namespace(namespaces: &Namespaces, registration: Registration) -> anyhow::Result<()> {
    let name = registration.name.clone();
    let attributes = registration.search_attributes.clone();
    match namespaces.register(registration).await {
        Ok(_) => return Ok(()),
        Err(NamespaceError::AlreadyExists(_)) => {}
        Err(error) => return Err(error).with_context(|| format!("namespace `{name}`")),
    }
    if let Some(found) = namespaces.by_name(&name)
        && !attributes.is_empty()
    {
        namespaces
            .add_search_attributes(found.id, attributes)
            .await?
            .with_context(|| format!("namespace `{name}`"))?;
    }
    Ok(())
}
