//! Worker deployments: made, routed, listed. Texts are the reference's.

use std::sync::Arc;

use api::{
    deployment::v1::{WorkerDeploymentInfo, WorkerDeploymentVersion},
    enums::v1::RoutingConfigUpdateState,
    workflowservice::v1::{
        CreateWorkerDeploymentRequest, CreateWorkerDeploymentResponse,
        DeleteWorkerDeploymentRequest, DeleteWorkerDeploymentResponse,
        DescribeWorkerDeploymentRequest, DescribeWorkerDeploymentResponse,
        ListWorkerDeploymentsRequest, ListWorkerDeploymentsResponse,
        SetWorkerDeploymentCurrentVersionRequest, SetWorkerDeploymentCurrentVersionResponse,
        SetWorkerDeploymentManagerRequest, SetWorkerDeploymentManagerResponse,
        SetWorkerDeploymentRampingVersionRequest, SetWorkerDeploymentRampingVersionResponse,
        list_worker_deployments_response::WorkerDeploymentSummary,
        set_worker_deployment_manager_request::NewManagerIdentity,
    },
};
use bytes::Bytes;
use deployment::{
    Change, Deployment, DeploymentError, Previous, Ramping, check_name, check_version,
    parse_legacy, routing_config, summary,
};
use namespace::Namespace;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::worker_deployment_versions::refresh_drainage,
    token::{open_page, seal_page},
};

/// Default and largest page of the list.
const PAGE_SIZE_MAX: usize = 1000;

pub(crate) async fn create_worker_deployment(
    frontend: &Frontend,
    call: &Call,
    request: CreateWorkerDeploymentRequest,
) -> ApiResult<CreateWorkerDeploymentResponse> {
    let namespace = call.namespace()?;
    check_given(&request.deployment_name)?;
    check_name(&request.deployment_name, namespace.limits.id_length_max)?;
    let request_id = frontend.request_id(request.request_id);
    let (name, identity) = (&request.deployment_name, &request.identity);
    let created = frontend.deployments.create(namespace.id, name, identity, &request_id).await?;
    Ok(CreateWorkerDeploymentResponse { conflict_token: created.conflict_token() })
}

pub(crate) async fn describe_worker_deployment(
    frontend: &Frontend,
    call: &Call,
    request: DescribeWorkerDeploymentRequest,
) -> ApiResult<DescribeWorkerDeploymentResponse> {
    let namespace = call.namespace()?;
    check_name(&request.deployment_name, namespace.limits.id_length_max)?;
    let found = frontend.deployments.get(namespace.id, &request.deployment_name)?;
    let found = refresh_drainage(frontend, namespace, found).await?;
    let info = WorkerDeploymentInfo {
        name: found.name.clone(),
        version_summaries: newest_first(&found)
            .into_iter()
            .filter_map(|build_id| summary(&found, build_id))
            .collect(),
        create_time: found.create_time.to_proto(),
        routing_config: Some(routing_config(&found)),
        last_modifier_identity: found.last_modifier_identity.clone(),
        manager_identity: found.manager_identity.clone(),
        // A change is in force everywhere before it is answered.
        routing_config_update_state: RoutingConfigUpdateState::Completed as i32,
    };
    Ok(DescribeWorkerDeploymentResponse {
        conflict_token: found.conflict_token(),
        worker_deployment_info: Some(info),
    })
}

pub(crate) async fn list_worker_deployments(
    frontend: &Frontend,
    call: &Call,
    request: ListWorkerDeploymentsRequest,
) -> ApiResult<ListWorkerDeploymentsResponse> {
    let namespace = call.namespace()?;
    let page_size = usize::try_from(request.page_size).unwrap_or(0);
    let page_size = if page_size == 0 { PAGE_SIZE_MAX } else { page_size.min(PAGE_SIZE_MAX) };
    let keys = frontend.token_keys();
    let after = std::str::from_utf8(open_page(keys, namespace.id, &request.next_page_token)?)
        .map_err(|_| ApiError::invalid("Invalid NextPageToken."))?;
    let all = frontend.deployments.of_namespace(namespace.id);
    let mut rest = all.iter().filter(|found| after.is_empty() || found.name.as_str() > after);
    let page: Vec<&Arc<Deployment>> = rest.by_ref().take(page_size).collect();
    let last = page.last().filter(|_| rest.next().is_some()).map_or("", |last| &last.name);
    let next_page_token = seal_page(keys, namespace.id, last);
    let worker_deployments = page.into_iter().map(|found| list_entry(found)).collect();
    Ok(ListWorkerDeploymentsResponse { next_page_token, worker_deployments })
}

fn list_entry(found: &Deployment) -> WorkerDeploymentSummary {
    let of = |version: &Option<WorkerDeploymentVersion>| {
        version.as_ref().and_then(|version| summary(found, &version.build_id))
    };
    let latest = newest_first(found).first().copied();
    WorkerDeploymentSummary {
        name: found.name.clone(),
        create_time: found.create_time.to_proto(),
        routing_config: Some(routing_config(found)),
        latest_version_summary: latest.and_then(|build_id| summary(found, build_id)),
        current_version_summary: of(&found.routing.current_deployment_version),
        ramping_version_summary: of(&found.routing.ramping_deployment_version),
    }
}

fn newest_first(deployment: &Deployment) -> Vec<&str> {
    let mut versions: Vec<_> = deployment.versions.iter().collect();
    versions.sort_by_key(|(_, version)| std::cmp::Reverse(version.create_time));
    versions.into_iter().map(|(build_id, _)| build_id.as_str()).collect()
}

pub(crate) async fn set_worker_deployment_current_version(
    frontend: &Frontend,
    call: &Call,
    request: SetWorkerDeploymentCurrentVersionRequest,
) -> ApiResult<SetWorkerDeploymentCurrentVersionResponse> {
    let namespace = call.namespace()?;
    let name = request.deployment_name.as_str();
    check_given(name)?;
    let version = match request.version.as_str() {
        "" if request.build_id.is_empty() => None,
        "" => Some(version(name, &request.build_id)),
        legacy => legacy_version(legacy, name)?,
    };
    check_name(name, namespace.limits.id_length_max)?;
    if let Some(version) = version.as_ref().filter(|_| request.allow_no_pollers) {
        check_version(version, namespace.limits.id_length_max)?;
    }
    let change = Change {
        identity: request.identity,
        conflict_token: request.conflict_token,
        allow_no_pollers: request.allow_no_pollers,
        now: frontend.now(),
    };
    let checks = !request.ignore_missing_task_queues;
    let build_id = version.as_ref().map(|version| version.build_id.as_str());
    let (previous, conflict_token) = change_routing(
        frontend,
        namespace,
        name,
        &change,
        checks,
        |deployment, misses, pollers| deployment.set_current(build_id, &change, misses, pollers),
    )
    .await?;
    Ok(SetWorkerDeploymentCurrentVersionResponse {
        conflict_token,
        previous_deployment_version: parse_legacy(&previous.version).ok().flatten(),
        previous_version: previous.version,
    })
}

pub(crate) async fn set_worker_deployment_ramping_version(
    frontend: &Frontend,
    call: &Call,
    request: SetWorkerDeploymentRampingVersionRequest,
) -> ApiResult<SetWorkerDeploymentRampingVersionResponse> {
    let namespace = call.namespace()?;
    let name = request.deployment_name.as_str();
    let percentage = request.percentage;
    if !(0.0..=100.0).contains(&percentage) {
        let text = "Percentage must be between 0 and 100 (inclusive)";
        return Err(ApiError::invalid(text));
    }
    let ramping = match (request.version.as_str(), request.build_id.as_str()) {
        ("", "") if percentage > 0.0 => Ramping::Unversioned,
        ("", "") => Ramping::Unset,
        ("", build_id) => Ramping::Build(build_id.to_owned()),
        (legacy, build_id) => match legacy_version(legacy, name)? {
            Some(version) => Ramping::Build(version.build_id),
            None if percentage == 0.0 && build_id.is_empty() => Ramping::Unset,
            None => Ramping::Unversioned,
        },
    };
    check_name(name, namespace.limits.id_length_max)?;
    if let Ramping::Build(build_id) = &ramping
        && request.allow_no_pollers
    {
        check_version(&version(name, build_id), namespace.limits.id_length_max)?;
    }
    let change = Change {
        identity: request.identity,
        conflict_token: request.conflict_token,
        allow_no_pollers: request.allow_no_pollers,
        now: frontend.now(),
    };
    let checks = !request.ignore_missing_task_queues;
    let (previous, conflict_token) = change_routing(
        frontend,
        namespace,
        name,
        &change,
        checks,
        |deployment, misses, pollers| {
            deployment.set_ramping(&ramping, percentage, &change, misses, pollers)
        },
    )
    .await?;
    let Previous { version, percentage } = previous;
    Ok(SetWorkerDeploymentRampingVersionResponse {
        conflict_token,
        previous_deployment_version: parse_legacy(&version).ok().flatten(),
        previous_version: version,
        previous_percentage: percentage,
    })
}

/// Says whether the second version lacks a queue of the first.
type Misses<'a> = &'a dyn Fn(&Deployment, &str, &str) -> bool;

/// Says whether workers of a version polled lately.
type HasPollers<'a> = &'a dyn Fn(&deployment::Version) -> bool;

async fn change_routing(
    frontend: &Frontend,
    namespace: &Namespace,
    name: &str,
    change: &Change,
    checks_queues: bool,
    apply: impl FnOnce(&mut Deployment, Misses<'_>, HasPollers<'_>) -> Result<Previous, DeploymentError>,
) -> ApiResult<(Previous, Bytes)> {
    let deployments = &frontend.deployments;
    let misses = |deployment: &Deployment, old: &str, new: &str| {
        checks_queues && deployments.misses_queue(namespace.id, deployment, old, new)
    };
    let apply = |deployment: &mut Deployment, pollers: HasPollers<'_>| {
        let previous = apply(deployment, &misses, pollers)?;
        Ok((previous, deployment.conflict_token()))
    };
    let changed = if change.allow_no_pollers {
        deployments.change_or_make(namespace.id, name, apply).await
    } else {
        deployments.change(namespace.id, name, apply).await
    };
    Ok(changed?)
}

pub(crate) async fn set_worker_deployment_manager(
    frontend: &Frontend,
    call: &Call,
    request: SetWorkerDeploymentManagerRequest,
) -> ApiResult<SetWorkerDeploymentManagerResponse> {
    let namespace = call.namespace()?;
    if request.identity.is_empty() {
        return Err(ApiError::invalid("Identity is required"));
    }
    let name = request.deployment_name.as_str();
    check_name(name, namespace.limits.id_length_max)?;
    let manager = match request.new_manager_identity {
        Some(NewManagerIdentity::ManagerIdentity(identity)) => identity,
        Some(NewManagerIdentity::Self_(true)) => request.identity.clone(),
        Some(NewManagerIdentity::Self_(false)) | None => String::new(),
    };
    let change = Change {
        identity: request.identity,
        conflict_token: request.conflict_token,
        now: frontend.now(),
        ..Change::default()
    };
    let changed = frontend.deployments.change(namespace.id, name, |deployment, _| {
        let previous = deployment.set_manager(&manager, &change)?;
        Ok((previous, deployment.conflict_token()))
    });
    let (previous_manager_identity, conflict_token) = changed.await?;
    Ok(SetWorkerDeploymentManagerResponse { conflict_token, previous_manager_identity })
}

pub(crate) async fn delete_worker_deployment(
    frontend: &Frontend,
    call: &Call,
    request: DeleteWorkerDeploymentRequest,
) -> ApiResult<DeleteWorkerDeploymentResponse> {
    let namespace = call.namespace()?;
    check_name(&request.deployment_name, namespace.limits.id_length_max)?;
    frontend.deployments.delete(namespace.id, &request.deployment_name).await?;
    Ok(DeleteWorkerDeploymentResponse {})
}

fn check_given(name: &str) -> ApiResult<()> {
    if name.is_empty() {
        return Err(ApiError::invalid("deployment name cannot be empty"));
    }
    Ok(())
}

fn version(deployment_name: &str, build_id: &str) -> WorkerDeploymentVersion {
    let (deployment_name, build_id) = (deployment_name.to_owned(), build_id.to_owned());
    WorkerDeploymentVersion { build_id, deployment_name }
}

/// A version of this deployment, as older clients write it.
fn legacy_version(text: &str, name: &str) -> ApiResult<Option<WorkerDeploymentVersion>> {
    let parsed = parse_legacy(text)
        .map_err(|why| ApiError::invalid(format!("invalid version string: {why}")))?;
    if parsed.as_ref().is_some_and(|version| version.deployment_name != name) {
        return Err(ApiError::invalid(format!(
            "invalid version string '{text}' does not match deployment name '{name}'"
        )));
    }
    Ok(parsed)
}
