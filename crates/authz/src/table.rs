//! The table of RPCs: one row for each method that the server offers.
//!
//! The columns are those of [`Rpc`]: scope, access, resource, kind, rate class, audit. The access
//! column is the reference's, except that the methods of workers ask for `Worker`. A test walks the
//! API's descriptor set: a method without a row, and a row without a method, fail it by name.

use crate::{Access, Audit, Kind, RateClass, ResourceKind, Rpc, Scope, Service};

/// How many methods the API has.
pub const RPC_COUNT: usize = WORKFLOW_SERVICE.len() + OPERATOR_SERVICE.len();

const WORKFLOW_PREFIX: &str = "/temporal.api.workflowservice.v1.WorkflowService/";
const OPERATOR_PREFIX: &str = "/temporal.api.operatorservice.v1.OperatorService/";
const ADMIN_PREFIX: &str = "/longtide.admin.v1.AdminService/";

/// The row of the method with this HTTP/2 path.
pub fn rpc(method_path: &str) -> Option<&'static Rpc> {
    let (table, name) = if let Some(name) = method_path.strip_prefix(WORKFLOW_PREFIX) {
        (WORKFLOW_SERVICE, name)
    } else if let Some(name) = method_path.strip_prefix(OPERATOR_PREFIX) {
        (OPERATOR_SERVICE, name)
    } else {
        (ADMIN_SERVICE, method_path.strip_prefix(ADMIN_PREFIX)?)
    };
    let index = table.binary_search_by(|row| row.name.cmp(name)).ok()?;
    table.get(index)
}

/// Every row of the API: the workflow service first, each service by name.
pub fn rpcs() -> impl Iterator<Item = &'static Rpc> {
    WORKFLOW_SERVICE.iter().chain(OPERATOR_SERVICE)
}

/// Every method that is decided about: those of the API, of the server itself, and of HTTP.
pub fn methods() -> impl Iterator<Item = &'static Rpc> {
    let of_http = crate::nexus::METHODS.iter().copied().chain([&crate::READ_AUDIT_LOG]);
    rpcs().chain(ADMIN_SERVICE).chain(of_http)
}

/// The row of the method with this bare name.
pub fn method(name: &str) -> Option<&'static Rpc> {
    methods().find(|row| row.name == name)
}

macro_rules! table {
    ($service:ident, $full_name:literal,
     $($name:ident: $scope:ident $access:ident $resource:ident $kind:ident $rate:ident
       $audit:ident;)*) => {
        &[$(Rpc {
            name: stringify!($name),
            path: concat!("/", $full_name, "/", stringify!($name)),
            service: Service::$service,
            scope: Scope::$scope,
            access: Access::$access,
            resource: ResourceKind::$resource,
            kind: Kind::$kind,
            rate: RateClass::$rate,
            audit: Audit::$audit,
        }),*]
    };
}

/// Sorted by name: [`rpc`] searches it.
const WORKFLOW_SERVICE: &[Rpc] = table! {
    Workflow, "temporal.api.workflowservice.v1.WorkflowService",
    CountActivityExecutions: Namespace Read Executions Read Visibility Each;
    CountNexusOperationExecutions: Namespace Read Executions Read Visibility Each;
    CountSchedules: Namespace Read Schedule Read Visibility Each;
    CountWorkers: Namespace Read Worker Read Describe Each;
    CountWorkflowExecutions: Namespace Read Executions Read Visibility Each;
    CreateSchedule: Namespace Write Schedule Write Progress Detail;
    CreateWorkerDeployment: Namespace Write Deployment Write Change Detail;
    CreateWorkerDeploymentVersion: Namespace Write Deployment Write Change Detail;
    CreateWorkflowRule: Namespace Write Rule Write Change Detail;
    DeleteActivityExecution: Namespace Write Activity Write Change Detail;
    DeleteNexusOperationExecution: Namespace Write NexusOperation Write Change Detail;
    DeleteSchedule: Namespace Write Schedule Write Change Detail;
    DeleteWorkerDeployment: Namespace Write Deployment Write Change Detail;
    DeleteWorkerDeploymentVersion: Namespace Write Deployment Write Change Detail;
    DeleteWorkflowExecution: Namespace Write Workflow Write Change Detail;
    DeleteWorkflowRule: Namespace Write Rule Write Change Detail;
    DeprecateNamespace: Namespace Admin Namespace Write Operator Detail;
    DescribeActivityExecution: Namespace Read Activity LongPoll Describe Each;
    DescribeBatchOperation: Namespace Read Batch Read Describe Each;
    DescribeDeployment: Namespace Read Deployment Read Describe Each;
    DescribeNamespace: Namespace Read Namespace Read System Each;
    DescribeNexusOperationExecution: Namespace Read NexusOperation LongPoll Describe Each;
    DescribeSchedule: Namespace Read Schedule Read Describe Each;
    DescribeTaskQueue: Namespace Read TaskQueue Read Describe Each;
    DescribeWorker: Namespace Read Worker Read Describe Each;
    DescribeWorkerDeployment: Namespace Read Deployment Read Describe Each;
    DescribeWorkerDeploymentVersion: Namespace Read Deployment Read Describe Each;
    DescribeWorkflowExecution: Namespace Read Workflow Read Describe Each;
    DescribeWorkflowRule: Namespace Read Rule Read Describe Each;
    ExecuteMultiOperation: Namespace Write Workflow LongPoll Progress Detail;
    FetchWorkerConfig: Namespace Read Worker Read Describe Each;
    GetClusterInfo: Cluster Read Cluster Read System Count;
    GetCurrentDeployment: Namespace Read Deployment Read Describe Each;
    GetDeploymentReachability: Namespace Read Deployment Read Describe Each;
    GetSearchAttributes: Cluster Read SearchAttributes Read System Each;
    GetSystemInfo: Cluster Open Cluster Read System Count;
    GetWorkerBuildIdCompatibility: Namespace Read TaskQueue Read Describe Each;
    GetWorkerTaskReachability: Namespace Read TaskQueue Read Describe Each;
    GetWorkerVersioningRules: Namespace Read TaskQueue Read Describe Each;
    GetWorkflowExecutionHistory: Namespace Read Workflow LongPoll Change Each;
    GetWorkflowExecutionHistoryReverse: Namespace Read Workflow Read Change Each;
    ListActivityExecutions: Namespace Read Executions Read Visibility Each;
    ListArchivedWorkflowExecutions: Namespace Read Executions Read Visibility Each;
    ListBatchOperations: Namespace Read Batch Read Visibility Each;
    ListClosedWorkflowExecutions: Namespace Read Executions Read Visibility Each;
    ListDeployments: Namespace Read Deployment Read Visibility Each;
    ListNamespaces: Cluster Read Namespace Read System Each;
    ListNexusOperationExecutions: Namespace Read Executions Read Visibility Each;
    ListOpenWorkflowExecutions: Namespace Read Executions Read Visibility Each;
    ListScheduleMatchingTimes: Namespace Read Schedule Read Describe Each;
    ListSchedules: Namespace Read Schedule Read Visibility Each;
    ListTaskQueuePartitions: Namespace Read TaskQueue Read Describe Each;
    ListWorkerDeployments: Namespace Read Deployment Read Visibility Each;
    ListWorkers: Namespace Read Worker Read Describe Each;
    ListWorkflowExecutions: Namespace Read Executions Read Visibility Each;
    ListWorkflowRules: Namespace Read Rule Read Describe Each;
    PatchSchedule: Namespace Write Schedule Write Change Detail;
    PauseActivity: Namespace Write Activity Write Change Detail;
    PauseActivityExecution: Namespace Write Activity Write Change Detail;
    PauseWorkflowExecution: Namespace Write Workflow Write Change Detail;
    PollActivityExecution: Namespace Read Activity LongPoll Describe Each;
    PollActivityTaskQueue: Namespace Worker TaskQueue LongPoll Poll Count;
    PollNexusOperationExecution: Namespace Read NexusOperation LongPoll Describe Each;
    PollNexusTaskQueue: Namespace Worker TaskQueue LongPoll Poll Count;
    PollWorkflowExecutionTimeSkipping: Namespace Read Workflow LongPoll Describe Each;
    PollWorkflowExecutionUpdate: Namespace Read Workflow LongPoll Describe Each;
    PollWorkflowTaskQueue: Namespace Worker TaskQueue LongPoll Poll Count;
    QueryWorkflow: Namespace Read Workflow LongPoll Describe Each;
    RecordActivityTaskHeartbeat: Namespace Worker Activity Write Progress Count;
    RecordActivityTaskHeartbeatById: Namespace Worker Activity Write Progress Count;
    RecordWorkerHeartbeat: Namespace Worker Worker Write Change Count;
    RegisterNamespace: Namespace Admin Namespace Write Operator Detail;
    RequestCancelActivityExecution: Namespace Write Activity Write Change Detail;
    RequestCancelNexusOperationExecution: Namespace Write NexusOperation Write Change Detail;
    RequestCancelWorkflowExecution: Namespace Write Workflow Write Change Detail;
    ResetActivity: Namespace Write Activity Write Change Detail;
    ResetActivityExecution: Namespace Write Activity Write Change Detail;
    ResetStickyTaskQueue: Namespace Worker Workflow Write Change Count;
    ResetWorkflowExecution: Namespace Write Workflow Write Change Detail;
    RespondActivityTaskCanceled: Namespace Worker Activity Write Progress Count;
    RespondActivityTaskCanceledById: Namespace Worker Activity Write Progress Count;
    RespondActivityTaskCompleted: Namespace Worker Activity Write Progress Count;
    RespondActivityTaskCompletedById: Namespace Worker Activity Write Progress Count;
    RespondActivityTaskFailed: Namespace Worker Activity Write Progress Count;
    RespondActivityTaskFailedById: Namespace Worker Activity Write Progress Count;
    RespondNexusTaskCompleted: Namespace Worker NexusOperation Write Progress Count;
    RespondNexusTaskFailed: Namespace Worker NexusOperation Write Describe Count;
    RespondQueryTaskCompleted: Namespace Worker Workflow Write Progress Count;
    RespondWorkflowTaskCompleted: Namespace Worker Workflow Write Progress Count;
    RespondWorkflowTaskFailed: Namespace Worker Workflow Write Describe Count;
    ScanWorkflowExecutions: Namespace Read Executions Read Visibility Each;
    SetCurrentDeployment: Namespace Write Deployment Write Change Detail;
    SetWorkerDeploymentCurrentVersion: Namespace Write Deployment Write Change Detail;
    SetWorkerDeploymentManager: Namespace Write Deployment Write Change Detail;
    SetWorkerDeploymentRampingVersion: Namespace Write Deployment Write Change Detail;
    ShutdownWorker: Namespace Worker Worker Write Change Count;
    SignalWithStartWorkflowExecution: Namespace Write Workflow Write Progress Detail;
    SignalWorkflowExecution: Namespace Write Workflow Write Progress Detail;
    StartActivityExecution: Namespace Write Activity Write Progress Detail;
    StartBatchOperation: Namespace Write Batch Write Progress Detail;
    StartNexusOperationExecution: Namespace Write NexusOperation Write Progress Detail;
    StartWorkflowExecution: Namespace Write Workflow Write Progress Detail;
    StopBatchOperation: Namespace Write Batch Write Change Detail;
    TerminateActivityExecution: Namespace Write Activity Write Change Detail;
    TerminateNexusOperationExecution: Namespace Write NexusOperation Write Change Detail;
    TerminateWorkflowExecution: Namespace Write Workflow Write Change Detail;
    TriggerWorkflowRule: Namespace Write Rule Write Change Detail;
    UnpauseActivity: Namespace Write Activity Write Change Detail;
    UnpauseActivityExecution: Namespace Write Activity Write Change Detail;
    UnpauseWorkflowExecution: Namespace Write Workflow Write Change Detail;
    UpdateActivityExecutionOptions: Namespace Write Activity Write Change Detail;
    UpdateActivityOptions: Namespace Write Activity Write Change Detail;
    UpdateNamespace: Namespace Admin Namespace Write Operator Detail;
    UpdateSchedule: Namespace Write Schedule Write Change Detail;
    UpdateTaskQueueConfig: Namespace Write TaskQueue Write Change Detail;
    UpdateWorkerBuildIdCompatibility: Namespace Write TaskQueue Write Change Detail;
    UpdateWorkerConfig: Namespace Write Worker Write Change Detail;
    UpdateWorkerDeploymentVersionComputeConfig: Namespace Write Deployment Write Change Detail;
    UpdateWorkerDeploymentVersionMetadata: Namespace Write Deployment Write Change Detail;
    UpdateWorkerVersioningRules: Namespace Write TaskQueue Write Change Detail;
    UpdateWorkflowExecution: Namespace Write Workflow LongPoll Progress Detail;
    UpdateWorkflowExecutionOptions: Namespace Write Workflow Write Change Detail;
    ValidateWorkerDeploymentVersionComputeConfig: Namespace Read Deployment Read Describe Each;
};

/// Sorted by name: [`rpc`] searches it.
const OPERATOR_SERVICE: &[Rpc] = table! {
    Operator, "temporal.api.operatorservice.v1.OperatorService",
    AddOrUpdateRemoteCluster: Cluster Admin Cluster Write Operator Detail;
    AddSearchAttributes: Namespace Admin SearchAttributes Write Operator Detail;
    CreateNexusEndpoint: Cluster Admin NexusEndpoint Write Operator Detail;
    DeleteNamespace: Namespace Admin Namespace Write Operator Detail;
    DeleteNexusEndpoint: Cluster Admin NexusEndpoint Write Operator Detail;
    GetNexusEndpoint: Cluster Admin NexusEndpoint Read Operator Each;
    ListClusters: Cluster Admin Cluster Read Operator Each;
    ListNexusEndpoints: Cluster Admin NexusEndpoint Read Operator Each;
    ListSearchAttributes: Namespace Read SearchAttributes Read Describe Each;
    RemoveRemoteCluster: Cluster Admin Cluster Write Operator Detail;
    RemoveSearchAttributes: Namespace Admin SearchAttributes Write Operator Detail;
    UpdateNexusEndpoint: Cluster Admin NexusEndpoint Write Operator Detail;
};

/// What only this server has. Sorted by name: [`rpc`] searches it.
const ADMIN_SERVICE: &[Rpc] = table! {
    Admin, "longtide.admin.v1.AdminService",
    CreateApiKey: Cluster Admin ApiKey Write Operator Detail;
    EndSession: Cluster Admin Cluster Write Operator Detail;
    ExpireApiKey: Cluster Admin ApiKey Write Operator Detail;
    GetKeyStatus: Cluster Admin Cluster Read Operator Each;
    GetPermissions: Cluster Open Cluster Read System Count;
    ListApiKeys: Cluster Admin ApiKey Read Operator Each;
    ListSessions: Cluster Admin Cluster Read Operator Each;
    RevokeApiKey: Cluster Admin ApiKey Write Operator Detail;
    RotateApiKey: Cluster Admin ApiKey Write Operator Detail;
    RotateKeys: Cluster Admin Cluster Write Operator Detail;
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message as _;

    use super::*;

    fn described() -> BTreeSet<String> {
        let set = prost_types::FileDescriptorSet::decode(api::DESCRIPTOR_SET).unwrap();
        let mut paths = BTreeSet::new();
        for file in &set.file {
            for service in &file.service {
                for method in &service.method {
                    paths.insert(format!(
                        "/{}.{}/{}",
                        file.package(),
                        service.name(),
                        method.name()
                    ));
                }
            }
        }
        paths
            .into_iter()
            .filter(|path| path.starts_with(WORKFLOW_PREFIX) || path.starts_with(OPERATOR_PREFIX))
            .collect()
    }

    #[test]
    fn every_method_has_a_row_and_every_row_a_method() {
        let described = described();
        let rows: BTreeSet<String> = rpcs().map(|row| row.path.to_owned()).collect();
        let without_row: Vec<_> = described.difference(&rows).collect();
        let without_method: Vec<_> = rows.difference(&described).collect();
        assert!(without_row.is_empty(), "methods without a row: {without_row:?}");
        assert!(without_method.is_empty(), "rows without a method: {without_method:?}");
        assert_eq!((WORKFLOW_SERVICE.len(), OPERATOR_SERVICE.len()), (123, 12));
    }

    #[test]
    fn every_row_is_found_by_its_path() {
        for row in rpcs().chain(ADMIN_SERVICE) {
            assert_eq!(rpc(row.path), Some(row));
            assert_eq!(row.path, format!("/{}/{}", row.service.name(), row.name));
        }
        assert!(WORKFLOW_SERVICE.is_sorted_by_key(|row| row.name));
        assert!(OPERATOR_SERVICE.is_sorted_by_key(|row| row.name));
        assert!(ADMIN_SERVICE.is_sorted_by_key(|row| row.name));
        for path in [
            "",
            "/",
            "StartWorkflowExecution",
            "/temporal.api.workflowservice.v1.WorkflowService/",
            "/temporal.api.workflowservice.v1.WorkflowService/startWorkflowExecution",
            "/temporal.api.workflowservice.v1.WorkflowService/DeleteNamespace",
            "/temporal.api.operatorservice.v1.OperatorService/StartWorkflowExecution",
        ] {
            assert_eq!(rpc(path), None, "{path}");
        }
    }

    #[test]
    fn reading_asks_for_no_right_to_write() {
        for row in rpcs() {
            match row.access {
                Access::Read | Access::Open => assert_ne!(row.kind, Kind::Write, "{row}"),
                Access::Worker | Access::Write | Access::Admin => {}
            }
            if row.kind == Kind::Write && row.access != Access::Worker {
                assert_ne!(row.audit, Audit::Count, "{row} changes something unseen");
            }
        }
    }

    #[test]
    fn the_methods_of_workers_are_urgent_in_the_order_of_what_is_lost() {
        let priority = |name: &str| {
            rpcs().find(|row| row.name == name).map(|row| row.rate.priority()).unwrap()
        };
        assert!(priority("RespondActivityTaskCompleted") < priority("TerminateWorkflowExecution"));
        assert!(priority("TerminateWorkflowExecution") < priority("DescribeWorkflowExecution"));
        assert!(priority("DescribeWorkflowExecution") < priority("PollWorkflowTaskQueue"));
    }
}
