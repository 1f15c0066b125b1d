//! Task queues as described to users.

use std::{collections::BTreeMap, sync::Arc};

use api::{
    enums::v1::{
        BuildIdTaskReachability, DescribeTaskQueueMode, RateLimitSource as ApiRateLimitSource,
        TaskQueueType as ApiTaskQueueType,
    },
    taskqueue::v1::{
        PollerInfo as ApiPollerInfo, TaskQueuePartitionMetadata, TaskQueueStats, TaskQueueTypeInfo,
        TaskQueueVersionInfo, TaskQueueVersioningInfo,
    },
    workflowservice::v1::{
        DescribeTaskQueueRequest, DescribeTaskQueueResponse, ListTaskQueuePartitionsRequest,
        ListTaskQueuePartitionsResponse, describe_task_queue_response::EffectiveRateLimit,
    },
};
use matching::{PollerInfo, QueueStats, RateLimit, RateLimitSource, TaskQueueKey, TaskQueueType};
use model::NamespaceId;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    validation::polled_queue,
};

/// What workers without a version are called.
const UNVERSIONED: &str = "__unversioned__";

pub(crate) async fn describe_task_queue(
    frontend: &Frontend,
    call: &Call,
    request: DescribeTaskQueueRequest,
) -> ApiResult<DescribeTaskQueueResponse> {
    let namespace = call.namespace()?;
    let task_type = match request.task_queue_type() {
        ApiTaskQueueType::Unspecified | ApiTaskQueueType::Workflow => TaskQueueType::Workflow,
        ApiTaskQueueType::Activity => TaskQueueType::Activity,
        ApiTaskQueueType::Nexus => TaskQueueType::Nexus,
    };
    let name: Arc<str> = polled_queue(request.task_queue.clone(), &namespace.limits)?.name.into();
    if request.api_mode() == DescribeTaskQueueMode::Enhanced {
        return Ok(by_version(frontend, namespace.id, &name, &request));
    }
    let key = TaskQueueKey { namespace_id: namespace.id, name, task_type };
    let mut response = DescribeTaskQueueResponse {
        versioning_info: Some(TaskQueueVersioningInfo {
            current_version: UNVERSIONED.to_owned(),
            ..TaskQueueVersioningInfo::default()
        }),
        ..DescribeTaskQueueResponse::default()
    };
    let Some(found) = frontend.matching.describe(&key) else { return Ok(response) };
    response.pollers = found.pollers.into_iter().map(poller).collect();
    response.effective_rate_limit = Some(rate_limit(found.rate_limit));
    if request.report_stats {
        response.stats = Some(stats(&found.stats));
        let by_priority = found.stats_by_priority.iter();
        response.stats_by_priority_key = by_priority
            .map(|(priority, found)| (priority.number(), stats(found)))
            .collect::<BTreeMap<_, _>>();
    }
    Ok(response)
}

/// The answer by versions of workers. There is only "without a version".
fn by_version(
    frontend: &Frontend,
    namespace_id: NamespaceId,
    name: &Arc<str>,
    request: &DescribeTaskQueueRequest,
) -> DescribeTaskQueueResponse {
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
        let key = TaskQueueKey { namespace_id, name: Arc::clone(name), task_type };
        let found = frontend.matching.describe(&key);
        let counted = found.as_ref().map(|found| stats(&found.stats));
        let seen = found.filter(|_| request.report_pollers);
        let info = TaskQueueTypeInfo {
            pollers: seen
                .map_or_else(Vec::new, |found| found.pollers.into_iter().map(poller).collect()),
            stats: request.report_stats.then(|| counted.unwrap_or_default()),
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
    let unversioned =
        TaskQueueVersionInfo { types_info, task_reachability: task_reachability as i32 };
    DescribeTaskQueueResponse {
        versions_info: [(String::new(), unversioned)].into(),
        ..DescribeTaskQueueResponse::default()
    }
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

fn poller(found: PollerInfo) -> ApiPollerInfo {
    ApiPollerInfo {
        last_access_time: found.last_access_time.to_proto(),
        identity: found.identity,
        rate_per_second: found.rate_per_second,
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
