//! The transition table: which input may move which machine from where to where.
//!
//! `transitions.txt` is the table. An arrow that a random run shows and the table does not have is
//! illegal; an arrow of the table that the fixed runs never show is uncovered. Both fail. To change
//! the table, change the file and say why.

use std::collections::BTreeSet;

use api::enums::v1::WorkflowExecutionStatus;
use engine::{
    Activity, Child, Input, NexusCancellation, NexusOperation, Outcome, State, TaskAction,
    WorkflowTask,
};

const TABLE: &str = include_str!("transitions.txt");

/// Arrows that runs may show.
pub(crate) fn legal() -> BTreeSet<&'static str> {
    lines().map(|line| line.strip_prefix("rare ").unwrap_or(line)).collect()
}

/// Arrows that the fixed runs must show.
pub(crate) fn required() -> BTreeSet<&'static str> {
    lines().filter(|line| !line.starts_with("rare ")).collect()
}

fn lines() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The arrows of one decision: every machine that moved, and where to.
pub(crate) fn arrows(before: &State, input: &Input, after: &State) -> BTreeSet<String> {
    let mut arrows = BTreeSet::new();
    let mut add = |machine: &str, from: &str, to: &str| {
        if from != to {
            arrows.insert(format!("{machine}: {from} --{}--> {to}", name(input)));
        }
    };
    add("run", run(before), run(after));
    add("workflow task", workflow_task(before), workflow_task(after));
    let ids: BTreeSet<_> = before.activities.keys().chain(after.activities.keys()).collect();
    for id in ids {
        let phase = |state: &State| state.activities.get(id).map_or("none", |a| activity(a));
        add("activity", phase(before), phase(after));
    }
    let ids: BTreeSet<_> = before.updates.keys().chain(after.updates.keys()).collect();
    for id in ids {
        add("update", update(before, id), update(after, id));
    }
    let ids: BTreeSet<_> = before.timers.keys().chain(after.timers.keys()).collect();
    for id in ids {
        let phase = |state: &State| if state.timers.contains_key(id) { "pending" } else { "none" };
        add("timer", phase(before), phase(after));
    }
    let ids: BTreeSet<_> = before.children.keys().chain(after.children.keys()).collect();
    for id in ids {
        let phase = |state: &State| state.children.get(id).map_or("none", |c| child(c));
        add("child", phase(before), phase(after));
    }
    let ids: BTreeSet<_> =
        before.nexus_operations.keys().chain(after.nexus_operations.keys()).collect();
    for id in ids {
        let phase = |state: &State| state.nexus_operations.get(id).map_or("none", |o| operation(o));
        add("nexus operation", phase(before), phase(after));
        let phase = |state: &State| {
            let operation = state.nexus_operations.get(id);
            operation.and_then(|o| o.cancellation.as_ref()).map_or("none", cancellation)
        };
        add("nexus cancellation", phase(before), phase(after));
    }
    for (index, callback) in after.callbacks.iter().enumerate() {
        let is_of_update = !callback.update_id.is_empty();
        let machine = if is_of_update { "update callback" } else { "callback" };
        let phase = |state: &State| {
            state.callbacks.get(index).map_or("none", |callback| callback.state().as_str_name())
        };
        add(machine, phase(before), phase(after));
    }
    let signals = |state: &State| if state.external_signals.is_empty() { "none" } else { "some" };
    add("external signals", signals(before), signals(after));
    let cancels = |state: &State| if state.external_cancels.is_empty() { "none" } else { "some" };
    add("external cancels", cancels(before), cancels(after));
    let report = |state: &State| if state.unreported_close.is_some() { "due" } else { "none" };
    add("report to parent", report(before), report(after));
    let policy = |state: &State| if state.close_policy_due { "due" } else { "none" };
    add("parent close policy", policy(before), policy(after));
    arrows
}

/// Each machine beside the workflow task, and where it is.
pub(crate) fn machines(state: &State) -> BTreeSet<String> {
    let mut machines = BTreeSet::new();
    let mut add = |machine: &str, phase: &str| machines.insert(format!("{machine} {phase}"));
    for it in state.activities.values() {
        add("activity", activity(it));
    }
    for id in state.updates.keys() {
        add("update", update(state, id));
    }
    for it in state.children.values() {
        add("child", child(it));
    }
    for it in state.nexus_operations.values() {
        add("nexus operation", operation(it));
        if let Some(wish) = &it.cancellation {
            add("nexus cancellation", cancellation(wish));
        }
    }
    for it in &state.callbacks {
        add("callback", it.state().as_str_name());
    }
    let others = [
        ("timer", !state.timers.is_empty()),
        ("external signal", !state.external_signals.is_empty()),
        ("external cancel", !state.external_cancels.is_empty()),
        ("sticky queue", state.sticky.is_some()),
        ("request to cancel", state.cancel_requested),
    ];
    for (machine, _) in others.into_iter().filter(|(_, is_there)| *is_there) {
        add(machine, "pending");
    }
    machines
}

fn operation(operation: &NexusOperation) -> &'static str {
    match (operation.is_started(), operation.is_backing_off()) {
        (true, _) => "started",
        (false, true) => "backing off",
        (false, false) => "scheduled",
    }
}

fn cancellation(cancellation: &NexusCancellation) -> &'static str {
    match (cancellation.ended, cancellation.is_backing_off()) {
        (true, _) => "ended",
        (false, true) => "backing off",
        (false, false) => "requested",
    }
}

fn child(child: &Child) -> &'static str {
    if child.is_started() { "started" } else { "initiated" }
}

pub(crate) fn run(state: &State) -> &'static str {
    WorkflowExecutionStatus::try_from(state.status)
        .unwrap()
        .as_str_name()
        .trim_start_matches("WORKFLOW_EXECUTION_STATUS_")
}

pub(crate) fn workflow_task(state: &State) -> &'static str {
    let phase = |task: &WorkflowTask| match (task.is_started(), task.is_transient()) {
        (false, _) if task.is_speculative() => "scheduled speculative",
        (true, _) if task.is_speculative() => "started speculative",
        (false, false) => "scheduled",
        (true, false) => "started",
        (false, true) => "scheduled transient",
        (true, true) => "started transient",
    };
    state.workflow_task.as_ref().map_or("none", phase)
}

fn update(state: &State, update_id: &str) -> &'static str {
    let completed = state.completed_updates.as_ref();
    if completed.is_some_and(|completed| completed.event_ids.contains_key(update_id)) {
        return "completed";
    }
    match state.updates.get(update_id) {
        None => "none",
        Some(update) if update.is_accepted() => "accepted",
        Some(update) if update.sent => "sent",
        Some(_) => "admitted",
    }
}

fn activity(activity: &Activity) -> &'static str {
    match (activity.is_started(), activity.is_backing_off(), activity.cancel_requested_event_id) {
        (true, _, 0) => "started",
        (true, ..) => "started, cancel requested",
        (false, ..) if activity.paused.is_some() => "paused",
        (false, true, _) => "backing off",
        (false, false, _) => "scheduled",
    }
}

fn name(input: &Input) -> &'static str {
    match input {
        Input::Start(_) => "Start",
        Input::Signal(_) => "Signal",
        Input::RequestCancel(_) => "RequestCancel",
        Input::Terminate(_) => "Terminate",
        Input::UpdateWorkflow(_) => "UpdateWorkflow",
        Input::AttachRequest(_) => "AttachRequest",
        Input::StartWorkflowTask(_) => "StartWorkflowTask",
        Input::CompleteWorkflowTask(_) => "CompleteWorkflowTask",
        Input::FailWorkflowTask(_) => "FailWorkflowTask",
        Input::ResetStickyTaskQueue => "ResetStickyTaskQueue",
        Input::LeaveStickyQueue => "LeaveStickyQueue",
        Input::StartActivity(_) => "StartActivity",
        Input::HeartbeatActivity(_) => "HeartbeatActivity",
        Input::CompleteActivity(_) => "CompleteActivity",
        Input::FailActivity(_) => "FailActivity",
        Input::CancelActivity(_) => "CancelActivity",
        Input::ChildClosed(_) => "ChildClosed",
        Input::CompleteNexusOperation(_) => "CompleteNexusOperation",
        Input::Outcome(outcome) => match outcome {
            Outcome::ChildStarted { .. } => "ChildStarted",
            Outcome::ChildStartFailed { .. } => "ChildStartFailed",
            Outcome::ChildReleased { .. } => "ChildReleased",
            Outcome::ExternalSignal { failed: None, .. } => "ExternalSignal",
            Outcome::ExternalSignal { .. } => "ExternalSignal failed",
            Outcome::ExternalCancel { failed: None, .. } => "ExternalCancel",
            Outcome::ExternalCancel { .. } => "ExternalCancel failed",
            Outcome::ParentInformed => "ParentInformed",
            Outcome::ClosePolicyApplied => "ClosePolicyApplied",
            Outcome::WorkerCommandsSent(_) => "WorkerCommandsSent",
            Outcome::NexusOperation { .. } => "NexusOperation answered",
            Outcome::NexusCancellation { .. } => "NexusCancellation answered",
            Outcome::Callback { .. } => "Callback attempted",
        },
        Input::UpdateOptions(_) => "UpdateOptions",
        Input::TriggerRule(_) => "TriggerRule",
        Input::Pause(_) => "Pause",
        Input::Unpause(_) => "Unpause",
        Input::PauseActivity(_) => "PauseActivity",
        Input::UnpauseActivity(_) => "UnpauseActivity",
        Input::ResetActivity(_) => "ResetActivity",
        Input::SetActivityOptions(_) => "SetActivityOptions",
        Input::Reset(_) => "Reset",
        Input::RecordReset(_) => "RecordReset",
        Input::TaskDue(action) => match action {
            TaskAction::DispatchWorkflowTask(_) => "DispatchWorkflowTask due",
            TaskAction::DispatchActivity(_) => "DispatchActivity due",
            TaskAction::WorkflowTaskStartToClose(_) => "WorkflowTaskStartToClose due",
            TaskAction::WorkflowTaskScheduleToStart(_) => "WorkflowTaskScheduleToStart due",
            TaskAction::FirstWorkflowTask(_) => "FirstWorkflowTask due",
            TaskAction::UserTimer(_) => "UserTimer due",
            TaskAction::ActivityTimeout(_) => "ActivityTimeout due",
            TaskAction::ActivityRetry(_) => "ActivityRetry due",
            TaskAction::WorkflowTimeout(_) => "WorkflowTimeout due",
            TaskAction::DeleteAfterRetention(_) => "DeleteAfterRetention due",
            TaskAction::StartChild(_) => "StartChild due",
            TaskAction::SignalExternal(_) => "SignalExternal due",
            TaskAction::CancelExternal(_) => "CancelExternal due",
            TaskAction::ReportToParent(_) => "ReportToParent due",
            TaskAction::ApplyParentClosePolicy(_) => "ApplyParentClosePolicy due",
            TaskAction::EntityTimer(_) => "EntityTimer due",
            TaskAction::EntityWork(_) => "EntityWork due",
            TaskAction::DispatchEntityTask(_) => "DispatchEntityTask due",
            TaskAction::NotifyClosed(_) => "NotifyClosed due",
            TaskAction::StartNexusOperation(_) => "StartNexusOperation due",
            TaskAction::NexusOperationRetry(_) => "NexusOperationRetry due",
            TaskAction::NexusOperationTimeout(_) => "NexusOperationTimeout due",
            TaskAction::CancelNexusOperation(_) => "CancelNexusOperation due",
            TaskAction::NexusCancellationRetry(_) => "NexusCancellationRetry due",
            TaskAction::DeliverCallback(_) => "DeliverCallback due",
            TaskAction::CallbackRetry(_) => "CallbackRetry due",
            TaskAction::SendWorkerCommands(_) => "SendWorkerCommands due",
            TaskAction::FastForwardReached(_) => "FastForwardReached due",
        },
    }
}
