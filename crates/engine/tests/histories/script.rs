//! A scripted run, written down as one readable list: events, `~` changes that no event shows, `>`
//! durable tasks, `=` replies, `!` rejections.

use std::{fmt::Write as _, sync::Arc};

use api::{
    command::v1::{Command, command::Attributes},
    common::v1::{ActivityType, RetryPolicy, WorkflowExecution, WorkflowType},
    enums::v1::EventType,
    failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo},
    history::v1::{HistoryEvent, WorkflowExecutionStartedEventAttributes, history_event},
    protocol::v1::message,
    rules::v1::WorkflowRule,
    taskqueue::v1::TaskQueue,
    update::v1::outcome,
};
use engine::{
    Change, CompleteWorkflowTask, Context, Dispatch, HeldActivity, HeldWorkflowTask, Input,
    Mutation, ReapplyExclusions, Reply, Reset, RunReset, Signal, Start, StartActivity,
    StartWorkflowTask, State, Sticky, TaskAction, UpdateProgress, decide, evolve, is_current,
};
use model::{Limits, Span, Time};

const START: Time = Time::from_nanos(1_000_000_000_000);

pub(crate) struct Script {
    pub(crate) state: State,
    now: Time,
    limits: Limits,
    text: String,
    /// The last run that followed this one.
    pub(crate) next_run: Option<State>,
    events: Vec<HistoryEvent>,
    /// The version of the worker that polls.
    pub(crate) dispatch: Dispatch,
    /// Where that worker takes commands.
    pub(crate) worker_control_task_queue: String,
    /// The namespace's rules.
    pub(crate) rules: Vec<WorkflowRule>,
}

impl Script {
    /// A run of a workflow with these start attributes.
    pub(crate) fn start(change: impl FnOnce(&mut Start)) -> Self {
        let mut script = Self {
            state: State::default(),
            now: START,
            limits: Limits::default(),
            text: String::new(),
            next_run: None,
            events: Vec::new(),
            dispatch: Dispatch::default(),
            worker_control_task_queue: String::new(),
            rules: Vec::new(),
        };
        let mut start = Start {
            namespace_id: "namespace".to_owned(),
            run_id: "run".to_owned(),
            request_id: "request".to_owned(),
            attributes: WorkflowExecutionStartedEventAttributes {
                workflow_id: "workflow".to_owned(),
                workflow_type: Some(WorkflowType { name: "type".to_owned() }),
                task_queue: Some(TaskQueue { name: "queue".to_owned(), ..Default::default() }),
                ..Default::default()
            },
            ..Default::default()
        };
        change(&mut start);
        script.input("start", Input::Start(Box::new(start)));
        script
    }

    pub(crate) fn wait(&mut self, span: Span) -> &mut Self {
        self.now = self.now + span;
        self
    }

    pub(crate) fn limits(&mut self, change: impl FnOnce(&mut Limits)) -> &mut Self {
        change(&mut self.limits);
        self
    }

    /// Applies an input and writes down what it led to.
    pub(crate) fn input(&mut self, name: &str, input: Input) -> &mut Self {
        let context = Context {
            now: self.now,
            new_run_id: "next-run".to_owned(),
            namespace: "default",
            limits: &self.limits,
            retention: Span::from_secs(86_400),
            principal: None,
            rules: &self.rules,
        };
        let millis = self.now.since(START).millis();
        writeln!(self.text, "[{millis} ms] {name}").unwrap();
        match decide(&self.state, input, &context) {
            Ok(transition) => {
                self.write(&transition);
                self.events.extend(transition.changes.iter().filter_map(|change| match change {
                    Change::Event(event) => Some((**event).clone()),
                    Change::Mutation(_) => None,
                }));
                if let Some(new_run) = &transition.new_run {
                    writeln!(self.text, "    new run").unwrap();
                    self.write(new_run);
                    self.next_run = Some(State::clone(&new_run.state));
                }
                self.state = Arc::unwrap_or_clone(transition.state);
            }
            Err(rejection) => writeln!(self.text, "  ! {rejection}").unwrap(),
        }
        self
    }

    fn write(&mut self, transition: &engine::Transition) {
        for change in &transition.changes {
            match change {
                Change::Event(event) => {
                    let name = EventType::try_from(event.event_type).unwrap().as_str_name();
                    let name = name.trim_start_matches("EVENT_TYPE_");
                    let detail = detail(event.attributes.as_ref().unwrap());
                    writeln!(self.text, "  {} {name}{detail}", event.event_id).unwrap();
                }
                Change::Mutation(mutation) => {
                    writeln!(self.text, "  ~ {}", mutation_text(mutation)).unwrap();
                }
            }
        }
        for task in transition.tasks.iter().filter(|t| is_current(&transition.state, &t.action)) {
            let due = if task.due.is_set() {
                format!("at {} ms", task.due.since(START).millis())
            } else {
                "now".to_owned()
            };
            writeln!(self.text, "  > {:?} {due}", task.action).unwrap();
        }
        for notice in &transition.notices {
            let progress = match &notice.progress {
                UpdateProgress::Completed(outcome) => match &outcome.value {
                    Some(outcome::Value::Failure(failure)) => format!("fails: {}", failure.message),
                    _ => "completes".to_owned(),
                },
                progress => format!("{progress:?}"),
            };
            writeln!(self.text, "  * {} {progress}", notice.update_id).unwrap();
        }
        match &transition.reply {
            Reply::Done => {}
            Reply::Repeated => writeln!(self.text, "  = repeated").unwrap(),
            Reply::UpdateAdmitted => writeln!(self.text, "  = update admitted").unwrap(),
            Reply::UpdateKnown(stage) => {
                writeln!(self.text, "  = update known: {}", short(stage)).unwrap();
            }
            Reply::Refused(rejection) => writeln!(self.text, "  = refused: {rejection}").unwrap(),
            Reply::WorkflowTaskStarted(task) => {
                writeln!(
                    self.text,
                    "  = history {}..={} and {} transient events, attempt {}",
                    task.history_from,
                    task.history_through,
                    task.transient_events.len(),
                    task.attempt
                )
                .unwrap();
                self.write_messages(&task.messages);
            }
            Reply::WorkflowTaskCompleted(completed) => {
                if let Some(task) = &completed.workflow_task {
                    let (from, through) = (task.history_from, task.history_through);
                    writeln!(self.text, "  = next task with history {from}..={through}").unwrap();
                    self.write_messages(&task.messages);
                }
                if completed.reset_history_event_id != 0 {
                    let id = completed.reset_history_event_id;
                    writeln!(self.text, "  = back to event {id}").unwrap();
                }
                for activity in &completed.eager_activities {
                    let id = activity.scheduled_event_id;
                    writeln!(self.text, "  = eager activity {id}").unwrap();
                }
            }
            Reply::ActivityStarted(activity) => {
                writeln!(self.text, "  = attempt {}", activity.attempt).unwrap();
            }
            Reply::ActivityHeartbeat { cancel_requested, paused, reset } => {
                writeln!(self.text, "  = cancel requested: {cancel_requested}").unwrap();
                if *paused || *reset {
                    writeln!(self.text, "  = paused: {paused}, reset: {reset}").unwrap();
                }
            }
            Reply::RuleTriggered { applied } => {
                writeln!(self.text, "  = rule applied: {applied}").unwrap();
            }
            Reply::WorkflowOptions(options) => {
                let chosen = options.versioning_override.as_ref();
                let key = options.priority.as_ref().map_or(0, |priority| priority.priority_key);
                let pinned = chosen.map_or("none".to_owned(), |chosen| short(&chosen.r#override));
                writeln!(self.text, "  = override={pinned}, priority={key}").unwrap();
            }
            Reply::ActivityOptions(options) => {
                let timeout = options.start_to_close_timeout.unwrap().seconds;
                writeln!(self.text, "  = options, timeout={timeout}s").unwrap();
            }
        }
    }

    /// The run that a reset makes at an event, as a script of its own.
    pub(crate) fn reset(&mut self, end_event_id: i64) -> Self {
        let mut state = State::default();
        let (past, later): (Vec<_>, Vec<_>) =
            self.events.iter().cloned().partition(|event| event.event_id < end_event_id);
        for event in &past {
            evolve(&mut state, &Change::Event(Box::new(event.clone())));
        }
        let mut script = Self {
            state,
            now: self.now,
            limits: self.limits.clone(),
            text: String::new(),
            next_run: None,
            events: past,
            dispatch: Dispatch::default(),
            worker_control_task_queue: self.worker_control_task_queue.clone(),
            rules: Vec::new(),
        };
        let reset = Reset {
            run: RunReset {
                namespace_id: "namespace".to_owned(),
                run_id: "again".to_owned(),
                start_request_id: "request".to_owned(),
                reset_request_id: "reset".to_owned(),
                history_ancestors: Vec::new(),
                time: self.now,
                watchers: Vec::new(),
            },
            base_run_id: "run".to_owned(),
            reason: "why".to_owned(),
            reapplied: later
                .into_iter()
                .filter(|event| ReapplyExclusions::default().admit(event))
                .collect(),
            options: Vec::new(),
        };
        let name = format!("reset to event {end_event_id}");
        script.input(&name, Input::Reset(Box::new(reset)));
        script
    }

    fn write_messages(&mut self, messages: &[api::protocol::v1::Message]) {
        for message in messages {
            let Some(message::SequencingId::EventId(event_id)) = message.sequencing_id else {
                panic!("{message:?}")
            };
            writeln!(self.text, "  = message {} after event {event_id}", message.id).unwrap();
        }
    }

    pub(crate) fn signal(&mut self, request_id: &str) -> &mut Self {
        let signal = Signal {
            signal_name: "signal".to_owned(),
            request_id: request_id.to_owned(),
            ..Default::default()
        };
        self.input("signal", Input::Signal(Box::new(signal)))
    }

    /// A worker polls and gets the pending workflow task.
    pub(crate) fn start_task(&mut self) -> &mut Self {
        let task = self.state.workflow_task.clone().unwrap_or_default();
        let start = StartWorkflowTask {
            scheduled_event_id: task.scheduled_event_id,
            attempt: task.attempt,
            request_id: format!("poll-{}-{}", task.scheduled_event_id, task.attempt),
            identity: "worker".to_owned(),
            on_sticky_queue: task.on_sticky_queue,
            dispatch: self.dispatch.clone(),
        };
        self.input("start workflow task", Input::StartWorkflowTask(start))
    }

    pub(crate) fn held(&self) -> HeldWorkflowTask {
        let task = self.state.workflow_task.clone().unwrap_or_default();
        HeldWorkflowTask {
            scheduled_event_id: task.scheduled_event_id,
            started_event_id: task.started_event_id,
            attempt: task.attempt,
            started_time: task.started_time,
        }
    }

    pub(crate) fn complete_with(
        &mut self,
        commands: Vec<Attributes>,
        change: impl FnOnce(&mut CompleteWorkflowTask),
    ) -> &mut Self {
        let mut complete = CompleteWorkflowTask {
            task: self.held(),
            commands: commands.into_iter().map(command).collect(),
            identity: "worker".to_owned(),
            request_id: "inline".to_owned(),
            ..Default::default()
        };
        change(&mut complete);
        self.input("complete workflow task", Input::CompleteWorkflowTask(Box::new(complete)))
    }

    pub(crate) fn complete(&mut self, commands: Vec<Attributes>) -> &mut Self {
        self.complete_with(commands, |_| ())
    }

    pub(crate) fn start_activity(&mut self, scheduled_event_id: i64) -> &mut Self {
        let stamp = self.state.activities.get(&scheduled_event_id).map_or(0, |a| a.stamp);
        let start = StartActivity {
            scheduled_event_id,
            stamp,
            request_id: format!("poll-{scheduled_event_id}-{stamp}"),
            identity: "worker".to_owned(),
            worker_control_task_queue: self.worker_control_task_queue.clone(),
            dispatch: self.dispatch.clone(),
        };
        self.input("start activity", Input::StartActivity(start))
    }

    pub(crate) fn held_activity(&self, scheduled_event_id: i64) -> HeldActivity {
        let attempt = self.state.activities.get(&scheduled_event_id).map_or(1, |a| a.attempt);
        HeldActivity::Token { scheduled_event_id, attempt }
    }

    /// Time goes on to the earliest outstanding task of this kind, which then is due.
    pub(crate) fn due(&mut self, kind: impl Fn(&TaskAction) -> bool) -> &mut Self {
        let task = engine::outstanding_tasks(&self.state)
            .into_iter()
            .filter(|task| task.due.is_set() && kind(&task.action))
            .min_by_key(|task| task.due)
            .expect("such a task is outstanding");
        self.now = self.now.max(task.due);
        self.input("task due", Input::TaskDue(task.action))
    }

    /// As [`Script::due`], by everybody else's time and not by the run's.
    pub(crate) fn due_on_the_wall(&mut self, kind: impl Fn(&TaskAction) -> bool) -> &mut Self {
        let task = engine::outstanding_tasks(&self.state)
            .into_iter()
            .filter(|task| task.due.is_set() && kind(&task.action))
            .min_by_key(|task| task.due)
            .expect("such a task is outstanding");
        self.now = self.now.max(self.state.on_the_wall(task.due));
        self.input("task due", Input::TaskDue(task.action))
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

pub(crate) fn sticky() -> Option<Sticky> {
    Some(Sticky { task_queue: "sticky".to_owned(), schedule_to_start_timeout: Span::from_secs(5) })
}

/// A failure's words, and those of its causes.
fn told(failure: &Failure) -> String {
    let cause = failure.cause.as_ref();
    let because = cause.map(|cause| format!(" because {}", told(cause))).unwrap_or_default();
    format!("{:?}{because}", failure.message)
}

pub(crate) fn failure(non_retryable: bool) -> Failure {
    let info = ApplicationFailureInfo { non_retryable, ..Default::default() };
    Failure {
        message: "broken".to_owned(),
        failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
        ..Default::default()
    }
}

pub(crate) fn activity(
    activity_id: &str,
    change: impl FnOnce(&mut api::command::v1::ScheduleActivityTaskCommandAttributes),
) -> Attributes {
    let mut attributes = api::command::v1::ScheduleActivityTaskCommandAttributes {
        activity_id: activity_id.to_owned(),
        activity_type: Some(ActivityType { name: "activity".to_owned() }),
        task_queue: Some(TaskQueue { name: "queue".to_owned(), ..Default::default() }),
        start_to_close_timeout: Some(Span::from_secs(10).to_proto()),
        retry_policy: Some(RetryPolicy { maximum_attempts: 2, ..Default::default() }),
        ..Default::default()
    };
    change(&mut attributes);
    Attributes::ScheduleActivityTaskCommandAttributes(attributes)
}

pub(crate) fn timer(timer_id: &str, seconds: i64) -> Attributes {
    Attributes::StartTimerCommandAttributes(api::command::v1::StartTimerCommandAttributes {
        timer_id: timer_id.to_owned(),
        start_to_fire_timeout: Some(Span::from_secs(seconds).to_proto()),
    })
}

pub(crate) fn complete_workflow() -> Attributes {
    Attributes::CompleteWorkflowExecutionCommandAttributes(Default::default())
}

fn command(attributes: Attributes) -> Command {
    let command_type = engine::command_type(&attributes);
    Command {
        command_type: command_type as i32,
        attributes: Some(attributes),
        ..Default::default()
    }
}

/// The first word of what something is called.
fn short(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").split(['(', ' ']).next().unwrap_or_default().to_owned()
}

/// The few attributes that tell events of one type apart.
fn detail(attributes: &history_event::Attributes) -> String {
    use history_event::Attributes as A;
    match attributes {
        A::WorkflowTaskScheduledEventAttributes(a) => format!(
            " queue={} attempt={} timeout={}s",
            a.task_queue.as_ref().unwrap().name,
            a.attempt,
            a.start_to_close_timeout.unwrap().seconds
        ),
        A::WorkflowTaskStartedEventAttributes(a) if a.target_worker_deployment_version_changed => {
            " target version changed".to_owned()
        }
        A::WorkflowTaskCompletedEventAttributes(a) if a.deployment_version.is_some() => format!(
            " by {} {}",
            a.deployment_version.as_ref().unwrap().build_id,
            a.versioning_behavior().as_str_name().replace("VERSIONING_BEHAVIOR_", "")
        ),
        A::WorkflowTaskFailedEventAttributes(a) => {
            format!(" cause={}", a.cause().as_str_name().replace("WORKFLOW_TASK_FAILED_CAUSE_", ""))
        }
        A::WorkflowTaskTimedOutEventAttributes(a) => {
            format!(" {}", a.timeout_type().as_str_name())
        }
        A::ActivityTaskStartedEventAttributes(a) => {
            format!(" scheduled={} attempt={}", a.scheduled_event_id, a.attempt)
        }
        A::ActivityTaskCompletedEventAttributes(a) => {
            format!(" scheduled={} started={}", a.scheduled_event_id, a.started_event_id)
        }
        A::ActivityTaskFailedEventAttributes(a) => format!(
            " scheduled={} started={} {}",
            a.scheduled_event_id,
            a.started_event_id,
            a.retry_state().as_str_name()
        ),
        A::ActivityTaskTimedOutEventAttributes(a) => format!(
            " scheduled={} started={} {} {}",
            a.scheduled_event_id,
            a.started_event_id,
            a.retry_state().as_str_name(),
            told(a.failure.as_ref().unwrap())
        ),
        A::ActivityTaskCanceledEventAttributes(a) => format!(
            " scheduled={} started={} requested={}",
            a.scheduled_event_id, a.started_event_id, a.latest_cancel_requested_event_id
        ),
        A::WorkflowExecutionTimeSkippingTransitionedEventAttributes(a) => format!(
            " to={} ends={} at={} ms",
            a.target_time
                .map_or(0, |_| Time::from_proto(a.target_time.as_ref()).since(START).millis()),
            a.disabled_after_fast_forward,
            Time::from_proto(a.wall_clock_time.as_ref()).since(START).millis()
        ),
        A::TimerFiredEventAttributes(a) => {
            format!(" id={} started={}", a.timer_id, a.started_event_id)
        }
        A::TimerCanceledEventAttributes(a) => {
            format!(" id={} started={}", a.timer_id, a.started_event_id)
        }
        A::WorkflowExecutionFailedEventAttributes(a) => {
            format!(" {} next={:?}", a.retry_state().as_str_name(), a.new_execution_run_id)
        }
        A::WorkflowExecutionCompletedEventAttributes(a) if !a.new_execution_run_id.is_empty() => {
            format!(" next={}", a.new_execution_run_id)
        }
        A::WorkflowExecutionTimedOutEventAttributes(a) => {
            format!(" {} next={:?}", a.retry_state().as_str_name(), a.new_execution_run_id)
        }
        A::WorkflowExecutionContinuedAsNewEventAttributes(a) => {
            format!(" next={}", a.new_execution_run_id)
        }
        A::WorkflowExecutionStartedEventAttributes(a) => format!(
            " run={} attempt={} backoff={}s{}",
            a.original_execution_run_id,
            a.attempt,
            a.first_workflow_task_backoff.unwrap_or_default().seconds,
            inherited(a)
        ),
        A::WorkflowExecutionUpdateAcceptedEventAttributes(a) => format!(
            " {} request={} after={}",
            a.protocol_instance_id,
            a.accepted_request.is_some(),
            a.accepted_request_sequencing_event_id
        ),
        A::WorkflowExecutionOptionsUpdatedEventAttributes(a) => {
            let options = a.workflow_update_options.iter();
            options.map(|it| format!(" {} by {}", it.update_id, it.attached_request_id)).collect()
        }
        A::WorkflowExecutionUpdateCompletedEventAttributes(a) => {
            format!(" {} accepted={}", a.meta.as_ref().unwrap().update_id, a.accepted_event_id)
        }
        A::WorkflowExecutionTerminatedEventAttributes(a) => format!(" {:?}", a.reason),
        A::StartChildWorkflowExecutionInitiatedEventAttributes(a) => format!(
            " id={} queue={} {} {}",
            a.workflow_id,
            a.task_queue.as_ref().unwrap().name,
            a.parent_close_policy().as_str_name(),
            a.workflow_id_reuse_policy().as_str_name()
        ),
        A::StartChildWorkflowExecutionFailedEventAttributes(a) => {
            format!(" initiated={} {}", a.initiated_event_id, a.cause().as_str_name())
        }
        A::ChildWorkflowExecutionStartedEventAttributes(a) => format!(
            " initiated={} run={}",
            a.initiated_event_id,
            a.workflow_execution.as_ref().unwrap().run_id
        ),
        A::ChildWorkflowExecutionCompletedEventAttributes(a) => {
            child_closed(a.initiated_event_id, a.started_event_id, &a.workflow_execution)
        }
        A::ChildWorkflowExecutionFailedEventAttributes(a) => {
            child_closed(a.initiated_event_id, a.started_event_id, &a.workflow_execution)
        }
        A::ChildWorkflowExecutionCanceledEventAttributes(a) => {
            child_closed(a.initiated_event_id, a.started_event_id, &a.workflow_execution)
        }
        A::ChildWorkflowExecutionTimedOutEventAttributes(a) => {
            child_closed(a.initiated_event_id, a.started_event_id, &a.workflow_execution)
        }
        A::ChildWorkflowExecutionTerminatedEventAttributes(a) => {
            child_closed(a.initiated_event_id, a.started_event_id, &a.workflow_execution)
        }
        A::SignalExternalWorkflowExecutionFailedEventAttributes(a) => {
            format!(" initiated={} {}", a.initiated_event_id, a.cause().as_str_name())
        }
        A::RequestCancelExternalWorkflowExecutionFailedEventAttributes(a) => {
            format!(" initiated={} {}", a.initiated_event_id, a.cause().as_str_name())
        }
        A::ExternalWorkflowExecutionSignaledEventAttributes(a) => {
            format!(" initiated={}", a.initiated_event_id)
        }
        A::ExternalWorkflowExecutionCancelRequestedEventAttributes(a) => {
            format!(" initiated={}", a.initiated_event_id)
        }
        _ => String::new(),
    }
}

fn mutation_text(mutation: &Mutation) -> String {
    let text = format!("{mutation:?}");
    let name = text.split('(').next().unwrap_or_default().to_owned();
    match mutation {
        Mutation::EventBuffered(event) => {
            let event_type = EventType::try_from(event.event_type).unwrap().as_str_name();
            format!("{name} {}", event_type.trim_start_matches("EVENT_TYPE_"))
        }
        Mutation::WorkflowTaskScheduled(scheduled) => format!(
            "{name} as {} attempt={} timeout={}s",
            scheduled.scheduled_event_id,
            scheduled.attempt,
            scheduled.start_to_close_timeout.millis() / 1000
        ),
        Mutation::SpeculativeWorkflowTaskSet(set) => match &set.task {
            None => format!("{name} none"),
            Some(task) => {
                format!("{name} {} started={}", task.scheduled_event_id, task.started_event_id)
            }
        },
        Mutation::VersionTransitionSet(set) => {
            let version = set.transition.as_ref().and_then(|t| t.deployment_version.as_ref());
            format!("{name} {:?}", version.map(|version| &version.build_id))
        }
        Mutation::StickySet(set) => format!("{name} {}", set.sticky.is_some()),
        _ => name,
    }
}

fn child_closed(initiated: i64, started: i64, execution: &Option<WorkflowExecution>) -> String {
    let run_id = &execution.as_ref().unwrap().run_id;
    format!(" initiated={initiated} started={started} run={run_id}")
}

fn inherited(started: &WorkflowExecutionStartedEventAttributes) -> String {
    let mut text = String::new();
    if let Some(version) = &started.inherited_pinned_version {
        write!(text, " pinned={}", version.build_id).unwrap();
    }
    if let Some(info) = &started.inherited_auto_upgrade_info {
        let version = info.source_deployment_version.as_ref().unwrap();
        write!(text, " from={}", version.build_id).unwrap();
    }
    if started.versioning_override.is_some() {
        text.push_str(" override");
    }
    if let Some(declined) = &started.declined_target_version_upgrade {
        let version = declined.deployment_version.as_ref().map(|version| &version.build_id);
        write!(text, " declined={version:?}").unwrap();
    }
    text
}
