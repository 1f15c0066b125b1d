//! What workers say about activities, and how they get them.

use std::sync::Arc;

use authz::Permit;
use engine::{
    CancelActivity, CompleteActivity, Dispatch, FailActivity, HeartbeatActivity, Input, Rejection,
    Reply, StartActivity,
};
use matching::{QueuedTask, WorkerVersion};
use namespace::Namespace;

use crate::{
    ActivityDelivery, Execution, History, HistoryError, WorkerPoll, context::Caller,
    node::SlotGuard, versions,
};

/// What a worker learns from a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeartbeatAnswer {
    /// The workflow wants the activity to stop.
    pub cancel_requested: bool,
    /// Somebody has paused the activity.
    pub paused: bool,
    /// Somebody has reset the activity.
    pub reset: bool,
}

impl History {
    /// Starts an activity attempt that matching had in its backlog, for the worker that polled.
    ///
    /// # Errors
    /// [`Rejection::TaskObsolete`] when the attempt needs no worker any more: poll on.
    pub async fn start_activity(
        &self,
        _permit: &Permit,
        namespace: &Arc<Namespace>,
        task: &QueuedTask,
        poll: WorkerPoll,
    ) -> Result<ActivityDelivery, HistoryError> {
        let input = |dispatch| {
            Input::StartActivity(StartActivity {
                scheduled_event_id: task.scheduled_event_id,
                stamp: task.stamp,
                request_id: poll.request_id,
                identity: poll.identity,
                worker_control_task_queue: poll.worker_control_task_queue,
                dispatch,
            })
        };
        let worker = poll.version.as_ref();
        let caller = Caller::server(namespace);
        let mut taken = self.take_queued(task);
        let (decided, live, state, outcome) = {
            let mut slot = self.lock(task.slot).await?;
            let started = self.start_queued(&mut slot, &caller, task, worker, input).await;
            taken.decided(&started);
            let (decided, outcome) = started?;
            let run = slot.runs.get(&task.run_id).ok_or(Rejection::TaskObsolete)?;
            (decided, Arc::clone(&run.live), Arc::clone(&run.head), outcome)
        };
        outcome.wait().await?;
        match decided? {
            Reply::ActivityStarted(activity) => {
                Ok(ActivityDelivery { run: live.key.clone(), activity: *activity, state })
            }
            _ => Err(Rejection::TaskObsolete.into()),
        }
    }

    /// Decides on the start of a task that matching had in its backlog.
    pub(crate) async fn start_queued(
        &self,
        slot: &mut SlotGuard<'_>,
        caller: &Caller,
        task: &QueuedTask,
        worker: Option<&WorkerVersion>,
        input: impl FnOnce(Dispatch) -> Input,
    ) -> Result<crate::history::Decided, HistoryError> {
        if !self.node.load_run(slot, task.run_id).await? {
            slot.immediate.finish_dispatches(&task.scheduled());
            return Err(Rejection::TaskObsolete.into());
        }
        let Some(run) = slot.runs.get(&task.run_id) else {
            return Err(Rejection::TaskObsolete.into());
        };
        let dispatch = {
            let routes = self.node.matching.routes();
            versions::dispatch(&run.head, caller.namespace_id(), &routes.routes, worker)
        };
        self.decide(slot, caller, task.run_id, input(dispatch))
    }

    /// Records a heartbeat, and tells what others want of the activity.
    ///
    /// # Errors
    /// When the worker does not hold the activity any more.
    pub async fn heartbeat_activity(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        heartbeat: HeartbeatActivity,
    ) -> Result<HeartbeatAnswer, HistoryError> {
        let input = Input::HeartbeatActivity(heartbeat);
        let reply = self.apply(permit, namespace, execution, input).await?;
        Ok(match reply {
            Reply::ActivityHeartbeat { cancel_requested, paused, reset } => {
                HeartbeatAnswer { cancel_requested, paused, reset }
            }
            _ => HeartbeatAnswer::default(),
        })
    }

    /// Completes an activity.
    ///
    /// # Errors
    /// When the worker does not hold the activity any more.
    pub async fn complete_activity(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        complete: CompleteActivity,
    ) -> Result<(), HistoryError> {
        let input = Input::CompleteActivity(complete);
        self.apply(permit, namespace, execution, input).await?;
        Ok(())
    }

    /// Fails an activity attempt; the retry policy decides what follows.
    ///
    /// # Errors
    /// When the worker does not hold the activity any more.
    pub async fn fail_activity(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        fail: FailActivity,
    ) -> Result<(), HistoryError> {
        let input = Input::FailActivity(Box::new(fail));
        self.apply(permit, namespace, execution, input).await?;
        Ok(())
    }

    /// Confirms that an activity was cancelled.
    ///
    /// # Errors
    /// When the worker does not hold the activity any more, or nobody asked for it.
    pub async fn cancel_activity(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        cancel: CancelActivity,
    ) -> Result<(), HistoryError> {
        let input = Input::CancelActivity(cancel);
        self.apply(permit, namespace, execution, input).await?;
        Ok(())
    }
}
