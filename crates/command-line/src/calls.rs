//! The methods that commands call: of each, its request, its answer and its path.

use prost::Message;

use crate::proto_json::Named;

/// A request that knows its method and its answer.
pub(crate) trait Call: Named + Clone + 'static {
    type Answer: Named + 'static;
    /// The method's name.
    const METHOD: &'static str;
    /// `/service/method`.
    const PATH: &'static str;
}

macro_rules! calls {
    ($package:literal $service:literal $module:ident: $($method:ident: $request:ident => $answer:ident;)*) => {
        $(
            impl Named for services::$module::$request {
                const NAME: &'static str = concat!($package, stringify!($request));
            }
            impl Named for services::$module::$answer {
                const NAME: &'static str = concat!($package, stringify!($answer));
            }
            impl Call for services::$module::$request {
                type Answer = services::$module::$answer;
                const METHOD: &'static str = stringify!($method);
                const PATH: &'static str = concat!("/", $package, $service, "/", stringify!($method));
            }
        )*
    };
}

mod services {
    pub(crate) use api::{operatorservice::v1 as operator, workflowservice::v1 as workflow};
}

calls! {
    "temporal.api.workflowservice.v1." "WorkflowService" workflow:
    StartWorkflowExecution: StartWorkflowExecutionRequest => StartWorkflowExecutionResponse;
    ExecuteMultiOperation: ExecuteMultiOperationRequest => ExecuteMultiOperationResponse;
    GetWorkflowExecutionHistory: GetWorkflowExecutionHistoryRequest => GetWorkflowExecutionHistoryResponse;
    GetWorkflowExecutionHistoryReverse: GetWorkflowExecutionHistoryReverseRequest => GetWorkflowExecutionHistoryReverseResponse;
    SignalWorkflowExecution: SignalWorkflowExecutionRequest => SignalWorkflowExecutionResponse;
    SignalWithStartWorkflowExecution: SignalWithStartWorkflowExecutionRequest => SignalWithStartWorkflowExecutionResponse;
    ResetWorkflowExecution: ResetWorkflowExecutionRequest => ResetWorkflowExecutionResponse;
    TerminateWorkflowExecution: TerminateWorkflowExecutionRequest => TerminateWorkflowExecutionResponse;
    DeleteWorkflowExecution: DeleteWorkflowExecutionRequest => DeleteWorkflowExecutionResponse;
    RequestCancelWorkflowExecution: RequestCancelWorkflowExecutionRequest => RequestCancelWorkflowExecutionResponse;
    ListWorkflowExecutions: ListWorkflowExecutionsRequest => ListWorkflowExecutionsResponse;
    ListArchivedWorkflowExecutions: ListArchivedWorkflowExecutionsRequest => ListArchivedWorkflowExecutionsResponse;
    CountWorkflowExecutions: CountWorkflowExecutionsRequest => CountWorkflowExecutionsResponse;
    QueryWorkflow: QueryWorkflowRequest => QueryWorkflowResponse;
    DescribeWorkflowExecution: DescribeWorkflowExecutionRequest => DescribeWorkflowExecutionResponse;
    DescribeTaskQueue: DescribeTaskQueueRequest => DescribeTaskQueueResponse;
    GetClusterInfo: GetClusterInfoRequest => GetClusterInfoResponse;
    GetSystemInfo: GetSystemInfoRequest => GetSystemInfoResponse;
    ListTaskQueuePartitions: ListTaskQueuePartitionsRequest => ListTaskQueuePartitionsResponse;
    CreateSchedule: CreateScheduleRequest => CreateScheduleResponse;
    DescribeSchedule: DescribeScheduleRequest => DescribeScheduleResponse;
    UpdateSchedule: UpdateScheduleRequest => UpdateScheduleResponse;
    PatchSchedule: PatchScheduleRequest => PatchScheduleResponse;
    ListScheduleMatchingTimes: ListScheduleMatchingTimesRequest => ListScheduleMatchingTimesResponse;
    DeleteSchedule: DeleteScheduleRequest => DeleteScheduleResponse;
    ListSchedules: ListSchedulesRequest => ListSchedulesResponse;
    DescribeWorkerDeployment: DescribeWorkerDeploymentRequest => DescribeWorkerDeploymentResponse;
    DescribeWorkerDeploymentVersion: DescribeWorkerDeploymentVersionRequest => DescribeWorkerDeploymentVersionResponse;
    ListWorkerDeployments: ListWorkerDeploymentsRequest => ListWorkerDeploymentsResponse;
    SetWorkerDeploymentCurrentVersion: SetWorkerDeploymentCurrentVersionRequest => SetWorkerDeploymentCurrentVersionResponse;
    SetWorkerDeploymentRampingVersion: SetWorkerDeploymentRampingVersionRequest => SetWorkerDeploymentRampingVersionResponse;
    SetWorkerDeploymentManager: SetWorkerDeploymentManagerRequest => SetWorkerDeploymentManagerResponse;
    CreateWorkerDeployment: CreateWorkerDeploymentRequest => CreateWorkerDeploymentResponse;
    CreateWorkerDeploymentVersion: CreateWorkerDeploymentVersionRequest => CreateWorkerDeploymentVersionResponse;
    UpdateWorkerDeploymentVersionComputeConfig: UpdateWorkerDeploymentVersionComputeConfigRequest => UpdateWorkerDeploymentVersionComputeConfigResponse;
    GetWorkerBuildIdCompatibility: GetWorkerBuildIdCompatibilityRequest => GetWorkerBuildIdCompatibilityResponse;
    GetWorkerTaskReachability: GetWorkerTaskReachabilityRequest => GetWorkerTaskReachabilityResponse;
    UpdateWorkerBuildIdCompatibility: UpdateWorkerBuildIdCompatibilityRequest => UpdateWorkerBuildIdCompatibilityResponse;
    GetWorkerVersioningRules: GetWorkerVersioningRulesRequest => GetWorkerVersioningRulesResponse;
    UpdateWorkerVersioningRules: UpdateWorkerVersioningRulesRequest => UpdateWorkerVersioningRulesResponse;
    DeleteWorkerDeployment: DeleteWorkerDeploymentRequest => DeleteWorkerDeploymentResponse;
    DeleteWorkerDeploymentVersion: DeleteWorkerDeploymentVersionRequest => DeleteWorkerDeploymentVersionResponse;
    UpdateWorkerDeploymentVersionMetadata: UpdateWorkerDeploymentVersionMetadataRequest => UpdateWorkerDeploymentVersionMetadataResponse;
    UpdateWorkflowExecution: UpdateWorkflowExecutionRequest => UpdateWorkflowExecutionResponse;
    PollWorkflowExecutionUpdate: PollWorkflowExecutionUpdateRequest => PollWorkflowExecutionUpdateResponse;
    StartBatchOperation: StartBatchOperationRequest => StartBatchOperationResponse;
    StopBatchOperation: StopBatchOperationRequest => StopBatchOperationResponse;
    DescribeBatchOperation: DescribeBatchOperationRequest => DescribeBatchOperationResponse;
    ListBatchOperations: ListBatchOperationsRequest => ListBatchOperationsResponse;
    PauseActivityExecution: PauseActivityExecutionRequest => PauseActivityExecutionResponse;
    UnpauseActivityExecution: UnpauseActivityExecutionRequest => UnpauseActivityExecutionResponse;
    ResetActivityExecution: ResetActivityExecutionRequest => ResetActivityExecutionResponse;
    UpdateActivityExecutionOptions: UpdateActivityExecutionOptionsRequest => UpdateActivityExecutionOptionsResponse;
    UpdateWorkflowExecutionOptions: UpdateWorkflowExecutionOptionsRequest => UpdateWorkflowExecutionOptionsResponse;
    UpdateTaskQueueConfig: UpdateTaskQueueConfigRequest => UpdateTaskQueueConfigResponse;
    ListWorkers: ListWorkersRequest => ListWorkersResponse;
    CountWorkers: CountWorkersRequest => CountWorkersResponse;
    DescribeWorker: DescribeWorkerRequest => DescribeWorkerResponse;
    PauseWorkflowExecution: PauseWorkflowExecutionRequest => PauseWorkflowExecutionResponse;
    UnpauseWorkflowExecution: UnpauseWorkflowExecutionRequest => UnpauseWorkflowExecutionResponse;
    RespondActivityTaskCompletedById: RespondActivityTaskCompletedByIdRequest => RespondActivityTaskCompletedByIdResponse;
    RespondActivityTaskFailedById: RespondActivityTaskFailedByIdRequest => RespondActivityTaskFailedByIdResponse;
    RegisterNamespace: RegisterNamespaceRequest => RegisterNamespaceResponse;
    DescribeNamespace: DescribeNamespaceRequest => DescribeNamespaceResponse;
    ListNamespaces: ListNamespacesRequest => ListNamespacesResponse;
    UpdateNamespace: UpdateNamespaceRequest => UpdateNamespaceResponse;
    StartActivityExecution: StartActivityExecutionRequest => StartActivityExecutionResponse;
    DescribeActivityExecution: DescribeActivityExecutionRequest => DescribeActivityExecutionResponse;
    PollActivityExecution: PollActivityExecutionRequest => PollActivityExecutionResponse;
    ListActivityExecutions: ListActivityExecutionsRequest => ListActivityExecutionsResponse;
    CountActivityExecutions: CountActivityExecutionsRequest => CountActivityExecutionsResponse;
    RequestCancelActivityExecution: RequestCancelActivityExecutionRequest => RequestCancelActivityExecutionResponse;
    TerminateActivityExecution: TerminateActivityExecutionRequest => TerminateActivityExecutionResponse;
    DeleteActivityExecution: DeleteActivityExecutionRequest => DeleteActivityExecutionResponse;
    StartNexusOperationExecution: StartNexusOperationExecutionRequest => StartNexusOperationExecutionResponse;
    DescribeNexusOperationExecution: DescribeNexusOperationExecutionRequest => DescribeNexusOperationExecutionResponse;
    PollNexusOperationExecution: PollNexusOperationExecutionRequest => PollNexusOperationExecutionResponse;
    ListNexusOperationExecutions: ListNexusOperationExecutionsRequest => ListNexusOperationExecutionsResponse;
    CountNexusOperationExecutions: CountNexusOperationExecutionsRequest => CountNexusOperationExecutionsResponse;
    RequestCancelNexusOperationExecution: RequestCancelNexusOperationExecutionRequest => RequestCancelNexusOperationExecutionResponse;
    TerminateNexusOperationExecution: TerminateNexusOperationExecutionRequest => TerminateNexusOperationExecutionResponse;
}

calls! {
    "temporal.api.operatorservice.v1." "OperatorService" operator:
    AddSearchAttributes: AddSearchAttributesRequest => AddSearchAttributesResponse;
    RemoveSearchAttributes: RemoveSearchAttributesRequest => RemoveSearchAttributesResponse;
    ListSearchAttributes: ListSearchAttributesRequest => ListSearchAttributesResponse;
    DeleteNamespace: DeleteNamespaceRequest => DeleteNamespaceResponse;
    AddOrUpdateRemoteCluster: AddOrUpdateRemoteClusterRequest => AddOrUpdateRemoteClusterResponse;
    RemoveRemoteCluster: RemoveRemoteClusterRequest => RemoveRemoteClusterResponse;
    ListClusters: ListClustersRequest => ListClustersResponse;
    CreateNexusEndpoint: CreateNexusEndpointRequest => CreateNexusEndpointResponse;
    UpdateNexusEndpoint: UpdateNexusEndpointRequest => UpdateNexusEndpointResponse;
    DeleteNexusEndpoint: DeleteNexusEndpointRequest => DeleteNexusEndpointResponse;
    ListNexusEndpoints: ListNexusEndpointsRequest => ListNexusEndpointsResponse;
}

/// `grpc.health.v1.HealthCheckRequest`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    pub(crate) service: String,
}

/// `grpc.health.v1.HealthCheckResponse`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct HealthCheckResponse {
    #[prost(int32, tag = "1")]
    pub(crate) status: i32,
}

/// The status of a server that serves.
pub(crate) const SERVING: i32 = 1;

impl Named for HealthCheckRequest {
    const NAME: &'static str = "grpc.health.v1.HealthCheckRequest";
}

impl Named for HealthCheckResponse {
    const NAME: &'static str = "grpc.health.v1.HealthCheckResponse";
}

impl Call for HealthCheckRequest {
    type Answer = HealthCheckResponse;
    const METHOD: &'static str = "Check";
    const PATH: &'static str = "/grpc.health.v1.Health/Check";
}
