//! The starter: starts workflows, signals them, waits for their end.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use api::{
    common::v1::{WorkflowExecution, WorkflowType},
    enums::v1::{HistoryEventFilterType, TaskQueueKind},
    history::v1::HistoryEvent,
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{
        GetWorkflowExecutionHistoryRequest, SignalWorkflowExecutionRequest,
        StartWorkflowExecutionRequest,
    },
};

use tokio::sync::watch;

use crate::{
    client::{Client, IDENTITY, NAMESPACE},
    in_flight::{InFlight, Moments},
    payload,
    program::{Program, SIGNAL},
    scenario::{Mode, Scenario},
    update,
};

/// A workflow that does not get on for this long is lost.
const LOST_AFTER: Duration = Duration::from_secs(90);

/// A workflow that was started.
#[derive(Debug, Clone)]
pub struct Started {
    /// Its number within the run, which is also its input.
    pub index: u64,
    pub execution: WorkflowExecution,
}

/// One client that starts workflows of one scenario on one task queue.
#[derive(Debug, Clone)]
pub struct Starter {
    pub client: Client,
    pub in_flight: Arc<InFlight>,
    pub scenario: Scenario,
    pub task_queue: String,
}

impl Starter {
    /// Starts workflow number `index`.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn start(&self, index: u64) -> anyhow::Result<(Started, Moments)> {
        let workflow_id = format!("{}-{index}", self.task_queue);
        let moments = self.in_flight.track(workflow_id.clone());
        let task_queue = TaskQueue {
            name: self.task_queue.clone(),
            kind: TaskQueueKind::Normal.into(),
            ..Default::default()
        };
        let request = StartWorkflowExecutionRequest {
            namespace: NAMESPACE.to_owned(),
            workflow_id: workflow_id.clone(),
            workflow_type: Some(WorkflowType { name: self.scenario.name() }),
            task_queue: Some(task_queue),
            input: payload::encode(index),
            identity: IDENTITY.to_owned(),
            // A repeated call must find the run of the first one.
            request_id: workflow_id.clone(),
            ..Default::default()
        };
        let response = self.client.start(request).await.context("starting a workflow")?;
        let execution = WorkflowExecution { workflow_id, run_id: response.run_id };
        Ok((Started { index, execution }, moments))
    }

    /// Takes a started workflow to its end: sends what it waits for and waits for its completion.
    ///
    /// # Errors
    /// When it does not complete in time, or in a closed loop completes with the wrong result.
    pub async fn finish(
        &self,
        started: &Started,
        mut moments: Moments,
        mode: Mode,
    ) -> anyhow::Result<()> {
        let workflow_id = &started.execution.workflow_id;
        let lost = || format!("workflow `{workflow_id}` is lost");
        if self.scenario == Scenario::Start {
            return Ok(());
        }
        let sending = self.send(started, &mut moments.tasks_done);
        tokio::time::timeout(LOST_AFTER, sending).await.ok().with_context(lost)??;
        match mode {
            Mode::Saturation => {
                let completed = tokio::time::timeout(LOST_AFTER, moments.completed).await;
                completed.ok().and_then(Result::ok).with_context(lost)
            }
            Mode::ClosedLoop => {
                let result = tokio::time::timeout(LOST_AFTER, self.close_event(started)).await;
                result.ok().with_context(lost)?.map(drop)
            }
        }
    }

    /// Sends what the workflow waits for, each when the one before has been dealt with.
    async fn send(
        &self,
        started: &Started,
        tasks_done: &mut watch::Receiver<u64>,
    ) -> anyhow::Result<()> {
        let (Program::Signals(count) | Program::Updates(count)) = self.scenario.program() else {
            return Ok(());
        };
        for number in 1..=count {
            let is_waiting = tasks_done.wait_for(|done| *done >= number).await;
            is_waiting.context("the workflow ended before it had all that it waits for")?;
            match self.scenario.program() {
                Program::Signals(_) => self.signal(started, number).await?,
                _ => self.update(started, number).await?,
            }
        }
        Ok(())
    }

    async fn signal(&self, started: &Started, number: u64) -> anyhow::Result<()> {
        let request = SignalWorkflowExecutionRequest {
            namespace: NAMESPACE.to_owned(),
            workflow_execution: Some(started.execution.clone()),
            signal_name: SIGNAL.to_owned(),
            input: payload::encode(Program::signal_value(started.index)),
            identity: IDENTITY.to_owned(),
            request_id: format!("{}-{number}", started.execution.workflow_id),
            ..Default::default()
        };
        self.client.signal(request).await.context("signalling a workflow")?;
        Ok(())
    }

    async fn update(&self, started: &Started, number: u64) -> anyhow::Result<()> {
        let request = update::request(started, number, Program::signal_value(started.index));
        let updated = self.client.update(request).await.context("updating a workflow")?;
        let expected = Program::value_after(started.index, number);
        anyhow::ensure!(
            update::number(updated.outcome.as_ref()) == Some(expected),
            "update {number} of `{}` gave {:?}",
            started.execution.workflow_id,
            updated.outcome
        );
        Ok(())
    }

    /// The event that closes the run, waited for as a client's `result()` does.
    ///
    /// # Errors
    /// When the server refuses or answers with anything but one event.
    pub async fn close_event(&self, started: &Started) -> anyhow::Result<HistoryEvent> {
        let mut next_page_token = bytes::Bytes::new();
        loop {
            let request = GetWorkflowExecutionHistoryRequest {
                namespace: NAMESPACE.to_owned(),
                execution: Some(started.execution.clone()),
                wait_new_event: true,
                history_event_filter_type: HistoryEventFilterType::CloseEvent.into(),
                skip_archival: true,
                next_page_token,
                ..Default::default()
            };
            let page = self.client.history(request).await.context("waiting for a result")?;
            let mut events = page.history.map_or(Ok(Vec::new()), |raw| raw.decode_events())?;
            match (events.pop(), page.next_page_token.is_empty()) {
                (Some(event), _) if events.is_empty() => return Ok(event),
                (None, false) => next_page_token = page.next_page_token,
                _ => anyhow::bail!(
                    "the wait for the close event of `{}` gave {} events and no token",
                    started.execution.workflow_id,
                    events.len() + 1
                ),
            }
        }
    }
}
