//! An activity worker on the wire: adds one to the number that it is given.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::Context as _;
use api::{
    enums::v1::TaskQueueKind,
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{
        PollActivityTaskQueueRequest, PollActivityTaskQueueResponse,
        RespondActivityTaskCompletedRequest,
    },
};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    client::{Client, IDENTITY, NAMESPACE, is_retryable},
    in_flight::InFlight,
    payload,
    program::ADD_ONE,
};

/// Activities that the worker runs at a time, as SDKs bound them.
const ACTIVITY_SLOTS: usize = 512;
const POLL_RETRY_DELAY: Duration = Duration::from_millis(100);

/// One worker process's share of a task queue.
#[derive(Debug)]
pub struct ActivityWorker {
    client: Client,
    task_queue: String,
    /// As in [`crate::verification::Checks`].
    tolerate_time_outs: bool,
    in_flight: Arc<InFlight>,
    slots: Arc<Semaphore>,
}

impl ActivityWorker {
    /// A worker that is not polling yet.
    pub fn new(
        client: Client,
        task_queue: &str,
        tolerate_time_outs: bool,
        in_flight: Arc<InFlight>,
    ) -> Arc<Self> {
        let slots = Arc::new(Semaphore::new(ACTIVITY_SLOTS));
        let task_queue = task_queue.to_owned();
        Arc::new(Self { client, task_queue, tolerate_time_outs, in_flight, slots })
    }

    /// Starts `pollers` polls.
    pub fn poll(self: &Arc<Self>, pollers: usize, tasks: &mut JoinSet<()>) {
        for _ in 0..pollers {
            tasks.spawn(Arc::clone(self).poll_loop());
        }
    }

    async fn poll_loop(self: Arc<Self>) {
        loop {
            let Ok(permit) = Arc::clone(&self.slots).acquire_owned().await else { return };
            let task_queue = TaskQueue {
                name: self.task_queue.clone(),
                kind: TaskQueueKind::Normal.into(),
                ..Default::default()
            };
            let request = PollActivityTaskQueueRequest {
                namespace: NAMESPACE.to_owned(),
                task_queue: Some(task_queue),
                identity: IDENTITY.to_owned(),
                ..Default::default()
            };
            match self.client.poll_activity_task(request).await {
                Ok(Some(task)) => {
                    let worker = Arc::clone(&self);
                    tokio::spawn(async move {
                        worker.work(task).await;
                        drop(permit);
                    });
                }
                Ok(None) => {}
                Err(status) if is_retryable(&status) => {
                    self.in_flight.retries.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(POLL_RETRY_DELAY).await;
                }
                Err(status) => {
                    self.in_flight.complain(format!("activity task poll: {status}"));
                    return;
                }
            }
        }
    }

    async fn work(&self, task: PollActivityTaskQueueResponse) {
        let workflow_id = task.workflow_execution.clone().unwrap_or_default().workflow_id;
        if let Err(error) = self.answer(task).await {
            self.in_flight.complain(format!("activity of workflow `{workflow_id}`: {error:#}"));
        }
    }

    async fn answer(&self, task: PollActivityTaskQueueResponse) -> anyhow::Result<()> {
        let activity_type = task.activity_type.unwrap_or_default().name;
        anyhow::ensure!(activity_type == ADD_ONE, "is of type `{activity_type}`");
        if task.attempt > 1 {
            anyhow::ensure!(self.tolerate_time_outs, "is at attempt {}", task.attempt);
            self.in_flight.activity_retries.fetch_add(1, Ordering::Relaxed);
        }
        let input = payload::decode(task.input.as_ref()).context("brought no number")?;
        let request = RespondActivityTaskCompletedRequest {
            task_token: task.task_token,
            result: payload::encode(input + 1),
            identity: IDENTITY.to_owned(),
            namespace: NAMESPACE.to_owned(),
            ..Default::default()
        };
        self.client.respond_activity_task(request).await.context("answering an activity task")?;
        Ok(())
    }
}
