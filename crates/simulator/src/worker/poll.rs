//! The server's side of a poll, as the frontend has it.

use history::{
    ActivityDelivery, Delivery, History, HistoryError, NexusDelivery, QueryDelivery,
    StandaloneActivityDelivery, WorkerPoll, WorkflowTaskDelivery,
};
use matching::{Matched, PollRequest, QueuedTask, RESERVATION_GRACE, TaskQueueKey, WorkerVersion};
use model::{Span, Time};

use crate::{broken::Broken, cluster::Life, dice::Dice, world::World};

/// So long after the last fault nothing of it is under way any more.
const CALM_AFTER: Span = Span::from_secs(3);

/// What a poll brings.
#[derive(Debug)]
pub(crate) enum Work {
    WorkflowTask(Box<WorkflowTaskDelivery>),
    Query(Box<QueryDelivery>),
    Nothing,
}

/// A worker's poll.
#[derive(Debug, Clone)]
pub(crate) struct Poll {
    pub(crate) queue: String,
    pub(crate) identity: String,
    pub(crate) deadline: Time,
    /// Where the worker takes commands; empty when it takes none.
    pub(crate) control_queue: String,
    /// The worker's version, if it has one.
    pub(crate) version: Option<WorkerVersion>,
    /// The deadline in monotonic time, which does not jump.
    over: Span,
    /// An empty answer comes so much too late.
    late: Span,
    /// The connection breaks so soon after a task was found for the poll.
    pub(crate) breaks_after: Option<Span>,
}

impl Poll {
    pub(crate) fn draw(world: &World, dice: &Dice, queue: &str, identity: &str) -> Self {
        let breaks = !world.is_healed() && dice.chance(world.profile.broken_calls_per_mille);
        let patience = dice.span(500, 30_000);
        Self {
            queue: queue.to_owned(),
            identity: identity.to_owned(),
            deadline: world.now() + patience,
            control_queue: String::new(),
            version: None,
            late: if world.breaks(Broken::ForgetsPolls) {
                RESERVATION_GRACE + Span::from_secs(1)
            } else {
                Span::ZERO
            },
            over: world.clock.monotonic() + patience,
            breaks_after: breaks.then(|| dice.span(0, 20)),
        }
    }

    /// An empty answer comes at the poll's deadline. Only what is reserved for a task on its way
    /// waits longer, and on a healthy store nothing is on its way for long: who waits to the end
    /// of that grace was reserved and forgotten.
    pub(crate) fn check_patience(&self, world: &World) {
        let healed = world.healed.get().copied();
        let is_calm = healed.is_some_and(|healed| healed + CALM_AFTER < self.over);
        if is_calm && world.clock.monotonic() >= self.over + RESERVATION_GRACE {
            let text = format!("a poll of `{}` by {} was forgotten", self.queue, self.identity);
            world.witness.accuse(text);
        }
    }

    fn request(&self, life: &Life) -> PollRequest {
        PollRequest {
            identity: self.identity.clone(),
            request_id: life.request_id(),
            worker_control_task_queue: self.control_queue.clone(),
            version: self.version.clone(),
            deadline: self.deadline,
            ..PollRequest::default()
        }
    }

    /// Where tasks for it wait, once its version is known there.
    async fn registered(
        &self,
        life: &Life,
        key: TaskQueueKey,
    ) -> Result<TaskQueueKey, HistoryError> {
        let Some(version) = &self.version else { return Ok(key) };
        let registered = life.deployments.register(version, &key).await;
        registered.map_err(|error| HistoryError::Unavailable(error.to_string()))?;
        Ok(key.with_version(Some(version.clone())))
    }

    async fn linger(&self, life: &Life) {
        if !self.late.is_zero() {
            life.sleep(self.late).await;
        }
    }

    /// The start of a task that was found; none when the connection breaks before the answer.
    async fn start<T>(&self, life: &Life, start: impl Future<Output = T>) -> Option<T> {
        let broken = async {
            match self.breaks_after {
                Some(after) => life.sleep(after).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            started = start => Some(started),
            () = broken => None,
        }
    }
}

/// Polls for a workflow task.
pub(crate) async fn poll_workflow_task(
    life: &Life,
    poll: &Poll,
    on_sticky_queue: bool,
) -> Result<Work, HistoryError> {
    let mut key = TaskQueueKey::workflow(life.namespace_id, poll.queue.as_str());
    // A sticky queue belongs to one worker, whatever its version.
    if !on_sticky_queue {
        key = poll.registered(life, key).await?;
    }
    loop {
        let request = poll.request(life);
        let identity = poll.identity.clone();
        let worker = WorkerPoll {
            request_id: request.request_id.clone(),
            identity,
            on_sticky_queue,
            version: poll.version.clone(),
            ..WorkerPoll::default()
        };
        let polled = life.matching.poll(&key, request).await.map_err(unavailable)?;
        match polled.matched {
            Matched::Started(Delivery::WorkflowTask(task)) => return Ok(Work::WorkflowTask(task)),
            Matched::Ready(Delivery::Query(query)) => return Ok(Work::Query(query)),
            Matched::Queued(task) => {
                let (permit, namespace) = (&life.permit, &life.namespace());
                let start = life.history.start_workflow_task(permit, namespace, &task, worker);
                let Some(started) = poll.start(life, start).await else {
                    return Ok(Work::Nothing);
                };
                match started {
                    Ok(task) => return Ok(Work::WorkflowTask(Box::new(task))),
                    Err(HistoryError::Rejected(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Matched::Empty | Matched::Started(_) | Matched::Ready(_) => return Ok(Work::Nothing),
        }
    }
}

/// An attempt of an activity.
#[derive(Debug)]
pub(crate) enum Attempted {
    OfWorkflow(Box<ActivityDelivery>),
    Standalone(Box<StandaloneActivityDelivery>),
}

/// Polls for an activity attempt.
pub(crate) async fn poll_activity(
    life: &Life,
    poll: &Poll,
) -> Result<Option<Attempted>, HistoryError> {
    let key = TaskQueueKey::activity(life.namespace_id, poll.queue.as_str());
    let key = poll.registered(life, key).await?;
    loop {
        let request = poll.request(life);
        let worker = WorkerPoll {
            request_id: request.request_id.clone(),
            identity: poll.identity.clone(),
            worker_control_task_queue: poll.control_queue.clone(),
            version: poll.version.clone(),
            ..WorkerPoll::default()
        };
        let polled = life.matching.poll(&key, request).await.map_err(unavailable)?;
        match polled.matched {
            Matched::Started(delivery) => return Ok(attempted(delivery)),
            Matched::Queued(task) => {
                let start = take(life, &task, worker);
                let Some(started) = poll.start(life, start).await else { return Ok(None) };
                match started {
                    Ok(delivery) => return Ok(attempted(delivery)),
                    Err(HistoryError::Rejected(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Matched::Empty | Matched::Ready(_) => {
                poll.linger(life).await;
                return Ok(None);
            }
        }
    }
}

/// Polls for a request to a handler of Nexus operations, or for commands.
pub(crate) async fn poll_nexus_task(
    life: &Life,
    poll: &Poll,
) -> Result<Option<Box<NexusDelivery>>, HistoryError> {
    let key = TaskQueueKey::nexus(life.namespace_id, poll.queue.as_str());
    let polled = life.matching.poll(&key, poll.request(life)).await.map_err(unavailable)?;
    Ok(match polled.matched {
        Matched::Ready(Delivery::Nexus(task)) => Some(task),
        _ => None,
    })
}

/// Takes a task that waited.
async fn take(
    life: &Life,
    task: &QueuedTask,
    worker: WorkerPoll,
) -> Result<Delivery, HistoryError> {
    let (permit, namespace) = (&life.permit, &life.namespace());
    if History::is_of_entity(task) {
        return life.history.take_entity_task(permit, namespace, task, worker).await;
    }
    let started = life.history.start_activity(permit, namespace, task, worker).await?;
    Ok(Delivery::Activity(Box::new(started)))
}

fn attempted(delivery: Delivery) -> Option<Attempted> {
    match delivery {
        Delivery::Activity(task) => Some(Attempted::OfWorkflow(task)),
        Delivery::StandaloneActivity(task) => Some(Attempted::Standalone(task)),
        _ => None,
    }
}

fn unavailable(refused: matching::PollRefused) -> HistoryError {
    HistoryError::ResourceExhausted(refused.to_string())
}
