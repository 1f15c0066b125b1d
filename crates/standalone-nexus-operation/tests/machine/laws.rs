//! Laws of the machine.

use api::{common::v1::Callback, failure::v1::Failure};
use engine::{CallbackDelivery, NexusCancellationAnswer, NexusOperationAnswer, NexusOperationEnd};
use entity::{Event, Machine};
use proptest::prelude::*;
use standalone_nexus_operation::{Done, Input, StandaloneNexusOperation, Start, State, Work};

use crate::support::{
    at, begun_with, cancel, completion, decide, failure, key, start, succeeded, terminate, unable,
    working,
};

fn events() -> impl Strategy<Value = (i64, u8)> {
    (0_i64..20, 0_u8..12)
}

/// An outcome of the first piece of work, which may be to be tried again.
fn outcome(state: &State, number: u64, step: usize) -> Done {
    let retryable = !step.is_multiple_of(3);
    let failure = Failure::default();
    match StandaloneNexusOperation::work(state, number, &key()) {
        Some(Work::Start(_)) if step.is_multiple_of(4) => Done::Started(working()),
        Some(Work::Start(_)) if step.is_multiple_of(11) => {
            Done::Started(NexusOperationAnswer::Ended(succeeded()))
        }
        Some(Work::Start(_)) | None => Done::Started(unable(true)),
        Some(Work::Cancel(_)) if step.is_multiple_of(5) => {
            Done::Canceled(NexusCancellationAnswer::Accepted)
        }
        Some(Work::Cancel(_)) => {
            Done::Canceled(NexusCancellationAnswer::HandlerFailed { failure, retryable })
        }
        Some(Work::Tell(_)) => Done::Told(CallbackDelivery::Failed { failure, retryable }),
    }
}

fn event(kind: u8, state: &State, step: usize) -> Event<StandaloneNexusOperation> {
    Event::Request(match kind {
        0..=2 => return Event::Due,
        3..=6 => {
            let outstanding = StandaloneNexusOperation::outstanding(state);
            let number = outstanding.first().copied().unwrap_or(7);
            return Event::Done { number, outcome: outcome(state, number, step) };
        }
        7 if step.is_multiple_of(3) => completion(state, NexusOperationEnd::Failed(failure("no"))),
        8 if step.is_multiple_of(7) => terminate("terminate"),
        9 if step.is_multiple_of(7) => Input::Delete,
        10 => Input::Start(Box::new(start())),
        _ => cancel(if step.is_multiple_of(2) { "one" } else { "two" }),
    })
}

proptest! {
    #[test]
    fn law_decisions_repeat_time_goes_on_work_ends_and_the_end_is_final(
        events in prop::collection::vec(events(), 1..60),
    ) {
        let callbacks = vec![Callback::default()];
        let mut state = begun_with(Start { callbacks, ..start() });
        let mut now = 1;
        let mut used = Vec::new();
        for (step, (passed, kind)) in events.into_iter().enumerate() {
            now += passed;
            let decided = decide(Some(&state), event(kind, &state, step), now);
            let again = decide(Some(&state), event(kind, &state, step), now);
            let Ok(decision) = decided else {
                prop_assert_eq!(again.map(|_| ()), decided.map(|_| ()));
                continue;
            };
            prop_assert_eq!(&again.unwrap().state, &decision.state);
            let Some(next) = decision.state else { break };
            let was_due =
                StandaloneNexusOperation::due(&state).is_some_and(|due| due <= at(now));
            if kind < 3 && was_due {
                let (before, after) =
                    (StandaloneNexusOperation::due(&state), StandaloneNexusOperation::due(&next));
                prop_assert_ne!(before, after);
            }
            let (before, after) = (
                StandaloneNexusOperation::outstanding(&state),
                StandaloneNexusOperation::outstanding(&next),
            );
            if (3..=6).contains(&kind) && let Some(number) = before.first() {
                prop_assert!(!after.contains(number));
            }
            // No number is ever used twice.
            used.extend(before.iter().copied().filter(|number| !after.contains(number)));
            for number in &after {
                prop_assert!(!used.contains(number));
                prop_assert!(StandaloneNexusOperation::work(&next, *number, &key()).is_some());
            }
            // Steps are counted.
            prop_assert_eq!(next.transitions - state.transitions, i64::from(next != state));
            // It waits for an answer or for a time.
            prop_assert!(
                !after.is_empty() || StandaloneNexusOperation::due(&next).is_some()
            );
            if !state.is_open() {
                prop_assert!(!next.is_open());
                prop_assert_eq!(next.status(), state.status());
                prop_assert_eq!(next.end(), state.end());
            }
            prop_assert_eq!(next.is_open(), next.end().is_none());
            state = next;
        }
    }
}
