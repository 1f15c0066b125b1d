//! Versions of worker deployments. Texts are the reference's.

use std::{collections::BTreeMap, sync::Arc};

use api::{
    deployment::v1::{VersionMetadata, WorkerDeploymentVersion},
    workflowservice::v1::{
        CreateWorkerDeploymentVersionRequest, CreateWorkerDeploymentVersionResponse,
        DeleteWorkerDeploymentVersionRequest, DeleteWorkerDeploymentVersionResponse,
        DescribeWorkerDeploymentVersionRequest, DescribeWorkerDeploymentVersionResponse,
        UpdateWorkerDeploymentVersionMetadataRequest,
        UpdateWorkerDeploymentVersionMetadataResponse,
        describe_worker_deployment_version_response::VersionTaskQueue,
    },
};
use deployment::{
    Deployment, DeploymentError, check_name, check_version, display_text, drainage_is_due,
    parse_legacy, version_info,
};
use matching::WorkerVersion;
use model::Limits;
use namespace::Namespace;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::{task_queue::queue_stats, visibility},
};

pub(crate) async fn create_worker_deployment_version(
    frontend: &Frontend,
    call: &Call,
    request: CreateWorkerDeploymentVersionRequest,
) -> ApiResult<CreateWorkerDeploymentVersionResponse> {
    let namespace = call.namespace()?;
    let version = request.deployment_version.unwrap_or_default();
    if version.deployment_name.is_empty() {
        return Err(ApiError::invalid("deployment name cannot be empty"));
    }
    if version.build_id.is_empty() {
        return Err(ApiError::invalid("build ID cannot be empty"));
    }
    if request.compute_config.is_some() {
        return Err(ApiError::unimplemented("compute configurations are not built yet"));
    }
    check_version(&version, namespace.limits.id_length_max)?;
    let request_id = frontend.request_id(request.request_id);
    let (build_id, identity, now) = (&version.build_id, &request.identity, frontend.now());
    frontend
        .deployments
        .change(namespace.id, &version.deployment_name, |deployment, pollers| {
            deployment.create_version(build_id, identity, &request_id, now, pollers)
        })
        .await?;
    Ok(CreateWorkerDeploymentVersionResponse {})
}

pub(crate) async fn describe_worker_deployment_version(
    frontend: &Frontend,
    call: &Call,
    request: DescribeWorkerDeploymentVersionRequest,
) -> ApiResult<DescribeWorkerDeploymentVersionResponse> {
    let namespace = call.namespace()?;
    if request.version.is_empty() && request.deployment_version.is_none() {
        return Err(ApiError::invalid("deployment version cannot be empty"));
    }
    let version = if request.version.is_empty() {
        request.deployment_version.unwrap_or_default()
    } else {
        named(&request.version)?
    };
    check_version(&version, namespace.limits.id_length_max)?;
    let missing = || DeploymentError::Missing("Worker Deployment Version not found".to_owned());
    let found =
        frontend.deployments.find(namespace.id, &version.deployment_name).ok_or_else(missing)?;
    let found = refresh_drainage(frontend, namespace, found).await?;
    let info = version_info(&found, &version.build_id).ok_or_else(missing)?;
    let worker = WorkerVersion::new(version.deployment_name, version.build_id.as_str());
    let served = found.versions.get(&version.build_id).ok_or_else(missing)?;
    let version_task_queues = served
        .queues
        .iter()
        .map(|queue| {
            let key = queue.key(namespace.id).with_version(Some(worker.clone()));
            let reported = request.report_task_queue_stats.then(|| queue_stats(frontend, &key));
            let (stats, stats_by_priority_key) = reported.unzip();
            VersionTaskQueue {
                name: queue.name.clone(),
                r#type: queue.task_type,
                stats,
                stats_by_priority_key: stats_by_priority_key.unwrap_or_default(),
            }
        })
        .collect();
    Ok(DescribeWorkerDeploymentVersionResponse {
        worker_deployment_version_info: Some(info),
        version_task_queues,
    })
}

pub(crate) async fn delete_worker_deployment_version(
    frontend: &Frontend,
    call: &Call,
    request: DeleteWorkerDeploymentVersionRequest,
) -> ApiResult<DeleteWorkerDeploymentVersionResponse> {
    let namespace = call.namespace()?;
    let version = match request.deployment_version {
        Some(version) => version,
        None => named(&request.version)?,
    };
    check_name(&version.deployment_name, namespace.limits.id_length_max)?;
    let found = find(frontend, namespace, &version.deployment_name)?;
    refresh_drainage(frontend, namespace, found).await?;
    let (build_id, skip_drainage) = (&version.build_id, request.skip_drainage);
    let identity = frontend.request_id(request.identity);
    frontend
        .deployments
        .change(namespace.id, &version.deployment_name, |deployment, pollers| {
            deployment.delete_version(build_id, &identity, skip_drainage, pollers)
        })
        .await?;
    Ok(DeleteWorkerDeploymentVersionResponse {})
}

pub(crate) async fn update_metadata(
    frontend: &Frontend,
    call: &Call,
    request: UpdateWorkerDeploymentVersionMetadataRequest,
) -> ApiResult<UpdateWorkerDeploymentVersionMetadataResponse> {
    let namespace = call.namespace()?;
    if request.remove_entries.is_empty() && request.upsert_entries.is_empty() {
        let text = "At least one of remove_entries or upsert_entries must be provided";
        return Err(ApiError::invalid(text));
    }
    let version = match request.deployment_version {
        Some(version) => version,
        None => named(&request.version)?,
    };
    check_version(&version, namespace.limits.id_length_max)?;
    check_metadata(&request.upsert_entries, &namespace.limits)?;
    let (build_id, identity) = (&version.build_id, &request.identity);
    let changed = frontend
        .deployments
        .change(namespace.id, &version.deployment_name, |deployment, _| {
            let (upserted, removed) = (request.upsert_entries, &request.remove_entries);
            deployment.update_metadata(build_id, upserted, removed, identity)
        })
        .await;
    let entries = changed.map_err(|error| match error {
        DeploymentError::NotFound(_) | DeploymentError::VersionNotFound { .. } => {
            let version = display_text(&version);
            DeploymentError::Missing(format!(
                "workflow not found for ID: temporal-sys-worker-deployment-version:{version}"
            ))
        }
        other => other,
    })?;
    Ok(UpdateWorkerDeploymentVersionMetadataResponse {
        metadata: Some(VersionMetadata { entries }),
    })
}

fn check_metadata(
    entries: &BTreeMap<String, api::common::v1::Payload>,
    limits: &Limits,
) -> ApiResult<()> {
    let bytes: usize = entries.iter().map(|(key, value)| key.len() + value.data.len()).sum();
    if bytes > limits.blob_bytes_max {
        return Err(ApiError::invalid("Blob data size exceeds limit."));
    }
    Ok(())
}

/// The reference calls a deployment by the workflow that it keeps for it.
fn find(frontend: &Frontend, namespace: &Namespace, name: &str) -> ApiResult<Arc<Deployment>> {
    let found = frontend.deployments.find(namespace.id, name);
    found.ok_or_else(|| {
        let text = format!("workflow not found for ID: temporal-sys-worker-deployment:{name}");
        ApiError::not_found(text)
    })
}

/// A version as older clients write it.
fn named(text: &str) -> ApiResult<WorkerDeploymentVersion> {
    parse_legacy(text).ok().flatten().ok_or_else(|| {
        ApiError::invalid(format!(
            "invalid version string \"{text}\", expected format is \
             \"<deployment_name>.<build_id>\""
        ))
    })
}

/// Looks whether versions that drain still have open runs. It is done when somebody asks, and not
/// before the time of grace is over: nothing else depends on the answer.
pub(crate) async fn refresh_drainage(
    frontend: &Frontend,
    namespace: &Namespace,
    found: Arc<Deployment>,
) -> ApiResult<Arc<Deployment>> {
    let now = frontend.now();
    let due = found.versions.iter().filter(|(_, version)| drainage_is_due(version, now));
    let mut open_runs = Vec::new();
    for (build_id, _) in due {
        let version =
            display_text(&found.version_of(build_id)).replace('\\', "\\\\").replace('\'', "\\'");
        let query = format!(
            "TemporalWorkerDeploymentVersion = '{version}' AND \
             TemporalWorkflowVersioningBehavior = 'Pinned' AND ExecutionStatus = 'Running'"
        );
        let open = visibility::count(frontend, namespace, &query).await?;
        open_runs.push((build_id.clone(), open > 0));
    }
    if open_runs.is_empty() {
        return Ok(found);
    }
    frontend
        .deployments
        .change(namespace.id, &found.name, |deployment, _| {
            for (build_id, has_open_runs) in &open_runs {
                deployment.note_drainage(build_id, *has_open_runs, now);
            }
            Ok(())
        })
        .await?;
    Ok(frontend.deployments.find(namespace.id, &found.name).unwrap_or(found))
}
