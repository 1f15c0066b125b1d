//! What a request is about, read from its message before anything else happens.

use api::{operatorservice::v1 as operator, workflowservice::v1 as workflow};
use authz::{Details, Part};

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

    /// What it does besides, as if each were a call of its own.
    fn parts(&self) -> Vec<Part<'_>> {
        Vec::new()
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

            fn parts(&self) -> Vec<Part<'_>> {
                Detailed::parts(self)
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
    workflow::CountNexusOperationExecutionsRequest,
    workflow::CountSchedulesRequest,
    workflow::CountWorkersRequest,
    workflow::CountWorkflowExecutionsRequest,
    workflow::CreateWorkflowRuleRequest,
    workflow::DeleteWorkflowRuleRequest,
    workflow::DescribeBatchOperationRequest,
    workflow::DescribeDeploymentRequest,
    workflow::DescribeWorkerRequest,
    workflow::DescribeWorkflowRuleRequest,
    workflow::FetchWorkerConfigRequest,
    workflow::GetCurrentDeploymentRequest,
    workflow::GetDeploymentReachabilityRequest,
    workflow::GetWorkerTaskReachabilityRequest,
    workflow::ListActivityExecutionsRequest,
    workflow::ListArchivedWorkflowExecutionsRequest,
    workflow::ListBatchOperationsRequest,
    workflow::ListClosedWorkflowExecutionsRequest,
    workflow::ListDeploymentsRequest,
    workflow::ListNexusOperationExecutionsRequest,
    workflow::ListOpenWorkflowExecutionsRequest,
    workflow::ListSchedulesRequest,
    workflow::ListWorkerDeploymentsRequest,
    workflow::ListWorkersRequest,
    workflow::ListWorkflowExecutionsRequest,
    workflow::ListWorkflowRulesRequest,
    workflow::RecordWorkerHeartbeatRequest,
    workflow::ScanWorkflowExecutionsRequest,
    workflow::SetCurrentDeploymentRequest,
    workflow::StopBatchOperationRequest,
    workflow::UpdateWorkerConfigRequest,
}

in_namespace_with_details! {
    CreateScheduleRequest,
    CreateWorkerDeploymentRequest,
    CreateWorkerDeploymentVersionRequest,
    DeleteActivityExecutionRequest,
    DeleteNexusOperationExecutionRequest,
    DeleteScheduleRequest,
    DeleteWorkerDeploymentRequest,
    DeleteWorkerDeploymentVersionRequest,
    DeleteWorkflowExecutionRequest,
    DescribeActivityExecutionRequest,
    DescribeNexusOperationExecutionRequest,
    DescribeScheduleRequest,
    DescribeTaskQueueRequest,
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentVersionRequest,
    DescribeWorkflowExecutionRequest,
    ExecuteMultiOperationRequest,
    GetWorkerBuildIdCompatibilityRequest,
    GetWorkerVersioningRulesRequest,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    ListScheduleMatchingTimesRequest,
    ListTaskQueuePartitionsRequest,
    PatchScheduleRequest,
    PauseActivityExecutionRequest,
    PauseActivityRequest,
    PauseWorkflowExecutionRequest,
    PollActivityExecutionRequest,
    PollActivityTaskQueueRequest,
    PollNexusOperationExecutionRequest,
    PollNexusTaskQueueRequest,
    PollWorkflowExecutionTimeSkippingRequest,
    PollWorkflowExecutionUpdateRequest,
    PollWorkflowTaskQueueRequest,
    QueryWorkflowRequest,
    RecordActivityTaskHeartbeatByIdRequest,
    RequestCancelActivityExecutionRequest,
    RequestCancelNexusOperationExecutionRequest,
    RequestCancelWorkflowExecutionRequest,
    ResetActivityExecutionRequest,
    ResetActivityRequest,
    ResetStickyTaskQueueRequest,
    ResetWorkflowExecutionRequest,
    RespondActivityTaskCanceledByIdRequest,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskFailedByIdRequest,
    SetWorkerDeploymentCurrentVersionRequest,
    SetWorkerDeploymentManagerRequest,
    SetWorkerDeploymentRampingVersionRequest,
    ShutdownWorkerRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartActivityExecutionRequest,
    StartBatchOperationRequest,
    StartNexusOperationExecutionRequest,
    StartWorkflowExecutionRequest,
    TerminateActivityExecutionRequest,
    TerminateNexusOperationExecutionRequest,
    TerminateWorkflowExecutionRequest,
    TriggerWorkflowRuleRequest,
    UnpauseActivityExecutionRequest,
    UnpauseActivityRequest,
    UnpauseWorkflowExecutionRequest,
    UpdateActivityExecutionOptionsRequest,
    UpdateActivityOptionsRequest,
    UpdateScheduleRequest,
    UpdateTaskQueueConfigRequest,
    UpdateWorkerBuildIdCompatibilityRequest,
    UpdateWorkerDeploymentVersionComputeConfigRequest,
    UpdateWorkerDeploymentVersionMetadataRequest,
    UpdateWorkerVersioningRulesRequest,
    UpdateWorkflowExecutionOptionsRequest,
    UpdateWorkflowExecutionRequest,
    ValidateWorkerDeploymentVersionComputeConfigRequest,
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
