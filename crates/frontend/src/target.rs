//! What a request is about, read from its message before anything else happens.

use api::{operatorservice::v1 as operator, workflowservice::v1 as workflow};
use authz::Details;

use crate::details::Detailed;

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

    /// What it names in its namespace.
    fn details(&self) -> Details<'_> {
        Details::default()
    }
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

macro_rules! in_namespace_with_details {
    ($($request:ident,)*) => {
        $(impl Targeted for workflow::$request {
            fn target(&self) -> Target<'_> {
                Target::Namespace(&self.namespace)
            }

            fn details(&self) -> Details<'_> {
                Detailed::details(self)
            }
        })*
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
    workflow::CreateWorkerDeploymentRequest,
    workflow::CreateWorkerDeploymentVersionRequest,
    workflow::DeleteWorkerDeploymentRequest,
    workflow::DeleteWorkerDeploymentVersionRequest,
    workflow::DescribeBatchOperationRequest,
    workflow::DescribeDeploymentRequest,
    workflow::DescribeWorkerDeploymentRequest,
    workflow::DescribeWorkerDeploymentVersionRequest,
    workflow::DescribeWorkerRequest,
    workflow::FetchWorkerConfigRequest,
    workflow::GetCurrentDeploymentRequest,
    workflow::GetDeploymentReachabilityRequest,
    workflow::GetWorkerBuildIdCompatibilityRequest,
    workflow::GetWorkerTaskReachabilityRequest,
    workflow::GetWorkerVersioningRulesRequest,
    workflow::ListArchivedWorkflowExecutionsRequest,
    workflow::ListBatchOperationsRequest,
    workflow::ListClosedWorkflowExecutionsRequest,
    workflow::ListDeploymentsRequest,
    workflow::ListOpenWorkflowExecutionsRequest,
    workflow::ListSchedulesRequest,
    workflow::ListTaskQueuePartitionsRequest,
    workflow::ListWorkerDeploymentsRequest,
    workflow::ListWorkersRequest,
    workflow::ListWorkflowExecutionsRequest,
    workflow::PauseActivityExecutionRequest,
    workflow::PollWorkflowExecutionTimeSkippingRequest,
    workflow::RecordWorkerHeartbeatRequest,
    workflow::ResetActivityExecutionRequest,
    workflow::ScanWorkflowExecutionsRequest,
    workflow::SetCurrentDeploymentRequest,
    workflow::SetWorkerDeploymentCurrentVersionRequest,
    workflow::SetWorkerDeploymentManagerRequest,
    workflow::SetWorkerDeploymentRampingVersionRequest,
    workflow::ShutdownWorkerRequest,
    workflow::StopBatchOperationRequest,
    workflow::UnpauseActivityExecutionRequest,
    workflow::CreateWorkflowRuleRequest,
    workflow::DeleteWorkflowRuleRequest,
    workflow::DescribeWorkflowRuleRequest,
    workflow::ListWorkflowRulesRequest,
    workflow::TriggerWorkflowRuleRequest,
    workflow::UpdateActivityExecutionOptionsRequest,
    workflow::UpdateWorkerBuildIdCompatibilityRequest,
    workflow::UpdateWorkerConfigRequest,
    workflow::UpdateWorkerDeploymentVersionComputeConfigRequest,
    workflow::UpdateWorkerDeploymentVersionMetadataRequest,
    workflow::ValidateWorkerDeploymentVersionComputeConfigRequest,
    workflow::UpdateWorkerVersioningRulesRequest,
}

in_namespace_with_details! {
    CreateScheduleRequest,
    DeleteScheduleRequest,
    DeleteWorkflowExecutionRequest,
    DescribeScheduleRequest,
    DescribeTaskQueueRequest,
    DescribeWorkflowExecutionRequest,
    ExecuteMultiOperationRequest,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    ListScheduleMatchingTimesRequest,
    PatchScheduleRequest,
    PauseActivityRequest,
    PauseWorkflowExecutionRequest,
    PollActivityTaskQueueRequest,
    PollNexusTaskQueueRequest,
    PollWorkflowExecutionUpdateRequest,
    PollWorkflowTaskQueueRequest,
    QueryWorkflowRequest,
    RecordActivityTaskHeartbeatByIdRequest,
    RequestCancelWorkflowExecutionRequest,
    ResetActivityRequest,
    ResetStickyTaskQueueRequest,
    ResetWorkflowExecutionRequest,
    RespondActivityTaskCanceledByIdRequest,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskFailedByIdRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartActivityExecutionRequest,
    StartBatchOperationRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
    UnpauseActivityRequest,
    UnpauseWorkflowExecutionRequest,
    UpdateActivityOptionsRequest,
    UpdateScheduleRequest,
    UpdateTaskQueueConfigRequest,
    UpdateWorkflowExecutionOptionsRequest,
    UpdateWorkflowExecutionRequest,
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
