//! What a request names in its namespace, and what it does besides, for rules that speak of it.

pub(crate) mod batch;
mod methods;

use api::{
    command::v1::command::Attributes,
    common::v1::{ActivityType, WorkflowExecution, WorkflowType},
    deployment::v1::WorkerDeploymentVersion,
    enums::v1::{WorkflowIdConflictPolicy, WorkflowIdReusePolicy},
    schedule::v1::{Schedule, schedule_action::Action},
    taskqueue::v1::TaskQueue,
    workflow::v1::{PostResetOperation, post_reset_operation::Variant},
    workflowservice::v1::{
        self as workflow, execute_multi_operation_request::operation::Operation,
    },
};
use authz::{Details, Part};
use methods::{OPTIONS, SIGNAL, START, TERMINATE, UPDATE};

/// Most operations of one request that are looked at; handlers take fewer.
const OPERATIONS_MAX: usize = 100;

/// A request that names something.
pub(crate) trait Detailed {
    /// What it names.
    fn details(&self) -> Details<'_>;

    /// What it does besides, as if each were a call of its own.
    fn parts(&self) -> Vec<Part<'_>> {
        Vec::new()
    }
}

macro_rules! detailed {
    ($($request:ident => |$this:ident| { $($field:ident: $value:expr),* $(,)? };)*) => {
        $(impl Detailed for workflow::$request {
            fn details(&self) -> Details<'_> {
                let $this = self;
                Details { $($field: $value,)* ..Details::default() }
            }
        })*
    };
}

macro_rules! detailed_in_full {
    ($($request:ident => |$this:ident| { $($field:ident: $value:expr),* $(,)? }, $parts:expr;)*) => {
        $(impl Detailed for workflow::$request {
            fn details(&self) -> Details<'_> {
                let $this = self;
                Details { $($field: $value,)* ..Details::default() }
            }

            fn parts(&self) -> Vec<Part<'_>> {
                let $this = self;
                $parts
            }
        })*
    };
}

detailed! {
    CreateWorkerDeploymentRequest => |it| { deployment_name: &it.deployment_name };
    CreateWorkerDeploymentVersionRequest => |it| {
        deployment_name: deployment(&it.deployment_version),
    };
    DeleteActivityExecutionRequest => |it| { activity_id: &it.activity_id };
    DeleteNexusOperationExecutionRequest => |it| { operation_id: &it.operation_id };
    DeleteScheduleRequest => |it| { schedule_id: &it.schedule_id };
    DeleteWorkerDeploymentRequest => |it| { deployment_name: &it.deployment_name };
    DeleteWorkerDeploymentVersionRequest => |it| {
        deployment_name: deployment(&it.deployment_version),
    };
    DeleteWorkflowExecutionRequest => |it| { workflow_id: id(&it.workflow_execution) };
    DescribeActivityExecutionRequest => |it| { activity_id: &it.activity_id };
    DescribeNexusOperationExecutionRequest => |it| { operation_id: &it.operation_id };
    DescribeScheduleRequest => |it| { schedule_id: &it.schedule_id };
    DescribeTaskQueueRequest => |it| { task_queue: queue(&it.task_queue) };
    DescribeWorkerDeploymentRequest => |it| { deployment_name: &it.deployment_name };
    DescribeWorkerDeploymentVersionRequest => |it| {
        deployment_name: deployment(&it.deployment_version),
    };
    DescribeWorkflowExecutionRequest => |it| { workflow_id: id(&it.execution) };
    GetWorkerBuildIdCompatibilityRequest => |it| { task_queue: &it.task_queue };
    GetWorkerVersioningRulesRequest => |it| { task_queue: &it.task_queue };
    GetWorkflowExecutionHistoryRequest => |it| { workflow_id: id(&it.execution) };
    GetWorkflowExecutionHistoryReverseRequest => |it| { workflow_id: id(&it.execution) };
    ListScheduleMatchingTimesRequest => |it| { schedule_id: &it.schedule_id };
    ListTaskQueuePartitionsRequest => |it| { task_queue: queue(&it.task_queue) };
    PatchScheduleRequest => |it| { schedule_id: &it.schedule_id };
    PauseActivityExecutionRequest => |it| {
        workflow_id: &it.workflow_id,
        activity_id: &it.activity_id,
    };
    PauseActivityRequest => |it| { workflow_id: id(&it.execution) };
    PauseWorkflowExecutionRequest => |it| { workflow_id: &it.workflow_id };
    PollActivityExecutionRequest => |it| { activity_id: &it.activity_id };
    PollActivityTaskQueueRequest => |it| { task_queue: queue(&it.task_queue) };
    PollNexusOperationExecutionRequest => |it| { operation_id: &it.operation_id };
    PollNexusTaskQueueRequest => |it| { task_queue: queue(&it.task_queue) };
    PollWorkflowExecutionTimeSkippingRequest => |it| { workflow_id: id(&it.workflow_execution) };
    PollWorkflowExecutionUpdateRequest => |it| {
        workflow_id: it.update_ref.as_ref().map_or("", |update| id(&update.workflow_execution)),
    };
    PollWorkflowTaskQueueRequest => |it| { task_queue: queue(&it.task_queue) };
    QueryWorkflowRequest => |it| {
        workflow_id: id(&it.execution),
        query_name: it.query.as_ref().map_or("", |query| &query.query_type),
    };
    RecordActivityTaskHeartbeatByIdRequest => |it| {
        workflow_id: &it.workflow_id,
        activity_id: &it.activity_id,
    };
    RequestCancelActivityExecutionRequest => |it| { activity_id: &it.activity_id };
    RequestCancelNexusOperationExecutionRequest => |it| { operation_id: &it.operation_id };
    RequestCancelWorkflowExecutionRequest => |it| { workflow_id: id(&it.workflow_execution) };
    ResetActivityExecutionRequest => |it| {
        workflow_id: &it.workflow_id,
        activity_id: &it.activity_id,
    };
    ResetActivityRequest => |it| { workflow_id: id(&it.execution) };
    ResetStickyTaskQueueRequest => |it| { workflow_id: id(&it.execution) };
    RespondActivityTaskCanceledByIdRequest => |it| {
        workflow_id: &it.workflow_id,
        activity_id: &it.activity_id,
    };
    RespondActivityTaskCompletedByIdRequest => |it| {
        workflow_id: &it.workflow_id,
        activity_id: &it.activity_id,
    };
    RespondActivityTaskFailedByIdRequest => |it| {
        workflow_id: &it.workflow_id,
        activity_id: &it.activity_id,
    };
    SetWorkerDeploymentCurrentVersionRequest => |it| { deployment_name: &it.deployment_name };
    SetWorkerDeploymentManagerRequest => |it| { deployment_name: &it.deployment_name };
    SetWorkerDeploymentRampingVersionRequest => |it| { deployment_name: &it.deployment_name };
    ShutdownWorkerRequest => |it| { task_queue: &it.task_queue };
    SignalWorkflowExecutionRequest => |it| {
        workflow_id: id(&it.workflow_execution),
        signal_name: &it.signal_name,
    };
    StartActivityExecutionRequest => |it| {
        activity_type: activity(&it.activity_type),
        activity_id: &it.activity_id,
        task_queue: queue(&it.task_queue),
    };
    StartNexusOperationExecutionRequest => |it| {
        operation_id: &it.operation_id,
        endpoint: &it.endpoint,
    };
    TerminateActivityExecutionRequest => |it| { activity_id: &it.activity_id };
    TerminateNexusOperationExecutionRequest => |it| { operation_id: &it.operation_id };
    TerminateWorkflowExecutionRequest => |it| { workflow_id: id(&it.workflow_execution) };
    TriggerWorkflowRuleRequest => |it| { workflow_id: id(&it.execution) };
    UnpauseActivityExecutionRequest => |it| {
        workflow_id: &it.workflow_id,
        activity_id: &it.activity_id,
    };
    UnpauseActivityRequest => |it| { workflow_id: id(&it.execution) };
    UnpauseWorkflowExecutionRequest => |it| { workflow_id: &it.workflow_id };
    UpdateActivityExecutionOptionsRequest => |it| {
        workflow_id: &it.workflow_id,
        activity_id: &it.activity_id,
    };
    UpdateActivityOptionsRequest => |it| { workflow_id: id(&it.execution) };
    UpdateTaskQueueConfigRequest => |it| { task_queue: &it.task_queue };
    UpdateWorkerBuildIdCompatibilityRequest => |it| { task_queue: &it.task_queue };
    UpdateWorkerDeploymentVersionComputeConfigRequest => |it| {
        deployment_name: deployment(&it.deployment_version),
    };
    UpdateWorkerDeploymentVersionMetadataRequest => |it| {
        deployment_name: deployment(&it.deployment_version),
    };
    UpdateWorkerVersioningRulesRequest => |it| { task_queue: &it.task_queue };
    UpdateWorkflowExecutionOptionsRequest => |it| { workflow_id: id(&it.workflow_execution) };
    UpdateWorkflowExecutionRequest => |it| {
        workflow_id: id(&it.workflow_execution),
        update_name: update_name(it),
    };
    ValidateWorkerDeploymentVersionComputeConfigRequest => |it| {
        deployment_name: deployment(&it.deployment_version),
    };
}

detailed_in_full! {
    CreateScheduleRequest => |it| {
        schedule_id: &it.schedule_id,
        workflow_type: scheduled(&it.schedule).workflow_type,
        workflow_id: scheduled(&it.schedule).workflow_id,
        task_queue: scheduled(&it.schedule).task_queue,
    }, scheduled_start(&it.schedule);
    ExecuteMultiOperationRequest => |it| {
        workflow_type: in_parts(it, |details| details.workflow_type),
        workflow_id: in_parts(it, |details| details.workflow_id),
        task_queue: in_parts(it, |details| details.task_queue),
        update_name: in_parts(it, |details| details.update_name),
    }, parts_of_all(it);
    ResetWorkflowExecutionRequest => |it| {
        workflow_id: id(&it.workflow_execution),
    }, after_reset(&it.post_reset_operations, id(&it.workflow_execution));
    SignalWithStartWorkflowExecutionRequest => |it| {
        workflow_type: kind(&it.workflow_type),
        workflow_id: &it.workflow_id,
        task_queue: queue(&it.task_queue),
        signal_name: &it.signal_name,
    }, signal_and_start(it);
    StartBatchOperationRequest => |it| {
        signal_name: batch::signal_name(it),
        visibility_query: &it.visibility_query,
    }, batch::parts(it);
    StartWorkflowExecutionRequest => |it| {
        workflow_type: kind(&it.workflow_type),
        workflow_id: &it.workflow_id,
        task_queue: queue(&it.task_queue),
    }, termination(
        (it.workflow_id_reuse_policy(), it.workflow_id_conflict_policy()),
        &it.workflow_id,
    ).into_iter().collect();
    UpdateScheduleRequest => |it| {
        schedule_id: &it.schedule_id,
        workflow_type: scheduled(&it.schedule).workflow_type,
        workflow_id: scheduled(&it.schedule).workflow_id,
        task_queue: scheduled(&it.schedule).task_queue,
    }, scheduled_start(&it.schedule);
}

/// What a schedule starts.
pub(crate) fn scheduled(schedule: &Option<Schedule>) -> Details<'_> {
    match schedule.as_ref().and_then(|schedule| schedule.action.as_ref()?.action.as_ref()) {
        Some(Action::StartWorkflow(start)) => Details {
            workflow_type: kind(&start.workflow_type),
            workflow_id: &start.workflow_id,
            task_queue: queue(&start.task_queue),
            ..Details::default()
        },
        None => Details::default(),
    }
}

pub(crate) fn scheduled_start(schedule: &Option<Schedule>) -> Vec<Part<'_>> {
    let details = scheduled(schedule);
    let starts = details != Details::default();
    starts.then_some(Part { rpc: START, details }).into_iter().collect()
}

/// The termination of what runs already, if a start asks for it.
fn termination(
    (reuse, conflict): (WorkflowIdReusePolicy, WorkflowIdConflictPolicy),
    workflow_id: &str,
) -> Option<Part<'_>> {
    let ends = reuse == WorkflowIdReusePolicy::TerminateIfRunning
        || conflict == WorkflowIdConflictPolicy::TerminateExisting;
    let details = Details { workflow_id, ..Details::default() };
    ends.then_some(Part { rpc: TERMINATE, details })
}

fn signal_and_start(request: &workflow::SignalWithStartWorkflowExecutionRequest) -> Vec<Part<'_>> {
    let signal = Details {
        workflow_id: &request.workflow_id,
        signal_name: &request.signal_name,
        ..Details::default()
    };
    let start = Details {
        workflow_type: kind(&request.workflow_type),
        workflow_id: &request.workflow_id,
        task_queue: queue(&request.task_queue),
        ..Details::default()
    };
    let policies = (request.workflow_id_reuse_policy(), request.workflow_id_conflict_policy());
    let mut parts =
        vec![Part { rpc: SIGNAL, details: signal }, Part { rpc: START, details: start }];
    parts.extend(termination(policies, &request.workflow_id));
    parts
}

/// The operations and what they do besides. More than two are refused later.
fn parts_of_all(request: &workflow::ExecuteMultiOperationRequest) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for operation in request.operations.iter().take(OPERATIONS_MAX) {
        match &operation.operation {
            None => {}
            Some(Operation::StartWorkflow(start)) => {
                parts.push(Part { rpc: START, details: start.details() });
                parts.extend(start.parts());
            }
            Some(Operation::UpdateWorkflow(update)) => {
                parts.push(Part { rpc: UPDATE, details: update.details() });
            }
        }
    }
    parts
}

/// The first of several operations that names something.
fn in_parts<'a>(
    request: &'a workflow::ExecuteMultiOperationRequest,
    name: impl Fn(&Details<'a>) -> &'a str,
) -> &'a str {
    let operations = request.operations.iter().filter_map(|part| part.operation.as_ref());
    let names = operations.map(|operation| match operation {
        Operation::StartWorkflow(start) => name(&start.details()),
        Operation::UpdateWorkflow(update) => name(&update.details()),
    });
    names.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
}

/// What is done to the run that a reset makes.
fn after_reset<'a>(operations: &'a [PostResetOperation], workflow_id: &'a str) -> Vec<Part<'a>> {
    let parts = operations.iter().take(OPERATIONS_MAX).filter_map(|operation| {
        let details = Details { workflow_id, ..Details::default() };
        Some(match operation.variant.as_ref()? {
            Variant::UpdateWorkflowOptions(_) => Part { rpc: OPTIONS, details },
            Variant::SignalWorkflow(signal) => Part {
                rpc: SIGNAL,
                details: Details { signal_name: &signal.signal_name, ..details },
            },
        })
    });
    parts.collect()
}

/// What a command of a workflow names where it acts, when that is another namespace.
pub(crate) fn of_command(attributes: &Attributes) -> Details<'_> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others stay with their workflow")]
    match attributes {
        Attributes::StartChildWorkflowExecutionCommandAttributes(start) => Details {
            workflow_type: kind(&start.workflow_type),
            workflow_id: &start.workflow_id,
            task_queue: queue(&start.task_queue),
            ..Details::default()
        },
        Attributes::SignalExternalWorkflowExecutionCommandAttributes(signal) => Details {
            workflow_id: id(&signal.execution),
            signal_name: &signal.signal_name,
            ..Details::default()
        },
        Attributes::RequestCancelExternalWorkflowExecutionCommandAttributes(cancel) => {
            Details { workflow_id: &cancel.workflow_id, ..Details::default() }
        }
        _ => Details::default(),
    }
}

fn deployment(version: &Option<WorkerDeploymentVersion>) -> &str {
    version.as_ref().map_or("", |version| &version.deployment_name)
}

fn id(execution: &Option<WorkflowExecution>) -> &str {
    execution.as_ref().map_or("", |execution| &execution.workflow_id)
}

fn kind(kind: &Option<WorkflowType>) -> &str {
    kind.as_ref().map_or("", |kind| &kind.name)
}

fn activity(kind: &Option<ActivityType>) -> &str {
    kind.as_ref().map_or("", |kind| &kind.name)
}

/// A worker's own queue counts as the one that it belongs to.
fn queue(queue: &Option<TaskQueue>) -> &str {
    match queue {
        None => "",
        Some(queue) if queue.normal_name.is_empty() => &queue.name,
        Some(queue) => &queue.normal_name,
    }
}

fn update_name(request: &workflow::UpdateWorkflowExecutionRequest) -> &str {
    let input = request.request.as_ref().and_then(|request| request.input.as_ref());
    input.map_or("", |input| &input.name)
}

#[cfg(test)]
mod tests {
    use api::{
        batch::v1::{BatchOperationSignal, BatchOperationTermination},
        schedule::v1::ScheduleAction,
        workflow::v1::{NewWorkflowExecutionInfo, post_reset_operation as after},
    };
    use workflow::start_batch_operation_request::Operation as Batched;

    use super::*;

    fn start() -> workflow::StartWorkflowExecutionRequest {
        workflow::StartWorkflowExecutionRequest {
            workflow_id: "order-1".to_owned(),
            workflow_type: Some(WorkflowType { name: "Order".to_owned() }),
            task_queue: Some(TaskQueue { name: "orders".to_owned(), ..TaskQueue::default() }),
            ..Default::default()
        }
    }

    /// The parts in short: the method and what it names.
    fn shown(parts: &[Part<'_>]) -> Vec<String> {
        let names = |part: &Part<'_>| {
            let named = part.details.named().map(|(name, value)| format!(" {name}={value}"));
            format!("{}{}", part.rpc, named.collect::<String>())
        };
        parts.iter().map(names).collect()
    }

    const A_START: &str = "StartWorkflowExecution workflowType=Order workflowId=order-1 \
                         taskQueue=orders";

    #[test]
    fn an_update_that_starts_its_workflow_names_both_and_is_both() {
        let input = api::update::v1::Input { name: "approve".to_owned(), ..Default::default() };
        let execution =
            WorkflowExecution { workflow_id: "order-2".to_owned(), ..Default::default() };
        let update = workflow::UpdateWorkflowExecutionRequest {
            workflow_execution: Some(execution),
            request: Some(api::update::v1::Request { input: Some(input), ..Default::default() }),
            ..Default::default()
        };
        let part = |operation| workflow::execute_multi_operation_request::Operation {
            operation: Some(operation),
        };
        let mut start = start();
        start.set_workflow_id_conflict_policy(WorkflowIdConflictPolicy::TerminateExisting);
        let operations = [Operation::StartWorkflow(start), Operation::UpdateWorkflow(update)];
        let request = workflow::ExecuteMultiOperationRequest {
            operations: operations.map(part).into(),
            ..Default::default()
        };
        let details = request.details();
        assert_eq!(
            (details.workflow_type, details.workflow_id, details.update_name),
            ("Order", "order-1", "approve")
        );
        assert_eq!(
            shown(&request.parts()),
            [
                A_START,
                "TerminateWorkflowExecution workflowId=order-1",
                // Its own id, though the call will be refused for it.
                "UpdateWorkflowExecution workflowId=order-2 updateName=approve",
            ]
        );
    }

    #[test]
    fn a_start_that_ends_what_runs_is_a_termination() {
        assert_eq!(start().parts(), []);
        let mut reuse = start();
        reuse.set_workflow_id_reuse_policy(WorkflowIdReusePolicy::TerminateIfRunning);
        assert_eq!(shown(&reuse.parts()), ["TerminateWorkflowExecution workflowId=order-1"]);
    }

    #[test]
    fn a_signal_with_start_is_a_signal_and_a_start() {
        let start = start();
        let request = workflow::SignalWithStartWorkflowExecutionRequest {
            workflow_id: start.workflow_id,
            workflow_type: start.workflow_type,
            task_queue: start.task_queue,
            signal_name: "approve".to_owned(),
            ..Default::default()
        };
        let signal = "SignalWorkflowExecution workflowId=order-1 signalName=approve";
        assert_eq!(shown(&request.parts()), [signal, A_START]);
    }

    #[test]
    fn a_schedule_names_what_it_starts() {
        let start = NewWorkflowExecutionInfo {
            workflow_type: Some(WorkflowType { name: "Order".to_owned() }),
            ..Default::default()
        };
        let action = ScheduleAction { action: Some(Action::StartWorkflow(start)) };
        let request = workflow::CreateScheduleRequest {
            schedule_id: "nightly".to_owned(),
            schedule: Some(Schedule { action: Some(action), ..Default::default() }),
            ..Default::default()
        };
        let details = request.details();
        assert_eq!((details.schedule_id, details.workflow_type), ("nightly", "Order"));
        assert_eq!(shown(&request.parts()), ["StartWorkflowExecution workflowType=Order"]);
    }

    #[test]
    fn a_batch_does_its_operation_to_each_that_it_names() {
        let signal = BatchOperationSignal { signal: "approve".to_owned(), ..Default::default() };
        let execution = |id: &str| WorkflowExecution {
            workflow_id: id.to_owned(),
            ..WorkflowExecution::default()
        };
        let mut request = workflow::StartBatchOperationRequest {
            executions: vec![execution("a"), execution("b")],
            operation: Some(Batched::SignalOperation(signal)),
            ..Default::default()
        };
        assert_eq!(request.details().signal_name, "approve");
        let of = |id: &str| format!("SignalWorkflowExecution workflowId={id} signalName=approve");
        assert_eq!(shown(&request.parts()), [of("a"), of("b")]);
        request.executions = (0..2000).map(|id| execution(&id.to_string())).collect();
        assert_eq!(request.parts().len(), 1000);
        request.executions.clear();
        request.visibility_query = "WorkflowType = 'Order'".to_owned();
        let terminate = BatchOperationTermination::default();
        request.operation = Some(Batched::TerminationOperation(terminate));
        assert_eq!(request.details().visibility_query, "WorkflowType = 'Order'");
        assert_eq!(shown(&request.parts()), ["TerminateWorkflowExecution"]);
        let member = batch::of_member(&request, "a");
        assert_eq!(shown(&member), ["TerminateWorkflowExecution workflowId=a"]);
    }

    #[test]
    fn a_reset_is_what_it_does_afterwards_too() {
        let signal = after::SignalWorkflow {
            signal_name: "again".to_owned(),
            ..after::SignalWorkflow::default()
        };
        let variants = [
            Variant::UpdateWorkflowOptions(after::UpdateWorkflowOptions::default()),
            Variant::SignalWorkflow(signal),
        ];
        let operation = |variant| PostResetOperation { variant: Some(variant) };
        let request = workflow::ResetWorkflowExecutionRequest {
            workflow_execution: Some(WorkflowExecution {
                workflow_id: "a".to_owned(),
                ..WorkflowExecution::default()
            }),
            post_reset_operations: variants.map(operation).into(),
            ..Default::default()
        };
        assert_eq!(
            shown(&request.parts()),
            [
                "UpdateWorkflowExecutionOptions workflowId=a",
                "SignalWorkflowExecution workflowId=a signalName=again"
            ]
        );
    }

    #[test]
    fn a_worker_s_own_queue_counts_as_the_one_that_it_belongs_to() {
        let own = TaskQueue {
            name: "own".to_owned(),
            normal_name: "orders".to_owned(),
            ..TaskQueue::default()
        };
        assert_eq!(queue(&Some(own)), "orders");
    }
}
