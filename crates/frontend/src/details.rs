//! What a request names in its namespace, for rules that speak of it.

use api::{
    common::v1::{ActivityType, WorkflowExecution, WorkflowType},
    schedule::v1::{Schedule, schedule_action::Action},
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{
        self as workflow, execute_multi_operation_request::operation::Operation as Part,
    },
};
use authz::Details;

/// A request that names something.
pub(crate) trait Detailed {
    /// What it names.
    fn details(&self) -> Details<'_>;
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

detailed! {
    DeleteScheduleRequest => |it| { schedule_id: &it.schedule_id };
    DeleteWorkflowExecutionRequest => |it| { workflow_id: id(&it.workflow_execution) };
    DescribeScheduleRequest => |it| { schedule_id: &it.schedule_id };
    DescribeTaskQueueRequest => |it| { task_queue: queue(&it.task_queue) };
    DescribeWorkflowExecutionRequest => |it| { workflow_id: id(&it.execution) };
    GetWorkflowExecutionHistoryRequest => |it| { workflow_id: id(&it.execution) };
    GetWorkflowExecutionHistoryReverseRequest => |it| { workflow_id: id(&it.execution) };
    ListScheduleMatchingTimesRequest => |it| { schedule_id: &it.schedule_id };
    PatchScheduleRequest => |it| { schedule_id: &it.schedule_id };
    PauseActivityRequest => |it| { workflow_id: id(&it.execution) };
    PauseWorkflowExecutionRequest => |it| { workflow_id: &it.workflow_id };
    PollActivityTaskQueueRequest => |it| { task_queue: queue(&it.task_queue) };
    PollNexusTaskQueueRequest => |it| { task_queue: queue(&it.task_queue) };
    PollWorkflowExecutionUpdateRequest => |it| {
        workflow_id: it.update_ref.as_ref().map_or("", |update| id(&update.workflow_execution)),
    };
    PollWorkflowTaskQueueRequest => |it| { task_queue: queue(&it.task_queue) };
    QueryWorkflowRequest => |it| {
        workflow_id: id(&it.execution),
        query_name: it.query.as_ref().map_or("", |query| &query.query_type),
    };
    RecordActivityTaskHeartbeatByIdRequest => |it| { workflow_id: &it.workflow_id };
    RequestCancelWorkflowExecutionRequest => |it| { workflow_id: id(&it.workflow_execution) };
    ResetActivityRequest => |it| { workflow_id: id(&it.execution) };
    ResetStickyTaskQueueRequest => |it| { workflow_id: id(&it.execution) };
    ResetWorkflowExecutionRequest => |it| { workflow_id: id(&it.workflow_execution) };
    RespondActivityTaskCanceledByIdRequest => |it| { workflow_id: &it.workflow_id };
    RespondActivityTaskCompletedByIdRequest => |it| { workflow_id: &it.workflow_id };
    RespondActivityTaskFailedByIdRequest => |it| { workflow_id: &it.workflow_id };
    SignalWithStartWorkflowExecutionRequest => |it| {
        workflow_type: kind(&it.workflow_type),
        workflow_id: &it.workflow_id,
        task_queue: queue(&it.task_queue),
        signal_name: &it.signal_name,
        implies: &["SignalWorkflowExecution", "StartWorkflowExecution"],
    };
    SignalWorkflowExecutionRequest => |it| {
        workflow_id: id(&it.workflow_execution),
        signal_name: &it.signal_name,
    };
    StartActivityExecutionRequest => |it| {
        activity_type: activity(&it.activity_type),
        task_queue: queue(&it.task_queue),
    };
    StartBatchOperationRequest => |it| { implies: each_of(it) };
    StartWorkflowExecutionRequest => |it| {
        workflow_type: kind(&it.workflow_type),
        workflow_id: &it.workflow_id,
        task_queue: queue(&it.task_queue),
    };
    TerminateWorkflowExecutionRequest => |it| { workflow_id: id(&it.workflow_execution) };
    UnpauseActivityRequest => |it| { workflow_id: id(&it.execution) };
    UnpauseWorkflowExecutionRequest => |it| { workflow_id: &it.workflow_id };
    UpdateActivityOptionsRequest => |it| { workflow_id: id(&it.execution) };
    UpdateTaskQueueConfigRequest => |it| { task_queue: &it.task_queue };
    UpdateWorkflowExecutionOptionsRequest => |it| { workflow_id: id(&it.workflow_execution) };
    UpdateWorkflowExecutionRequest => |it| {
        workflow_id: id(&it.workflow_execution),
        update_name: update_name(it),
    };
}

impl Detailed for workflow::CreateScheduleRequest {
    fn details(&self) -> Details<'_> {
        Details { schedule_id: &self.schedule_id, ..scheduled(self.schedule.as_ref()) }
    }
}

impl Detailed for workflow::UpdateScheduleRequest {
    fn details(&self) -> Details<'_> {
        Details { schedule_id: &self.schedule_id, ..scheduled(self.schedule.as_ref()) }
    }
}

impl Detailed for workflow::ExecuteMultiOperationRequest {
    fn details(&self) -> Details<'_> {
        let mut details = Details {
            implies: &["StartWorkflowExecution", "UpdateWorkflowExecution"],
            ..Details::default()
        };
        for part in self.operations.iter().filter_map(|part| part.operation.as_ref()) {
            match part {
                Part::StartWorkflow(start) => {
                    details = Details {
                        update_name: details.update_name,
                        implies: details.implies,
                        ..start.details()
                    };
                }
                Part::UpdateWorkflow(update) => details.update_name = update_name(update),
            }
        }
        details
    }
}

/// What a schedule starts.
fn scheduled(schedule: Option<&Schedule>) -> Details<'_> {
    let action = schedule.and_then(|schedule| schedule.action.as_ref()?.action.as_ref());
    match action {
        Some(Action::StartWorkflow(start)) => Details {
            workflow_type: kind(&start.workflow_type),
            workflow_id: &start.workflow_id,
            task_queue: queue(&start.task_queue),
            implies: &["StartWorkflowExecution"],
            ..Details::default()
        },
        None => Details::default(),
    }
}

/// What a batch operation does to each execution.
fn each_of(request: &workflow::StartBatchOperationRequest) -> &'static [&'static str] {
    use workflow::start_batch_operation_request::Operation;
    match &request.operation {
        None => &[],
        Some(Operation::TerminationOperation(_)) => &["TerminateWorkflowExecution"],
        Some(Operation::CancellationOperation(_)) => &["RequestCancelWorkflowExecution"],
        Some(Operation::SignalOperation(_)) => &["SignalWorkflowExecution"],
        Some(Operation::DeletionOperation(_)) => &["DeleteWorkflowExecution"],
        Some(Operation::ResetOperation(_)) => &["ResetWorkflowExecution"],
        Some(Operation::UpdateWorkflowOptionsOperation(_)) => &["UpdateWorkflowExecutionOptions"],
        Some(Operation::UnpauseActivitiesOperation(_)) => &["UnpauseActivity"],
        Some(Operation::ResetActivitiesOperation(_)) => &["ResetActivity"],
        Some(Operation::UpdateActivityOptionsOperation(_)) => &["UpdateActivityOptions"],
        Some(Operation::CancelActivitiesOperation(_)) => &["RequestCancelActivityExecution"],
        Some(Operation::TerminateActivitiesOperation(_)) => &["TerminateActivityExecution"],
        Some(Operation::DeleteActivitiesOperation(_)) => &["DeleteActivityExecution"],
    }
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
    use api::schedule::v1::ScheduleAction;
    use api::workflow::v1::NewWorkflowExecutionInfo;

    use super::*;

    #[test]
    fn an_update_that_starts_its_workflow_names_both() {
        let start = workflow::StartWorkflowExecutionRequest {
            workflow_id: "order-1".to_owned(),
            workflow_type: Some(WorkflowType { name: "Order".to_owned() }),
            ..Default::default()
        };
        let input = api::update::v1::Input { name: "approve".to_owned(), ..Default::default() };
        let update = workflow::UpdateWorkflowExecutionRequest {
            request: Some(api::update::v1::Request { input: Some(input), ..Default::default() }),
            ..Default::default()
        };
        let part = |operation| workflow::execute_multi_operation_request::Operation {
            operation: Some(operation),
        };
        let request = workflow::ExecuteMultiOperationRequest {
            operations: vec![part(Part::UpdateWorkflow(update)), part(Part::StartWorkflow(start))],
            ..Default::default()
        };
        let details = request.details();
        assert_eq!(
            (details.workflow_type, details.workflow_id, details.update_name),
            ("Order", "order-1", "approve")
        );
        assert_eq!(details.implies, ["StartWorkflowExecution", "UpdateWorkflowExecution"]);
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
        assert_eq!(details.implies, ["StartWorkflowExecution"]);
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
