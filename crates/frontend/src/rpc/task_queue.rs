//! Task queues as described to users.

use std::collections::BTreeMap;

use api::{
    enums::v1::{RateLimitSource as ApiRateLimitSource, TaskQueueType as ApiTaskQueueType},
    taskqueue::v1::{
        PollerInfo as ApiPollerInfo, TaskQueuePartitionMetadata, TaskQueueStats,
        TaskQueueVersioningInfo,
    },
    workflowservice::v1::{
        DescribeTaskQueueRequest, DescribeTaskQueueResponse, ListTaskQueuePartitionsRequest,
        ListTaskQueuePartitionsResponse, describe_task_queue_response::EffectiveRateLimit,
    },
};
use matching::{PollerInfo, QueueStats, RateLimit, RateLimitSource, TaskQueueKey, TaskQueueType};

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
    let name = polled_queue(request.task_queue, &namespace.limits)?.name;
    let key = TaskQueueKey { namespace_id: namespace.id, name: name.into(), task_type };
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
