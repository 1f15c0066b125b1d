//! Task queues as described to users.

use std::{collections::BTreeMap, sync::Arc};

use api::{
    deployment::v1::{WorkerDeploymentOptions, WorkerDeploymentVersion},
    enums::v1::{
        BuildIdTaskReachability, DescribeTaskQueueMode, RateLimitSource as ApiRateLimitSource,
        TaskQueueKind, TaskQueueType as ApiTaskQueueType, WorkerVersioningMode,
    },
    taskqueue::v1::{
        PollerInfo as ApiPollerInfo, TaskIdBlock, TaskQueue, TaskQueuePartitionMetadata,
        TaskQueueStats, TaskQueueStatus, TaskQueueTypeInfo, TaskQueueVersionInfo,
        TaskQueueVersioningInfo,
    },
    workflowservice::v1::{
        DescribeTaskQueueRequest, DescribeTaskQueueResponse, ListTaskQueuePartitionsRequest,
        ListTaskQueuePartitionsResponse, describe_task_queue_response::EffectiveRateLimit,
    },
};
use deployment::{UNVERSIONED, legacy_text};
use matching::{
    PollerInfo, PriorityKey, QueueDescription, QueueLimits, QueueRoutes, QueueStats, RateLimit,
    RateLimitSource, Route, TaskQueueKey, TaskQueueType, WorkerVersion,
};
use model::NamespaceId;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    validation::polled_queue,
};

/// Ids that the reference's stores hand out at once; older clients show the block.
const TASK_ID_BLOCK: i64 = 100_000;

/// Most versions of which one request may ask whether tasks reach them.
const REACHABILITY_VERSIONS_MAX: usize = 5;

/// What the names of partitions start with; the queue's name and a number follow.
const PARTITION_PREFIX: &str = "/_sys/";

/// What the reference writes for a time that never was: the first second of the first year.
const NEVER: prost_types::Timestamp = prost_types::Timestamp { seconds: -62_135_596_800, nanos: 0 };

pub(crate) async fn describe_task_queue(
    frontend: &Frontend,
    call: &Call,
    request: DescribeTaskQueueRequest,
) -> ApiResult<DescribeTaskQueueResponse> {
    let namespace = call.namespace()?;
    let task_type = queue_type(request.task_queue_type());
    let enhanced = request.api_mode() == DescribeTaskQueueMode::Enhanced;
    let asked = request.task_queue.clone();
    let partition = asked.as_ref().filter(|_| !enhanced).and_then(|it| partition(&it.name));
    let task_queue = match (partition, asked) {
        (None, asked) => polled_queue(asked, &namespace.limits)?,
        (Some(Ok(_)), Some(task_queue)) => task_queue,
        (Some(Ok(_)), None) => TaskQueue::default(),
        (Some(Err(refused)), _) => return Err(refused),
    };
    let is_sticky = task_queue.kind() == TaskQueueKind::Sticky;
    let name: Arc<str> = task_queue.name.into();
    let versions = request.versions.as_ref().map_or(0, |versions| versions.build_ids.len());
    if request.report_task_reachability && versions > REACHABILITY_VERSIONS_MAX {
        return Err(ApiError::invalid(format!(
            "Too many build ids queried at once with ReportTaskReachability==true, \
             limit: {REACHABILITY_VERSIONS_MAX}"
        )));
    }
    if enhanced && is_sticky {
        return Err(ApiError::invalid(
            "Enhanced DescribeTaskQueue is not valid for a sticky queue, use \
             api_mode=UNSPECIFIED or a normal queue.",
        ));
    }
    if enhanced {
        return Ok(by_version(frontend, namespace.id, &name, &request));
    }
    let key = TaskQueueKey::new(namespace.id, name, task_type);
    let found = frontend.matching.describe_versions(&key);
    let mut response = DescribeTaskQueueResponse {
        versioning_info: (!is_sticky).then(|| versioning_info(frontend, &key)),
        effective_rate_limit: Some(effective_rate_limit(frontend, &key, found.values().next())),
        ..DescribeTaskQueueResponse::default()
    };
    let total = Totals::of(found.values());
    if request.report_stats {
        response.stats = Some(stats(&total.stats));
        response.stats_by_priority_key = total.by_priority();
    }
    if request.report_config {
        response.config = frontend.queue_configs.get(&key).map(|config| config.as_ref().clone());
    }
    if request.include_task_queue_status {
        let limit = response.effective_rate_limit.as_ref();
        response.task_queue_status = Some(TaskQueueStatus {
            backlog_count_hint: total.stats.approximate_backlog_count,
            rate_per_second: limit.map_or(0.0, |limit| f64::from(limit.requests_per_second)),
            task_id_block: Some(TaskIdBlock { start_id: 1, end_id: TASK_ID_BLOCK }),
            ..TaskQueueStatus::default()
        });
    }
    for (key, found) in found {
        let seen = found.pollers.into_iter();
        response.pollers.extend(seen.map(|found| poller(found, key.version.as_ref())));
    }
    Ok(response)
}

/// The number of the partition that a name of the reference's own form means; none for a name of
/// another form. There is one partition here, the queue itself: the others hold nothing.
fn partition(name: &str) -> Option<ApiResult<u32>> {
    let rest = name.strip_prefix(PARTITION_PREFIX)?;
    let number = rest.rsplit_once('/').filter(|(queue, _)| !queue.is_empty());
    let number = number.and_then(|(_, number)| number.parse().ok()).filter(|number| *number > 0);
    let wrong = || ApiError::invalid(format!("invalid task queue partition name {name}"));
    Some(number.ok_or_else(wrong))
}

/// The matching type of a queue.
pub(crate) fn queue_type(task_type: ApiTaskQueueType) -> TaskQueueType {
    match task_type {
        ApiTaskQueueType::Unspecified | ApiTaskQueueType::Workflow => TaskQueueType::Workflow,
        ApiTaskQueueType::Activity => TaskQueueType::Activity,
        ApiTaskQueueType::Nexus => TaskQueueType::Nexus,
    }
}

/// The answer by versions of workers: those that are asked for, or else workers without one.
fn by_version(
    frontend: &Frontend,
    namespace_id: NamespaceId,
    name: &Arc<str>,
    request: &DescribeTaskQueueRequest,
) -> DescribeTaskQueueResponse {
    let asked = request.versions.clone().unwrap_or_default();
    let unversioned = asked.unversioned || asked.all_active || asked.build_ids.is_empty();
    let mut versions: Vec<(String, Option<WorkerVersion>)> = Vec::new();
    if unversioned {
        versions.push((String::new(), None));
    }
    let mut served = std::collections::BTreeSet::new();
    for task_type in [TaskQueueType::Workflow, TaskQueueType::Activity] {
        let key = TaskQueueKey::new(namespace_id, Arc::clone(name), task_type);
        let routes = frontend.matching.routes();
        served.extend(routes.routes.queue(&key).iter().flat_map(|queue| queue.versions.clone()));
    }
    for version in served {
        let text = version.to_string();
        let named = |id: &String| *id == text || **id == *version.build_id;
        if let Some(id) = asked.build_ids.iter().find(|id| named(id)) {
            versions.push((id.clone(), Some(version)));
        } else if asked.all_active {
            versions.push((text, Some(version)));
        }
    }
    let versions_info = versions
        .into_iter()
        .map(|(name_of_version, version)| {
            let info = version_info(frontend, namespace_id, name, version, request);
            (name_of_version, info)
        })
        .collect();
    DescribeTaskQueueResponse { versions_info, ..DescribeTaskQueueResponse::default() }
}

fn version_info(
    frontend: &Frontend,
    namespace_id: NamespaceId,
    name: &Arc<str>,
    version: Option<WorkerVersion>,
    request: &DescribeTaskQueueRequest,
) -> TaskQueueVersionInfo {
    let types_info = [
        (ApiTaskQueueType::Workflow, TaskQueueType::Workflow),
        (ApiTaskQueueType::Activity, TaskQueueType::Activity),
    ]
    .into_iter()
    .filter(|(number, _)| {
        request.task_queue_types.is_empty()
            || request.task_queue_types().any(|asked| asked == *number)
    })
    .map(|(number, task_type)| {
        let key = TaskQueueKey::new(namespace_id, Arc::clone(name), task_type)
            .with_version(version.clone());
        let found = frontend.matching.describe(&key);
        let counted = stats(&found.as_ref().map(|found| found.stats).unwrap_or_default());
        let seen = found.filter(|_| request.report_pollers);
        let pollers = seen.map_or_else(Vec::new, |found| found.pollers);
        let info = TaskQueueTypeInfo {
            pollers: pollers.into_iter().map(|found| poller(found, version.as_ref())).collect(),
            stats: request.report_stats.then_some(counted),
        };
        (number as i32, info)
    })
    .collect();
    // A worker without a version may get any task, so its queue always counts as reachable.
    let task_reachability = if request.report_task_reachability {
        BuildIdTaskReachability::Reachable
    } else {
        BuildIdTaskReachability::Unspecified
    };
    TaskQueueVersionInfo { types_info, task_reachability: task_reachability as i32 }
}

/// The statistics of one version's queue, in all and by priority.
pub(crate) fn queue_stats(
    frontend: &Frontend,
    key: &TaskQueueKey,
) -> (TaskQueueStats, BTreeMap<i32, TaskQueueStats>) {
    let found = frontend.matching.describe(key);
    let total = Totals::of(found.iter());
    (stats(&total.stats), total.by_priority())
}

/// The statistics of several queues together.
#[derive(Debug, Default)]
struct Totals {
    stats: QueueStats,
    by_priority: BTreeMap<PriorityKey, QueueStats>,
}

impl Totals {
    fn of<'a>(found: impl Iterator<Item = &'a QueueDescription>) -> Self {
        let mut total = Self::default();
        // The default priority is always shown.
        total.by_priority.insert(PriorityKey::default(), QueueStats::default());
        for found in found {
            total.stats.merge(found.stats);
            for (priority, stats) in &found.stats_by_priority {
                total.by_priority.entry(*priority).or_default().merge(*stats);
            }
        }
        total
    }

    fn by_priority(&self) -> BTreeMap<i32, TaskQueueStats> {
        let by_priority = self.by_priority.iter();
        by_priority.map(|(priority, found)| (priority.number(), stats(found))).collect()
    }
}

fn versioning_info(frontend: &Frontend, key: &TaskQueueKey) -> TaskQueueVersioningInfo {
    let routes = frontend.matching.routes();
    let none = QueueRoutes::default();
    let queue = routes.routes.queue(key).map_or(&none, |queue| queue.as_ref());
    let version = |route: &Route| route.version.as_ref().map(deployment_version);
    let current = version(&queue.current);
    let ramping = queue.ramping.as_ref().map(|ramp| version(&ramp.route));
    TaskQueueVersioningInfo {
        current_version: legacy_text(current.as_ref()),
        current_deployment_version: current,
        ramping_version: match &ramping {
            Some(Some(ramping)) => legacy_text(Some(ramping)),
            Some(None) => UNVERSIONED.to_owned(),
            None => String::new(),
        },
        ramping_deployment_version: ramping.flatten(),
        ramping_version_percentage: queue.ramping.as_ref().map_or(0.0, |ramp| ramp.percentage),
        update_time: Some(queue.update_time.to_proto().unwrap_or(NEVER)),
    }
}

fn deployment_version(version: &WorkerVersion) -> WorkerDeploymentVersion {
    WorkerDeploymentVersion {
        deployment_name: version.deployment_name.as_ref().to_owned(),
        build_id: version.build_id.as_ref().to_owned(),
    }
}

/// The limit in force; for a queue that nobody uses, the one that would be.
fn effective_rate_limit(
    frontend: &Frontend,
    key: &TaskQueueKey,
    found: Option<&QueueDescription>,
) -> EffectiveRateLimit {
    let configured = frontend.queue_configs.get(key);
    let api = configured.and_then(|config| deployment::queue_settings(&config).tasks_per_second);
    let unused = || match api {
        Some(tasks_per_second) => RateLimit { tasks_per_second, source: RateLimitSource::Api },
        None => RateLimit {
            tasks_per_second: QueueLimits::default().tasks_per_second,
            source: RateLimitSource::System,
        },
    };
    rate_limit(found.map_or_else(unused, |found| found.rate_limit))
}

/// A worker of a version polls: its deployment knows the queue from then on.
pub(crate) async fn register(
    frontend: &Frontend,
    version: Option<&WorkerVersion>,
    key: &TaskQueueKey,
) -> ApiResult<()> {
    if let Some(version) = version {
        frontend.deployments.register(version, key).await?;
    }
    Ok(())
}

/// There is one partition per queue, and it is the queue itself.
pub(crate) async fn list_task_queue_partitions(
    frontend: &Frontend,
    call: &Call,
    request: ListTaskQueuePartitionsRequest,
) -> ApiResult<ListTaskQueuePartitionsResponse> {
    let limits = &call.namespace()?.limits;
    let partition = TaskQueuePartitionMetadata {
        key: polled_queue(request.task_queue, limits)?.name,
        owner_host_name: frontend.cluster.address.clone(),
    };
    Ok(ListTaskQueuePartitionsResponse {
        activity_task_queue_partitions: vec![partition.clone()],
        workflow_task_queue_partitions: vec![partition],
    })
}

/// Why a poll was refused, as the worker sees it.
pub(crate) fn poll_refused(refused: matching::PollRefused) -> ApiError {
    use api::enums::v1::{ResourceExhaustedCause, ResourceExhaustedScope};
    ApiError::exhausted(
        ResourceExhaustedCause::ConcurrentLimit,
        ResourceExhaustedScope::System,
        refused.to_string(),
    )
}

fn poller(found: PollerInfo, version: Option<&WorkerVersion>) -> ApiPollerInfo {
    // A worker that names no rate may have what the queue may have.
    let any = QueueLimits::default().tasks_per_second;
    let named = found.rate_per_second > 0.0;
    ApiPollerInfo {
        last_access_time: found.last_access_time.to_proto(),
        identity: found.identity,
        rate_per_second: if named { found.rate_per_second } else { any },
        deployment_options: version.map(|version| WorkerDeploymentOptions {
            deployment_name: version.deployment_name.as_ref().to_owned(),
            build_id: version.build_id.as_ref().to_owned(),
            worker_versioning_mode: WorkerVersioningMode::Versioned as i32,
        }),
        ..ApiPollerInfo::default()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the API has rates as f32")]
fn stats(found: &QueueStats) -> TaskQueueStats {
    TaskQueueStats {
        approximate_backlog_count: found.approximate_backlog_count,
        approximate_backlog_age: Some(found.approximate_backlog_age.to_proto()),
        tasks_add_rate: found.tasks_add_rate as f32,
        tasks_dispatch_rate: found.tasks_dispatch_rate as f32,
        ..TaskQueueStats::default()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the API has rates as f32")]
fn rate_limit(found: RateLimit) -> EffectiveRateLimit {
    let source = match found.source {
        RateLimitSource::Api => ApiRateLimitSource::Api,
        RateLimitSource::Worker => ApiRateLimitSource::Worker,
        RateLimitSource::System => ApiRateLimitSource::System,
    };
    EffectiveRateLimit {
        requests_per_second: found.tasks_per_second as f32,
        rate_limit_source: source as i32,
    }
}
