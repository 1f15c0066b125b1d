//! What a request names, for the audit log: ids, types and task queues, never payloads.

use std::collections::BTreeMap;

use api::{
    common::v1::{ActivityType, WorkflowExecution, WorkflowType},
    deployment::v1::WorkerDeploymentVersion,
    nexus::v1::EndpointSpec,
    operatorservice::v1 as operator,
    query::v1::WorkflowQuery,
    rules::v1::WorkflowRuleSpec,
    taskqueue::v1::TaskQueue,
    update::v1::{Request as UpdateRequest, UpdateRef},
    workflowservice::v1::{
        self as workflow,
        execute_multi_operation_request::{Operation, operation::Operation as Kind},
    },
};
use audit::Names;

/// A request that says what it names.
pub(crate) trait Named {
    /// The names in it.
    fn names(&self) -> Names;
}

/// A field of a request that has names in it.
trait Naming {
    /// Adds them; `field` is what the field is called.
    fn name(&self, field: &'static str, names: &mut Names);
}

impl Naming for String {
    fn name(&self, field: &'static str, names: &mut Names) {
        names.add(field, self);
    }
}

impl<T: Naming> Naming for Option<T> {
    fn name(&self, field: &'static str, names: &mut Names) {
        if let Some(value) = self {
            value.name(field, names);
        }
    }
}

impl Naming for WorkflowExecution {
    fn name(&self, _field: &'static str, names: &mut Names) {
        names.add("workflow_id", &self.workflow_id);
        names.add("run_id", &self.run_id);
    }
}

impl Naming for UpdateRef {
    fn name(&self, field: &'static str, names: &mut Names) {
        self.workflow_execution.name(field, names);
        names.add("update_id", &self.update_id);
    }
}

impl Naming for UpdateRequest {
    fn name(&self, _field: &'static str, names: &mut Names) {
        names.add("update_id", self.meta.as_ref().map_or("", |meta| &meta.update_id));
        names.add("update_name", self.input.as_ref().map_or("", |input| &input.name));
    }
}

impl Naming for WorkerDeploymentVersion {
    fn name(&self, _field: &'static str, names: &mut Names) {
        names.add("deployment_name", &self.deployment_name);
        names.add("build_id", &self.build_id);
    }
}

impl Naming for Vec<Operation> {
    fn name(&self, _field: &'static str, names: &mut Names) {
        for kind in self.iter().filter_map(|operation| operation.operation.as_ref()) {
            let inner = match kind {
                Kind::StartWorkflow(start) => start.names(),
                Kind::UpdateWorkflow(update) => update.names(),
            };
            names.add_all(inner);
        }
    }
}

/// Search attributes that are made.
impl Naming for BTreeMap<String, i32> {
    fn name(&self, field: &'static str, names: &mut Names) {
        let all: Vec<&str> = self.keys().map(String::as_str).collect();
        names.add(field, &all.join(" "));
    }
}

/// Search attributes that are taken away.
impl Naming for Vec<String> {
    fn name(&self, field: &'static str, names: &mut Names) {
        names.add(field, &self.join(" "));
    }
}

macro_rules! naming {
    ($($message:ty => $what:literal $inner:ident;)*) => {
        $(impl Naming for $message {
            fn name(&self, _field: &'static str, names: &mut Names) {
                names.add($what, &self.$inner);
            }
        })*
    };
}

naming! {
    ActivityType => "activity_type" name;
    EndpointSpec => "endpoint" name;
    TaskQueue => "task_queue" name;
    WorkflowQuery => "query_type" query_type;
    WorkflowRuleSpec => "rule_id" id;
    WorkflowType => "workflow_type" name;
}

macro_rules! named {
    ($($module:ident::$request:ident: $($field:ident)*;)*) => {
        $(impl Named for $module::$request {
            fn names(&self) -> Names {
                let of: &[(&'static str, &dyn Naming)] =
                    &[$((stringify!($field), &self.$field)),*];
                let mut names = Names::default();
                of.iter().for_each(|(field, value)| value.name(field, &mut names));
                names
            }
        })*
    };
}

named! {
    operator::AddOrUpdateRemoteClusterRequest: frontend_address;
    operator::AddSearchAttributesRequest: search_attributes;
    operator::CreateNexusEndpointRequest: spec;
    operator::DeleteNamespaceRequest: namespace_id;
    operator::DeleteNexusEndpointRequest: id;
    operator::GetNexusEndpointRequest: id;
    operator::ListClustersRequest:;
    operator::ListNexusEndpointsRequest: name;
    operator::ListSearchAttributesRequest:;
    operator::RemoveRemoteClusterRequest: cluster_name;
    operator::RemoveSearchAttributesRequest: search_attributes;
    operator::UpdateNexusEndpointRequest: id spec;
    workflow::CountActivityExecutionsRequest:;
    workflow::CountNexusOperationExecutionsRequest:;
    workflow::CountSchedulesRequest:;
    workflow::CountWorkersRequest:;
    workflow::CountWorkflowExecutionsRequest:;
    workflow::CreateScheduleRequest: schedule_id identity;
    workflow::CreateWorkerDeploymentRequest: deployment_name identity;
    workflow::CreateWorkerDeploymentVersionRequest: deployment_version identity;
    workflow::CreateWorkflowRuleRequest: spec identity;
    workflow::DeleteActivityExecutionRequest: activity_id run_id;
    workflow::DeleteNexusOperationExecutionRequest: operation_id run_id;
    workflow::DeleteScheduleRequest: schedule_id identity;
    workflow::DeleteWorkerDeploymentRequest: deployment_name identity;
    workflow::DeleteWorkerDeploymentVersionRequest: version deployment_version identity;
    workflow::DeleteWorkflowExecutionRequest: workflow_execution;
    workflow::DeleteWorkflowRuleRequest: rule_id;
    workflow::DeprecateNamespaceRequest:;
    workflow::DescribeActivityExecutionRequest: activity_id run_id;
    workflow::DescribeBatchOperationRequest: job_id;
    workflow::DescribeDeploymentRequest:;
    workflow::DescribeNamespaceRequest: id;
    workflow::DescribeNexusOperationExecutionRequest: operation_id run_id;
    workflow::DescribeScheduleRequest: schedule_id;
    workflow::DescribeTaskQueueRequest: task_queue;
    workflow::DescribeWorkerDeploymentRequest: deployment_name;
    workflow::DescribeWorkerDeploymentVersionRequest: version deployment_version;
    workflow::DescribeWorkerRequest: worker_instance_key;
    workflow::DescribeWorkflowExecutionRequest: execution;
    workflow::DescribeWorkflowRuleRequest: rule_id;
    workflow::ExecuteMultiOperationRequest: operations;
    workflow::FetchWorkerConfigRequest: identity reason;
    workflow::GetClusterInfoRequest:;
    workflow::GetCurrentDeploymentRequest:;
    workflow::GetDeploymentReachabilityRequest:;
    workflow::GetSearchAttributesRequest:;
    workflow::GetSystemInfoRequest:;
    workflow::GetWorkerBuildIdCompatibilityRequest: task_queue;
    workflow::GetWorkerTaskReachabilityRequest:;
    workflow::GetWorkerVersioningRulesRequest: task_queue;
    workflow::GetWorkflowExecutionHistoryRequest: execution;
    workflow::GetWorkflowExecutionHistoryReverseRequest: execution;
    workflow::ListActivityExecutionsRequest:;
    workflow::ListNexusOperationExecutionsRequest:;
    workflow::ListArchivedWorkflowExecutionsRequest:;
    workflow::ListBatchOperationsRequest:;
    workflow::ListClosedWorkflowExecutionsRequest:;
    workflow::ListDeploymentsRequest:;
    workflow::ListNamespacesRequest:;
    workflow::ListOpenWorkflowExecutionsRequest:;
    workflow::ListScheduleMatchingTimesRequest: schedule_id;
    workflow::ListSchedulesRequest:;
    workflow::ListTaskQueuePartitionsRequest: task_queue;
    workflow::ListWorkerDeploymentsRequest:;
    workflow::ListWorkersRequest:;
    workflow::ListWorkflowExecutionsRequest:;
    workflow::ListWorkflowRulesRequest:;
    workflow::PatchScheduleRequest: schedule_id identity;
    workflow::PauseActivityExecutionRequest: workflow_id activity_id run_id identity reason;
    workflow::PauseActivityRequest: execution identity reason;
    workflow::PauseWorkflowExecutionRequest: workflow_id run_id identity reason;
    workflow::PollActivityExecutionRequest: activity_id run_id;
    workflow::PollActivityTaskQueueRequest: task_queue worker_instance_key identity;
    workflow::PollNexusOperationExecutionRequest: operation_id run_id;
    workflow::PollNexusTaskQueueRequest: task_queue worker_instance_key identity;
    workflow::PollWorkflowExecutionTimeSkippingRequest: workflow_execution;
    workflow::PollWorkflowExecutionUpdateRequest: update_ref identity;
    workflow::PollWorkflowTaskQueueRequest: task_queue worker_instance_key identity;
    workflow::QueryWorkflowRequest: execution query;
    workflow::RecordActivityTaskHeartbeatByIdRequest: workflow_id run_id activity_id identity;
    workflow::RecordActivityTaskHeartbeatRequest: identity;
    workflow::RecordWorkerHeartbeatRequest: identity;
    workflow::RegisterNamespaceRequest:;
    workflow::RequestCancelActivityExecutionRequest: activity_id run_id identity reason;
    workflow::RequestCancelNexusOperationExecutionRequest: operation_id run_id identity reason;
    workflow::RequestCancelWorkflowExecutionRequest: workflow_execution identity reason;
    workflow::ResetActivityExecutionRequest: workflow_id activity_id run_id identity;
    workflow::ResetActivityRequest: execution identity;
    workflow::ResetStickyTaskQueueRequest: execution;
    workflow::ResetWorkflowExecutionRequest: workflow_execution reason identity;
    workflow::RespondActivityTaskCanceledByIdRequest: workflow_id run_id activity_id identity;
    workflow::RespondActivityTaskCanceledRequest: identity;
    workflow::RespondActivityTaskCompletedByIdRequest: workflow_id run_id activity_id identity;
    workflow::RespondActivityTaskCompletedRequest: identity;
    workflow::RespondActivityTaskFailedByIdRequest: workflow_id run_id activity_id identity;
    workflow::RespondActivityTaskFailedRequest: identity;
    workflow::RespondNexusTaskCompletedRequest: identity;
    workflow::RespondNexusTaskFailedRequest: identity;
    workflow::RespondQueryTaskCompletedRequest:;
    workflow::RespondWorkflowTaskCompletedRequest: worker_instance_key identity;
    workflow::RespondWorkflowTaskFailedRequest: identity;
    workflow::ScanWorkflowExecutionsRequest:;
    workflow::SetCurrentDeploymentRequest: identity;
    workflow::SetWorkerDeploymentCurrentVersionRequest: deployment_name version build_id identity;
    workflow::SetWorkerDeploymentManagerRequest: deployment_name identity;
    workflow::SetWorkerDeploymentRampingVersionRequest: deployment_name version build_id identity;
    workflow::ShutdownWorkerRequest: worker_instance_key task_queue identity reason;
    workflow::SignalWithStartWorkflowExecutionRequest:
        workflow_id workflow_type task_queue signal_name identity;
    workflow::SignalWorkflowExecutionRequest: workflow_execution signal_name identity;
    workflow::StartActivityExecutionRequest: activity_id activity_type task_queue identity;
    workflow::StartBatchOperationRequest: job_id reason;
    workflow::StartNexusOperationExecutionRequest: operation_id endpoint service operation identity;
    workflow::StartWorkflowExecutionRequest: workflow_id workflow_type task_queue identity;
    workflow::StopBatchOperationRequest: job_id reason identity;
    workflow::TerminateActivityExecutionRequest: activity_id run_id identity reason;
    workflow::TerminateNexusOperationExecutionRequest: operation_id run_id identity reason;
    workflow::TerminateWorkflowExecutionRequest: workflow_execution reason identity;
    workflow::TriggerWorkflowRuleRequest: execution identity;
    workflow::UnpauseActivityExecutionRequest: workflow_id activity_id run_id identity reason;
    workflow::UnpauseActivityRequest: execution identity;
    workflow::UnpauseWorkflowExecutionRequest: workflow_id run_id identity reason;
    workflow::UpdateActivityExecutionOptionsRequest: workflow_id activity_id run_id identity;
    workflow::UpdateActivityOptionsRequest: execution identity;
    workflow::UpdateNamespaceRequest:;
    workflow::UpdateScheduleRequest: schedule_id identity;
    workflow::UpdateTaskQueueConfigRequest: task_queue identity;
    workflow::UpdateWorkerBuildIdCompatibilityRequest: task_queue;
    workflow::UpdateWorkerConfigRequest: identity reason;
    workflow::UpdateWorkerDeploymentVersionComputeConfigRequest: deployment_version identity;
    workflow::UpdateWorkerDeploymentVersionMetadataRequest: version deployment_version identity;
    workflow::UpdateWorkerVersioningRulesRequest: task_queue;
    workflow::UpdateWorkflowExecutionOptionsRequest: workflow_execution identity;
    workflow::UpdateWorkflowExecutionRequest: workflow_execution request;
    workflow::ValidateWorkerDeploymentVersionComputeConfigRequest: deployment_version identity;
}
