//! What every request handler works with.

use std::sync::Arc;

use audit::AuditLog;
use authz::Policy;
use deployment::{Deployments, QueueConfigs};
use environment::Environment;
use history::{Delivery, History};
use matching::Matching;
use model::{NamespaceId, Time};
use namespace::{Namespace, Namespaces};
use nexus::Endpoints;
use telemetry::Metrics;
use token_keys::TokenKeys;
use tokio_util::sync::CancellationToken;
use worker_registry::WorkerRegistry;

use crate::{
    authentication::Consult,
    error::{ApiError, ApiResult},
    limits::{Limiter, MessageLimits, RequestLimits},
    refusal_lines::RefusalLines,
};

/// What a frontend is made of.
#[derive(Debug)]
pub struct Parts {
    /// Time and randomness.
    pub environment: Environment,
    /// The namespaces.
    pub namespaces: Arc<Namespaces>,
    /// The Nexus endpoints.
    pub endpoints: Arc<Endpoints>,
    /// The worker deployments.
    pub deployments: Arc<Deployments>,
    /// The settings of task queues.
    pub queue_configs: Arc<QueueConfigs>,
    /// The runs.
    pub history: Arc<History>,
    /// The task queues.
    pub matching: Arc<Matching<Delivery>>,
    /// The index behind lists and counts.
    pub visibility: Arc<visibility::Index>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Who may do what.
    pub policy: Policy,
    /// Who else is asked whether a call may run.
    pub consult: Option<Arc<dyn Consult>>,
    /// How much of it.
    pub limits: RequestLimits,
    /// What clients are told of the cluster.
    pub cluster: Cluster,
    /// Who hears of calls, if anybody.
    pub audit: Option<Arc<AuditLog>>,
}

/// What clients are told of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cluster {
    /// A UUID that never changes.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where its API listens.
    pub address: String,
    /// The name of the store.
    pub store: &'static str,
}

/// The frontend of one node.
#[derive(Debug)]
pub struct Frontend {
    pub(crate) environment: Environment,
    pub(crate) namespaces: Arc<Namespaces>,
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) deployments: Arc<Deployments>,
    pub(crate) queue_configs: Arc<QueueConfigs>,
    pub(crate) history: Arc<History>,
    pub(crate) matching: Arc<Matching<Delivery>>,
    pub(crate) visibility: Arc<visibility::Index>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) policy: Policy,
    pub(crate) consult: Option<Arc<dyn Consult>>,
    pub(crate) cluster: Cluster,
    pub(crate) audit: Option<Arc<AuditLog>>,
    pub(crate) limiter: Limiter,
    pub(crate) refusal_lines: RefusalLines,
    /// The workers that were heard of.
    pub(crate) workers: Arc<WorkerRegistry>,
    pub(crate) time_skips_max: Option<i32>,
    pub(crate) messages: MessageLimits,
    /// Cancelled when the server stops: long polls answer at once.
    pub(crate) stopping: CancellationToken,
}

impl Frontend {
    /// Puts a frontend together.
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            workers: Arc::new(WorkerRegistry::new(Arc::clone(&parts.environment.clock))),
            environment: parts.environment,
            namespaces: parts.namespaces,
            endpoints: parts.endpoints,
            deployments: parts.deployments,
            queue_configs: parts.queue_configs,
            history: parts.history,
            matching: parts.matching,
            visibility: parts.visibility,
            metrics: parts.metrics,
            policy: parts.policy,
            consult: parts.consult,
            cluster: parts.cluster,
            audit: parts.audit,
            time_skips_max: parts.limits.time_skips_max,
            messages: parts.limits.messages,
            limiter: Limiter::new(parts.limits),
            refusal_lines: RefusalLines::new(),
            stopping: CancellationToken::new(),
        })
    }

    /// Lets all long polls answer at once, from now on. Other requests go on.
    pub fn stop_polls(&self) {
        self.stopping.cancel();
        self.matching.shutdown();
    }

    /// A namespace is gone: forgets what is only here.
    pub fn forget_namespace(&self, id: NamespaceId) {
        self.workers.forget_namespace(id);
        self.limiter.forget_namespace(id);
    }

    /// What tokens are authenticated with.
    pub(crate) fn token_keys(&self) -> &TokenKeys {
        self.history.token_keys()
    }

    pub(crate) fn now(&self) -> Time {
        self.environment.clock.now()
    }

    /// The namespace with this name.
    pub(crate) fn namespace(&self, name: &str) -> ApiResult<Arc<Namespace>> {
        self.namespaces.by_name(name).ok_or_else(|| ApiError::namespace_not_found(name))
    }

    /// The namespace with this id.
    pub(crate) fn namespace_by_id(&self, id: NamespaceId) -> ApiResult<Arc<Namespace>> {
        self.namespaces.by_id(id).ok_or_else(|| ApiError::namespace_not_found(&id.to_string()))
    }

    /// The given request id, or a fresh one.
    pub(crate) fn request_id(&self, given: String) -> String {
        if given.is_empty() { self.environment.entropy.uuid_v4().to_string() } else { given }
    }
}
