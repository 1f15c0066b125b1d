//! What clients ask first: which server this is and what it can do.

use api::{
    operatorservice::v1::{
        AddOrUpdateRemoteClusterRequest, AddOrUpdateRemoteClusterResponse, ClusterMetadata,
        ListClustersRequest, ListClustersResponse, RemoveRemoteClusterRequest,
        RemoveRemoteClusterResponse,
    },
    version::v1::{ReleaseInfo, VersionInfo},
    workflowservice::v1::{
        GetClusterInfoRequest, GetClusterInfoResponse, GetSystemInfoRequest, GetSystemInfoResponse,
        get_system_info_response::Capabilities,
    },
};
use authz::Ground;
use model::SLOT_COUNT;

use crate::{
    OWN_VERSION, SERVER_VERSION,
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::{Cluster, Frontend},
};

/// Versions of clients that are served. They are what the reference says, though nothing here
/// depends on a client's version.
const SUPPORTED_CLIENTS: [(&str, &str); 8] = [
    ("temporal-cli", "<2.0.0"),
    ("temporal-go", "<2.0.0"),
    ("temporal-java", "<2.0.0"),
    ("temporal-php", "<2.0.0"),
    ("temporal-server", "<2.0.0"),
    ("temporal-typescript", "<2.0.0"),
    ("temporal-ui", "<3.0.0"),
    ("Nexus-go-sdk", "<2.0.0"),
];

/// What is said of fail-over; there is one cluster.
const INITIAL_FAILOVER_VERSION: i64 = 1;
const FAILOVER_VERSION_INCREMENT: i64 = 10;

pub(crate) async fn get_system_info(
    _frontend: &Frontend,
    _call: &Call,
    _request: GetSystemInfoRequest,
) -> ApiResult<GetSystemInfoResponse> {
    // A flag is set only when what it promises is built.
    let capabilities = Capabilities {
        signal_and_query_header: true,
        internal_error_differentiation: true,
        activity_failure_include_heartbeat: true,
        encoded_failure_attributes: true,
        supports_schedules: true,
        upsert_memo: true,
        // Workers say which build they are; which build gets a task is not decided by it.
        build_id_based_versioning: true,
        eager_workflow_start: true,
        sdk_metadata: true,
        count_group_by_execution_status: true,
        nexus: true,
        ..Capabilities::default()
    };
    Ok(GetSystemInfoResponse {
        server_version: SERVER_VERSION.to_owned(),
        capabilities: Some(capabilities),
    })
}

pub(crate) async fn get_cluster_info(
    frontend: &Frontend,
    _call: &Call,
    _request: GetClusterInfoRequest,
) -> ApiResult<GetClusterInfoResponse> {
    let Cluster { id, name, store, .. } = frontend.cluster.clone();
    Ok(GetClusterInfoResponse {
        supported_clients: SUPPORTED_CLIENTS
            .map(|(client, versions)| (client.to_owned(), versions.to_owned()))
            .into(),
        server_version: SERVER_VERSION.to_owned(),
        cluster_id: id,
        version_info: Some(VersionInfo {
            current: Some(ReleaseInfo {
                version: OWN_VERSION.to_owned(),
                ..ReleaseInfo::default()
            }),
            ..VersionInfo::default()
        }),
        cluster_name: name,
        history_shard_count: i32::from(SLOT_COUNT),
        persistence_store: store.to_owned(),
        visibility_store: "sqlite".to_owned(),
        initial_failover_version: INITIAL_FAILOVER_VERSION,
        failover_version_increment: FAILOVER_VERSION_INCREMENT,
    })
}

pub(crate) async fn list_clusters(
    frontend: &Frontend,
    call: &Call,
    _request: ListClustersRequest,
) -> ApiResult<ListClustersResponse> {
    // Who has no right on the system sees no clusters.
    if *call.permit.ground() == Ground::Harmless {
        return Ok(ListClustersResponse::default());
    }
    let Cluster { id, name, address, .. } = frontend.cluster.clone();
    let this = ClusterMetadata {
        cluster_name: name,
        cluster_id: id,
        address,
        initial_failover_version: INITIAL_FAILOVER_VERSION,
        history_shard_count: i32::from(SLOT_COUNT),
        is_connection_enabled: true,
        ..ClusterMetadata::default()
    };
    Ok(ListClustersResponse { clusters: vec![this], ..ListClustersResponse::default() })
}

/// Nothing is replicated to another cluster, so none is added: whoever believed that one was would
/// count on copies that do not exist.
pub(crate) async fn add_or_update_remote_cluster(
    frontend: &Frontend,
    _call: &Call,
    request: AddOrUpdateRemoteClusterRequest,
) -> ApiResult<AddOrUpdateRemoteClusterResponse> {
    let address = request.frontend_address;
    if address == frontend.cluster.address {
        return Err(ApiError::invalid(
            "Unable connect to remote cluster with invalid config: Cannot update current cluster \
             metadata from rpc calls.",
        ));
    }
    Err(ApiError::precondition(format!(
        "Unable connect to remote cluster {address} with error: this server replicates to no other \
         cluster."
    )))
}

/// There is one cluster, and it stays.
pub(crate) async fn remove_remote_cluster(
    frontend: &Frontend,
    _call: &Call,
    request: RemoveRemoteClusterRequest,
) -> ApiResult<RemoveRemoteClusterResponse> {
    if request.cluster_name == frontend.cluster.name {
        return Err(ApiError::precondition(
            "Unable to delete cluster info with error: Cannot delete current cluster metadata.",
        ));
    }
    Err(ApiError::not_found("The cluster to be deleted cannot be found in clusters cache."))
}
