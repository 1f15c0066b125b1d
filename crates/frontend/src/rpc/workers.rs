//! The workers of a namespace, as their heartbeats tell.

use std::sync::Arc;

use api::{
    worker::v1::{WorkerHeartbeat, WorkerInfo, WorkerListInfo},
    workflowservice::v1::{
        CountWorkersRequest, CountWorkersResponse, DescribeWorkerRequest, DescribeWorkerResponse,
        ListWorkersRequest, ListWorkersResponse, RecordWorkerHeartbeatRequest,
        RecordWorkerHeartbeatResponse,
    },
};
use worker_registry::{ListRequest, Page, WorkerNotFound};

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    token::{open_page, seal_page},
};

pub(crate) async fn record_worker_heartbeat(
    frontend: &Frontend,
    call: &Call,
    request: RecordWorkerHeartbeatRequest,
) -> ApiResult<RecordWorkerHeartbeatResponse> {
    frontend.workers.record(call.namespace()?.id, request.worker_heartbeat);
    Ok(RecordWorkerHeartbeatResponse {})
}

pub(crate) async fn list_workers(
    frontend: &Frontend,
    call: &Call,
    request: ListWorkersRequest,
) -> ApiResult<ListWorkersResponse> {
    let (keys, namespace_id) = (frontend.token_keys(), call.namespace()?.id);
    let token =
        open_page(keys, namespace_id, &request.next_page_token).map_err(|_| wrong_token())?;
    let after = match token {
        [] => None,
        token => Some(std::str::from_utf8(token).map_err(|_| wrong_token())?),
    };
    let asked = ListRequest {
        query: &request.query,
        page_size: usize::try_from(request.page_size).unwrap_or(0),
        after,
        include_system_workers: request.include_system_workers,
    };
    let Page { workers, next_after } = frontend.workers.list(namespace_id, asked)?;
    let infos = workers.iter().map(info).collect();
    #[expect(deprecated, reason = "older clients read no other field")]
    Ok(ListWorkersResponse {
        workers_info: infos,
        workers: workers.iter().map(|worker| list_info(worker)).collect(),
        next_page_token: seal_page(keys, namespace_id, next_after.unwrap_or_default()),
    })
}

pub(crate) async fn count_workers(
    frontend: &Frontend,
    call: &Call,
    request: CountWorkersRequest,
) -> ApiResult<CountWorkersResponse> {
    let namespace_id = call.namespace()?.id;
    let count =
        frontend.workers.count(namespace_id, &request.query, request.include_system_workers)?;
    Ok(CountWorkersResponse { count: i64::try_from(count).unwrap_or(i64::MAX) })
}

pub(crate) async fn describe_worker(
    frontend: &Frontend,
    call: &Call,
    request: DescribeWorkerRequest,
) -> ApiResult<DescribeWorkerResponse> {
    let namespace = call.namespace()?;
    let found = frontend.workers.describe(namespace.id, &request.worker_instance_key);
    let worker = found.map_err(|missing| match missing {
        WorkerNotFound::Namespace => ApiError::namespace_not_found(&namespace.id_text),
        WorkerNotFound::Worker(_) => ApiError::not_found(missing.to_string()),
    })?;
    Ok(DescribeWorkerResponse { worker_info: Some(info(&worker)) })
}

fn wrong_token() -> ApiError {
    ApiError::invalid("invalid next_page_token")
}

fn info(worker: &Arc<WorkerHeartbeat>) -> WorkerInfo {
    WorkerInfo { worker_heartbeat: Some(WorkerHeartbeat::clone(worker)) }
}

fn list_info(worker: &WorkerHeartbeat) -> WorkerListInfo {
    let host = worker.host_info.clone().unwrap_or_default();
    WorkerListInfo {
        worker_instance_key: worker.worker_instance_key.clone(),
        worker_identity: worker.worker_identity.clone(),
        task_queue: worker.task_queue.clone(),
        deployment_version: worker.deployment_version.clone(),
        sdk_name: worker.sdk_name.clone(),
        sdk_version: worker.sdk_version.clone(),
        status: worker.status,
        start_time: worker.start_time,
        host_name: host.host_name,
        worker_grouping_key: host.worker_grouping_key,
        process_id: host.process_id,
        plugins: worker.plugins.clone(),
        drivers: worker.drivers.clone(),
    }
}

impl From<worker_registry::Wrong> for ApiError {
    fn from(worker_registry::Wrong(error): worker_registry::Wrong) -> Self {
        Self::invalid(error.to_string())
    }
}
