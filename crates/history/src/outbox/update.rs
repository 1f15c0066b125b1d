//! What the completion callbacks of an update tell: how it ended.

use api::{
    common::v1::{
        Link,
        link::{
            Variant, WorkflowEvent,
            workflow_event::{Reference, RequestIdReference},
        },
    },
    failure::v1::Failure,
    update::v1::{Outcome, outcome},
};
use engine::{CompletionCallback, NexusOperationEnd, Shared, UpdateStage};
use model::{RunId, Time};

use super::{News, Source};
use crate::{Execution, History, HistoryError};

/// The news of the update that a callback waits for.
pub(super) async fn news(
    history: &History,
    source: &Source,
    callback: &CompletionCallback,
) -> Result<News, HistoryError> {
    let state = &source.state;
    let (end, close_time) = if let Some(rejection) = &callback.rejection {
        (NexusOperationEnd::Failed(Shared::to_owned_message(rejection)), Time::UNSET)
    } else {
        let (outcome, close_time) = match state.update_stage(&callback.update_id) {
            Some(UpdateStage::Completed { event_id }) => outcome(history, source, event_id).await?,
            Some(UpdateStage::Failed(outcome)) => (outcome, state.close_time),
            Some(UpdateStage::Admitted | UpdateStage::Accepted) | None => {
                (Outcome::default(), Time::UNSET)
            }
        };
        (end(outcome), close_time)
    };
    Ok(News { end, link: link(source, callback), start_time: state.start_time, close_time })
}

/// What an outcome is in the words of Nexus, which knows a single result.
fn end(outcome: Outcome) -> NexusOperationEnd {
    match outcome.value {
        Some(outcome::Value::Success(payloads)) => {
            let result = payloads.payloads.into_iter().next();
            NexusOperationEnd::Succeeded { result, links: Vec::new() }
        }
        Some(outcome::Value::Failure(failure)) => NexusOperationEnd::Failed(failure),
        None => NexusOperationEnd::Failed(Failure {
            message: "the update has no outcome".to_owned(),
            ..Failure::default()
        }),
    }
}

async fn outcome(
    history: &History,
    source: &Source,
    event_id: i64,
) -> Result<(Outcome, Time), HistoryError> {
    let this = source.execution();
    let run_id = this.run_id.parse::<RunId>().ok();
    let execution = Execution { workflow_id: this.workflow_id, run_id };
    let live = history.live_run(&source.namespace, &execution).await?;
    history.node.update_outcome(&live, event_id).await
}

/// To the event that tells of the request. It is named by the request, because it may have waited
/// in the buffer when the request was answered.
fn link(source: &Source, callback: &CompletionCallback) -> Link {
    let execution = source.execution();
    let request_id = callback.request_id.clone();
    let told = source.state.update_requests.get(&request_id);
    let event_type = told.map_or(0, |told| told.event_type);
    let event = WorkflowEvent {
        namespace: source.namespace.name.clone(),
        workflow_id: execution.workflow_id,
        run_id: execution.run_id,
        reference: Some(Reference::RequestIdRef(RequestIdReference { request_id, event_type })),
    };
    Link { variant: Some(Variant::WorkflowEvent(event)) }
}
