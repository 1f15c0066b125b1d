//! The one entry: what does this input lead to in this state?

use crate::{
    Context, Input, Mutation, Rejection, Reply, State, TaskAction, Transition, activity,
    attach_request, buffer, callback, cancel, child,
    draft::Draft,
    nexus_operation, outcome, pause, reset, rules, signal, start,
    task::{is_current, is_volatile},
    terminate, time_skipping, timeout, timer, update, update_options, workflow_task,
};

/// Decides what an input leads to. Changes nothing; the same arguments give the same result.
///
/// # Errors
/// A [`Rejection`] when the input is refused: then nothing happens at all.
pub fn decide(state: &State, input: Input, context: &Context<'_>) -> Result<Transition, Rejection> {
    let ahead = time_skipping::ahead(state, &input);
    if ahead.is_zero() {
        return decide_now(state, input, context);
    }
    decide_now(state, input, &Context { now: context.now + ahead, ..context.clone() })
}

/// Decides at a time of the run's clock.
fn decide_now(state: &State, input: Input, context: &Context<'_>) -> Result<Transition, Rejection> {
    let looks_again = matches!(&input, Input::TaskDue(action) if !is_volatile(state, action));
    let transition = decide_on_input(state, input, context)?;
    Ok(time_skipping::skip_idle_time(state, transition, looks_again, context))
}

fn decide_on_input(
    state: &State,
    input: Input,
    context: &Context<'_>,
) -> Result<Transition, Rejection> {
    let mut draft = Draft::new(state, context);
    let reply = match input {
        Input::Start(start) => start::start(&mut draft, *start)?,
        Input::Signal(signal) => signal::signal(&mut draft, *signal)?,
        Input::RequestCancel(request) => cancel::request_cancel(&mut draft, request)?,
        Input::Terminate(terminate) => terminate::terminate(&mut draft, terminate)?,
        Input::UpdateWorkflow(update) => update::admit(&mut draft, update)?,
        Input::AttachRequest(attach) => attach_request::attach(&mut draft, attach)?,
        Input::StartWorkflowTask(start) => workflow_task::start(&mut draft, start)?,
        Input::CompleteWorkflowTask(complete) => {
            return workflow_task::complete(state, draft, *complete);
        }
        Input::FailWorkflowTask(fail) => workflow_task::fail_by_worker(&mut draft, *fail)?,
        Input::ResetStickyTaskQueue if state.is_started() && !state.is_running() => {
            return Err(Rejection::WorkflowClosed);
        }
        Input::ResetStickyTaskQueue => {
            // A task that waits there is offered again at the normal queue.
            workflow_task::leave_sticky_queue(&mut draft);
            if draft.state().sticky.is_some() {
                draft.mutate(Mutation::StickySet(crate::StickySet { sticky: None }));
            }
            Reply::Done
        }
        Input::LeaveStickyQueue => workflow_task::leave_sticky_queue(&mut draft),
        Input::StartActivity(start) => activity::start(&mut draft, start)?,
        Input::HeartbeatActivity(heartbeat) => activity::heartbeat(&mut draft, heartbeat)?,
        Input::CompleteActivity(complete) => activity::complete(&mut draft, complete)?,
        Input::FailActivity(fail) => activity::fail(&mut draft, *fail)?,
        Input::CancelActivity(cancel) => activity::cancel(&mut draft, cancel)?,
        Input::Outcome(outcome) => outcome::take(&mut draft, outcome),
        Input::ChildClosed(closed) => child::closed(&mut draft, *closed)?,
        Input::UpdateOptions(update) => update_options::update(&mut draft, *update)?,
        Input::TriggerRule(spec) => rules::trigger(&mut draft, &spec)?,
        Input::Pause(request) => pause::pause(&mut draft, request)?,
        Input::Unpause(request) => pause::unpause(&mut draft, request)?,
        Input::PauseActivity(pause) => activity::pause(&mut draft, pause)?,
        Input::UnpauseActivity(unpause) => activity::unpause(&mut draft, unpause)?,
        Input::ResetActivity(reset) => activity::reset(&mut draft, reset)?,
        Input::SetActivityOptions(set) => activity::set_options(&mut draft, *set)?,
        Input::Reset(reset) => reset::reset(&mut draft, *reset)?,
        Input::RecordReset(run_id) => reset::record(&mut draft, run_id)?,
        Input::CompleteNexusOperation(completion) => {
            nexus_operation::complete(&mut draft, *completion)?
        }
        Input::TaskDue(action) => {
            task_due(&mut draft, &action);
            Reply::Done
        }
    };
    // Too much of what waits for a worker's task ends that task.
    if draft.state().is_running() && buffer::is_over_limit(&draft) {
        workflow_task::force_close(&mut draft);
        workflow_task::schedule_unless_delayed(&mut draft);
    }
    terminate::enforce_history_limits(&mut draft);
    Ok(draft.finish(reply))
}

/// A task whose state has moved on changes nothing.
fn task_due(draft: &mut Draft<'_>, action: &TaskAction) {
    if !is_current(draft.state(), action) {
        return;
    }
    match action {
        TaskAction::WorkflowTaskStartToClose(_) => workflow_task::start_to_close_due(draft),
        TaskAction::WorkflowTaskScheduleToStart(_) => workflow_task::schedule_to_start_due(draft),
        TaskAction::FirstWorkflowTask(_) => start::first_workflow_task_due(draft),
        TaskAction::UserTimer(timer) => timer::due(draft, timer),
        TaskAction::ActivityTimeout(activity) => activity::timeout_due(draft, *activity),
        TaskAction::ActivityRetry(activity) => activity::retry_due(draft, *activity),
        TaskAction::WorkflowTimeout(_) => timeout::due(draft),
        TaskAction::NexusOperationRetry(task) => nexus_operation::retry_due(draft, task),
        TaskAction::NexusOperationTimeout(task) => nexus_operation::timeout_due(draft, task),
        TaskAction::NexusCancellationRetry(task) => {
            nexus_operation::cancellation_retry_due(draft, task);
        }
        TaskAction::CallbackRetry(task) => callback::retry_due(draft, task),
        TaskAction::FastForwardReached(_) => time_skipping::fast_forward_due(draft),
        // Carried out by the shell; nothing to decide.
        TaskAction::DispatchWorkflowTask(_)
        | TaskAction::StartNexusOperation(_)
        | TaskAction::CancelNexusOperation(_)
        | TaskAction::DeliverCallback(_)
        | TaskAction::DispatchActivity(_)
        | TaskAction::DeleteAfterRetention(_)
        | TaskAction::StartChild(_)
        | TaskAction::SignalExternal(_)
        | TaskAction::CancelExternal(_)
        | TaskAction::ReportToParent(_)
        | TaskAction::ApplyParentClosePolicy(_)
        | TaskAction::EntityTimer(_)
        | TaskAction::EntityWork(_)
        | TaskAction::SendWorkerCommands(_)
        | TaskAction::DispatchEntityTask(_)
        | TaskAction::NotifyClosed(_) => {}
    }
}
