//! Requests at the API's edge.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use prometheus::{Histogram, IntCounter, IntGauge, Registry};

use crate::{
    ErrorType, MetricsError,
    family::{OTHER, SERIES_MAX},
    names,
    series::{Counters, Gauges, Histograms, counters, gauges, histograms},
};

/// What a request without a namespace, or with one that does not exist, is counted under.
const NO_NAMESPACE: &str = "_unknown_";

/// The handles of one operation in one namespace.
#[derive(Debug)]
pub struct RequestMetrics {
    operation: &'static str,
    namespace: String,
    requests: IntCounter,
    pending: IntGauge,
    latency: Histogram,
    families: Arc<RequestFamilies>,
}

impl RequestMetrics {
    /// Counts a request in. Keep the result until the request ends.
    pub fn begin(self: &Arc<Self>) -> RequestInFlight {
        self.requests.inc();
        self.pending.inc();
        RequestInFlight { metrics: Arc::clone(self), ended: false }
    }

    fn fail(&self, error: ErrorType) {
        let labels = [self.operation, self.namespace.as_str()];
        self.families.errors.with(&labels).inc();
        self.families.by_type.with(&[self.operation, &self.namespace, error.label()]).inc();
        match error {
            ErrorType::NotFound | ErrorType::NamespaceNotFound => {
                self.families.not_found.with(&labels).inc();
            }
            ErrorType::WorkflowExecutionAlreadyStarted => {
                self.families.already_started.with(&labels).inc();
            }
            ErrorType::ResourceExhausted => self.families.resource_exhausted.with(&labels).inc(),
            ErrorType::PermissionDenied => self.families.unauthorized.with(&labels).inc(),
            _ => {}
        }
    }
}

/// A request being worked on. Dropping it without [`end`](Self::end) counts it as canceled.
#[derive(Debug)]
#[must_use]
pub struct RequestInFlight {
    metrics: Arc<RequestMetrics>,
    ended: bool,
}

impl RequestInFlight {
    /// Counts the request out.
    pub fn end(mut self, latency: Duration, error: Option<ErrorType>) {
        self.ended = true;
        self.metrics.latency.observe(latency.as_secs_f64());
        if let Some(error) = error {
            self.metrics.fail(error);
        }
    }
}

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        self.metrics.pending.dec();
        if !self.ended {
            self.metrics.fail(ErrorType::Canceled);
        }
    }
}

#[derive(Debug)]
struct RequestFamilies {
    requests: Counters,
    errors: Counters,
    by_type: Counters,
    not_found: Counters,
    already_started: Counters,
    resource_exhausted: Counters,
    unauthorized: Counters,
    latency: Histograms,
    pending: Gauges,
}

type ByNamespace = HashMap<String, Arc<RequestMetrics>>;

/// The handles of all operations in all namespaces, made when first asked for.
#[derive(Debug)]
pub(crate) struct Requests {
    families: Arc<RequestFamilies>,
    handles: RwLock<HashMap<&'static str, ByNamespace>>,
}

impl Requests {
    pub(crate) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        let families = RequestFamilies {
            requests: counters(registry, &names::SERVICE_REQUESTS)?,
            errors: counters(registry, &names::SERVICE_ERRORS)?,
            by_type: counters(registry, &names::SERVICE_ERROR_WITH_TYPE)?,
            not_found: counters(registry, &names::SERVICE_ERRORS_ENTITY_NOT_FOUND)?,
            already_started: counters(registry, &names::SERVICE_ERRORS_EXECUTION_ALREADY_STARTED)?,
            resource_exhausted: counters(registry, &names::SERVICE_ERRORS_RESOURCE_EXHAUSTED)?,
            unauthorized: counters(registry, &names::SERVICE_ERRORS_UNAUTHORIZED)?,
            latency: histograms(registry, &names::SERVICE_LATENCY)?,
            pending: gauges(registry, &names::SERVICE_PENDING_REQUESTS)?,
        };
        Ok(Self { families: Arc::new(families), handles: RwLock::default() })
    }

    pub(crate) fn handle(&self, operation: &'static str, namespace: &str) -> Arc<RequestMetrics> {
        let namespace = if namespace.is_empty() { NO_NAMESPACE } else { namespace };
        {
            let handles = self.handles.read().unwrap_or_else(PoisonError::into_inner);
            let known = handles.get(operation).and_then(|handles| handles.get(namespace));
            if let Some(handle) = known {
                return Arc::clone(handle);
            }
        }
        let mut handles = self.handles.write().unwrap_or_else(PoisonError::into_inner);
        let full = handles.values().map(HashMap::len).sum::<usize>() >= SERIES_MAX;
        let namespace = if full { OTHER } else { namespace };
        let of_operation = handles.entry(operation).or_default();
        let handle = of_operation
            .entry(namespace.to_owned())
            .or_insert_with(|| Arc::new(self.resolve(operation, namespace)));
        Arc::clone(handle)
    }

    fn resolve(&self, operation: &'static str, namespace: &str) -> RequestMetrics {
        let labels = [operation, namespace];
        RequestMetrics {
            operation,
            namespace: namespace.to_owned(),
            requests: self.families.requests.with(&labels),
            pending: self.families.pending.with(&labels),
            latency: self.families.latency.with(&labels),
            families: Arc::clone(&self.families),
        }
    }
}
