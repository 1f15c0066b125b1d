//! Random steps of Nexus operations and completion callbacks.

use api::{
    command::v1::{
        RequestCancelNexusOperationCommandAttributes, ScheduleNexusOperationCommandAttributes,
        command::Attributes,
    },
    common::v1::{Callback, callback},
};
use engine::{
    CallbackDelivery, CallbackRef, CompleteNexusOperation, Input, NexusCancellationAnswer,
    NexusOperationAnswer, NexusOperationEnd, NexusOperationRef, Outcome, SYSTEM_ENDPOINT, State,
};
use model::Span;

use crate::world::World;

/// What handlers and the shell say, of what waits or of nothing.
pub(crate) fn input(world: &World, pick: u8) -> Input {
    let state = &world.state;
    let operations: Vec<_> = state.nexus_operations.iter().collect();
    let found = operations.get(usize::from(pick / 8) % operations.len().max(1));
    let (scheduled_event_id, stamp, cancel_stamp, request_id) =
        found.map_or((9, 1, 1, String::new()), |(id, operation)| {
            let cancel_stamp = operation.cancellation.as_ref().map_or(1, |wish| wish.stamp);
            (**id, operation.stamp, cancel_stamp, operation.request_id().to_owned())
        });
    let task = NexusOperationRef { scheduled_event_id, stamp };
    match pick % 8 {
        0 => Input::Outcome(Outcome::NexusOperation {
            task,
            answer: NexusOperationAnswer::Ended(end(pick / 8)),
        }),
        1 | 2 => Input::Outcome(Outcome::NexusOperation {
            task,
            answer: NexusOperationAnswer::Started {
                operation_token: "token".to_owned(),
                links: Vec::new(),
            },
        }),
        3 => Input::Outcome(Outcome::NexusOperation {
            task,
            answer: NexusOperationAnswer::HandlerFailed {
                failure: Default::default(),
                retryable: pick < 192,
            },
        }),
        4 | 5 => Input::Outcome(Outcome::NexusCancellation {
            task: NexusOperationRef { scheduled_event_id, stamp: cancel_stamp },
            answer: if pick.is_multiple_of(3) {
                NexusCancellationAnswer::Accepted
            } else {
                NexusCancellationAnswer::HandlerFailed {
                    failure: Default::default(),
                    retryable: pick < 128,
                }
            },
        }),
        6 => Input::Outcome(Outcome::Callback {
            task: callback_ref(state, pick / 32),
            delivery: match pick / 8 % 4 {
                0 => CallbackDelivery::Delivered,
                1 => CallbackDelivery::Failed { failure: Default::default(), retryable: false },
                _ => CallbackDelivery::Failed { failure: Default::default(), retryable: true },
            },
        }),
        _ => Input::CompleteNexusOperation(Box::new(CompleteNexusOperation {
            scheduled_event_id,
            request_id: if pick > 240 { "another".to_owned() } else { request_id },
            operation_token: "token".to_owned(),
            links: Vec::new(),
            end: end(pick / 8),
        })),
    }
}

fn callback_ref(state: &State, pick: u8) -> CallbackRef {
    let index = u32::from(pick) % state.callbacks.len().max(1) as u32;
    let stamp = state.callbacks.get(index as usize).map_or(1, |callback| callback.stamp);
    CallbackRef { index, stamp }
}

fn end(pick: u8) -> NexusOperationEnd {
    match pick % 3 {
        0 => NexusOperationEnd::Succeeded { result: None, links: Vec::new() },
        1 => NexusOperationEnd::Failed(Default::default()),
        _ => NexusOperationEnd::Canceled(Default::default()),
    }
}

/// A command that schedules an operation, or cancels one.
pub(crate) fn command(state: &State, pick: u8) -> Attributes {
    if pick.is_multiple_of(3) {
        return Attributes::RequestCancelNexusOperationCommandAttributes(
            RequestCancelNexusOperationCommandAttributes {
                scheduled_event_id: state.nexus_operations.keys().next().copied().unwrap_or(1),
            },
        );
    }
    let seconds = |seconds| Some(Span::from_secs(seconds).to_proto());
    let name = match pick {
        251..=252 => "unknown",
        253.. => SYSTEM_ENDPOINT,
        _ => "endpoint",
    };
    Attributes::ScheduleNexusOperationCommandAttributes(ScheduleNexusOperationCommandAttributes {
        endpoint: name.to_owned(),
        service: "service".to_owned(),
        operation: "operation".to_owned(),
        schedule_to_close_timeout: pick.is_multiple_of(2).then(|| seconds(9)).flatten(),
        schedule_to_start_timeout: (pick % 5 == 1).then(|| seconds(3)).flatten(),
        start_to_close_timeout: (pick % 7 == 1).then(|| seconds(4)).flatten(),
        ..Default::default()
    })
}

/// A callback that comes with the start.
pub(crate) fn callback() -> Callback {
    let nexus = callback::Nexus { url: "temporal://system".to_owned(), ..Default::default() };
    Callback { variant: Some(callback::Variant::Nexus(nexus)), ..Default::default() }
}
