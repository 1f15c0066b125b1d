//! Namespaces.

use std::sync::Arc;

use api::{
    enums::v1::{ArchivalState, NamespaceState, ReplicationState},
    namespace::v1::{
        BadBinaries, NamespaceConfig, NamespaceInfo,
        namespace_info::{Capabilities, Limits},
    },
    operatorservice::v1::{DeleteNamespaceRequest, DeleteNamespaceResponse},
    replication::v1::{ClusterReplicationConfig, NamespaceReplicationConfig},
    workflowservice::v1::{
        DeprecateNamespaceRequest, DeprecateNamespaceResponse, DescribeNamespaceRequest,
        DescribeNamespaceResponse, ListNamespacesRequest, ListNamespacesResponse,
        RegisterNamespaceRequest, RegisterNamespaceResponse, UpdateNamespaceRequest,
        UpdateNamespaceResponse,
    },
};
use history::COMPLETION_BYTES_MAX;
use model::{NamespaceId, Span};
use namespace::{Namespace, NamespaceDetails, Registration};
use prost_types::Duration;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    token::{open_page, seal_page},
};

/// Shortest retention, as in the reference.
const RETENTION_MIN: Span = Span::from_secs(3600);

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 1000;

/// Largest and default page of the list.
const PAGE_SIZE_MAX: usize = 100;

pub(crate) async fn register_namespace(
    frontend: &Frontend,
    _call: &Call,
    request: RegisterNamespaceRequest,
) -> ApiResult<RegisterNamespaceResponse> {
    check_name(&request.namespace)?;
    if request.namespace.len() > NAME_BYTES_MAX {
        return Err(ApiError::invalid("Namespace length exceeds limit."));
    }
    let retention = retention(request.workflow_execution_retention_period.as_ref())?;
    if request.is_global_namespace {
        return Err(ApiError::invalid("Cannot register global namespace when not enabled"));
    }
    let foreign = |name: &str| !name.is_empty() && name != frontend.cluster.name;
    let clusters = request.clusters.iter().map(|cluster| &cluster.cluster_name);
    if let Some(name) = clusters.chain([&request.active_cluster_name]).find(|name| foreign(name)) {
        return Err(ApiError::invalid(format!("Invalid cluster name: {name}")));
    }
    let registration = Registration {
        name: request.namespace,
        details: NamespaceDetails {
            description: request.description,
            owner_email: request.owner_email,
            data: request.data,
        },
        retention,
        ..Registration::default()
    };
    frontend.namespaces.register(registration).await?;
    Ok(RegisterNamespaceResponse {})
}

pub(crate) async fn describe_namespace(
    frontend: &Frontend,
    call: &Call,
    request: DescribeNamespaceRequest,
) -> ApiResult<DescribeNamespaceResponse> {
    let namespace = if request.id.is_empty() {
        named(frontend, &request.namespace)?
    } else {
        identified(frontend, call, &request.id)?
    };
    Ok(description(frontend, &namespace))
}

pub(crate) async fn list_namespaces(
    frontend: &Frontend,
    call: &Call,
    request: ListNamespacesRequest,
) -> ApiResult<ListNamespacesResponse> {
    let include_deleted = request.namespace_filter.is_some_and(|filter| filter.include_deleted);
    let page_size = usize::try_from(request.page_size).ok().filter(|size| *size > 0);
    let page_size = page_size.unwrap_or(PAGE_SIZE_MAX).min(PAGE_SIZE_MAX);
    // The token is the id of the last namespace of the page before.
    let (keys, no_namespace) = (frontend.token_keys(), NamespaceId::default());
    let after = match open_page(keys, no_namespace, &request.next_page_token)? {
        [] => None,
        token => Some(
            <[u8; 16]>::try_from(token)
                .map(NamespaceId::from_bytes)
                .map_err(|_| ApiError::invalid("Invalid NextPageToken."))?,
        ),
    };
    let mut rest = frontend
        .namespaces
        .all()
        .into_iter()
        .filter(|namespace| include_deleted || namespace.state != NamespaceState::Deleted)
        .filter(|namespace| after.is_none_or(|after| namespace.id > after))
        .filter(|namespace| call.permit.may_see(&namespace.name))
        .peekable();
    let page: Vec<_> = rest.by_ref().take(page_size).collect();
    let last = page.last().filter(|_| rest.peek().is_some());
    Ok(ListNamespacesResponse {
        next_page_token: last
            .map(|last| seal_page(keys, no_namespace, last.id.as_bytes()))
            .unwrap_or_default(),
        namespaces: page.iter().map(|namespace| description(frontend, namespace)).collect(),
    })
}

/// True when a namespace shall be at other clusters than it is. What is as it is, clients send, too.
fn leads_away(known: &NamespaceReplicationConfig, wanted: &NamespaceReplicationConfig) -> bool {
    let other = |name: &str| !name.is_empty() && name != known.active_cluster_name;
    other(&wanted.active_cluster_name)
        || wanted.clusters.iter().any(|cluster| other(&cluster.cluster_name))
        || wanted.state() == ReplicationState::Handover
}

pub(crate) async fn update_namespace(
    frontend: &Frontend,
    _call: &Call,
    request: UpdateNamespaceRequest,
) -> ApiResult<UpdateNamespaceResponse> {
    let namespace = named(frontend, &request.namespace)?;
    let known = description(frontend, &namespace).replication_config.unwrap_or_default();
    let elsewhere = request.replication_config.is_some_and(|wanted| leads_away(&known, &wanted));
    if request.promote_namespace || elsewhere {
        return Err(ApiError::invalid("Cannot update replication of a local namespace"));
    }
    let new_retention = match &request.config {
        Some(NamespaceConfig { workflow_execution_retention_ttl: Some(given), .. }) => {
            Some(retention(Some(given))?)
        }
        _ => None,
    };
    let info = request.update_info.unwrap_or_default();
    if info.state() == NamespaceState::Deleted {
        return Err(ApiError::invalid("A namespace is deleted by DeleteNamespace."));
    }
    let updated = frontend
        .namespaces
        .update(namespace.id, |namespace| {
            let details = &mut namespace.details;
            if !info.description.is_empty() {
                details.description.clone_from(&info.description);
            }
            if !info.owner_email.is_empty() {
                details.owner_email.clone_from(&info.owner_email);
            }
            details.data.extend(info.data.clone());
            if info.state() != NamespaceState::Unspecified {
                namespace.state = info.state();
            }
            if let Some(retention) = new_retention {
                namespace.retention = retention;
            }
        })
        .await?;
    let described = description(frontend, &updated);
    Ok(UpdateNamespaceResponse {
        namespace_info: described.namespace_info,
        config: described.config,
        replication_config: described.replication_config,
        ..UpdateNamespaceResponse::default()
    })
}

pub(crate) async fn deprecate_namespace(
    frontend: &Frontend,
    _call: &Call,
    request: DeprecateNamespaceRequest,
) -> ApiResult<DeprecateNamespaceResponse> {
    let namespace = named(frontend, &request.namespace)?;
    let deprecate = |namespace: &mut Namespace| namespace.state = NamespaceState::Deprecated;
    frontend.namespaces.update(namespace.id, deprecate).await?;
    Ok(DeprecateNamespaceResponse {})
}

pub(crate) async fn delete_namespace(
    frontend: &Frontend,
    call: &Call,
    request: DeleteNamespaceRequest,
) -> ApiResult<DeleteNamespaceResponse> {
    let namespace = match (request.namespace.as_str(), request.namespace_id.as_str()) {
        (name, "") => named(frontend, name)?,
        ("", id) => identified(frontend, call, id)?,
        _ => {
            let text = "Only one of namespace name or Id should be set on request.";
            return Err(ApiError::invalid(text));
        }
    };
    if let Some(endpoint) = frontend.endpoints.targeting(&namespace.name) {
        let text = format!(
            "cannot delete a namespace that is a target of a Nexus endpoint {}",
            endpoint.name()
        );
        return Err(ApiError::precondition(text));
    }
    let stays = Span::from_proto(request.namespace_delete_delay.as_ref());
    let deleted = frontend.namespaces.delete(namespace.id, stays).await?;
    Ok(DeleteNamespaceResponse { deleted_namespace: deleted.name.clone() })
}

fn check_name(name: &str) -> ApiResult<()> {
    if name.is_empty() {
        return Err(ApiError::invalid("Namespace not set on request."));
    }
    Ok(())
}

fn named(frontend: &Frontend, name: &str) -> ApiResult<Arc<Namespace>> {
    check_name(name)?;
    frontend.namespace(name)
}

fn identified(frontend: &Frontend, call: &Call, id: &str) -> ApiResult<Arc<Namespace>> {
    // What is no id is the id of nothing.
    let parsed = id.parse().map_err(|_| ApiError::namespace_not_found(id))?;
    let namespace = frontend.namespace_by_id(parsed)?;
    // The call was decided before anybody knew which namespace it means.
    if !call.permit.caller().may_enter(&namespace.name) {
        return Err(ApiError::permission_denied());
    }
    Ok(namespace)
}

fn retention(given: Option<&Duration>) -> ApiResult<Span> {
    let span = Span::from_proto(given);
    if span < RETENTION_MIN {
        return Err(ApiError::invalid("A valid retention period is not set on request."));
    }
    Ok(span)
}

fn description(frontend: &Frontend, namespace: &Namespace) -> DescribeNamespaceResponse {
    // A flag is set only when what it promises is built.
    let capabilities = Capabilities {
        eager_workflow_start: true,
        sync_update: true,
        async_update: true,
        reported_problems_search_attribute: true,
        worker_commands: true,
        worker_heartbeats: true,
        worker_poll_complete_on_shutdown: true,
        workflow_task_completion_pagination: true,
        poller_autoscaling: true,
        standalone_activities: true,
        standalone_activity_batch_operations: true,
        standalone_activity_operator_commands: true,
        standalone_activity_start_delay: true,
        standalone_nexus_operation: true,
        workflow_pause: true,
        workflow_update_callbacks: true,
        ..Capabilities::default()
    };
    let bytes = |bytes: usize| i64::try_from(bytes).unwrap_or(i64::MAX);
    let limits = Limits {
        blob_size_limit_error: bytes(namespace.limits.blob_bytes_max),
        memo_size_limit_error: bytes(namespace.limits.memo_bytes_max),
        workflow_task_completion_size_limit_error: bytes(COMPLETION_BYTES_MAX),
    };
    let info = NamespaceInfo {
        name: namespace.name.clone(),
        state: namespace.state as i32,
        description: namespace.details.description.clone(),
        owner_email: namespace.details.owner_email.clone(),
        data: namespace.details.data.clone(),
        id: namespace.id_text.clone(),
        capabilities: Some(capabilities),
        limits: Some(limits),
        supports_schedules: true,
    };
    let config = NamespaceConfig {
        workflow_execution_retention_ttl: Some(namespace.retention.to_proto()),
        bad_binaries: Some(BadBinaries::default()),
        history_archival_state: ArchivalState::Disabled as i32,
        visibility_archival_state: ArchivalState::Disabled as i32,
        ..NamespaceConfig::default()
    };
    let cluster_name = frontend.cluster.name.clone();
    let replication = NamespaceReplicationConfig {
        active_cluster_name: cluster_name.clone(),
        clusters: vec![ClusterReplicationConfig { cluster_name, ..Default::default() }],
        state: ReplicationState::Normal as i32,
    };
    DescribeNamespaceResponse {
        namespace_info: Some(info),
        config: Some(config),
        replication_config: Some(replication),
        ..DescribeNamespaceResponse::default()
    }
}
