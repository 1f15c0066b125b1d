//! A run that random steps are played on: everything that happened, and what is due.

use api::{
    activity::v1::ActivityOptions,
    command::v1::{
        CancelTimerCommandAttributes, CancelWorkflowExecutionCommandAttributes, Command,
        CompleteWorkflowExecutionCommandAttributes,
        ContinueAsNewWorkflowExecutionCommandAttributes, FailWorkflowExecutionCommandAttributes,
        ModifyWorkflowPropertiesCommandAttributes, RecordMarkerCommandAttributes,
        RequestCancelActivityTaskCommandAttributes,
        RequestCancelExternalWorkflowExecutionCommandAttributes,
        ScheduleActivityTaskCommandAttributes, SignalExternalWorkflowExecutionCommandAttributes,
        StartChildWorkflowExecutionCommandAttributes, StartTimerCommandAttributes,
        UpsertWorkflowSearchAttributesCommandAttributes, command::Attributes,
    },
    common::v1::{
        ActivityType, FastForwardConfig, Memo, RetryPolicy, SearchAttributes, TimeSkippingConfig,
        WorkflowExecution, WorkflowType,
    },
    deployment::v1::WorkerDeploymentVersion,
    enums::v1::{
        CancelExternalWorkflowExecutionFailedCause, SignalExternalWorkflowExecutionFailedCause,
        StartChildWorkflowExecutionFailedCause, VersioningBehavior, WorkflowTaskFailedCause,
    },
    failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo},
    history::v1::{
        HistoryEvent, WorkflowExecutionStartedEventAttributes, history_event::Attributes as Event,
    },
    taskqueue::v1::TaskQueue,
};
use engine::{
    ActivitySelection, AttachRequest, CancelActivity, Change, ChildClosed, CompleteActivity,
    CompleteWorkflowTask, Context, Dispatch, FailActivity, FailWorkflowTask, HeartbeatActivity,
    HeldActivity, HeldWorkflowTask, Input, Outcome, PauseActivity, Rejection, RequestCancel,
    ResetActivity, SearchAttributesRefusal, SetActivityOptions, Signal, Start, StartActivity,
    StartWorkflowTask, State, Sticky, TargetVersion, Task, TaskAction, Terminate, Transition,
    UnpauseActivity, WorkerCommandsRef, decide,
};
use model::{Limits, Span, Time};

use crate::{nexus, operations, updates};

/// One random step: what kind, which of the candidates, and how long after the last one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) kind: u8,
    pub(crate) pick: u8,
    pub(crate) wait_millis: u16,
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: Time,
    pub(crate) limits: Limits,
    pub(crate) events: Vec<HistoryEvent>,
    pub(crate) changes: Vec<Change>,
    pub(crate) emitted: Vec<Task>,
    /// Tasks that a crash forgets.
    pub(crate) volatile: Vec<Task>,
    pub(crate) accepted: usize,
    pub(crate) rejected: usize,
}

/// Policies from here on are those below, in runs that buffer nothing.
pub(crate) const BUFFERS_NOTHING: u8 = 128;

/// Every event has more.
const NO_EVENT_BYTES: usize = 1;

/// Few of everything. From [`BUFFERS_NOTHING`] on no event may wait for the end of a task.
pub(crate) fn small_limits(policy: u8) -> Limits {
    let buffers_nothing = policy >= BUFFERS_NOTHING;
    Limits {
        pending_max: 4,
        buffered_events_max: 5,
        buffered_events_bytes_max: if buffers_nothing { NO_EVENT_BYTES } else { usize::MAX },
        signals_per_run_max: 12,
        updates_in_flight_max: 3,
        updates_per_run_max: 8,
        callbacks_per_run_max: 10,
        ..Limits::default()
    }
}

impl World {
    /// A run that has just started.
    pub(crate) fn new(policy: u8) -> Self {
        let mut world = Self {
            state: State::default(),
            now: Time::from_nanos(1_000_000_000_000),
            limits: small_limits(policy),
            events: Vec::new(),
            changes: Vec::new(),
            emitted: Vec::new(),
            volatile: Vec::new(),
            accepted: 0,
            rejected: 0,
        };
        let seconds = |seconds| Some(Span::from_secs(seconds).to_proto());
        let attributes = WorkflowExecutionStartedEventAttributes {
            workflow_id: "workflow".to_owned(),
            workflow_type: Some(WorkflowType { name: "type".to_owned() }),
            task_queue: Some(TaskQueue { name: "queue".to_owned(), ..Default::default() }),
            workflow_execution_timeout: (policy & 1 != 0).then(|| seconds(40)).flatten(),
            workflow_run_timeout: (policy & 2 != 0).then(|| seconds(25)).flatten(),
            retry_policy: (policy & 4 != 0)
                .then(|| RetryPolicy { maximum_attempts: 3, ..Default::default() }),
            parent_workflow_execution: (policy & 32 != 0).then(|| WorkflowExecution {
                workflow_id: "parent".to_owned(),
                run_id: "parent-run".to_owned(),
            }),
            completion_callbacks: (policy & 64 != 0).then(nexus::callback).into_iter().collect(),
            first_workflow_task_backoff: (policy & 8 != 0).then(|| seconds(2)).flatten(),
            time_skipping_config: time_skipping(policy),
            cron_schedule: if policy & 32 != 0 { "@every 3s".to_owned() } else { String::new() },
            ..Default::default()
        };
        let start = Start {
            namespace_id: "namespace".to_owned(),
            run_id: "run".to_owned(),
            request_id: "request".to_owned(),
            attributes,
            signal: (policy & 16 != 0).then(|| Box::new(signal(0))),
            update: (policy & 32 != 0).then(|| updates::request(0)),
            ..Default::default()
        };
        let transition = world.decide(Input::Start(Box::new(start))).unwrap();
        world.accept(&transition);
        world
    }

    /// Whether no event may wait for the end of a task.
    pub(crate) const fn buffers_nothing(&self) -> bool {
        self.limits.buffered_events_bytes_max == NO_EVENT_BYTES
    }

    /// Kinds of steps.
    pub(crate) const KINDS: u8 = 29;

    /// The run as it is, without what only tells how it came there.
    pub(crate) fn without_past(&self) -> Self {
        Self {
            state: self.state.clone(),
            limits: self.limits.clone(),
            emitted: self.emitted.clone(),
            volatile: self.volatile.clone(),
            events: Vec::new(),
            changes: Vec::new(),
            ..*self
        }
    }

    pub(crate) fn decide(&self, input: Input) -> Result<Transition, Rejection> {
        decide_at(&self.state, self.now, &self.limits, input)
    }

    /// Takes over what was decided.
    pub(crate) fn accept(&mut self, transition: &Transition) {
        for change in &transition.changes {
            if let Change::Event(event) = change {
                self.events.push((**event).clone());
            }
        }
        self.changes.extend(transition.changes.iter().cloned());
        let is_volatile = |task: &&Task| engine::is_volatile(&transition.state, &task.action);
        self.volatile.extend(transition.tasks.iter().filter(is_volatile).cloned());
        self.emitted.extend(transition.tasks.iter().filter(|task| !is_volatile(task)).cloned());
        self.state = State::clone(&transition.state);
    }

    /// The process dies: what was in memory only is gone.
    pub(crate) fn crash(&mut self) {
        self.state = self.state.durable();
        self.changes.retain(Change::is_stored);
        self.volatile.clear();
    }

    /// The input that a step stands for in this state.
    pub(crate) fn input(&self, step: Step) -> Input {
        let pick = usize::from(step.pick);
        match step.kind % Self::KINDS {
            0 | 1 => Input::Signal(Box::new(signal(step.pick))),
            2 => Input::RequestCancel(RequestCancel::default()),
            3 if step.pick < 16 => Input::Terminate(Terminate::default()),
            3 if step.pick < 24 => Input::RecordReset("other".to_owned()),
            3 if step.pick < 64 => Input::AttachRequest(AttachRequest {
                request_id: format!("start-{}", step.pick % 6),
                completion_callbacks: vec![nexus::callback()],
                ..Default::default()
            }),
            3 if step.pick < 144 => operations::input(step.pick),
            4..=6 => self.start_workflow_task(step.pick),
            7..=10 => self.complete_workflow_task(step.pick),
            11 => Input::FailWorkflowTask(Box::new(FailWorkflowTask {
                task: self.held(step.pick),
                cause: WorkflowTaskFailedCause::WorkflowWorkerUnhandledFailure,
                ..Default::default()
            })),
            12 | 13 => {
                let candidates: Vec<_> = self.state.activities.iter().collect();
                let (scheduled_event_id, stamp) = candidates
                    .get(pick % candidates.len().max(1))
                    .map_or((7, 1), |(id, activity)| (**id, activity.stamp));
                Input::StartActivity(StartActivity {
                    scheduled_event_id,
                    stamp,
                    request_id: format!("poll-{}", step.pick % 3),
                    identity: "worker".to_owned(),
                    worker_control_task_queue: control_task_queue(step.pick),
                    dispatch: self.dispatch(step.pick),
                })
            }
            14 => Input::CompleteActivity(CompleteActivity {
                activity: self.held_activity(step.pick),
                result: None,
                identity: String::new(),
            }),
            15 => Input::FailActivity(Box::new(FailActivity {
                activity: self.held_activity(step.pick),
                failure: Some(failure(step.pick % 4 == 0)),
                identity: String::new(),
                last_heartbeat_details: None,
            })),
            16 => Input::CancelActivity(CancelActivity {
                activity: self.held_activity(step.pick),
                details: None,
                identity: String::new(),
            }),
            17 => Input::HeartbeatActivity(HeartbeatActivity {
                activity: self.held_activity(step.pick),
                details: None,
                identity: String::new(),
            }),
            18 if step.pick % 2 == 0 => Input::LeaveStickyQueue,
            18 => Input::ResetStickyTaskQueue,
            20..=22 => self.outcome(step.pick),
            23 => self.child_closed(step.pick),
            24 => self.operation(step.pick),
            25 | 26 => nexus::input(self, step.pick),
            27 | 28 => Input::UpdateWorkflow(updates::request(step.pick)),
            // Any task that was ever emitted may come, on time, early or again.
            _ => self
                .emitted
                .get(pick % self.emitted.len().max(1))
                .map_or(Input::ResetStickyTaskQueue, |task| Input::TaskDue(task.action)),
        }
    }

    /// The next task that is due by now and still has something to do.
    pub(crate) fn due_task(&self) -> Option<TaskAction> {
        engine::outstanding_tasks(&self.state)
            .into_iter()
            .find(|task| task.due.is_set() && self.state.on_the_wall(task.due) <= self.now)
            .map(|task| task.action)
    }

    /// What the shell says about work towards other runs: of what waits, or of nothing.
    fn outcome(&self, pick: u8) -> Input {
        let any = |ids: Vec<i64>| ids.get(usize::from(pick / 8) % ids.len().max(1)).copied();
        let child = any(self.state.children.keys().copied().collect()).unwrap_or(9);
        let signal = any(self.state.external_signals.keys().copied().collect()).unwrap_or(9);
        let cancel = any(self.state.external_cancels.keys().copied().collect()).unwrap_or(9);
        Input::Outcome(match pick % 8 {
            0 | 1 => Outcome::ChildStarted {
                initiated_event_id: child,
                run_id: format!("child-{child}"),
            },
            2 => Outcome::ChildStartFailed {
                initiated_event_id: child,
                cause: StartChildWorkflowExecutionFailedCause::WorkflowAlreadyExists,
            },
            3 => Outcome::ExternalSignal {
                initiated_event_id: signal,
                failed: (pick > 127).then_some(
                    SignalExternalWorkflowExecutionFailedCause::ExternalWorkflowExecutionNotFound,
                ),
            },
            4 => Outcome::ExternalCancel {
                initiated_event_id: cancel,
                failed: (pick > 127).then_some(
                    CancelExternalWorkflowExecutionFailedCause::ExternalWorkflowExecutionNotFound,
                ),
            },
            5 => Outcome::ChildReleased { initiated_event_id: child },
            6 => Outcome::ParentInformed,
            7 if pick > 127 => {
                let number = self.state.worker_commands.keys().next().copied().unwrap_or(9);
                Outcome::WorkerCommandsSent(WorkerCommandsRef { number })
            }
            _ => Outcome::ClosePolicyApplied,
        })
    }

    fn child_closed(&self, pick: u8) -> Input {
        let children: Vec<_> = self.state.children.iter().collect();
        let (id, workflow_id) = children
            .get(usize::from(pick) % children.len().max(1))
            .map_or((9, "0"), |(id, child)| (**id, child.workflow_id()));
        let first = if pick % 16 == 0 { "another".to_owned() } else { format!("child-{id}") };
        Input::ChildClosed(Box::new(ChildClosed {
            initiated_event_id: id,
            execution: WorkflowExecution {
                workflow_id: workflow_id.to_owned(),
                run_id: "last".to_owned(),
            },
            first_execution_run_id: first,
            close: match pick % 5 {
                0 => Event::WorkflowExecutionCompletedEventAttributes(Default::default()),
                1 => Event::WorkflowExecutionFailedEventAttributes(Default::default()),
                2 => Event::WorkflowExecutionCanceledEventAttributes(Default::default()),
                3 => Event::WorkflowExecutionTimedOutEventAttributes(Default::default()),
                _ => Event::WorkflowExecutionTerminatedEventAttributes(Default::default()),
            },
        }))
    }

    /// What a person does to activities.
    fn operation(&self, pick: u8) -> Input {
        let first = self.state.activities.values().next();
        let selection = match (pick % 3, first) {
            (0, Some(activity)) => ActivitySelection::Id(activity.activity_id().to_owned()),
            (1, _) => ActivitySelection::Type("activity".to_owned()),
            _ => ActivitySelection::All,
        };
        let jitter = if pick % 5 == 0 { Span::from_secs(2) } else { Span::ZERO };
        let seed = u64::from(pick);
        match pick % 4 {
            0 => Input::PauseActivity(PauseActivity {
                selection,
                identity: "somebody".to_owned(),
                reason: "why".to_owned(),
                request_id: format!("pause-{}", pick % 7),
            }),
            1 => Input::UnpauseActivity(UnpauseActivity {
                selection,
                resets_attempts: pick % 7 == 0,
                resets_heartbeat: pick % 11 == 0,
                jitter,
                seed,
            }),
            2 => Input::ResetActivity(ResetActivity {
                selection,
                resets_heartbeat: pick % 7 == 0,
                keeps_paused: pick % 11 == 0,
                restores_options: pick % 13 == 0,
                jitter,
                seed,
            }),
            _ => Input::SetActivityOptions(Box::new(SetActivityOptions {
                selection,
                change: (pick % 7 != 0).then(|| {
                    let options = ActivityOptions {
                        start_to_close_timeout: Some(
                            Span::from_secs(i64::from(pick % 6)).to_proto(),
                        ),
                        retry_policy: Some(RetryPolicy::default()),
                        ..Default::default()
                    };
                    let paths = ["start_to_close_timeout", "retry_policy"];
                    (options, paths.map(str::to_owned).into())
                }),
            })),
        }
    }

    fn start_workflow_task(&self, pick: u8) -> Input {
        let (scheduled_event_id, attempt, sticky) =
            self.state.workflow_task.as_ref().map_or((2, 1, false), |task| {
                (task.scheduled_event_id, task.attempt, task.on_sticky_queue)
            });
        Input::StartWorkflowTask(StartWorkflowTask {
            scheduled_event_id,
            attempt,
            request_id: format!("poll-{}", pick % 3),
            identity: "worker".to_owned(),
            on_sticky_queue: sticky,
            dispatch: self.dispatch(pick),
        })
    }

    /// Mostly a worker of the version that the run has; a pinned run seldom meets others.
    fn dispatch(&self, pick: u8) -> Dispatch {
        let other = pick % 8 == 7;
        let version =
            if other { version(pick / 8) } else { self.state.effective_version().cloned() };
        let target =
            TargetVersion { version: version.clone(), revision_number: i64::from(pick % 4) };
        Dispatch { version, target: (pick % 5 != 0).then_some(target) }
    }

    fn held(&self, pick: u8) -> HeldWorkflowTask {
        self.state.workflow_task.as_ref().filter(|_| pick % 8 != 0).map_or_else(
            || HeldWorkflowTask {
                scheduled_event_id: 2,
                started_event_id: 3,
                attempt: 1,
                ..Default::default()
            },
            |task| HeldWorkflowTask {
                scheduled_event_id: task.scheduled_event_id,
                started_event_id: task.started_event_id,
                attempt: task.attempt,
                started_time: task.started_time,
            },
        )
    }

    fn held_activity(&self, pick: u8) -> HeldActivity {
        let candidates: Vec<_> = self.state.activities.iter().collect();
        match candidates.get(usize::from(pick) % candidates.len().max(1)) {
            Some((_, activity)) if pick % 3 == 0 => {
                HeldActivity::Id(activity.activity_id().to_owned())
            }
            Some((id, activity)) => HeldActivity::Token {
                scheduled_event_id: **id,
                attempt: if pick % 11 == 0 { 1 } else { activity.attempt },
            },
            None => HeldActivity::Token { scheduled_event_id: 5, attempt: 1 },
        }
    }

    fn complete_workflow_task(&self, pick: u8) -> Input {
        let (messages, named) = updates::answers(&self.state, pick);
        // Some answers are about updates alone.
        let alone = !self.state.updates.is_empty() && pick % 4 == 1;
        let mut commands = named;
        if !alone {
            commands.extend(self.commands(pick));
        }
        Input::CompleteWorkflowTask(Box::new(CompleteWorkflowTask {
            task: self.held(pick),
            commands,
            messages,
            takes_back_speculative_events: pick % 5 == 0,
            sticky: (pick % 3 == 0).then(|| Sticky {
                task_queue: "sticky".to_owned(),
                schedule_to_start_timeout: Span::from_secs(5),
            }),
            return_new_workflow_task: pick % 2 == 0,
            force_create_new_workflow_task: pick % 13 == 0,
            request_id: "inline".to_owned(),
            nexus_endpoints: [("endpoint".to_owned(), "endpoint-id".to_owned())].into(),
            search_attributes_refusals: (pick % 7 == 0)
                .then(|| (0, SearchAttributesRefusal::Unfit("refused".to_owned())))
                .into_iter()
                .collect(),
            deployment_version: self.state.effective_version().cloned().filter(|_| pick % 32 != 31),
            worker_deployment_name: "deployment".to_owned(),
            versioning_behavior: match pick % 5 {
                0 => VersioningBehavior::Unspecified,
                1 => VersioningBehavior::Pinned,
                _ => VersioningBehavior::AutoUpgrade,
            },
            ..Default::default()
        }))
    }

    fn commands(&self, pick: u8) -> Vec<Command> {
        let count = usize::from(pick % 4);
        let mut commands: Vec<Command> = (0..count)
            .map(|index| self.command(pick.wrapping_mul(7).wrapping_add(index as u8 * 31)))
            .collect();
        if pick % 16 == 15 {
            commands.push(closing(pick / 16));
        }
        commands
    }

    fn command(&self, pick: u8) -> Command {
        let name = format!("{}", pick % 5);
        let attributes = match pick % 15 {
            0..=2 => Attributes::ScheduleActivityTaskCommandAttributes(
                ScheduleActivityTaskCommandAttributes {
                    activity_id: name,
                    activity_type: Some(ActivityType { name: "activity".to_owned() }),
                    task_queue: Some(TaskQueue { name: "queue".to_owned(), ..Default::default() }),
                    start_to_close_timeout: Some(Span::from_secs(3).to_proto()),
                    schedule_to_close_timeout: (pick % 2 == 0)
                        .then(|| Span::from_secs(8).to_proto()),
                    schedule_to_start_timeout: (pick % 3 == 0)
                        .then(|| Span::from_secs(2).to_proto()),
                    heartbeat_timeout: (pick % 4 == 0).then(|| Span::from_secs(1).to_proto()),
                    retry_policy: Some(RetryPolicy {
                        maximum_attempts: i32::from(pick % 4),
                        ..Default::default()
                    }),
                    request_eager_execution: pick % 7 == 0,
                    ..Default::default()
                },
            ),
            3 | 4 => Attributes::StartTimerCommandAttributes(StartTimerCommandAttributes {
                timer_id: name,
                start_to_fire_timeout: Some(Span::from_secs(i64::from(pick % 6)).to_proto()),
            }),
            5 => Attributes::CancelTimerCommandAttributes(CancelTimerCommandAttributes {
                timer_id: self.state.timers.keys().next().cloned().unwrap_or(name),
            }),
            6 => Attributes::RequestCancelActivityTaskCommandAttributes(
                RequestCancelActivityTaskCommandAttributes {
                    scheduled_event_id: self.state.activities.keys().next().copied().unwrap_or(1),
                },
            ),
            7 => Attributes::RecordMarkerCommandAttributes(RecordMarkerCommandAttributes {
                marker_name: "marker".to_owned(),
                ..Default::default()
            }),
            8 | 9 => Attributes::StartChildWorkflowExecutionCommandAttributes(
                StartChildWorkflowExecutionCommandAttributes {
                    workflow_id: name,
                    workflow_type: Some(WorkflowType { name: "child".to_owned() }),
                    parent_close_policy: i32::from(pick % 4),
                    ..Default::default()
                },
            ),
            10 => Attributes::SignalExternalWorkflowExecutionCommandAttributes(
                SignalExternalWorkflowExecutionCommandAttributes {
                    execution: Some(WorkflowExecution { workflow_id: name, ..Default::default() }),
                    signal_name: "signal".to_owned(),
                    ..Default::default()
                },
            ),
            11 => Attributes::RequestCancelExternalWorkflowExecutionCommandAttributes(
                RequestCancelExternalWorkflowExecutionCommandAttributes {
                    workflow_id: name,
                    child_workflow_only: pick % 2 == 0,
                    ..Default::default()
                },
            ),
            12 | 13 => nexus::command(&self.state, pick),
            _ if pick % 2 == 0 => Attributes::ModifyWorkflowPropertiesCommandAttributes(
                ModifyWorkflowPropertiesCommandAttributes {
                    upserted_memo: Some(Memo {
                        fields: [("key".to_owned(), Default::default())].into(),
                    }),
                },
            ),
            _ => Attributes::UpsertWorkflowSearchAttributesCommandAttributes(
                UpsertWorkflowSearchAttributesCommandAttributes {
                    search_attributes: Some(SearchAttributes {
                        indexed_fields: [("Known".to_owned(), Default::default())].into(),
                    }),
                },
            ),
        };
        command(attributes)
    }
}

/// Some runs skip time, some of them only as far as a fast-forward leads.
fn time_skipping(policy: u8) -> Option<TimeSkippingConfig> {
    let fast_forward_config = (policy % 5 == 1).then(|| FastForwardConfig {
        id: "there".to_owned(),
        duration: Some(Span::from_secs(20).to_proto()),
    });
    (policy % 5 < 2).then_some(TimeSkippingConfig {
        enabled: true,
        fast_forward_config,
        max_session_skip_count: 3,
        ..Default::default()
    })
}

fn version(number: u8) -> Option<WorkerDeploymentVersion> {
    (number % 3 != 0).then(|| WorkerDeploymentVersion {
        deployment_name: "deployment".to_owned(),
        build_id: (number % 3).to_string(),
    })
}

pub(crate) fn decide_at(
    state: &State,
    now: Time,
    limits: &Limits,
    input: Input,
) -> Result<Transition, Rejection> {
    let context = Context {
        now,
        new_run_id: "next-run".to_owned(),
        namespace: "default",
        limits,
        retention: Span::from_secs(3600),
        principal: None,
        rules: &[],
    };
    decide(state, input, &context)
}

fn closing(pick: u8) -> Command {
    command(match pick % 4 {
        0 => Attributes::CompleteWorkflowExecutionCommandAttributes(
            CompleteWorkflowExecutionCommandAttributes::default(),
        ),
        1 => Attributes::FailWorkflowExecutionCommandAttributes(
            FailWorkflowExecutionCommandAttributes { failure: Some(failure(false)) },
        ),
        2 => Attributes::CancelWorkflowExecutionCommandAttributes(
            CancelWorkflowExecutionCommandAttributes::default(),
        ),
        _ => Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(
            ContinueAsNewWorkflowExecutionCommandAttributes::default(),
        ),
    })
}

pub(crate) fn command(attributes: Attributes) -> Command {
    let command_type = engine::command_type(&attributes);
    Command {
        command_type: command_type as i32,
        attributes: Some(attributes),
        ..Default::default()
    }
}

fn signal(pick: u8) -> Signal {
    Signal {
        signal_name: "signal".to_owned(),
        request_id: if pick % 4 == 0 { String::new() } else { format!("signal-{}", pick % 8) },
        ..Default::default()
    }
}

fn failure(non_retryable: bool) -> Failure {
    let info = ApplicationFailureInfo { non_retryable, ..Default::default() };
    Failure {
        message: "broken".to_owned(),
        failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
        ..Default::default()
    }
}

/// Some workers take commands.
fn control_task_queue(pick: u8) -> String {
    ["", "control-1", "control-2"].get(usize::from(pick % 3)).copied().unwrap_or("").to_owned()
}
