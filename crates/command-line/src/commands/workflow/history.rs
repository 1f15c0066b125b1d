//! Reading histories: page by page, forwards or backwards, up to now or to the end.

use api::{
    common::v1::WorkflowExecution,
    enums::v1::{EventType, HistoryEventFilterType},
    history::v1::{HistoryEvent, history_event::Attributes},
    workflowservice::v1::{
        GetWorkflowExecutionHistoryRequest, GetWorkflowExecutionHistoryReverseRequest,
    },
};
use bytes::Bytes;

use crate::{
    context::Context,
    error::{Error, Result},
};

/// Which way a history is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// What there is now.
    Forwards,
    /// What there is now, newest first.
    Backwards,
    /// Up to the end of the workflow, runs that continue it included.
    Following,
}

/// A place in a history.
#[derive(Debug)]
pub(crate) struct HistoryReader {
    execution: WorkflowExecution,
    direction: Direction,
    token: Option<Bytes>,
}

impl HistoryReader {
    pub(crate) fn new(execution: WorkflowExecution, direction: Direction) -> Self {
        Self { execution, direction, token: Some(Bytes::new()) }
    }

    /// The next events; none at the end.
    pub(crate) async fn page(
        &mut self,
        context: &mut Context,
    ) -> Result<Option<Vec<HistoryEvent>>> {
        while let Some(token) = self.token.take() {
            let (history, next) = if self.direction == Direction::Backwards {
                let request = GetWorkflowExecutionHistoryReverseRequest {
                    namespace: context.namespace(),
                    execution: Some(self.execution.clone()),
                    next_page_token: token,
                    ..GetWorkflowExecutionHistoryReverseRequest::default()
                };
                let answer = context.call(request).await?;
                (answer.history, answer.next_page_token)
            } else {
                let request = GetWorkflowExecutionHistoryRequest {
                    namespace: context.namespace(),
                    execution: Some(self.execution.clone()),
                    next_page_token: token,
                    wait_new_event: self.direction == Direction::Following,
                    ..GetWorkflowExecutionHistoryRequest::default()
                };
                let answer = context.call(request).await?;
                (answer.history, answer.next_page_token)
            };
            self.token = Some(next).filter(|next| !next.is_empty());
            let events = events(history)?;
            if self.direction == Direction::Following
                && let Some(run_id) = events.last().and_then(next_run)
            {
                self.execution.run_id = run_id;
                self.token = Some(Bytes::new());
            }
            if !events.is_empty() {
                return Ok(Some(events));
            }
        }
        Ok(None)
    }
}

/// The events of an answer.
pub(crate) fn events(history: Option<api::RawHistory>) -> Result<Vec<HistoryEvent>> {
    let history = history.unwrap_or_default();
    history.decode_events().map_err(|error| Error::Answer(error.to_string()))
}

/// The run that continues the one that an event closes.
fn next_run(event: &HistoryEvent) -> Option<String> {
    match event.attributes.as_ref()? {
        Attributes::WorkflowExecutionContinuedAsNewEventAttributes(attributes) => {
            Some(attributes.new_execution_run_id.clone())
        }
        _ => None,
    }
}

/// Waits for the event that closes a workflow, in the last of its runs.
pub(crate) async fn close_event(
    context: &mut Context,
    execution: WorkflowExecution,
) -> Result<HistoryEvent> {
    last_event(context, execution, true).await
}

/// The event that closed a run.
pub(crate) async fn closing_event_of_run(
    context: &mut Context,
    execution: WorkflowExecution,
) -> Result<HistoryEvent> {
    last_event(context, execution, false).await
}

async fn last_event(
    context: &mut Context,
    mut execution: WorkflowExecution,
    wait: bool,
) -> Result<HistoryEvent> {
    let mut token = Bytes::new();
    loop {
        let request = GetWorkflowExecutionHistoryRequest {
            namespace: context.namespace(),
            execution: Some(execution.clone()),
            next_page_token: token,
            wait_new_event: wait,
            skip_archival: wait,
            history_event_filter_type: HistoryEventFilterType::CloseEvent.into(),
            ..GetWorkflowExecutionHistoryRequest::default()
        };
        let answer = context.call(request).await?;
        token = answer.next_page_token;
        if let Some(event) = events(answer.history)?.pop() {
            match next_run(&event) {
                Some(run_id) if wait => {
                    execution.run_id = run_id;
                    token = Bytes::new();
                }
                _ => return Ok(event),
            }
        } else if token.is_empty() {
            return Err(Error::Answer("there is no close event".to_owned()));
        }
    }
}

/// True for the events after which a workflow has an outcome.
pub(crate) fn closes(event: &HistoryEvent) -> bool {
    matches!(
        event.event_type(),
        EventType::WorkflowExecutionCompleted
            | EventType::WorkflowExecutionFailed
            | EventType::WorkflowExecutionTimedOut
            | EventType::WorkflowExecutionCanceled
            | EventType::WorkflowExecutionTerminated
    )
}
