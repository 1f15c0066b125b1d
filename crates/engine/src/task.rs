//! Durable work that a run owes the world.
//!
//! Tasks are stored in the commit that creates them and are never cancelled: whoever is about to
//! act on one asks [`is_current`] first, and drops it when the state has moved on.

use api::enums::v1::CallbackState;
use model::Time;

use crate::{
    State, activity, callback,
    callback::CallbackRef,
    child, close, external, nexus_operation,
    nexus_operation::{NexusCancellation, NexusOperation},
    state::Activity,
    time_skipping, worker_command,
    worker_command::WorkerCommandsRef,
    workflow_task,
};

/// A durable task of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// When it is due; [`Time::UNSET`] for at once.
    pub due: Time,
    /// What to do.
    pub action: TaskAction,
}

/// A task as it is stored.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TaskRecord {
    /// The run's id, 16 bytes.
    #[prost(bytes = "bytes", tag = "15")]
    pub run_id: bytes::Bytes,
    /// What to do. Absent only in a record that a newer program wrote.
    #[prost(
        oneof = "TaskAction",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 30, 31, 32, 33, 34, 35, 36, 40, 41, 42, 80, 90, 95"
    )]
    pub action: Option<TaskAction>,
}

/// What a task does. Tags are part of the stored format.
#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub enum TaskAction {
    /// Hand the workflow task to a worker.
    #[prost(message, tag = "1")]
    DispatchWorkflowTask(WorkflowTaskRef),
    /// Hand an activity attempt to a worker.
    #[prost(message, tag = "2")]
    DispatchActivity(ActivityRef),
    /// The worker's time for a workflow task is over.
    #[prost(message, tag = "3")]
    WorkflowTaskStartToClose(WorkflowTaskRef),
    /// Nobody took the workflow task from the sticky queue.
    #[prost(message, tag = "4")]
    WorkflowTaskScheduleToStart(WorkflowTaskRef),
    /// The delay before the first workflow task is over.
    #[prost(message, tag = "5")]
    FirstWorkflowTask(RunRef),
    /// A user's timer fires.
    #[prost(message, tag = "6")]
    UserTimer(TimerRef),
    /// The earliest of an activity's time-outs may have passed.
    #[prost(message, tag = "7")]
    ActivityTimeout(ActivityRef),
    /// The back-off of an activity attempt is over.
    #[prost(message, tag = "8")]
    ActivityRetry(ActivityRef),
    /// The run's or the execution's time is over.
    #[prost(message, tag = "9")]
    WorkflowTimeout(RunRef),
    /// The closed run has been kept long enough.
    #[prost(message, tag = "10")]
    DeleteAfterRetention(RunRef),
    /// Start a child workflow, and note that it has started.
    #[prost(message, tag = "11")]
    StartChild(InitiatedRef),
    /// Deliver a signal to another workflow.
    #[prost(message, tag = "12")]
    SignalExternal(InitiatedRef),
    /// Deliver a request to cancel to another workflow.
    #[prost(message, tag = "13")]
    CancelExternal(InitiatedRef),
    /// Tell the parent that its child has closed.
    #[prost(message, tag = "14")]
    ReportToParent(RunRef),
    /// Deal with the children of a closed run. (15 is the record's run id.)
    #[prost(message, tag = "16")]
    ApplyParentClosePolicy(RunRef),
    /// Of an entity that is no run: its time has come.
    #[prost(message, tag = "40")]
    EntityTimer(EntityTimerRef),
    /// Of an entity that is no run: it wants something done outside of itself.
    #[prost(message, tag = "41")]
    EntityWork(EntityWorkRef),
    /// Tell the entity that started the chain of runs that it has closed.
    #[prost(message, tag = "42")]
    NotifyClosed(RunRef),
    /// Of an entity that is no run: hand its task to a worker.
    #[prost(message, tag = "80")]
    DispatchEntityTask(EntityTaskRef),
    /// Ask a handler to start a Nexus operation.
    #[prost(message, tag = "30")]
    StartNexusOperation(NexusOperationRef),
    /// The back-off of a Nexus operation is over.
    #[prost(message, tag = "31")]
    NexusOperationRetry(NexusOperationRef),
    /// The earliest of a Nexus operation's time-outs may have passed.
    #[prost(message, tag = "32")]
    NexusOperationTimeout(NexusOperationRef),
    /// Ask a handler to cancel a Nexus operation.
    #[prost(message, tag = "33")]
    CancelNexusOperation(NexusOperationRef),
    /// The back-off of a request to cancel a Nexus operation is over.
    #[prost(message, tag = "34")]
    NexusCancellationRetry(NexusOperationRef),
    /// Tell a completion callback how the chain of runs has ended.
    #[prost(message, tag = "35")]
    DeliverCallback(CallbackRef),
    /// The back-off of a completion callback is over.
    #[prost(message, tag = "36")]
    CallbackRetry(CallbackRef),
    /// Tell a worker what to do.
    #[prost(message, tag = "90")]
    SendWorkerCommands(WorkerCommandsRef),
    /// The time has come to which the run's time was to be fast-forwarded.
    #[prost(message, tag = "95")]
    FastForwardReached(FastForwardRef),
}

/// Names one attempt of the workflow task.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct WorkflowTaskRef {
    /// Its scheduled event id.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// Its attempt.
    #[prost(int32, tag = "2")]
    pub attempt: i32,
    /// Its started event id; 0 while it waits.
    #[prost(int64, tag = "3")]
    pub started_event_id: i64,
}

/// Names an activity at one point of its life.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct ActivityRef {
    /// Its scheduled event id.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// Its stamp.
    #[prost(uint32, tag = "2")]
    pub stamp: u32,
}

/// Names a user's timer.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct TimerRef {
    /// The event that started it.
    #[prost(int64, tag = "1")]
    pub started_event_id: i64,
}

/// Names what a command initiated towards another run.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct InitiatedRef {
    /// The event that says so.
    #[prost(int64, tag = "1")]
    pub initiated_event_id: i64,
}

/// Names the time at which an entity wants to go on.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct EntityTimerRef {
    /// That time.
    #[prost(message, required, tag = "1")]
    pub due: Time,
}

/// Names a piece of an entity's work.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct EntityWorkRef {
    /// Its number within the entity, never used twice.
    #[prost(uint64, tag = "1")]
    pub number: u64,
}

/// Names the task that an entity has for a worker.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct EntityTaskRef {
    /// Its stamp within the entity.
    #[prost(uint32, tag = "1")]
    pub stamp: u32,
}

/// Names a Nexus operation, or the request to cancel it, at one point of its life.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct NexusOperationRef {
    /// The event that scheduled it.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// The stamp of the operation, or of the request to cancel it.
    #[prost(uint32, tag = "2")]
    pub stamp: u32,
}

/// Names a fast-forward of a run's time.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct FastForwardRef {
    /// Where it leads to.
    #[prost(message, required, tag = "1")]
    pub target_time: Time,
}

/// Names the run itself.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct RunRef {}

impl Task {
    /// A task that is due at once.
    pub fn now(action: TaskAction) -> Self {
        Self { due: Time::UNSET, action }
    }

    /// A task that is due later.
    pub fn at(due: Time, action: TaskAction) -> Self {
        Self { due, action }
    }
}

/// Whether a task still has something to do in this state. One that has not is dropped.
pub fn is_current(state: &State, action: &TaskAction) -> bool {
    match action {
        TaskAction::DeleteAfterRetention(RunRef {}) => state.is_started() && !state.is_running(),
        TaskAction::StartChild(task) => child::is_start_current(state, task),
        TaskAction::SignalExternal(task) => {
            state.external_signals.contains_key(&task.initiated_event_id)
        }
        TaskAction::CancelExternal(task) => {
            state.external_cancels.contains_key(&task.initiated_event_id)
        }
        TaskAction::ReportToParent(RunRef {}) => state.unreported_close.is_some(),
        TaskAction::ApplyParentClosePolicy(RunRef {}) => state.close_policy_due,
        TaskAction::NotifyClosed(RunRef {}) => close::is_watched(state),
        // Of another kind of entity.
        TaskAction::EntityTimer(_)
        | TaskAction::EntityWork(_)
        | TaskAction::DispatchEntityTask(_) => false,
        TaskAction::DeliverCallback(task) => {
            callback::is_due(state, task, CallbackState::Scheduled)
        }
        TaskAction::CallbackRetry(task) => callback::is_due(state, task, CallbackState::BackingOff),
        TaskAction::SendWorkerCommands(task) => state.worker_commands.contains_key(&task.number),
        _ if !state.is_running() => false,
        _ if state.is_paused() && waits_while_paused(action) => false,
        TaskAction::StartNexusOperation(task) => nexus_operation::current(state, task)
            .is_some_and(|operation| !operation.is_started() && !operation.is_backing_off()),
        TaskAction::NexusOperationRetry(task) => {
            nexus_operation::current(state, task).is_some_and(NexusOperation::is_backing_off)
        }
        TaskAction::NexusOperationTimeout(task) => nexus_operation::current(state, task).is_some(),
        TaskAction::CancelNexusOperation(task) => {
            nexus_operation::current_cancellation(state, task)
                .is_some_and(|cancellation| !cancellation.is_backing_off())
        }
        TaskAction::NexusCancellationRetry(task) => {
            nexus_operation::current_cancellation(state, task)
                .is_some_and(NexusCancellation::is_backing_off)
        }
        TaskAction::DispatchWorkflowTask(task) | TaskAction::WorkflowTaskScheduleToStart(task) => {
            workflow_task::reference(state).is_some_and(|current| current == *task)
        }
        TaskAction::WorkflowTaskStartToClose(task) => {
            task.started_event_id != 0
                && workflow_task::reference(state).is_some_and(|current| current == *task)
        }
        TaskAction::DispatchActivity(task) => {
            activity::current(state, task).is_some_and(Activity::waits_for_worker)
        }
        TaskAction::ActivityTimeout(task) => activity::current(state, task).is_some(),
        TaskAction::ActivityRetry(task) => {
            activity::current(state, task).is_some_and(Activity::waits_for_attempt)
        }
        TaskAction::FirstWorkflowTask(RunRef {}) => state.first_workflow_task_due.is_set(),
        TaskAction::UserTimer(task) => {
            state.timers.values().any(|timer| timer.started_event_id == task.started_event_id)
        }
        TaskAction::WorkflowTimeout(RunRef {}) => state.workflow_deadline().is_set(),
        TaskAction::FastForwardReached(task) => time_skipping::is_pending(state, task),
    }
}

/// Whether a paused run does without it until it goes on.
const fn waits_while_paused(action: &TaskAction) -> bool {
    matches!(
        action,
        TaskAction::DispatchActivity(_)
            | TaskAction::ActivityRetry(_)
            | TaskAction::FirstWorkflowTask(_)
    )
}

/// Whether a task belongs to a speculative workflow task: it is in memory only, like that.
pub fn is_volatile(state: &State, action: &TaskAction) -> bool {
    match action {
        TaskAction::DispatchWorkflowTask(task)
        | TaskAction::WorkflowTaskScheduleToStart(task)
        | TaskAction::WorkflowTaskStartToClose(task) => state
            .workflow_task
            .as_ref()
            .is_some_and(|current| current.is_speculative() && current.reference() == *task),
        TaskAction::DispatchActivity(_)
        | TaskAction::FirstWorkflowTask(_)
        | TaskAction::UserTimer(_)
        | TaskAction::ActivityTimeout(_)
        | TaskAction::ActivityRetry(_)
        | TaskAction::WorkflowTimeout(_)
        | TaskAction::DeleteAfterRetention(_)
        | TaskAction::StartChild(_)
        | TaskAction::SignalExternal(_)
        | TaskAction::CancelExternal(_)
        | TaskAction::ReportToParent(_)
        | TaskAction::EntityTimer(_)
        | TaskAction::EntityWork(_)
        | TaskAction::DispatchEntityTask(_)
        | TaskAction::NotifyClosed(_)
        | TaskAction::ApplyParentClosePolicy(_)
        | TaskAction::StartNexusOperation(_)
        | TaskAction::NexusOperationRetry(_)
        | TaskAction::NexusOperationTimeout(_)
        | TaskAction::CancelNexusOperation(_)
        | TaskAction::NexusCancellationRetry(_)
        | TaskAction::DeliverCallback(_)
        | TaskAction::SendWorkerCommands(_)
        | TaskAction::FastForwardReached(_)
        | TaskAction::CallbackRetry(_) => false,
    }
}

/// The tasks that must be outstanding in this state. Every one of them was emitted on the way to it
/// (a law), so that they can be made again after a loss.
pub fn outstanding_tasks(state: &State) -> Vec<Task> {
    let mut tasks = Vec::new();
    worker_command::outstanding(state, &mut tasks);
    if !state.is_running() {
        child::outstanding_when_closed(state, &mut tasks);
        callback::outstanding(state, &mut tasks);
        return tasks;
    }
    callback::outstanding(state, &mut tasks);
    child::outstanding(state, &mut tasks);
    external::outstanding(state, &mut tasks);
    nexus_operation::outstanding(state, &mut tasks);
    workflow_task::outstanding(state, &mut tasks);
    activity::outstanding(state, &mut tasks);
    for timer in state.timers.values() {
        let timer_ref = TimerRef { started_event_id: timer.started_event_id };
        tasks.push(Task::at(timer.fire_time, TaskAction::UserTimer(timer_ref)));
    }
    if state.first_workflow_task_due.is_set() {
        let action = TaskAction::FirstWorkflowTask(RunRef {});
        tasks.push(Task::at(state.first_workflow_task_due, action));
    }
    let deadline = state.workflow_deadline();
    if deadline.is_set() {
        tasks.push(Task::at(deadline, TaskAction::WorkflowTimeout(RunRef {})));
    }
    time_skipping::outstanding(state, &mut tasks);
    if state.is_paused() {
        tasks.retain(|task| !waits_while_paused(&task.action));
    }
    tasks
}

impl TaskAction {
    /// True for work towards another run: whoever carries it out tells the run its
    /// [`Outcome`](crate::Outcome). A closed run may have such work, too.
    pub fn is_towards_another_run(&self) -> bool {
        matches!(
            self,
            Self::StartChild(_)
                | Self::SignalExternal(_)
                | Self::CancelExternal(_)
                | Self::ReportToParent(_)
                | Self::ApplyParentClosePolicy(_)
                | Self::StartNexusOperation(_)
                | Self::CancelNexusOperation(_)
                | Self::DeliverCallback(_)
        )
    }

    /// True for every task that a job carries out after the commit, outside of its slot.
    pub fn is_of_outbox(&self) -> bool {
        self.is_towards_another_run()
            || matches!(
                self,
                Self::EntityWork(_) | Self::NotifyClosed(_) | Self::SendWorkerCommands(_)
            )
    }
}
