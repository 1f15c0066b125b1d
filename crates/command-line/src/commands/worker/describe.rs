//! Deployments and versions as the reference shows them: its JSON is no message of the API.

use api::{
    deployment::v1::{
        RoutingConfig, VersionDrainageInfo, VersionMetadata, WorkerDeploymentVersion,
    },
    enums::v1::{TaskQueueType, VersionDrainageStatus},
    taskqueue::v1::TaskQueueStats,
    workflowservice::v1::{
        DescribeWorkerDeploymentResponse, DescribeWorkerDeploymentVersionResponse,
    },
};
use serde_json::{Map, Value, json};

use super::compute;
use crate::{
    commands::go::{epoch_time, half, nanos, time},
    error::Result,
    proto_json::to_json,
};

/// A deployment's routes.
pub(crate) fn routing(config: Option<&RoutingConfig>) -> Value {
    let none = RoutingConfig::default();
    let config = config.unwrap_or(&none);
    let (current_name, current_build) = names(config.current_deployment_version.as_ref());
    let (ramping_name, ramping_build) = names(config.ramping_deployment_version.as_ref());
    let percentage_changed = config.ramping_version_percentage_changed_time.as_ref();
    json!({
        "currentVersionDeploymentName": current_name,
        "currentVersionBuildID": current_build,
        "rampingVersionDeploymentName": ramping_name,
        "rampingVersionBuildID": ramping_build,
        "rampingVersionPercentage": half(config.ramping_version_percentage),
        "currentVersionChangedTime": time(config.current_version_changed_time.as_ref()),
        "rampingVersionChangedTime": time(config.ramping_version_changed_time.as_ref()),
        "rampingVersionPercentageChangedTime": time(percentage_changed),
    })
}

fn names(version: Option<&WorkerDeploymentVersion>) -> (&str, &str) {
    version.map_or(("", ""), |version| (&version.deployment_name, &version.build_id))
}

fn drainage(status: i32) -> &'static str {
    match VersionDrainageStatus::try_from(status) {
        Ok(VersionDrainageStatus::Draining) => "draining",
        Ok(VersionDrainageStatus::Drained) => "drained",
        _ => "unspecified",
    }
}

/// A deployment.
pub(crate) fn deployment(answer: &DescribeWorkerDeploymentResponse) -> Value {
    let info = answer.worker_deployment_info.clone().unwrap_or_default();
    let summaries: Vec<_> = info
        .version_summaries
        .iter()
        .map(|summary| {
            let (deployment_name, build_id) = names(summary.deployment_version.as_ref());
            json!({
                "deploymentName": deployment_name,
                "BuildID": build_id,
                "drainageStatus": drainage(summary.drainage_status),
                "createTime": time(summary.create_time.as_ref()),
            })
        })
        .collect();
    json!({
        "name": info.name,
        "createTime": time(info.create_time.as_ref()),
        "lastModifierIdentity": info.last_modifier_identity,
        "routingConfig": routing(info.routing_config.as_ref()),
        "versionSummaries": if summaries.is_empty() { Value::Null } else { summaries.into() },
        "managerIdentity": info.manager_identity,
    })
}

/// A version.
pub(crate) fn version(
    answer: &DescribeWorkerDeploymentVersionResponse,
    with_stats: bool,
) -> Result<Value> {
    let info = answer.worker_deployment_version_info.clone().unwrap_or_default();
    let (deployment_name, build_id) = names(info.deployment_version.as_ref());
    let mut queues = Vec::new();
    for queue in &answer.version_task_queues {
        let kind = match TaskQueueType::try_from(queue.r#type) {
            Ok(TaskQueueType::Workflow) => "workflow",
            Ok(TaskQueueType::Activity) => "activity",
            Ok(TaskQueueType::Nexus) => "nexus",
            _ => "unspecified",
        };
        let mut row = json!({ "name": queue.name, "type": kind });
        if let (true, Value::Object(object)) = (with_stats, &mut row) {
            object.insert("stats".to_owned(), stats(queue.stats.as_ref()));
            if !queue.stats_by_priority_key.is_empty() {
                let by_key = queue.stats_by_priority_key.iter();
                let by_key: Map<_, _> =
                    by_key.map(|(key, value)| (key.to_string(), stats(Some(value)))).collect();
                object.insert("statsByPriorityKey".to_owned(), by_key.into());
            }
        }
        queues.push(row);
    }
    let mut value = json!({
        "deploymentName": deployment_name,
        "BuildID": build_id,
        "createTime": epoch_time(info.create_time.as_ref()),
        "routingChangedTime": epoch_time(info.routing_changed_time.as_ref()),
        "currentSinceTime": epoch_time(info.current_since_time.as_ref()),
        "rampingSinceTime": epoch_time(info.ramping_since_time.as_ref()),
        "rampPercentage": half(info.ramp_percentage),
        "drainageInfo": drainage_info(info.drainage_info.as_ref()),
        "taskQueuesInfos": if queues.is_empty() { Value::Null } else { queues.into() },
        "metadata": metadata(&info.metadata.clone().unwrap_or_default())?,
    });
    let config = info.compute_config.as_ref().and_then(compute::shown);
    if let (Some(config), Value::Object(object)) = (config, &mut value) {
        object.insert("computeConfig".to_owned(), config);
    }
    Ok(value)
}

/// What is noted about a version: payloads as they are, and not short.
pub(crate) fn metadata(metadata: &VersionMetadata) -> Result<Value> {
    let entries = metadata.entries.iter();
    let entries = entries.map(|(key, payload)| Ok((key.clone(), to_json(payload, false)?)));
    let entries: Map<_, _> = entries.collect::<Result<_>>()?;
    Ok(if entries.is_empty() { Value::Null } else { entries.into() })
}

fn drainage_info(info: Option<&VersionDrainageInfo>) -> Value {
    match info {
        None => json!({
            "drainageStatus": "",
            "lastChangedTime": time(None),
            "lastCheckedTime": time(None),
        }),
        Some(info) => json!({
            "drainageStatus": drainage(info.status),
            "lastChangedTime": epoch_time(info.last_changed_time.as_ref()),
            "lastCheckedTime": epoch_time(info.last_checked_time.as_ref()),
        }),
    }
}

fn stats(stats: Option<&TaskQueueStats>) -> Value {
    let none = TaskQueueStats::default();
    let stats = stats.unwrap_or(&none);
    json!({
        "approximateBacklogCount": stats.approximate_backlog_count,
        "approximateBacklogAge": nanos(stats.approximate_backlog_age.as_ref()),
        "backlogIncreaseRate": half(stats.tasks_add_rate - stats.tasks_dispatch_rate),
        "tasksAddRate": half(stats.tasks_add_rate),
        "tasksDispatchRate": half(stats.tasks_dispatch_rate),
    })
}
