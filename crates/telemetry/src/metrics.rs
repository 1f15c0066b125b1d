//! The registry and the way to every handle.

use std::sync::{Arc, OnceLock};

use prometheus::{IntCounter, IntGauge, Registry, TextEncoder};

use crate::{
    AuditMetrics, CacheMetrics, Command, CommandMetrics, OperationMetrics, RequestMetrics,
    SecurityTotals, StoreMetrics, StoreTotals, TaskMetrics, TaskQueueMetrics, TaskType,
    WorkflowMetrics,
    cache::Caches,
    command::Commands,
    names,
    process::ProcessMetrics,
    request::Requests,
    security::SecurityMetrics,
    series::{Counters, Histograms, counters, gauges, histograms},
    task::Tasks,
    task_queue::TaskQueues,
};

/// A metric family could not be registered or written: two have one name, or a name is not valid.
#[derive(Debug, thiserror::Error)]
#[error("metrics: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

/// Where the totals of the store come from.
struct StoreSource(Box<dyn Fn() -> StoreTotals + Send + Sync>);

impl std::fmt::Debug for StoreSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("StoreSource")
    }
}

/// What shows values that nobody counts, whenever somebody looks.
struct Observer(Box<dyn Fn(&Metrics) + Send + Sync>);

impl std::fmt::Debug for Observer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Observer")
    }
}

/// Where the totals of what protects the server come from.
struct SecuritySource(Box<dyn Fn() -> SecurityTotals + Send + Sync>);

impl std::fmt::Debug for SecuritySource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SecuritySource")
    }
}

/// All metrics of one server. Make one, share it, and take handles from it.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Requests,
    store: StoreMetrics,
    store_source: OnceLock<StoreSource>,
    queue_observer: OnceLock<Observer>,
    security: SecurityMetrics,
    security_source: OnceLock<SecuritySource>,
    store_requests: Counters,
    store_errors: Counters,
    store_latency: Histograms,
    workflow: WorkflowMetrics,
    commands: Commands,
    caches: Caches,
    tasks: Tasks,
    task_queues: TaskQueues,
    audit: AuditMetrics,
    process: ProcessMetrics,
    restarts: IntCounter,
    open_workflows: IntGauge,
}

impl Metrics {
    /// Registers every family.
    ///
    /// # Errors
    /// When a declaration in [`names`] is not valid, which a test rules out.
    pub fn new() -> Result<Self, MetricsError> {
        let registry = Registry::new();
        Ok(Self {
            requests: Requests::new(&registry)?,
            store: StoreMetrics::new(&registry)?,
            store_source: OnceLock::new(),
            queue_observer: OnceLock::new(),
            security: SecurityMetrics::new(&registry)?,
            security_source: OnceLock::new(),
            store_requests: counters(&registry, &names::PERSISTENCE_REQUESTS)?,
            store_errors: counters(&registry, &names::PERSISTENCE_ERRORS)?,
            store_latency: histograms(&registry, &names::PERSISTENCE_LATENCY)?,
            workflow: WorkflowMetrics::new(&registry)?,
            commands: Commands::new(&registry)?,
            caches: Caches::new(&registry)?,
            tasks: Tasks::new(&registry)?,
            task_queues: TaskQueues::new(&registry)?,
            audit: AuditMetrics::new(&registry)?,
            process: ProcessMetrics::new(&registry)?,
            restarts: counters(&registry, &names::RESTARTS)?.with(&[]),
            open_workflows: gauges(&registry, &names::OPEN_WORKFLOWS)?.with(&[]),
            registry,
        })
    }

    /// The handles of an operation (a method's bare name) in a namespace. Two map look-ups and no
    /// allocation once known. An empty namespace reads `_unknown_`; pass that for names that no
    /// namespace has, so that callers cannot make series.
    pub fn request(&self, operation: &'static str, namespace: &str) -> Arc<RequestMetrics> {
        self.requests.handle(operation, namespace)
    }

    /// The handles of the store.
    pub fn store(&self) -> StoreMetrics {
        self.store.clone()
    }

    /// Says where the totals of the store come from; they are read whenever somebody looks. Only
    /// the first call counts: a server has one store.
    pub fn watch_store(&self, totals: impl Fn() -> StoreTotals + Send + Sync + 'static) {
        self.store_source.get_or_init(|| StoreSource(Box::new(totals)));
    }

    /// Says what shows the backlogs of task queues; it is called whenever somebody looks. Only the
    /// first call counts.
    pub fn watch_queues(&self, show: impl Fn(&Self) + Send + Sync + 'static) {
        self.queue_observer.get_or_init(|| Observer(Box::new(show)));
    }

    /// Says where the totals of what protects the server come from; they are read whenever somebody
    /// looks. Only the first call counts.
    pub fn watch_security(&self, totals: impl Fn() -> SecurityTotals + Send + Sync + 'static) {
        self.security_source.get_or_init(|| SecuritySource(Box::new(totals)));
    }

    /// Calls of one kind to the store, such as `GetWorkflowExecution`.
    pub fn store_operation(&self, operation: &'static str) -> OperationMetrics {
        OperationMetrics::new(
            self.store_requests.with(&[operation]),
            self.store_errors.with(&[operation]),
            self.store_latency.with(&[operation]),
        )
    }

    /// How runs end and what times out in them.
    pub fn workflow(&self) -> &WorkflowMetrics {
        &self.workflow
    }

    /// The command counters of a namespace.
    pub fn commands(&self, namespace: &str) -> CommandMetrics {
        self.commands.handle(namespace)
    }

    /// Counts one command of a namespace.
    pub fn command(&self, namespace: &str, command: Command) {
        self.commands.count(namespace, command);
    }

    /// The handles of a cache, such as `mutablestate` or `events`.
    pub fn cache(&self, cache_type: &'static str) -> CacheMetrics {
        self.caches.handle(cache_type)
    }

    /// The handles of a type of task of the history role, such as `TimerActiveTaskUserTimer`.
    pub fn task(&self, task_type: &'static str) -> TaskMetrics {
        self.tasks.handle(task_type)
    }

    /// The handles of a task queue. Give a sticky queue the name of its normal queue.
    pub fn task_queue(
        &self,
        namespace: &str,
        task_queue: &str,
        task_type: TaskType,
    ) -> Arc<TaskQueueMetrics> {
        self.task_queues.handle(namespace, task_queue, task_type)
    }

    /// The handles of the audit log.
    pub fn audit(&self) -> &AuditMetrics {
        &self.audit
    }

    /// Counts a start of the server.
    pub fn restarts(&self) -> &IntCounter {
        &self.restarts
    }

    /// How many runs are open on this node.
    pub fn open_workflows(&self) -> &IntGauge {
        &self.open_workflows
    }

    /// Everything in Prometheus' text format.
    ///
    /// # Errors
    /// When a family cannot be written, which a test rules out.
    pub fn encode(&self) -> Result<String, MetricsError> {
        self.process.refresh();
        if let Some(source) = self.store_source.get() {
            self.store.show(&(source.0)());
        }
        if let Some(source) = self.security_source.get() {
            self.security.show(&(source.0)());
        }
        if let Some(observer) = self.queue_observer.get() {
            (observer.0)(self);
        }
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Duration};

    use super::*;
    use crate::{ActivityTimeout, ErrorType, Outcome};

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn used() -> Metrics {
        let metrics = Metrics::new().unwrap();
        for error in [
            ErrorType::NotFound,
            ErrorType::WorkflowExecutionAlreadyStarted,
            ErrorType::ResourceExhausted,
            ErrorType::PermissionDenied,
        ] {
            let request = metrics.request("StartWorkflowExecution", "default");
            request.begin().end(MILLISECOND, Some(error));
        }
        metrics.store().show(&StoreTotals { commits: 3, ..StoreTotals::default() });
        metrics.store_operation("GetWorkflowExecution").observe(MILLISECOND, true);
        for outcome in [
            Outcome::Success,
            Outcome::Failed,
            Outcome::Timeout,
            Outcome::Terminate,
            Outcome::Cancel,
            Outcome::ContinuedAsNew,
        ] {
            metrics.workflow().closed(outcome, "default", "orders", "Order", 7);
        }
        for timeout in [
            ActivityTimeout::ScheduleToStart,
            ActivityTimeout::StartToClose,
            ActivityTimeout::ScheduleToClose,
            ActivityTimeout::Heartbeat,
        ] {
            metrics.workflow().timed_out(timeout, "TimerActiveTaskActivityTimeout", "default");
        }
        let commands = metrics.commands("default");
        Command::ALL.iter().for_each(|command| commands.count(*command));
        metrics.cache("mutablestate").miss(MILLISECOND);
        metrics.task("TimerActiveTaskUserTimer").done(MILLISECOND, MILLISECOND);
        metrics.task_queue("default", "orders", TaskType::Activity).matched_at_once(MILLISECOND);
        metrics
    }

    #[test]
    fn every_declared_family_is_exposed_and_no_other() {
        let text = used().encode().unwrap();
        let exposed: HashSet<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
            .collect();
        let declared: HashSet<&str> = names::ALL.iter().map(|family| family.name).collect();
        assert_eq!(exposed, declared);
    }

    #[test]
    fn series_read_as_the_reference_writes_them() {
        let text = used().encode().unwrap();
        for line in [
            "service_requests{namespace=\"default\",operation=\"StartWorkflowExecution\",\
             service_name=\"frontend\"} 4",
            "service_error_with_type{error_type=\"serviceerror_NotFound\",namespace=\"default\",\
             operation=\"StartWorkflowExecution\",service_name=\"frontend\"} 1",
            "workflow_success{namespace=\"default\",service_name=\"history\",\
             taskqueue=\"orders\",workflowType=\"Order\"} 1",
            "command{commandType=\"StartTimer\",namespace=\"default\",\
             service_name=\"history\"} 1",
            "poll_success_sync{namespace=\"default\",service_name=\"matching\",\
             task_type=\"Activity\",taskqueue=\"orders\"} 1",
            "longtide_store_commits 3",
            "service_pending_requests{namespace=\"default\",\
             operation=\"StartWorkflowExecution\",service_name=\"frontend\"} 0",
        ] {
            assert!(text.lines().any(|got| got == line), "missing: {line}\n{text}");
        }
    }

    #[test]
    fn a_request_whose_caller_goes_away_counts_as_canceled() {
        let metrics = Metrics::new().unwrap();
        let request = metrics.request("PollWorkflowTaskQueue", "");
        drop(request.begin());
        let text = metrics.encode().unwrap();
        assert!(text.contains(
            "service_error_with_type{error_type=\"serviceerror_Canceled\",\
             namespace=\"_unknown_\",operation=\"PollWorkflowTaskQueue\""
        ));
        assert!(text.contains("service_pending_requests{namespace=\"_unknown_\""));
    }

    #[test]
    fn the_process_shows_its_memory() {
        let text = Metrics::new().unwrap().encode().unwrap();
        let memory = text
            .lines()
            .find_map(|line| line.strip_prefix("longtide_process_resident_memory_bytes "))
            .unwrap();
        assert!(memory.parse::<u64>().unwrap() > 1_000_000, "{memory}");
    }

    #[test]
    fn operations_past_the_limit_share_a_namespace() {
        let metrics = Metrics::new().unwrap();
        for number in 0..3_000 {
            metrics
                .request("Operation", &format!("namespace-{number}"))
                .begin()
                .end(MILLISECOND, None);
        }
        let text = metrics.encode().unwrap();
        let series = text.lines().filter(|line| line.starts_with("service_requests{")).count();
        assert_eq!(series, 2_001);
    }
}
