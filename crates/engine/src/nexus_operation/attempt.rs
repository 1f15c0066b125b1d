//! What came of an attempt to start an operation.

use api::{
    common::v1::{Link, Payload},
    failure::v1::Failure,
    history::v1::{
        NexusOperationCanceledEventAttributes, NexusOperationCompletedEventAttributes,
        NexusOperationFailedEventAttributes, NexusOperationStartedEventAttributes,
        history_event::Attributes,
    },
};

use super::{NexusOperation, emit_tasks};
use crate::{
    Mutation, NexusOperationAttemptFailed, NexusOperationRef, NexusOperationRetryDue, Reply,
    Shared,
    draft::{Draft, EventExtras},
    retry_policy::outbound_delay,
    workflow_task,
};

/// How a handler answered the request to start an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum NexusOperationAnswer {
    /// It works on it, and will say when it is done.
    Started {
        /// What it calls the operation.
        operation_token: String,
        /// Links to what it does.
        links: Vec<Link>,
    },
    /// It is done.
    Ended(NexusOperationEnd),
    /// It could not handle the request.
    HandlerFailed {
        /// How.
        failure: Failure,
        /// Whether another attempt may help.
        retryable: bool,
    },
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum NexusOperationEnd {
    /// With a result.
    Succeeded {
        /// The result.
        result: Option<Payload>,
        /// Links to what was done.
        links: Vec<Link>,
    },
    /// Without success.
    Failed(Failure),
    /// Cancelled.
    Canceled(Failure),
}

pub(crate) fn attempted(
    draft: &mut Draft<'_>,
    task: &NexusOperationRef,
    answer: NexusOperationAnswer,
) -> Reply {
    let scheduled_event_id = task.scheduled_event_id;
    let waits = super::current(draft.state(), task)
        .is_some_and(|operation| !operation.is_started() && !operation.is_backing_off());
    if !draft.state().is_running() || !waits {
        return Reply::Repeated;
    }
    match answer {
        NexusOperationAnswer::Started { operation_token, links } => {
            start(draft, scheduled_event_id, operation_token, links);
        }
        NexusOperationAnswer::Ended(end) => close(draft, scheduled_event_id, end),
        NexusOperationAnswer::HandlerFailed { failure, retryable: false } => {
            close(draft, scheduled_event_id, NexusOperationEnd::Failed(failure));
        }
        NexusOperationAnswer::HandlerFailed { failure, retryable: true } => {
            let attempt = operation(draft, scheduled_event_id).attempt.saturating_add(1);
            draft.mutate(Mutation::NexusOperationAttemptFailed(NexusOperationAttemptFailed {
                scheduled_event_id,
                failure: Some(Shared::new(failure)),
                time: draft.now(),
                next_attempt_time: draft.now() + outbound_delay(attempt),
            }));
            emit_tasks(draft, scheduled_event_id);
        }
    }
    Reply::Done
}

/// The back-off of an operation is over.
pub(crate) fn retry_due(draft: &mut Draft<'_>, task: &NexusOperationRef) {
    let scheduled_event_id = task.scheduled_event_id;
    draft.mutate(Mutation::NexusOperationRetryDue(NexusOperationRetryDue { scheduled_event_id }));
    emit_tasks(draft, scheduled_event_id);
}

fn operation(draft: &Draft<'_>, scheduled_event_id: i64) -> NexusOperation {
    let operation = draft.state().nexus_operations.get(&scheduled_event_id);
    operation.map(Shared::to_owned_message).unwrap_or_default()
}

/// Notes that the handler works on an operation.
pub(super) fn start(
    draft: &mut Draft<'_>,
    scheduled_event_id: i64,
    operation_token: String,
    links: Vec<Link>,
) {
    let request_id = operation(draft, scheduled_event_id).request_id().to_owned();
    #[expect(deprecated, reason = "older SDKs read the token under its former name")]
    let attributes = NexusOperationStartedEventAttributes {
        scheduled_event_id,
        operation_id: operation_token.clone(),
        request_id,
        operation_token,
    };
    draft.bufferable_event(
        Attributes::NexusOperationStartedEventAttributes(attributes),
        EventExtras { links, ..EventExtras::default() },
    );
    emit_tasks(draft, scheduled_event_id);
    workflow_task::schedule_unless_delayed(draft);
}

/// Ends an operation and tells the workflow.
pub(super) fn close(draft: &mut Draft<'_>, scheduled_event_id: i64, end: NexusOperationEnd) {
    let operation = operation(draft, scheduled_event_id);
    let request_id = operation.request_id().to_owned();
    let failure = |cause| Some(operation.failure(scheduled_event_id, Some(cause)));
    let (attributes, links) = match end {
        NexusOperationEnd::Succeeded { result, links } => {
            let attributes =
                NexusOperationCompletedEventAttributes { scheduled_event_id, result, request_id };
            (Attributes::NexusOperationCompletedEventAttributes(attributes), links)
        }
        NexusOperationEnd::Failed(cause) => {
            let attributes = NexusOperationFailedEventAttributes {
                scheduled_event_id,
                failure: failure(cause),
                request_id,
            };
            (Attributes::NexusOperationFailedEventAttributes(attributes), Vec::new())
        }
        NexusOperationEnd::Canceled(cause) => {
            let attributes = NexusOperationCanceledEventAttributes {
                scheduled_event_id,
                failure: failure(cause),
                request_id,
            };
            (Attributes::NexusOperationCanceledEventAttributes(attributes), Vec::new())
        }
    };
    draft.bufferable_event(attributes, EventExtras { links, ..EventExtras::default() });
    workflow_task::schedule_unless_delayed(draft);
}
