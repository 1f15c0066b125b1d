//! Laws of the machine.

use api::{common::v1::Callback, failure::v1::Failure};
use engine::CallbackDelivery;
use entity::{Event, Machine, Taken};
use model::Span;
use proptest::prelude::*;
use standalone_activity::{
    Confirm, Delivered, Heartbeat, Held, Input, Pause, Reset, StandaloneActivity, Start, State,
    Unpause,
};

use crate::support::{at, begun_with, cancel, complete, decide, fail, held, key, payloads, start};

fn events() -> impl Strategy<Value = (i64, u8)> {
    (0_i64..40, 0_u8..14)
}

fn event(kind: u8, state: &State, step: usize) -> Event<StandaloneActivity> {
    let id = format!("request {step}");
    let held = held(state);
    Event::Request(match kind {
        0 | 1 => {
            let stamp = StandaloneActivity::task(state).map_or(0, |task| task.stamp);
            return Event::Taken(Taken { stamp, request_id: id, ..Taken::default() });
        }
        2 | 3 => return Event::Due,
        4 => fail(held),
        5 => Input::Heartbeat(Heartbeat { held, details: Some(payloads("details")) }),
        6 => Input::Pause(Pause { request_id: id, ..Pause::default() }),
        7 => Input::Unpause(Unpause { request_id: id, jitter: Span::from_secs(3) }),
        8 => Input::Reset(Reset {
            request_id: id,
            keeps_paused: step.is_multiple_of(2),
            ..Reset::default()
        }),
        9 if step.is_multiple_of(3) => cancel(&id),
        9 => Input::Confirm(Confirm { held, details: None }),
        10 if step.is_multiple_of(5) => complete(held),
        11 if step.is_multiple_of(7) => Input::Delete,
        12 => {
            let outstanding = StandaloneActivity::outstanding(state);
            let number = outstanding.first().copied().unwrap_or(7);
            let retryable = step.is_multiple_of(2);
            let delivery = CallbackDelivery::Failed { failure: Failure::default(), retryable };
            return Event::Done { number, outcome: Delivered(delivery) };
        }
        _ => Input::Heartbeat(Heartbeat { held: Held::Current, details: None }),
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
            if matches!(kind, 2 | 3) && StandaloneActivity::due(&state).is_some_and(|due| due <= at(now)) {
                prop_assert_ne!(StandaloneActivity::due(&next), StandaloneActivity::due(&state));
            }
            if kind == 12 && let Some(number) = StandaloneActivity::outstanding(&state).first() {
                prop_assert!(!StandaloneActivity::outstanding(&next).contains(number));
            }
            for number in StandaloneActivity::outstanding(&next) {
                prop_assert!(StandaloneActivity::work(&next, number, &key()).is_some());
            }
            // Steps are counted; a wait that is over is none, and one that changes nothing neither.
            let steps = next.transitions - state.transitions;
            prop_assert!(steps == i64::from(next != state) || matches!(kind, 2 | 3) && steps == 0);
            // It waits for a worker, or for a time, or it is paused, or it is over.
            let has_task = StandaloneActivity::task(&next).is_some();
            prop_assert!(has_task || next.is_held() || next.is_paused() || !next.is_open()
                || StandaloneActivity::due(&next).is_some());
            prop_assert!(!has_task || next.is_open() && !next.is_held() && !next.is_paused());
            // A task that was there before with the same stamp is the same task.
            if !state.is_open() {
                prop_assert!(!next.is_open());
                prop_assert_eq!(next.status(), state.status());
                prop_assert_eq!(&next.outcome, &state.outcome);
            }
            prop_assert_eq!(next.is_open(), next.outcome.is_none());
            prop_assert!(next.attempts.stamp >= state.attempts.stamp);
            state = next;
        }
    }
}
