//! A workflow worker on the wire: polls the normal and its sticky queue, keeps a run between its
//! tasks, answers with commands.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::Context as _;
use api::{
    common::v1::WorkflowExecution,
    enums::v1::TaskQueueKind,
    history::v1::HistoryEvent,
    taskqueue::v1::{StickyExecutionAttributes, TaskQueue},
    workflowservice::v1::{
        GetWorkflowExecutionHistoryRequest, PollWorkflowTaskQueueRequest,
        PollWorkflowTaskQueueResponse, RespondWorkflowTaskCompletedRequest,
    },
};
use parking_lot::Mutex;
use tokio::{sync::Semaphore, task::JoinSet};
use tonic::Code;

use crate::{
    client::{Client, IDENTITY, NAMESPACE, is_retryable},
    clock, history,
    in_flight::InFlight,
    program::{Program, Run, is_completion},
};

/// Workflow tasks that the worker holds at a time, as SDKs bound them.
const TASK_SLOTS: usize = 512;
/// How long a task may wait on the sticky queue: the SDKs' default.
const STICKY_SCHEDULE_TO_START_SECONDS: i64 = 10;
const POLL_RETRY_DELAY: Duration = Duration::from_millis(100);
/// A timer may not fire before its due time; event times have their own rounding.
const EARLY_NANOS_MAX: i64 = 1_000_000;

/// One worker process's share of a task queue.
#[derive(Debug)]
pub struct WorkflowWorker {
    client: Client,
    program: Program,
    task_queue: String,
    sticky_queue: Option<String>,
    in_flight: Arc<InFlight>,
    cache: Mutex<HashMap<String, Run>>,
    slots: Arc<Semaphore>,
}

impl WorkflowWorker {
    /// A worker that is not polling yet; without `sticky` every task brings the whole history.
    pub fn new(
        client: Client,
        program: Program,
        task_queue: &str,
        sticky: bool,
        in_flight: Arc<InFlight>,
    ) -> Arc<Self> {
        Arc::new(Self {
            client,
            program,
            task_queue: task_queue.to_owned(),
            sticky_queue: sticky.then(|| format!("{task_queue}-sticky")),
            in_flight,
            cache: Mutex::default(),
            slots: Arc::new(Semaphore::new(TASK_SLOTS)),
        })
    }

    /// Starts `pollers` polls on the normal queue and as many on the sticky queue.
    pub fn poll(self: &Arc<Self>, pollers: usize, tasks: &mut JoinSet<()>) {
        for _ in 0..pollers {
            tasks.spawn(Arc::clone(self).poll_loop(self.normal_queue()));
            if let Some(queue) = self.sticky_task_queue() {
                tasks.spawn(Arc::clone(self).poll_loop(queue));
            }
        }
    }

    fn normal_queue(&self) -> TaskQueue {
        TaskQueue {
            name: self.task_queue.clone(),
            kind: TaskQueueKind::Normal.into(),
            ..Default::default()
        }
    }

    fn sticky_task_queue(&self) -> Option<TaskQueue> {
        Some(TaskQueue {
            name: self.sticky_queue.clone()?,
            kind: TaskQueueKind::Sticky.into(),
            normal_name: self.task_queue.clone(),
        })
    }

    async fn poll_loop(self: Arc<Self>, queue: TaskQueue) {
        loop {
            let Ok(permit) = Arc::clone(&self.slots).acquire_owned().await else { return };
            let request = PollWorkflowTaskQueueRequest {
                namespace: NAMESPACE.to_owned(),
                task_queue: Some(queue.clone()),
                identity: IDENTITY.to_owned(),
                ..Default::default()
            };
            match self.client.poll_workflow_task(request).await {
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
                    self.in_flight.complain(format!("workflow task poll: {status}"));
                    return;
                }
            }
        }
    }

    /// Answers a task and every further one that comes back in an answer.
    async fn work(&self, task: PollWorkflowTaskQueueResponse) {
        let mut next = Some(task);
        while let Some(task) = next.take() {
            let execution = task.workflow_execution.clone().unwrap_or_default();
            match self.answer(task, &execution).await {
                Ok(following) => next = following,
                Err(error) => {
                    self.cache.lock().remove(&execution.run_id);
                    let workflow_id = &execution.workflow_id;
                    self.in_flight.complain(format!("workflow `{workflow_id}`: {error:#}"));
                }
            }
        }
    }

    async fn answer(
        &self,
        mut task: PollWorkflowTaskQueueResponse,
        execution: &WorkflowExecution,
    ) -> anyhow::Result<Option<PollWorkflowTaskQueueResponse>> {
        let mut run = self.advance(&mut task, execution).await?;
        for message in &task.messages {
            run.take_update(message)?;
        }
        let commands = run.decide(&self.task_queue)?;
        let run_messages = run.messages();
        let completes = commands.iter().any(is_completion);
        let sticky_attributes = self.sticky_task_queue().map(|queue| StickyExecutionAttributes {
            worker_task_queue: Some(queue),
            schedule_to_start_timeout: Some(history::seconds(STICKY_SCHEDULE_TO_START_SECONDS)),
        });
        if !completes && sticky_attributes.is_some() {
            // The next task may reach another poll before this answer is acknowledged.
            self.cache.lock().insert(execution.run_id.clone(), run);
        }
        let request = RespondWorkflowTaskCompletedRequest {
            task_token: task.task_token,
            commands,
            messages: run_messages,
            identity: IDENTITY.to_owned(),
            namespace: NAMESPACE.to_owned(),
            sticky_attributes,
            return_new_workflow_task: true,
            ..Default::default()
        };
        match self.client.respond_workflow_task(request).await {
            Ok(response) => {
                if completes {
                    self.in_flight.completed(&execution.workflow_id);
                } else {
                    self.in_flight.task_done(&execution.workflow_id);
                }
                Ok(response.workflow_task.filter(|task| !task.task_token.is_empty()))
            }
            // The task timed out; the server hands out another one with the whole history.
            Err(status) if status.code() == Code::NotFound => {
                self.in_flight.stale_answers.fetch_add(1, Ordering::Relaxed);
                self.cache.lock().remove(&execution.run_id);
                Ok(None)
            }
            Err(status) => Err(status).context("answering a workflow task"),
        }
    }

    /// The run with the events of this task applied: from the cache, or from its first event.
    async fn advance(
        &self,
        task: &mut PollWorkflowTaskQueueResponse,
        execution: &WorkflowExecution,
    ) -> anyhow::Result<Run> {
        let mut events = match task.history.take() {
            Some(history) => history.decode_events()?,
            None => Vec::new(),
        };
        let token = std::mem::take(&mut task.next_page_token);
        if !token.is_empty() {
            events.extend(self.read_history(execution, token).await?);
        }
        let cached = self.cache.lock().remove(&execution.run_id);
        let first = events.first().map_or(0, |event| event.event_id);
        let mut run = match cached {
            Some(run) if run.next_event_id() == first => run,
            _ => {
                if first != 1 {
                    self.in_flight.cache_misses.fetch_add(1, Ordering::Relaxed);
                    events = self.read_history(execution, bytes::Bytes::new()).await?;
                    events.retain(|event| event.event_id <= task.started_event_id);
                }
                Run::new(self.program)
            }
        };
        let had_fired = run.timer_fired().is_some();
        for event in &events {
            run.apply(event)?;
        }
        if !had_fired {
            self.observe_timer(&run, &execution.workflow_id);
        }
        anyhow::ensure!(
            run.next_event_id() == task.started_event_id + 1,
            "a task that started as event {} brought events up to {}",
            task.started_event_id,
            run.next_event_id() - 1
        );
        Ok(run)
    }

    fn observe_timer(&self, run: &Run, workflow_id: &str) {
        let Some(timer) = run.timer_fired() else { return };
        let late = timer.fired_nanos - timer.due_nanos;
        if late < -EARLY_NANOS_MAX {
            self.in_flight.complain(format!("timer of `{workflow_id}` fired {late} ns late"));
        }
        let length = |nanos: i64| Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
        self.in_flight.timer_lateness.record(length(late));
        self.in_flight.timer_wake_up.record(length(clock::wall_nanos() - timer.due_nanos));
    }

    /// Reads the history from `token` (empty: from the first event) to its end.
    async fn read_history(
        &self,
        execution: &WorkflowExecution,
        mut token: bytes::Bytes,
    ) -> anyhow::Result<Vec<HistoryEvent>> {
        let mut events = Vec::new();
        loop {
            let request = GetWorkflowExecutionHistoryRequest {
                namespace: NAMESPACE.to_owned(),
                execution: Some(execution.clone()),
                next_page_token: token,
                ..Default::default()
            };
            let page = self.client.history(request).await.context("reading a history")?;
            if let Some(history) = page.history {
                events.extend(history.decode_events()?);
            }
            token = page.next_page_token;
            if token.is_empty() {
                return Ok(events);
            }
        }
    }
}
