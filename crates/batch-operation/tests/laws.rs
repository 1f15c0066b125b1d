//! Laws of the machine, and its way from the first step to the last.

use api::{
    batch::v1::BatchOperationTermination,
    enums::v1::BatchOperationState,
    workflowservice::v1::{StartBatchOperationRequest, start_batch_operation_request::Operation},
};
use batch_operation::{
    BatchOperation, Done, Found, Input, Rejection, Start, Starter, State, Stop, Target,
};
use entity::{Context, EntityKey, EntityKind, Event, Machine};
use model::{Limits, NamespaceId, RunId, Span, Time};
use proptest::prelude::*;

fn key() -> EntityKey {
    EntityKey {
        kind: EntityKind::BatchOperation,
        namespace_id: NamespaceId::from_bytes([1; 16]),
        id: "job".to_owned(),
    }
}

fn decide(
    state: Option<&State>,
    event: Event<BatchOperation>,
    seconds: i64,
) -> Result<Option<State>, Rejection> {
    let (key, limits) = (key(), Limits::default());
    let context = Context {
        now: Time::from_nanos(seconds * 1_000_000_000),
        key: &key,
        instance: RunId::from_bytes([2; 16]),
        fresh_id: RunId::from_bytes([3; 16]),
        namespace: "default",
        limits: &limits,
        retention: Span::from_secs(100),
        principal: None,
    };
    BatchOperation::decide(state, event, &context).map(|decision| decision.state)
}

fn start() -> Event<BatchOperation> {
    let request = StartBatchOperationRequest {
        job_id: "job".to_owned(),
        reason: "why".to_owned(),
        visibility_query: "WorkflowType = 'x'".to_owned(),
        operation: Some(Operation::TerminationOperation(BatchOperationTermination::default())),
        ..StartBatchOperationRequest::default()
    };
    let starter = Starter { kind: "jwt".to_owned(), ..Starter::default() };
    Event::Request(Input::Start(Box::new(Start { request, starter: Some(starter) })))
}

fn stop() -> Event<BatchOperation> {
    let stop = Stop { reason: "enough".to_owned(), identity: "me".to_owned() };
    Event::Request(Input::Stop(stop))
}

fn done(number: u64, completed: u64, failed: u64, found: Found) -> Event<BatchOperation> {
    Event::Done { number, outcome: Done::Stepped { completed, failed, found } }
}

fn found(count: usize, more: bool, total: Option<u64>) -> Found {
    let targets = (0..count)
        .map(|number| Target { workflow_id: format!("w{number}"), run_id: String::new() });
    let page_token = if more { vec![1] } else { Vec::new() };
    Found { targets: targets.collect(), page_token, total }
}

/// A batch that has begun.
#[cfg(test)]
fn begun() -> State {
    decide(None, start(), 1).unwrap().unwrap()
}

#[test]
fn it_steps_until_all_is_found_and_done() {
    let state = begun();
    assert_eq!(BatchOperation::outstanding(&state), [1]);
    let first = BatchOperation::work(&state, 1, &key()).unwrap();
    assert!(first.targets.is_empty() && first.next.unwrap().page_token.is_empty());

    let state = decide(Some(&state), done(1, 0, 0, found(2, true, Some(3))), 2).unwrap().unwrap();
    assert_eq!((state.total, BatchOperation::outstanding(&state)), (3, vec![2]));
    let second = BatchOperation::work(&state, 2, &key()).unwrap();
    assert_eq!((second.targets.len(), second.next.unwrap().page_token), (2, vec![1]));
    assert_eq!(second.starter.unwrap().kind, "jwt", "each step is taken in somebody's name");

    let state = decide(Some(&state), done(2, 2, 0, found(1, false, None)), 3).unwrap().unwrap();
    assert_eq!(BatchOperation::work(&state, 3, &key()).unwrap().next, None);
    assert_eq!(BatchOperation::due(&state), None);

    let state = decide(Some(&state), done(3, 0, 1, Found::default()), 4).unwrap().unwrap();
    assert_eq!(state.status(), BatchOperationState::Completed);
    assert_eq!((state.total, state.completed, state.failed), (3, 2, 1));
    assert!(BatchOperation::outstanding(&state).is_empty());
    assert_eq!(BatchOperation::due(&state), Some(Time::from_nanos(104_000_000_000)));
    assert_eq!(decide(Some(&state), Event::Due, 104), Ok(None));
}

#[test]
fn what_is_found_nowhere_completes_at_once() {
    let state = decide(Some(&begun()), done(1, 0, 0, found(0, false, Some(0))), 2).unwrap();
    assert_eq!(state.unwrap().status(), BatchOperationState::Completed);
}

#[test]
fn a_stopped_batch_counts_the_step_that_was_under_way_and_takes_no_other() {
    let state = decide(Some(&begun()), done(1, 0, 0, found(5, true, Some(9))), 2).unwrap().unwrap();
    let state = decide(Some(&state), stop(), 3).unwrap().unwrap();
    assert_eq!(state.status(), BatchOperationState::Failed);
    assert_eq!(state.close_time(), Time::from_nanos(3_000_000_000));
    // It reports first, and is forgotten later.
    assert_eq!(BatchOperation::outstanding(&state), [2]);
    assert_eq!(BatchOperation::due(&state), None);
    let state = decide(Some(&state), done(2, 3, 0, Found::default()), 4).unwrap().unwrap();
    assert_eq!(state.completed, 3);
    assert!(BatchOperation::outstanding(&state).is_empty());
    assert!(BatchOperation::due(&state).is_some());
    assert_eq!(decide(Some(&state), stop(), 5), Err(Rejection::Closed));
}

#[test]
fn an_impossible_step_fails_the_batch() {
    let event = Event::Done { number: 1, outcome: Done::Impossible };
    let state = decide(Some(&begun()), event, 2).unwrap().unwrap();
    assert_eq!(state.status(), BatchOperationState::Failed);
    assert!(BatchOperation::outstanding(&state).is_empty());
}

#[test]
fn an_id_is_used_once_and_an_unknown_one_is_not_found() {
    let state = begun();
    assert!(matches!(
        decide(Some(&state), start(), 2),
        Err(Rejection::AlreadyStarted { is_open: true, .. })
    ));
    assert_eq!(decide(None, stop(), 2), Err(Rejection::NotFound));
}

#[test]
fn the_rate_that_is_asked_for_is_kept_within_limits() {
    for (asked, rate) in [(0.0, 1000), (-1.0, 1000), (0.5, 1), (50.0, 50), (1e9, 10_000)] {
        let mut state = begun();
        state.request.as_mut().unwrap().max_operations_per_second = asked;
        let step = BatchOperation::work(&state, 1, &key()).unwrap();
        assert_eq!(step.rate, rate, "{asked}");
    }
}

fn events() -> impl Strategy<Value = Event<BatchOperation>> {
    let stepped = (0_u64..6, 0_u64..5, 0_u64..5, 0_usize..4, any::<bool>()).prop_map(
        |(number, completed, failed, count, more)| {
            done(number, completed, failed, found(count, more, None))
        },
    );
    prop_oneof![
        1 => Just(()).prop_map(|()| start()),
        1 => Just(()).prop_map(|()| stop()),
        1 => Just(()).prop_map(|()| Event::Due),
        1 => (0_u64..6).prop_map(|number| Event::Done { number, outcome: Done::Impossible }),
        8 => stepped,
    ]
}

proptest! {
    #[test]
    fn law_work_ends_time_goes_on_and_counts_never_fall(
        events in prop::collection::vec(events(), 1..40),
    ) {
        let mut state = begun();
        let mut seconds = 1;
        for event in events {
            seconds += 30;
            let number = match &event {
                Event::Done { number, .. } => Some(*number),
                _ => None,
            };
            let due = matches!(event, Event::Due);
            let again = format!("{event:?}");
            let Ok(next) = decide(Some(&state), event, seconds) else { continue };
            let Some(next) = next else { break };
            if let Some(number) = number {
                prop_assert!(!BatchOperation::outstanding(&next).contains(&number), "{}", again);
            }
            if due && BatchOperation::due(&state).is_some_and(|due| due.nanos() <= seconds) {
                prop_assert_ne!(BatchOperation::due(&next), BatchOperation::due(&state));
            }
            prop_assert!(next.completed >= state.completed && next.failed >= state.failed);
            // Somebody who is not done has something to do.
            prop_assert!(!next.is_open() || !BatchOperation::outstanding(&next).is_empty());
            for number in BatchOperation::outstanding(&next) {
                prop_assert!(BatchOperation::work(&next, number, &key()).is_some());
            }
            state = next;
        }
    }
}
