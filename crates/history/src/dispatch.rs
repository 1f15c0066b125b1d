//! From a scheduled task to a worker.
//!
//! When a worker waits at the moment a task is scheduled, the start of the task goes into the same
//! commit. Otherwise matching gets a reference after the commit.

use api::common::v1::Priority;
use engine::{
    ActivityRef, Context, Dispatch, Input, Reply, StartActivity, StartWorkflowTask,
    StartedActivity, StartedWorkflowTask, State, Task, TaskAction, Transition, WorkflowTaskRef,
    decide, is_current,
};
use matching::{
    Matching, OfferRefused, PriorityKey, PublishedRoutes, QueuedTask, Reservation, TaskOrder,
    TaskQueueKey, TaskQueueKind,
};
use model::{NamespaceId, SlotId, Time};

use crate::{Delivery, RunKey, ledger::PendingTask, versions};

/// Where a task waits for a worker.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    pub(crate) key: TaskQueueKey,
    pub(crate) kind: TaskQueueKind,
    pub(crate) order: TaskOrder,
    /// The number of the routes that chose it.
    pub(crate) routes: u64,
}

/// A task that was started in the commit that scheduled it, for a worker that waits.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) reservation: Reservation<Delivery>,
    pub(crate) task: StartedTask,
}

/// What the worker gets.
#[derive(Debug)]
pub(crate) enum StartedTask {
    WorkflowTask { task: Box<StartedWorkflowTask>, on_sticky_queue: bool },
    Activity(Box<StartedActivity>),
}

/// Starts what the transition schedules at the workers that wait for it, in the transition itself.
pub(crate) fn start_at_waiting_workers(
    matching: &Matching<Delivery>,
    namespace_id: NamespaceId,
    context: &Context<'_>,
    transition: &mut Transition,
) -> Vec<Started> {
    let mut started = Vec::new();
    let routes = matching.routes();
    let scheduled: Vec<TaskAction> =
        transition.tasks.iter().map(|task: &Task| task.action).collect();
    let mut empty_queue = None;
    for action in scheduled {
        if !is_current(&transition.state, &action) {
            continue;
        }
        match action {
            TaskAction::DispatchWorkflowTask(task) => {
                leave_dead_sticky_queue(matching, namespace_id, context, transition, &routes);
                let place = place(&transition.state, namespace_id, &action, &routes);
                let Some(place) = place else { continue };
                let reserved = matching.reserve_for(&place.key, &place.order);
                let Some(reservation) = reserved else { continue };
                let on_sticky_queue = place.kind == TaskQueueKind::Sticky;
                let state = &transition.state;
                let worker = reservation.version();
                let dispatch = versions::dispatch(state, namespace_id, &routes.routes, worker);
                let input = start_workflow_task(task, &reservation, on_sticky_queue, dispatch);
                started.extend(start(transition, context, input, reservation, on_sticky_queue));
            }
            TaskAction::DispatchActivity(task) => {
                let place = place(&transition.state, namespace_id, &action, &routes);
                let Some(place) = place else { continue };
                if empty_queue.as_ref() == Some(&place.key) {
                    continue;
                }
                let Some(reservation) = matching.reserve_for(&place.key, &place.order) else {
                    empty_queue = Some(place.key);
                    continue;
                };
                let state = &transition.state;
                let worker = reservation.version();
                let dispatch = versions::dispatch(state, namespace_id, &routes.routes, worker);
                let input = start_activity(task, &reservation, dispatch);
                started.extend(start(transition, context, input, reservation, false));
            }
            _ => {}
        }
    }
    started
}

/// Moves a workflow task off a sticky queue whose worker is gone, or of another version than the
/// one that the run moves to.
fn leave_dead_sticky_queue(
    matching: &Matching<Delivery>,
    namespace_id: NamespaceId,
    context: &Context<'_>,
    transition: &mut Transition,
    routes: &PublishedRoutes,
) {
    let state = &transition.state;
    let on_sticky_queue = state.workflow_task.as_ref().is_some_and(|task| task.on_sticky_queue);
    let Some(sticky) = state.sticky.as_ref().filter(|_| on_sticky_queue) else { return };
    let key = TaskQueueKey::workflow(namespace_id, sticky.task_queue.as_str());
    let leaves = versions::leaves_sticky_worker(state, namespace_id, &routes.routes);
    if !leaves && matching.is_sticky_live(&key) {
        return;
    }
    if let Ok(left) = decide(state, Input::LeaveStickyQueue, context) {
        transition.then(left);
    }
}

fn start(
    transition: &mut Transition,
    context: &Context<'_>,
    input: Input,
    reservation: Reservation<Delivery>,
    on_sticky_queue: bool,
) -> Option<Started> {
    // Refused only when the task needs no worker after all; the poll goes back to its place.
    let mut next = decide(&transition.state, input, context).ok()?;
    let task = match std::mem::replace(&mut next.reply, Reply::Done) {
        Reply::WorkflowTaskStarted(task) => StartedTask::WorkflowTask { task, on_sticky_queue },
        Reply::ActivityStarted(task) => StartedTask::Activity(task),
        // The run moves to the worker's version first.
        Reply::Refused(_) => {
            transition.then(next);
            return None;
        }
        _ => return None,
    };
    transition.then(next);
    Some(Started { reservation, task })
}

fn start_workflow_task(
    task: WorkflowTaskRef,
    reservation: &Reservation<Delivery>,
    on_sticky_queue: bool,
    dispatch: Dispatch,
) -> Input {
    Input::StartWorkflowTask(StartWorkflowTask {
        scheduled_event_id: task.scheduled_event_id,
        attempt: task.attempt,
        request_id: reservation.request_id().to_owned(),
        identity: reservation.identity().to_owned(),
        on_sticky_queue,
        dispatch,
    })
}

fn start_activity(
    task: ActivityRef,
    reservation: &Reservation<Delivery>,
    dispatch: Dispatch,
) -> Input {
    Input::StartActivity(StartActivity {
        scheduled_event_id: task.scheduled_event_id,
        stamp: task.stamp,
        request_id: reservation.request_id().to_owned(),
        identity: reservation.identity().to_owned(),
        worker_control_task_queue: reservation.worker_control_task_queue().to_owned(),
        dispatch,
    })
}

/// Where a dispatch task waits for a worker in this state; nowhere while it must wait for its run to
/// reach another version.
pub(crate) fn place(
    state: &State,
    namespace_id: NamespaceId,
    action: &TaskAction,
    published: &PublishedRoutes,
) -> Option<Place> {
    let PublishedRoutes { number, routes } = published;
    let routes_number = *number;
    match action {
        TaskAction::DispatchWorkflowTask(_) => {
            let task = state.workflow_task.as_ref()?;
            let leaves = || versions::leaves_sticky_worker(state, namespace_id, routes);
            let sticky = state.sticky.as_ref().filter(|_| task.on_sticky_queue && !leaves());
            let (key, kind) = match sticky {
                Some(sticky) => {
                    let key = TaskQueueKey::workflow(namespace_id, sticky.task_queue.as_str());
                    (key, TaskQueueKind::Sticky)
                }
                None => {
                    let key = versions::workflow_task_key(state, namespace_id, routes);
                    (key, TaskQueueKind::Normal)
                }
            };
            let order = order(None, state.priority.as_ref(), task.scheduled_time);
            Some(Place { key, kind, order, routes: routes_number })
        }
        TaskAction::DispatchActivity(task) => {
            if state.is_in_version_transition() {
                return None;
            }
            let activity = state.activities.get(&task.scheduled_event_id)?;
            let task_queue = activity.task_queue();
            let own = activity.scheduled.as_ref().and_then(|scheduled| scheduled.priority.as_ref());
            Some(Place {
                key: versions::activity_key(state, namespace_id, task_queue, routes),
                routes: routes_number,
                kind: TaskQueueKind::Normal,
                order: order(own, state.priority.as_ref(), activity.attempt_scheduled_time),
            })
        }
        _ => None,
    }
}

/// Merges priorities field by field (fact sheet section 7.6).
pub(crate) fn order(own: Option<&Priority>, of_run: Option<&Priority>, created: Time) -> TaskOrder {
    let sources = || own.into_iter().chain(of_run);
    let priority = sources().map(|source| source.priority_key).find(|key| *key != 0).unwrap_or(0);
    let fairness_key = sources().map(|source| &source.fairness_key).find(|key| !key.is_empty());
    let weight = sources().map(|source| source.fairness_weight).find(|weight| *weight > 0.0);
    TaskOrder {
        priority: PriorityKey::from_proto(priority),
        fairness_key: fairness_key.map(|key| key.as_str().into()),
        fairness_weight: weight.unwrap_or(1.0),
        created,
    }
}

/// A reference to a dispatch task, for matching.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) place: Place,
    pub(crate) task: QueuedTask,
}

/// Makes the reference that matching gets.
pub(crate) fn offer(
    state: &State,
    run: &RunKey,
    slot: SlotId,
    task_id: u64,
    pending: &PendingTask,
    routes: &PublishedRoutes,
) -> Option<Offer> {
    let place = place(state, run.workflow.namespace_id, &pending.action, routes)?;
    let (scheduled_event_id, attempt, stamp) = match pending.action {
        TaskAction::DispatchWorkflowTask(task) => (task.scheduled_event_id, task.attempt, 0),
        TaskAction::DispatchActivity(task) => (task.scheduled_event_id, 0, task.stamp),
        _ => return None,
    };
    let order = place.order.clone();
    let run_id = run.run_id;
    let task = QueuedTask { slot, run_id, task_id, scheduled_event_id, attempt, stamp, order };
    Some(Offer { place, task })
}

/// Gives matching a reference. Routes may have changed since it was placed: then what waits there
/// is placed once more.
pub(crate) fn make_offer(matching: &Matching<Delivery>, offer: Offer) -> Result<(), OfferRefused> {
    let Place { key, kind, routes, .. } = offer.place;
    let offered = matching.offer(&key, kind, offer.task);
    if kind == TaskQueueKind::Normal && matching.routes().number != routes {
        matching.reroute(&key);
    }
    offered
}
