//! From a program and a history to the commands of a workflow task.

use api::{
    command::v1::{
        CancelTimerCommandAttributes, CancelWorkflowExecutionCommandAttributes, Command,
        CompleteWorkflowExecutionCommandAttributes,
        ContinueAsNewWorkflowExecutionCommandAttributes, FailWorkflowExecutionCommandAttributes,
        ModifyWorkflowPropertiesCommandAttributes, RecordMarkerCommandAttributes,
        RequestCancelActivityTaskCommandAttributes, RequestCancelNexusOperationCommandAttributes,
        ScheduleActivityTaskCommandAttributes, ScheduleNexusOperationCommandAttributes,
        SignalExternalWorkflowExecutionCommandAttributes,
        StartChildWorkflowExecutionCommandAttributes, StartTimerCommandAttributes,
        command::Attributes,
    },
    common::v1::{ActivityType, Memo, RetryPolicy, WorkflowExecution, WorkflowType},
    enums::v1::CommandType,
    failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo},
    taskqueue::v1::TaskQueue,
};
use model::Span;

use crate::{
    operation::{Handler, endless},
    payload::{payload, payloads},
    program::{ActivityPlan, BatchKind, Behaviour, ChildPlan, End, Program, Step},
    view::View,
};

/// What a worker answers.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Commands(Vec<Command>),
    Fail,
}

/// The task queue of workflows and activities whose workers have no version.
pub(crate) const QUEUE: &str = "queue";

/// What the program does next, in the task's attempt.
pub(crate) fn answer(program: &Program, view: &View, attempt: i32) -> Answer {
    let mut script = Script { view, attempt, commands: Vec::new(), fails: false, signals: 0 };
    let generation = generation_of(&view.input);
    let goes_on = generation > 0 || view.attempt > 1 || script.take_steps(&program.steps);
    if script.fails {
        return Answer::Fail;
    }
    if goes_on {
        script.end(program, generation);
    }
    Answer::Commands(script.commands)
}

/// The input of a workflow's first run, and of those that continue it.
pub(crate) fn input(workflow_id: &str, generation: usize) -> String {
    format!("{workflow_id}#{generation}")
}

fn generation_of(input: &str) -> usize {
    input.rsplit_once('#').and_then(|(_, generation)| generation.parse().ok()).unwrap_or(0)
}

struct Script<'a> {
    view: &'a View,
    attempt: i32,
    commands: Vec<Command>,
    fails: bool,
    /// Signals that the steps so far waited for.
    signals: usize,
}

impl Script<'_> {
    /// Takes the steps that can be taken; true when all are done.
    fn take_steps(&mut self, steps: &[Step]) -> bool {
        steps.iter().enumerate().all(|(index, step)| self.take(index, step))
    }

    fn take(&mut self, index: usize, step: &Step) -> bool {
        match step {
            Step::Activities(plans) => {
                for (number, plan) in plans.iter().enumerate() {
                    self.schedule(&format!("{index}.{number}"), *plan);
                }
                let ids = (0..plans.len()).map(|number| format!("{index}.{number}"));
                ids.into_iter().all(|id| self.view.outcome(&id).is_some())
            }
            Step::Timers(spans) => {
                for (number, span) in spans.iter().enumerate() {
                    self.start_timer(&format!("{index}.{number}"), *span);
                }
                let mut ids = (0..spans.len()).map(|number| format!("{index}.{number}"));
                ids.all(|id| self.view.fired_timers.contains(&id))
            }
            Step::CancelledTimer(plan) => self.cancelled_timer(index, *plan),
            Step::CancelledActivity => self.cancelled_activity(index),
            Step::Signals(number) => {
                self.signals += number;
                self.view.signals >= self.signals
            }
            Step::Marker => {
                self.marker(&format!("m{index}"));
                true
            }
            Step::Memo => {
                self.memo(&format!("k{index}"));
                true
            }
            Step::FailedTasks(times) => {
                let name = format!("f{index}");
                if !self.view.markers.contains(&name) && self.attempt <= *times {
                    self.fails = true;
                    return false;
                }
                self.marker(&name);
                true
            }
            Step::Children(plans) => self.children(index, plans),
            Step::NexusOperations(handler, count) => {
                let ids: Vec<_> = (0..*count).map(|number| format!("{index}.{number}")).collect();
                for id in &ids {
                    self.schedule_operation(*handler, id);
                }
                ids.iter().all(|id| self.view.outcome(id).is_some())
            }
            Step::CancelledOperation(handler) => self.cancelled_operation(index, *handler),
            Step::BadCommand => {
                let name = format!("b{index}");
                if !self.view.markers.contains(&name) && self.attempt == 1 {
                    self.commands.push(start_timer("", Span::ZERO));
                    return false;
                }
                self.marker(&name);
                true
            }
        }
    }

    /// Starts children, signals those that wait for it, and waits for those that close.
    fn children(&mut self, index: usize, plans: &[ChildPlan]) -> bool {
        let parent = self.view.input.rsplit_once('#').map_or("", |(id, _)| id);
        let mut done = true;
        for (number, plan) in plans.iter().enumerate() {
            let workflow_id = format!("{parent}/{index}.{number}");
            let Some(initiated) = self.view.children.get(&workflow_id) else {
                self.push(
                    CommandType::StartChildWorkflowExecution,
                    Attributes::StartChildWorkflowExecutionCommandAttributes(child(&workflow_id)),
                );
                done = false;
                continue;
            };
            let started = self.view.started_children.contains(initiated);
            let closed = self.view.closed_children.contains(initiated);
            done &= if *plan == ChildPlan::IsLeftBehind { started } else { closed };
            let is_told = self.view.signalled.contains(&workflow_id);
            if *plan == ChildPlan::AwaitsSignal && started && !is_told {
                self.push(
                    CommandType::SignalExternalWorkflowExecution,
                    Attributes::SignalExternalWorkflowExecutionCommandAttributes(news(workflow_id)),
                );
            }
        }
        done
    }

    fn cancelled_timer(&mut self, index: usize, plan: ActivityPlan) -> bool {
        let id = format!("{index}.0");
        self.start_timer(&id, Span::from_secs(3600));
        self.schedule(&id, plan);
        if self.view.outcome(&id).is_none() {
            return false;
        }
        if !self.view.cancelled_timers.contains(&id) {
            let attributes = CancelTimerCommandAttributes { timer_id: id };
            self.push(
                CommandType::CancelTimer,
                Attributes::CancelTimerCommandAttributes(attributes),
            );
        }
        true
    }

    fn cancelled_activity(&mut self, index: usize) -> bool {
        let id = format!("{index}.0");
        let plan = ActivityPlan { behaviour: Behaviour::AwaitCancel, eager: false };
        self.start_timer(&id, Span::from_secs(1));
        self.schedule(&id, plan);
        let scheduled = self.view.activities.get(&id).copied();
        if let Some(scheduled_event_id) = scheduled
            && self.view.fired_timers.contains(&id)
            && self.view.outcome(&id).is_none()
            && !self.view.cancelled_activities.contains(&scheduled_event_id)
        {
            let attributes = RequestCancelActivityTaskCommandAttributes { scheduled_event_id };
            self.push(
                CommandType::RequestCancelActivityTask,
                Attributes::RequestCancelActivityTaskCommandAttributes(attributes),
            );
        }
        self.view.outcome(&id).is_some() && self.view.fired_timers.contains(&id)
    }

    fn cancelled_operation(&mut self, index: usize, handler: Handler) -> bool {
        let id = format!("{index}.0");
        let operation = endless(&id);
        self.start_timer(&id, Span::from_secs(1));
        self.schedule_operation(handler, &operation);
        let scheduled = self.view.operations.get(&operation).copied();
        if let Some(scheduled_event_id) = scheduled
            && self.view.fired_timers.contains(&id)
            && self.view.outcome(&operation).is_none()
            && !self.view.cancelled_operations.contains(&scheduled_event_id)
        {
            let attributes = RequestCancelNexusOperationCommandAttributes { scheduled_event_id };
            self.push(
                CommandType::RequestCancelNexusOperation,
                Attributes::RequestCancelNexusOperationCommandAttributes(attributes),
            );
        }
        self.view.outcome(&operation).is_some() && self.view.fired_timers.contains(&id)
    }

    fn end(&mut self, program: &Program, generation: usize) {
        if generation < program.generations {
            let workflow_id = self.view.input.rsplit_once('#').map_or("", |(id, _)| id);
            let next = input(workflow_id, generation + 1);
            let attributes = ContinueAsNewWorkflowExecutionCommandAttributes {
                input: Some(payloads(&next)),
                ..Default::default()
            };
            self.push(
                CommandType::ContinueAsNewWorkflowExecution,
                Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(attributes),
            );
            return;
        }
        match program.end {
            End::CompleteAtAttempt(attempt) if self.view.attempt < attempt => {
                let failure = failure("the first runs fail", false);
                let attributes = FailWorkflowExecutionCommandAttributes { failure: Some(failure) };
                self.push(
                    CommandType::FailWorkflowExecution,
                    Attributes::FailWorkflowExecutionCommandAttributes(attributes),
                );
            }
            End::AwaitBatch(BatchKind::Signals) if !self.view.is_signalled_by_batch => {}
            End::Complete
            | End::CompleteAtAttempt(_)
            | End::Cron
            | End::Echo
            | End::AwaitBatch(BatchKind::Signals) => {
                let result = match program.end {
                    End::Echo => self.view.input.rsplit_once('#').map_or("", |it| it.0).to_owned(),
                    _ => self.result(program),
                };
                let result = Some(payloads(&result));
                let attributes = CompleteWorkflowExecutionCommandAttributes { result };
                self.push(
                    CommandType::CompleteWorkflowExecution,
                    Attributes::CompleteWorkflowExecutionCommandAttributes(attributes),
                );
            }
            End::Cancel | End::AwaitBatch(BatchKind::Cancels) if self.view.cancel_requested => {
                let attributes = CancelWorkflowExecutionCommandAttributes::default();
                self.push(
                    CommandType::CancelWorkflowExecution,
                    Attributes::CancelWorkflowExecutionCommandAttributes(attributes),
                );
            }
            End::Cancel | End::AwaitTermination | End::AwaitBatch(_) | End::AwaitTimeout(_) => {}
        }
    }

    /// What became of the activities, as far as this run's history tells.
    fn result(&self, program: &Program) -> String {
        let mut result = "done".to_owned();
        for (index, step) in program.steps.iter().enumerate() {
            let count = match step {
                Step::Activities(plans) => plans.len(),
                Step::NexusOperations(_, count) => *count,
                Step::CancelledTimer(_) | Step::CancelledActivity | Step::CancelledOperation(_) => {
                    1
                }
                _ => 0,
            };
            for number in 0..count {
                let id = format!("{index}.{number}");
                let outcome = match step {
                    Step::CancelledOperation(_) => self.view.outcome(&endless(&id)),
                    _ => self.view.outcome(&id),
                };
                let Some(completed) = outcome else { continue };
                let outcome = if completed { "ok" } else { "bad" };
                result.push_str(&format!(" {id}={outcome}"));
            }
        }
        result
    }

    fn schedule(&mut self, activity_id: &str, plan: ActivityPlan) {
        if !self.view.activities.contains_key(activity_id) {
            let attributes = schedule_activity(activity_id, plan, &self.view.queue);
            self.push(
                CommandType::ScheduleActivityTask,
                Attributes::ScheduleActivityTaskCommandAttributes(attributes),
            );
        }
    }

    fn schedule_operation(&mut self, handler: Handler, operation: &str) {
        if !self.view.operations.contains_key(operation) {
            let attributes = ScheduleNexusOperationCommandAttributes {
                endpoint: handler.endpoint().to_owned(),
                service: "service".to_owned(),
                operation: operation.to_owned(),
                input: Some(payload(operation)),
                ..Default::default()
            };
            self.push(
                CommandType::ScheduleNexusOperation,
                Attributes::ScheduleNexusOperationCommandAttributes(attributes),
            );
        }
    }

    fn start_timer(&mut self, timer_id: &str, span: Span) {
        if !self.view.timers.contains(timer_id) {
            self.commands.push(start_timer(timer_id, span));
        }
    }

    fn marker(&mut self, name: &str) {
        if !self.view.markers.contains(name) {
            let marker_name = name.to_owned();
            let attributes = RecordMarkerCommandAttributes { marker_name, ..Default::default() };
            self.push(
                CommandType::RecordMarker,
                Attributes::RecordMarkerCommandAttributes(attributes),
            );
        }
    }

    fn memo(&mut self, name: &str) {
        if !self.view.memo_fields.contains(name) {
            let memo = Memo { fields: [(name.to_owned(), payload(name))].into() };
            let attributes =
                ModifyWorkflowPropertiesCommandAttributes { upserted_memo: Some(memo) };
            self.push(
                CommandType::ModifyWorkflowProperties,
                Attributes::ModifyWorkflowPropertiesCommandAttributes(attributes),
            );
        }
    }

    fn push(&mut self, command_type: CommandType, attributes: Attributes) {
        self.commands.push(command(command_type, attributes));
    }
}

fn command(command_type: CommandType, attributes: Attributes) -> Command {
    Command {
        command_type: command_type as i32,
        attributes: Some(attributes),
        ..Command::default()
    }
}

/// Zero is not a valid time: timers wait a millisecond at least.
pub(crate) fn start_timer(timer_id: &str, span: Span) -> Command {
    let span = span.max(Span::from_millis(1));
    let attributes = StartTimerCommandAttributes {
        timer_id: timer_id.to_owned(),
        start_to_fire_timeout: Some(span.to_proto()),
    };
    command(CommandType::StartTimer, Attributes::StartTimerCommandAttributes(attributes))
}

fn child(workflow_id: &str) -> StartChildWorkflowExecutionCommandAttributes {
    StartChildWorkflowExecutionCommandAttributes {
        workflow_id: workflow_id.to_owned(),
        workflow_type: Some(WorkflowType { name: "workflow".to_owned() }),
        input: Some(payloads(&input(workflow_id, 0))),
        ..Default::default()
    }
}

/// What a child waits for.
fn news(workflow_id: String) -> SignalExternalWorkflowExecutionCommandAttributes {
    SignalExternalWorkflowExecutionCommandAttributes {
        execution: Some(WorkflowExecution { workflow_id, ..Default::default() }),
        signal_name: "news".to_owned(),
        child_workflow_only: true,
        ..Default::default()
    }
}

pub(crate) fn schedule_activity(
    activity_id: &str,
    plan: ActivityPlan,
    queue: &str,
) -> ScheduleActivityTaskCommandAttributes {
    let start_to_close = match plan.behaviour {
        Behaviour::Complete | Behaviour::FailFirst(_) | Behaviour::FailForGood => 10,
        Behaviour::VanishFirst(_) | Behaviour::Vanish => 2,
        Behaviour::ReportFirst(_) | Behaviour::AwaitCancel => 60,
    };
    let heartbeat_timeout = match plan.behaviour {
        Behaviour::ReportFirst(_) => Some(Span::from_secs(1).to_proto()),
        Behaviour::AwaitCancel => Some(Span::from_secs(3).to_proto()),
        _ => None,
    };
    ScheduleActivityTaskCommandAttributes {
        activity_id: activity_id.to_owned(),
        activity_type: Some(ActivityType { name: "activity".to_owned() }),
        task_queue: Some(TaskQueue { name: queue.to_owned(), ..Default::default() }),
        input: Some(payloads(activity_id)),
        start_to_close_timeout: Some(Span::from_secs(start_to_close).to_proto()),
        heartbeat_timeout,
        retry_policy: Some(RetryPolicy {
            initial_interval: Some(Span::from_millis(200).to_proto()),
            backoff_coefficient: 2.0,
            maximum_interval: Some(Span::from_secs(5).to_proto()),
            maximum_attempts: if plan.behaviour == Behaviour::Vanish { 2 } else { 0 },
            non_retryable_error_types: Vec::new(),
        }),
        request_eager_execution: plan.eager,
        ..Default::default()
    }
}

/// A failure as an application makes it.
pub(crate) fn failure(message: &str, non_retryable: bool) -> Failure {
    let info = ApplicationFailureInfo { non_retryable, ..Default::default() };
    Failure {
        message: message.to_owned(),
        failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
        ..Default::default()
    }
}
