//! What a request is about, read from its message before anything else happens.

use api::{operatorservice::v1 as operator, workflowservice::v1 as workflow};

/// What a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// The cluster itself.
    Cluster,
    /// Something in the namespace with this name, which has to exist.
    Namespace(&'a str),
    /// A namespace by this name that the handler looks up itself; it may not exist.
    Unchecked(&'a str),
    /// A task: in the namespace with this name or, when that is empty, in that of the token.
    Task {
        /// The namespace's name; may be empty.
        namespace: &'a str,
        /// The task token.
        token: &'a [u8],
    },
}

/// A request that says what it is about.
pub(crate) trait Targeted {
    /// What it is about.
    fn target(&self) -> Target<'_>;
}

macro_rules! targeted {
    ($($module:ident::$request:ident => $this:ident: $target:expr;)*) => {
        $(impl Targeted for $module::$request {
            fn target(&self) -> Target<'_> {
                let $this = self;
                $target
            }
        })*
    };
}

macro_rules! in_namespace {
    ($($module:ident::$request:ident,)*) => {
        targeted! { $($module::$request => request: Target::Namespace(&request.namespace);)* }
    };
}

macro_rules! holding_task {
    ($($module:ident::$request:ident,)*) => {
        targeted! {
            $($module::$request => request:
                Target::Task { namespace: &request.namespace, token: &request.task_token };)*
        }
    };
}

in_namespace! {
    workflow::CountActivityExecutionsRequest,
    workflow::DeleteActivityExecutionRequest,
    workflow::DescribeActivityExecutionRequest,
    workflow::ListActivityExecutionsRequest,
    workflow::PollActivityExecutionRequest,
    workflow::RequestCancelActivityExecutionRequest,
    workflow::StartActivityExecutionRequest,
    workflow::TerminateActivityExecutionRequest,
    workflow::CountNexusOperationExecutionsRequest,
    workflow::DeleteNexusOperationExecutionRequest,
    workflow::DescribeNexusOperationExecutionRequest,
    workflow::ListNexusOperationExecutionsRequest,
    workflow::PollNexusOperationExecutionRequest,
    workflow::RequestCancelNexusOperationExecutionRequest,
    workflow::StartNexusOperationExecutionRequest,
    workflow::TerminateNexusOperationExecutionRequest,
    workflow::CountSchedulesRequest,
    workflow::CountWorkersRequest,
    workflow::CountWorkflowExecutionsRequest,
    workflow::CreateScheduleRequest,
    workflow::CreateWorkerDeploymentRequest,
    workflow::CreateWorkerDeploymentVersionRequest,
    workflow::DeleteScheduleRequest,
    workflow::DeleteWorkerDeploymentRequest,
    workflow::DeleteWorkerDeploymentVersionRequest,
    workflow::DeleteWorkflowExecutionRequest,
    workflow::DescribeBatchOperationRequest,
    workflow::DescribeDeploymentRequest,
    workflow::DescribeScheduleRequest,
    workflow::DescribeTaskQueueRequest,
    workflow::DescribeWorkerDeploymentRequest,
    workflow::DescribeWorkerDeploymentVersionRequest,
    workflow::DescribeWorkerRequest,
    workflow::DescribeWorkflowExecutionRequest,
    workflow::ExecuteMultiOperationRequest,
    workflow::FetchWorkerConfigRequest,
    workflow::GetCurrentDeploymentRequest,
    workflow::GetDeploymentReachabilityRequest,
    workflow::GetWorkerBuildIdCompatibilityRequest,
    workflow::GetWorkerTaskReachabilityRequest,
    workflow::GetWorkerVersioningRulesRequest,
    workflow::GetWorkflowExecutionHistoryRequest,
    workflow::GetWorkflowExecutionHistoryReverseRequest,
    workflow::ListArchivedWorkflowExecutionsRequest,
    workflow::ListBatchOperationsRequest,
    workflow::ListClosedWorkflowExecutionsRequest,
    workflow::ListDeploymentsRequest,
    workflow::ListOpenWorkflowExecutionsRequest,
    workflow::ListScheduleMatchingTimesRequest,
    workflow::ListSchedulesRequest,
    workflow::ListTaskQueuePartitionsRequest,
    workflow::ListWorkerDeploymentsRequest,
    workflow::ListWorkersRequest,
    workflow::ListWorkflowExecutionsRequest,
    workflow::PatchScheduleRequest,
    workflow::PauseActivityExecutionRequest,
    workflow::PauseActivityRequest,
    workflow::PauseWorkflowExecutionRequest,
    workflow::PollActivityTaskQueueRequest,
    workflow::PollNexusTaskQueueRequest,
    workflow::PollWorkflowExecutionTimeSkippingRequest,
    workflow::PollWorkflowExecutionUpdateRequest,
    workflow::PollWorkflowTaskQueueRequest,
    workflow::QueryWorkflowRequest,
    workflow::RecordActivityTaskHeartbeatByIdRequest,
    workflow::RecordWorkerHeartbeatRequest,
    workflow::RequestCancelWorkflowExecutionRequest,
    workflow::ResetActivityExecutionRequest,
    workflow::ResetActivityRequest,
    workflow::ResetStickyTaskQueueRequest,
    workflow::ResetWorkflowExecutionRequest,
    workflow::RespondActivityTaskCanceledByIdRequest,
    workflow::RespondActivityTaskCompletedByIdRequest,
    workflow::RespondActivityTaskFailedByIdRequest,
    workflow::ScanWorkflowExecutionsRequest,
    workflow::SetCurrentDeploymentRequest,
    workflow::SetWorkerDeploymentCurrentVersionRequest,
    workflow::SetWorkerDeploymentManagerRequest,
    workflow::SetWorkerDeploymentRampingVersionRequest,
    workflow::ShutdownWorkerRequest,
    workflow::SignalWithStartWorkflowExecutionRequest,
    workflow::SignalWorkflowExecutionRequest,
    workflow::StartBatchOperationRequest,
    workflow::StartWorkflowExecutionRequest,
    workflow::StopBatchOperationRequest,
    workflow::TerminateWorkflowExecutionRequest,
    workflow::UnpauseActivityExecutionRequest,
    workflow::CreateWorkflowRuleRequest,
    workflow::DeleteWorkflowRuleRequest,
    workflow::DescribeWorkflowRuleRequest,
    workflow::ListWorkflowRulesRequest,
    workflow::TriggerWorkflowRuleRequest,
    workflow::UnpauseActivityRequest,
    workflow::UnpauseWorkflowExecutionRequest,
    workflow::UpdateActivityExecutionOptionsRequest,
    workflow::UpdateActivityOptionsRequest,
    workflow::UpdateScheduleRequest,
    workflow::UpdateTaskQueueConfigRequest,
    workflow::UpdateWorkerBuildIdCompatibilityRequest,
    workflow::UpdateWorkerConfigRequest,
    workflow::UpdateWorkerDeploymentVersionComputeConfigRequest,
    workflow::UpdateWorkerDeploymentVersionMetadataRequest,
    workflow::ValidateWorkerDeploymentVersionComputeConfigRequest,
    workflow::UpdateWorkerVersioningRulesRequest,
    workflow::UpdateWorkflowExecutionOptionsRequest,
    workflow::UpdateWorkflowExecutionRequest,
}

holding_task! {
    workflow::RecordActivityTaskHeartbeatRequest,
    workflow::RespondActivityTaskCanceledRequest,
    workflow::RespondActivityTaskCompletedRequest,
    workflow::RespondActivityTaskFailedRequest,
    workflow::RespondNexusTaskCompletedRequest,
    workflow::RespondNexusTaskFailedRequest,
    workflow::RespondQueryTaskCompletedRequest,
    workflow::RespondWorkflowTaskCompletedRequest,
    workflow::RespondWorkflowTaskFailedRequest,
}

targeted! {
    operator::AddSearchAttributesRequest => request: Target::Unchecked(&request.namespace);
    operator::CreateNexusEndpointRequest => _request: Target::Cluster;
    operator::DeleteNamespaceRequest => request:
        Target::Unchecked(unless_by_id(&request.namespace, &request.namespace_id));
    operator::DeleteNexusEndpointRequest => _request: Target::Cluster;
    operator::GetNexusEndpointRequest => _request: Target::Cluster;
    operator::ListClustersRequest => _request: Target::Cluster;
    operator::ListNexusEndpointsRequest => _request: Target::Cluster;
    operator::ListSearchAttributesRequest => request: Target::Unchecked(&request.namespace);
    operator::AddOrUpdateRemoteClusterRequest => _request: Target::Cluster;
    operator::RemoveRemoteClusterRequest => _request: Target::Cluster;
    operator::RemoveSearchAttributesRequest => request: Target::Unchecked(&request.namespace);
    operator::UpdateNexusEndpointRequest => _request: Target::Cluster;
    workflow::DeprecateNamespaceRequest => request: Target::Unchecked(&request.namespace);
    workflow::DescribeNamespaceRequest => request:
        Target::Unchecked(unless_by_id(&request.namespace, &request.id));
    workflow::GetClusterInfoRequest => _request: Target::Cluster;
    workflow::GetSearchAttributesRequest => _request: Target::Cluster;
    workflow::GetSystemInfoRequest => _request: Target::Cluster;
    workflow::ListNamespacesRequest => _request: Target::Cluster;
    workflow::RegisterNamespaceRequest => request: Target::Unchecked(&request.namespace);
    workflow::UpdateNamespaceRequest => request: Target::Unchecked(&request.namespace);
}

/// The name of a namespace, unless the request says which one it means by an id as well: a right on
/// the named one is none on the other.
fn unless_by_id<'a>(name: &'a str, id: &str) -> &'a str {
    if id.is_empty() { name } else { "" }
}
