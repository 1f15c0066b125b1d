//! The list of what is built, and the way from a method's path to its handler.

mod activities;
mod activity_execution_operations;
mod activity_executions;
mod activity_operations;
mod activity_poll;
mod batch_operations;
mod cluster;
mod codec;
mod compute_config;
mod describe;
mod describe_nexus;
mod entity_lists;
mod entity_token;
mod history;
mod multi_operation;
mod named_entity;
mod namespaces;
mod nexus_endpoints;
mod nexus_operation_executions;
mod nexus_tasks;
mod not_built;
mod pause;
mod query;
mod reset;
mod schedules;
mod search_attributes;
mod signals;
pub(crate) mod start;
mod switched_off;
mod task_queue;
mod task_queue_config;
mod time_skipping;
mod update;
mod visibility;
mod worker;
mod worker_deployment_versions;
mod worker_deployments;
mod workers;
mod workflow_options;
mod workflow_poll;
mod workflow_rules;
mod workflow_task;

use std::sync::Arc;

use api::Wire;
use authz::{Rpc, Service};
use bytes::Bytes;
use futures_util::{FutureExt as _, future::BoxFuture};
use http::HeaderName;
use prost::Message;
use tonic::{Request, Response, Status, codec::CompressionEncoding, server::Grpc};
use tower::service_fn;

pub(crate) use codec::{decode, encode, merge};

use crate::{
    admission::{Asking, Call, InFlight},
    frontend::Frontend,
    server::{HttpRequest, RequestBody, ResponseFuture, Timely, translated},
};

/// Answers the calls of one method: the message of the request in, that of the answer out.
type Method = fn(Arc<Frontend>, &'static Rpc, Request<Bytes>) -> Answer;

/// What a method answers, once it is there.
type Answer = BoxFuture<'static, Result<Response<Bytes>, Status>>;

macro_rules! built {
    ($($service:ident { $($name:ident => $handler:path,)* })*) => {
        const BUILT: &[&str] = &[$($(stringify!($name),)*)*];

        /// What answers the calls of a method that is built; `None` for the others.
        fn method(rpc: &Rpc) -> Option<Method> {
            match (rpc.service, rpc.name) {
                $($((Service::$service, stringify!($name)) => Some(|frontend, rpc, request| {
                    Box::pin(async move {
                        let mut message = Default::default();
                        let (call, in_flight) =
                            admitted(&frontend, rpc, request, &mut message).await?;
                        // In a place of its own: what is large is moved once.
                        let answer = $handler(&frontend, &call, message);
                        let answer = Box::pin(answer.map(|answer| Ok(encode(&answer?))));
                        frontend.finish(in_flight, &call, answer).await
                    })
                }),)*)*
                _ => None,
            }
        }
    };
}

built! {
    Workflow {
        CountActivityExecutions => activity_executions::count_activity_executions,
        CountNexusOperationExecutions => nexus_operation_executions::count_nexus_operation_executions,
        CountSchedules => schedules::count_schedules,
        CountWorkers => workers::count_workers,
        CountWorkflowExecutions => visibility::count_workflow_executions,
        CreateSchedule => schedules::create_schedule,
        CreateWorkerDeployment => worker_deployments::create_worker_deployment,
        CreateWorkflowRule => workflow_rules::create_workflow_rule,
        CreateWorkerDeploymentVersion => worker_deployment_versions::create_worker_deployment_version,
        DeleteActivityExecution => activity_executions::delete_activity_execution,
        DeleteNexusOperationExecution => nexus_operation_executions::delete_nexus_operation_execution,
        DeleteSchedule => schedules::delete_schedule,
        DeleteWorkerDeployment => worker_deployments::delete_worker_deployment,
        DeleteWorkerDeploymentVersion => worker_deployment_versions::delete_worker_deployment_version,
        DeleteWorkflowRule => workflow_rules::delete_workflow_rule,
        DeleteWorkflowExecution => signals::delete_workflow_execution,
        DeprecateNamespace => namespaces::deprecate_namespace,
        DescribeActivityExecution => activity_executions::describe_activity_execution,
        DescribeBatchOperation => batch_operations::describe_batch_operation,
        DescribeDeployment => switched_off::describe_deployment,
        DescribeNamespace => namespaces::describe_namespace,
        DescribeNexusOperationExecution => nexus_operation_executions::describe_nexus_operation_execution,
        DescribeSchedule => schedules::describe_schedule,
        DescribeTaskQueue => task_queue::describe_task_queue,
        DescribeWorker => workers::describe_worker,
        DescribeWorkerDeployment => worker_deployments::describe_worker_deployment,
        DescribeWorkerDeploymentVersion => worker_deployment_versions::describe_worker_deployment_version,
        DescribeWorkflowExecution => describe::describe_workflow_execution,
        DescribeWorkflowRule => workflow_rules::describe_workflow_rule,
        ExecuteMultiOperation => multi_operation::execute_multi_operation,
        FetchWorkerConfig => switched_off::fetch_worker_config,
        GetClusterInfo => cluster::get_cluster_info,
        GetCurrentDeployment => switched_off::get_current_deployment,
        GetDeploymentReachability => switched_off::get_deployment_reachability,
        GetSearchAttributes => search_attributes::get_search_attributes,
        GetSystemInfo => cluster::get_system_info,
        GetWorkerBuildIdCompatibility => switched_off::get_worker_build_id_compatibility,
        GetWorkerTaskReachability => switched_off::get_worker_task_reachability,
        GetWorkerVersioningRules => switched_off::get_worker_versioning_rules,
        GetWorkflowExecutionHistory => history::get_workflow_execution_history,
        GetWorkflowExecutionHistoryReverse => history::get_workflow_execution_history_reverse,
        ListActivityExecutions => activity_executions::list_activity_executions,
        ListArchivedWorkflowExecutions => visibility::list_archived_workflow_executions,
        ListBatchOperations => batch_operations::list_batch_operations,
        ListClosedWorkflowExecutions => visibility::list_closed_workflow_executions,
        ListDeployments => switched_off::list_deployments,
        ListNamespaces => namespaces::list_namespaces,
        ListNexusOperationExecutions => nexus_operation_executions::list_nexus_operation_executions,
        ListOpenWorkflowExecutions => visibility::list_open_workflow_executions,
        ListScheduleMatchingTimes => schedules::list_schedule_matching_times,
        ListSchedules => schedules::list_schedules,
        ListTaskQueuePartitions => task_queue::list_task_queue_partitions,
        ListWorkerDeployments => worker_deployments::list_worker_deployments,
        ListWorkers => workers::list_workers,
        ListWorkflowExecutions => visibility::list_workflow_executions,
        ListWorkflowRules => workflow_rules::list_workflow_rules,
        PatchSchedule => schedules::patch_schedule,
        PauseActivity => activity_operations::pause_activity,
        PauseActivityExecution => activity_execution_operations::pause_activity_execution,
        PauseWorkflowExecution => pause::pause_workflow_execution,
        PollActivityExecution => activity_executions::poll_activity_execution,
        PollActivityTaskQueue => activity_poll::poll_activity_task_queue,
        PollNexusOperationExecution => nexus_operation_executions::poll_nexus_operation_execution,
        PollNexusTaskQueue => nexus_tasks::poll_nexus_task_queue,
        PollWorkflowExecutionTimeSkipping => time_skipping::poll_workflow_execution_time_skipping,
        PollWorkflowExecutionUpdate => update::poll_workflow_execution_update,
        PollWorkflowTaskQueue => workflow_poll::poll_workflow_task_queue,
        QueryWorkflow => query::query_workflow,
        RecordActivityTaskHeartbeat => activities::record_activity_task_heartbeat,
        RecordActivityTaskHeartbeatById => activities::record_activity_task_heartbeat_by_id,
        RecordWorkerHeartbeat => workers::record_worker_heartbeat,
        RegisterNamespace => namespaces::register_namespace,
        RequestCancelActivityExecution => activity_executions::request_cancel_activity_execution,
        RequestCancelNexusOperationExecution => nexus_operation_executions::request_cancel_nexus_operation_execution,
        RequestCancelWorkflowExecution => signals::request_cancel_workflow_execution,
        ResetActivity => activity_operations::reset_activity,
        ResetActivityExecution => activity_execution_operations::reset_activity_execution,
        ResetStickyTaskQueue => worker::reset_sticky_task_queue,
        ResetWorkflowExecution => reset::reset_workflow_execution,
        RespondActivityTaskCanceled => activities::respond_activity_task_canceled,
        RespondActivityTaskCanceledById => activities::respond_activity_task_canceled_by_id,
        RespondActivityTaskCompleted => activities::respond_activity_task_completed,
        RespondActivityTaskCompletedById => activities::respond_activity_task_completed_by_id,
        RespondActivityTaskFailed => activities::respond_activity_task_failed,
        RespondActivityTaskFailedById => activities::respond_activity_task_failed_by_id,
        RespondNexusTaskCompleted => nexus_tasks::respond_nexus_task_completed,
        RespondNexusTaskFailed => nexus_tasks::respond_nexus_task_failed,
        RespondQueryTaskCompleted => query::respond_query_task_completed,
        RespondWorkflowTaskCompleted => workflow_task::respond_workflow_task_completed,
        RespondWorkflowTaskFailed => workflow_task::respond_workflow_task_failed,
        ScanWorkflowExecutions => visibility::scan_workflow_executions,
        SetCurrentDeployment => switched_off::set_current_deployment,
        SetWorkerDeploymentCurrentVersion => worker_deployments::set_worker_deployment_current_version,
        SetWorkerDeploymentManager => worker_deployments::set_worker_deployment_manager,
        SetWorkerDeploymentRampingVersion => worker_deployments::set_worker_deployment_ramping_version,
        ShutdownWorker => worker::shutdown_worker,
        SignalWithStartWorkflowExecution => start::signal_with_start_workflow_execution,
        SignalWorkflowExecution => signals::signal_workflow_execution,
        StartActivityExecution => activity_executions::start_activity_execution,
        StartBatchOperation => batch_operations::start_batch_operation,
        StartNexusOperationExecution => nexus_operation_executions::start_nexus_operation_execution,
        StartWorkflowExecution => start::start_workflow_execution,
        StopBatchOperation => batch_operations::stop_batch_operation,
        TerminateActivityExecution => activity_executions::terminate_activity_execution,
        TerminateNexusOperationExecution => nexus_operation_executions::terminate_nexus_operation_execution,
        TerminateWorkflowExecution => signals::terminate_workflow_execution,
        TriggerWorkflowRule => workflow_rules::trigger_workflow_rule,
        UnpauseActivity => activity_operations::unpause_activity,
        UnpauseActivityExecution => activity_execution_operations::unpause_activity_execution,
        UnpauseWorkflowExecution => pause::unpause_workflow_execution,
        UpdateActivityExecutionOptions => activity_execution_operations::update_activity_execution_options,
        UpdateActivityOptions => activity_operations::update_activity_options,
        UpdateNamespace => namespaces::update_namespace,
        UpdateSchedule => schedules::update_schedule,
        UpdateTaskQueueConfig => task_queue_config::update_task_queue_config,
        UpdateWorkerBuildIdCompatibility => switched_off::update_worker_build_id_compatibility,
        UpdateWorkerConfig => switched_off::update_worker_config,
        UpdateWorkerDeploymentVersionComputeConfig => compute_config::update_compute_config,
        UpdateWorkerDeploymentVersionMetadata => worker_deployment_versions::update_metadata,
        UpdateWorkerVersioningRules => switched_off::update_worker_versioning_rules,
        UpdateWorkflowExecution => update::update_workflow_execution,
        UpdateWorkflowExecutionOptions => workflow_options::update_workflow_execution_options,
        ValidateWorkerDeploymentVersionComputeConfig => compute_config::validate_compute_config,
    }
    Operator {
        AddOrUpdateRemoteCluster => cluster::add_or_update_remote_cluster,
        AddSearchAttributes => search_attributes::add_search_attributes,
        CreateNexusEndpoint => nexus_endpoints::create_nexus_endpoint,
        DeleteNamespace => namespaces::delete_namespace,
        DeleteNexusEndpoint => nexus_endpoints::delete_nexus_endpoint,
        GetNexusEndpoint => nexus_endpoints::get_nexus_endpoint,
        ListClusters => cluster::list_clusters,
        ListNexusEndpoints => nexus_endpoints::list_nexus_endpoints,
        ListSearchAttributes => search_attributes::list_search_attributes,
        RemoveRemoteCluster => cluster::remove_remote_cluster,
        RemoveSearchAttributes => search_attributes::remove_search_attributes,
        UpdateNexusEndpoint => nexus_endpoints::update_nexus_endpoint,
    }
}

/// Reads a request's message into its place, and admits it.
async fn admitted<M: Message + Asking>(
    frontend: &Frontend,
    rpc: &'static Rpc,
    mut request: Request<Bytes>,
    message: &mut M,
) -> Result<(Call, InFlight), Status> {
    merge(message, std::mem::take(request.get_mut()))?;
    frontend.admit(rpc, &request, message).await
}

static GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// Takes what is compressed and what is not, and answers in kind.
fn grpc(request: &HttpRequest, message_bytes_max: usize) -> Grpc<Wire> {
    let grpc = Grpc::new(Wire)
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(message_bytes_max);
    let compressed = request.headers().get(&GRPC_ENCODING);
    if compressed.is_some_and(|encoding| encoding == "gzip") {
        grpc.send_compressed(CompressionEncoding::Gzip)
    } else {
        grpc
    }
}

/// The request, with a time limit for its message.
fn timely(frontend: &Frontend, request: HttpRequest) -> http::Request<Timely<RequestBody>> {
    let timeout = frontend.messages.timeout.to_std();
    request.map(|body| Timely::new(body, timeout))
}

/// The bare names of the methods that are built, the workflow service's first. The others answer
/// UNIMPLEMENTED.
pub fn built_rpcs() -> &'static [&'static str] {
    BUILT
}

/// Answers a call of any method of the two services.
pub(crate) fn route(
    frontend: &Arc<Frontend>,
    rpc: &'static Rpc,
    request: HttpRequest,
) -> ResponseFuture {
    let method = method(rpc).unwrap_or(not_built::refuse);
    let frontend = Arc::clone(frontend);
    Box::pin(async move {
        let bytes_max = frontend.messages.bytes_max;
        let mut grpc = grpc(&request, bytes_max);
        let request = timely(&frontend, request);
        let method = service_fn(|request| method(Arc::clone(&frontend), rpc, request));
        translated(grpc.unary(method, request).await, bytes_max)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_method_has_a_row_in_the_table_of_its_service() {
        let rows: Vec<&str> = authz::rpcs().map(|rpc| rpc.name).collect();
        for name in BUILT {
            assert!(rows.contains(name), "{name}");
        }
    }
}
