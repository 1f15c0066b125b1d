//! The life of an operation from its start to its end.

use api::{
    common::v1::Callback,
    enums::v1::{
        CallbackState, NexusOperationCancellationState as CancellationState,
        NexusOperationExecutionStatus as Status, NexusOperationIdConflictPolicy,
        NexusOperationIdReusePolicy, PendingNexusOperationState as Pending, TimeoutType,
    },
    failure::v1::failure::FailureInfo,
};
use engine::{CallbackDelivery, NexusCancellationAnswer, NexusOperationAnswer, NexusOperationEnd};
use entity::{Event, Machine};
use standalone_nexus_operation::{
    Done, Input, Rejection, Reply, StandaloneNexusOperation, Start, State, Work, outcome::Value,
};

use crate::support::{
    INSTANCE, NEXT, RETENTION, answered, ask, at, begun, begun_with, cancel, completion, decide,
    done, due, failure, link, message, start, succeeded, terminate, unable, working,
};

fn pending(state: &State) -> (Pending, i32) {
    let info = state.info("operation", INSTANCE, at(9));
    (info.state(), info.attempt)
}

fn cancellation(state: &State) -> (CancellationState, i32) {
    let info = state.info("operation", INSTANCE, at(9)).cancellation_info.unwrap();
    (info.state(), info.attempt)
}

fn outstanding(state: &State) -> usize {
    StandaloneNexusOperation::outstanding(state).len()
}

#[test]
fn an_answer_with_a_result_ends_it_and_it_is_forgotten_later() {
    let state = begun();
    assert_eq!(pending(&state), (Pending::Scheduled, 1));
    let state = answered(&state, NexusOperationAnswer::Ended(succeeded()), 3);
    assert_eq!(
        (state.status(), state.close_time, state.transitions),
        (Status::Completed, at(3), 2)
    );
    let Some(Value::Result(result)) = state.end().unwrap().value else { panic!() };
    assert_eq!(result.data, "result");
    assert_eq!(pending(&state), (Pending::Unspecified, 1));
    // Nothing else happens before it is forgotten: one timer, no work.
    assert_eq!(StandaloneNexusOperation::due(&state), Some(at(3 + RETENTION)));
    assert_eq!(outstanding(&state), 0);
    assert!(decide(Some(&state), Event::Due, 3 + RETENTION).unwrap().state.is_none());
}

#[test]
fn an_operation_that_was_started_ends_with_its_completion() {
    let state = answered(&begun(), working(), 2);
    assert_eq!(pending(&state), (Pending::Started, 1));
    assert_eq!(state.operation.operation_token, "token");
    assert_eq!((outstanding(&state), state.links.len()), (0, 1));
    let stranger = Input::Complete(Box::new(standalone_nexus_operation::Complete {
        request_id: "another".to_owned(),
        operation_token: String::new(),
        links: Vec::new(),
        end: succeeded(),
    }));
    assert_eq!(ask(&state, stranger, 3), Err(Rejection::NotFound));
    let ended = ask(&state, completion(&state, succeeded()), 3).unwrap();
    assert_eq!((ended.status(), ended.links.len()), (Status::Completed, 1));
    // It is told once.
    let again = completion(&ended, NexusOperationEnd::Failed(failure("late")));
    assert_eq!(ask(&ended, again, 4), Err(Rejection::NotFound));
}

#[test]
fn a_completion_may_overtake_the_answer_to_the_start() {
    let state = begun();
    let number = StandaloneNexusOperation::outstanding(&state)[0];
    let ended =
        ask(&state, completion(&state, NexusOperationEnd::Failed(failure("no"))), 2).unwrap();
    assert_eq!((ended.status(), message(&ended)), (Status::Failed, "no".to_owned()));
    assert_eq!(ended.operation.operation_token, "token");
    assert_eq!(ended.links, [link()]);
    let late = Event::Done { number, outcome: Done::Started(working()) };
    assert_eq!(decide(Some(&ended), late, 3).unwrap().state, Some(ended));
}

#[test]
fn a_handler_that_is_unable_is_asked_again_until_it_refuses() {
    let mut state = begun();
    let mut now = 2;
    for attempt in 1..4 {
        assert_eq!(pending(&state), (Pending::Scheduled, attempt));
        let number = StandaloneNexusOperation::outstanding(&state)[0];
        state = answered(&state, unable(true), now);
        assert_eq!(pending(&state), (Pending::BackingOff, attempt));
        assert_eq!(outstanding(&state), 0);
        let next = StandaloneNexusOperation::due(&state).unwrap();
        assert!(next > at(now), "{attempt}");
        now = next.nanos() / 1_000_000_000 + 1;
        state = due(&state, now);
        assert_ne!(StandaloneNexusOperation::outstanding(&state), [number]);
    }
    let state = answered(&state, unable(false), now);
    assert_eq!((state.status(), message(&state)), (Status::Failed, "unable".to_owned()));
    // The last attempt says why.
    assert!(state.operation.last_attempt_failure.is_some());
    assert_eq!(pending(&state), (Pending::Unspecified, 4));
}

#[test]
fn each_of_the_three_time_outs_ends_it() {
    fn timed_out(state: &State, seconds: i64) -> TimeoutType {
        assert_eq!(StandaloneNexusOperation::due(state), Some(at(seconds)));
        let state = due(state, seconds);
        assert_eq!(state.status(), Status::TimedOut);
        let Some(Value::Failure(failure)) = state.end().unwrap().value else { panic!() };
        let Some(FailureInfo::TimeoutFailureInfo(info)) = failure.failure_info else { panic!() };
        info.timeout_type()
    }
    assert_eq!(timed_out(&begun(), 51), TimeoutType::ScheduleToStart);
    assert_eq!(timed_out(&answered(&begun(), working(), 2), 32), TimeoutType::StartToClose);
    let mut unhurried = start();
    unhurried.scheduled.schedule_to_start_timeout = None;
    unhurried.scheduled.start_to_close_timeout = None;
    let state = begun_with(unhurried);
    assert_eq!(timed_out(&state, 101), TimeoutType::ScheduleToClose);
    assert_eq!(timed_out(&answered(&state, working(), 2), 101), TimeoutType::ScheduleToClose);
}

#[test]
fn a_wish_to_stop_reaches_the_handler_once_it_works() {
    let wished = ask(&begun(), cancel("one"), 2).unwrap();
    assert_eq!(cancellation(&wished), (CancellationState::Unspecified, 0));
    assert_eq!(outstanding(&wished), 1);
    assert_eq!(ask(&wished, cancel("one"), 3), Ok(wished.clone()));
    let refused = ask(&wished, cancel("two"), 3).unwrap_err();
    assert_eq!(refused.to_string(), "cancellation already requested with request ID one");

    let state = answered(&wished, working(), 3);
    assert_eq!(cancellation(&state), (CancellationState::Scheduled, 1));
    let again = Done::Canceled(NexusCancellationAnswer::HandlerFailed {
        failure: failure("busy"),
        retryable: true,
    });
    let state = done(&state, again, 4);
    assert_eq!(cancellation(&state), (CancellationState::BackingOff, 1));
    let state = due(&state, 7);
    assert_eq!(cancellation(&state), (CancellationState::Scheduled, 2));
    let told = done(&state, Done::Canceled(NexusCancellationAnswer::Accepted), 8);
    assert_eq!(cancellation(&told), (CancellationState::Succeeded, 2));
    // The handler decides what comes of it.
    assert!(told.is_open());
    let ended = completion(&told, NexusOperationEnd::Canceled(failure("stopped")));
    let ended = ask(&told, ended, 9).unwrap();
    assert_eq!((ended.status(), message(&ended)), (Status::Canceled, "stopped".to_owned()));
    assert_eq!(ask(&ended, cancel("one"), 10), Ok(ended.clone()));
    let refused = ask(&ended, cancel("two"), 10).unwrap_err();
    assert_eq!(refused.to_string(), "operation already completed");

    let refusal =
        NexusCancellationAnswer::HandlerFailed { failure: failure("no"), retryable: false };
    let refused = done(&state, Done::Canceled(refusal), 8);
    assert_eq!(cancellation(&refused), (CancellationState::Failed, 2));
    assert!(refused.is_open());
}

#[test]
fn a_terminated_operation_has_ended_whatever_its_handler_does() {
    let state = answered(&begun(), working(), 2);
    let ended = ask(&state, terminate("one"), 3).unwrap();
    assert_eq!((ended.status(), message(&ended)), (Status::Terminated, "enough".to_owned()));
    assert_eq!(ask(&ended, terminate("one"), 4), Ok(ended.clone()));
    let refused = ask(&ended, terminate("two"), 4).unwrap_err();
    assert_eq!(refused.to_string(), "already terminated with request ID one");
    assert_eq!(ask(&ended, completion(&ended, succeeded()), 4), Err(Rejection::NotFound));
    let completed = ask(&state, completion(&state, succeeded()), 3).unwrap();
    let refused = ask(&completed, terminate("one"), 4).unwrap_err();
    assert_eq!(refused.to_string(), "invalid transition from Succeeded");
}

#[test]
fn policies_say_what_a_used_id_means() {
    let again = |reuse, conflict| {
        let request_id = "again".to_owned();
        let start = Start { request_id, reuse, conflict, ..start() };
        Event::Request(Input::Start(Box::new(start)))
    };
    let (any, fail) =
        (NexusOperationIdReusePolicy::AllowDuplicate, NexusOperationIdConflictPolicy::Fail);
    let use_existing = NexusOperationIdConflictPolicy::UseExisting;
    let running = begun();
    let refused = decide(Some(&running), again(any, fail), 2).unwrap_err();
    assert!(matches!(refused, Rejection::AlreadyStarted { .. }));
    let joined = decide(Some(&running), again(any, use_existing), 2).unwrap();
    assert_eq!(joined.reply, Reply::Started { instance: INSTANCE, is_new: false });
    assert_eq!(joined.state, Some(running));

    let completed = answered(&begun(), NexusOperationAnswer::Ended(succeeded()), 2);
    let failed = answered(&begun(), unable(false), 2);
    let failed_only = NexusOperationIdReusePolicy::AllowDuplicateFailedOnly;
    for (state, policy, may) in [
        (&completed, any, true),
        (&completed, failed_only, false),
        (&completed, NexusOperationIdReusePolicy::RejectDuplicate, false),
        (&failed, failed_only, true),
        (&failed, NexusOperationIdReusePolicy::RejectDuplicate, false),
    ] {
        let decided = decide(Some(state), again(policy, fail), 3);
        assert_eq!(decided.is_ok(), may, "{policy:?}");
        let Ok(decision) = decided else { continue };
        assert_eq!(decision.reply, Reply::Started { instance: NEXT, is_new: true });
        let successor = decision.successor.unwrap();
        // Handlers tell one from the other.
        assert_ne!(successor.operation.request_id(), state.operation.request_id());
        assert_eq!(decision.state.as_ref(), Some(state));
    }
}

#[test]
fn what_a_start_brings_can_be_attached_to_the_one_that_runs() {
    let attach = Start {
        request_id: "attach".to_owned(),
        conflict: NexusOperationIdConflictPolicy::UseExisting,
        callbacks: vec![Callback::default()],
        links: vec![link()],
        attaches_callbacks: true,
        attaches_links: true,
        ..start()
    };
    let ask_to = |state: &State| ask(state, Input::Start(Box::new(attach.clone())), 2).unwrap();
    let state = ask_to(&begun());
    assert_eq!((state.callbacks.len(), state.links.len()), (1, 1));
    assert_eq!(ask_to(&state), state);
}

#[test]
fn those_who_want_to_know_are_told_before_it_is_forgotten() {
    let callbacks = vec![Callback::default()];
    let state = begun_with(Start { callbacks, ..start() });
    assert_eq!(state.callbacks[0].state(), CallbackState::Standby);
    let ended = answered(&state, NexusOperationAnswer::Ended(succeeded()), 2);
    let number = StandaloneNexusOperation::outstanding(&ended)[0];
    let Some(Work::Tell(told)) =
        StandaloneNexusOperation::work(&ended, number, &crate::support::key())
    else {
        panic!();
    };
    assert_eq!(told.1.outcome, ended.end().unwrap());
    let failed = CallbackDelivery::Failed { failure: failure("nobody"), retryable: true };
    let waiting = done(&ended, Done::Told(failed), 3);
    assert_eq!(waiting.callbacks[0].state(), CallbackState::BackingOff);
    let deleted = ask(&waiting, Input::Delete, 4).unwrap();
    let told_again = due(&deleted, 9);
    assert_eq!(outstanding(&told_again), 1);
    let number = StandaloneNexusOperation::outstanding(&told_again)[0];
    let outcome = Done::Told(CallbackDelivery::Delivered);
    let gone = decide(Some(&told_again), Event::Done { number, outcome }, 10).unwrap();
    assert_eq!(gone.state, None);
}

#[test]
fn a_deleted_operation_is_terminated_first() {
    let callbacks = vec![Callback::default()];
    let state = begun_with(Start { callbacks, ..start() });
    let state = ask(&state, Input::Delete, 2).unwrap();
    assert_eq!(state.status(), Status::Terminated);
    let gone = decide(Some(&begun()), Event::Request(Input::Delete), 2).unwrap();
    assert_eq!(gone.state, None);
}
