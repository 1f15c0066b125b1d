//! The server's side of a poll, as the frontend has it.

use history::WorkflowTaskDelivery;
use history::{ActivityDelivery, Delivery, HistoryError, QueryDelivery, WorkerPoll};
use matching::{Matched, PollRequest, TaskQueueKey};
use model::Time;

use crate::cluster::Life;

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
}

impl Poll {
    fn request(&self, life: &Life) -> PollRequest {
        PollRequest {
            identity: self.identity.clone(),
            request_id: life.request_id(),
            deadline: self.deadline,
            ..PollRequest::default()
        }
    }
}

/// Polls for a workflow task.
pub(crate) async fn poll_workflow_task(
    life: &Life,
    poll: &Poll,
    on_sticky_queue: bool,
) -> Result<Work, HistoryError> {
    let key = TaskQueueKey::workflow(life.namespace.id, poll.queue.as_str());
    loop {
        let request = poll.request(life);
        let identity = poll.identity.clone();
        let worker = WorkerPoll {
            request_id: request.request_id.clone(),
            identity,
            on_sticky_queue,
            ..WorkerPoll::default()
        };
        let polled = life.matching.poll(&key, request).await.map_err(unavailable)?;
        match polled.matched {
            Matched::Started(Delivery::WorkflowTask(task)) => return Ok(Work::WorkflowTask(task)),
            Matched::Ready(Delivery::Query(query)) => return Ok(Work::Query(query)),
            Matched::Queued(task) => {
                let (permit, namespace) = (&life.permit, &life.namespace);
                let started =
                    life.history.start_workflow_task(permit, namespace, &task, worker).await;
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

/// Polls for an activity attempt.
pub(crate) async fn poll_activity(
    life: &Life,
    poll: &Poll,
) -> Result<Option<Box<ActivityDelivery>>, HistoryError> {
    let key = TaskQueueKey::activity(life.namespace.id, poll.queue.as_str());
    loop {
        let request = poll.request(life);
        let worker = WorkerPoll {
            request_id: request.request_id.clone(),
            identity: poll.identity.clone(),
            ..WorkerPoll::default()
        };
        let polled = life.matching.poll(&key, request).await.map_err(unavailable)?;
        match polled.matched {
            Matched::Started(Delivery::Activity(task)) => return Ok(Some(task)),
            Matched::Queued(task) => {
                let (permit, namespace) = (&life.permit, &life.namespace);
                let started = life.history.start_activity(permit, namespace, &task, worker).await;
                match started {
                    Ok(task) => return Ok(Some(Box::new(task))),
                    Err(HistoryError::Rejected(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Matched::Empty | Matched::Started(_) | Matched::Ready(_) => return Ok(None),
        }
    }
}

fn unavailable(refused: matching::PollRefused) -> HistoryError {
    HistoryError::ResourceExhausted(refused.to_string())
}
