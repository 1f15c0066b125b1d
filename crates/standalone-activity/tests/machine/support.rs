//! What the tests ask of the machine.

use api::{
    activity::v1::activity_execution_outcome::Value,
    common::v1::{ActivityType, Payload, Payloads, RetryPolicy},
    enums::v1::RetryState,
    failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo},
    history::v1::ActivityTaskScheduledEventAttributes,
    taskqueue::v1::TaskQueue,
};
use entity::{Context, EntityKey, EntityKind, Event, Machine, Taken};
use model::{Limits, NamespaceId, RunId, Span, Time};
use standalone_activity::{
    Complete, Fail, Held, Input, Rejection, Reply, RequestCancel, StandaloneActivity, Start, State,
};

pub(crate) const INSTANCE: RunId = RunId::from_bytes([2; 16]);
pub(crate) const NEXT: RunId = RunId::from_bytes([3; 16]);
pub(crate) const RETENTION: i64 = 100_000;

pub(crate) type Decided = Result<entity::Decision<StandaloneActivity>, Rejection>;

pub(crate) fn key() -> EntityKey {
    EntityKey {
        kind: EntityKind::Activity,
        namespace_id: NamespaceId::from_bytes([1; 16]),
        id: "activity".to_owned(),
    }
}

pub(crate) fn decide(
    state: Option<&State>,
    event: Event<StandaloneActivity>,
    seconds: i64,
) -> Decided {
    let (key, limits) = (key(), Limits::default());
    let context = Context {
        now: at(seconds),
        key: &key,
        instance: INSTANCE,
        fresh_id: NEXT,
        namespace: "default",
        limits: &limits,
        retention: Span::from_secs(RETENTION),
        principal: None,
    };
    StandaloneActivity::decide(state, event, &context)
}

pub(crate) fn at(seconds: i64) -> Time {
    Time::from_nanos(seconds * 1_000_000_000)
}

pub(crate) fn ask(state: &State, input: Input, seconds: i64) -> Result<State, Rejection> {
    decide(Some(state), Event::Request(input), seconds).map(|decision| decision.state.unwrap())
}

pub(crate) fn due(state: &State, seconds: i64) -> State {
    decide(Some(state), Event::Due, seconds).unwrap().state.unwrap()
}

pub(crate) fn seconds(count: i64) -> Option<prost_types::Duration> {
    Some(Span::from_secs(count).to_proto())
}

/// Time-outs: 100 s in all, 50 s in the queue, 10 s an attempt, 4 s between heartbeats.
pub(crate) fn start() -> Start {
    let scheduled = ActivityTaskScheduledEventAttributes {
        activity_id: "activity".to_owned(),
        activity_type: Some(ActivityType { name: "type".to_owned() }),
        task_queue: Some(TaskQueue { name: "queue".to_owned(), ..TaskQueue::default() }),
        schedule_to_close_timeout: seconds(100),
        schedule_to_start_timeout: seconds(50),
        start_to_close_timeout: seconds(10),
        heartbeat_timeout: seconds(4),
        retry_policy: Some(RetryPolicy {
            initial_interval: seconds(1),
            backoff_coefficient: 2.0,
            maximum_interval: seconds(100),
            maximum_attempts: 3,
            ..RetryPolicy::default()
        }),
        ..ActivityTaskScheduledEventAttributes::default()
    };
    Start { request_id: "start".to_owned(), scheduled, ..Start::default() }
}

pub(crate) fn begun() -> State {
    begun_with(start())
}

pub(crate) fn begun_with(start: Start) -> State {
    let decision = decide(None, Event::Request(Input::Start(Box::new(start))), 1).unwrap();
    assert_eq!(decision.reply, Reply::Started { instance: INSTANCE, is_new: true });
    decision.state.unwrap()
}

pub(crate) fn take(state: &State, seconds: i64) -> State {
    let task = StandaloneActivity::task(state).unwrap();
    let taken = Taken {
        stamp: task.stamp,
        request_id: format!("poll {seconds}"),
        identity: "worker".to_owned(),
        deployment_version: None,
    };
    decide(Some(state), Event::Taken(taken), seconds).unwrap().state.unwrap()
}

pub(crate) fn held(state: &State) -> Held {
    Held::Token { attempt: state.attempts.attempt, stamp: state.held_stamp }
}

pub(crate) fn payloads(text: &str) -> Payloads {
    let data = text.to_owned().into();
    Payloads { payloads: vec![Payload { data, ..Payload::default() }] }
}

pub(crate) fn complete(held: Held) -> Input {
    let result = Some(payloads("result"));
    Input::Complete(Complete { held, result, identity: "worker".to_owned() })
}

pub(crate) fn fail(held: Held) -> Input {
    let info = ApplicationFailureInfo { r#type: "Oops".to_owned(), ..Default::default() };
    let failure = Failure {
        message: "oops".to_owned(),
        failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
        ..Failure::default()
    };
    let identity = "worker".to_owned();
    let failure = Some(failure);
    Input::Fail(Box::new(Fail { held, failure, last_heartbeat_details: None, identity }))
}

pub(crate) fn cancel(request_id: &str) -> Input {
    let request_id = request_id.to_owned();
    Input::RequestCancel(RequestCancel { request_id, ..RequestCancel::default() })
}

pub(crate) fn failure(state: &State) -> (String, RetryState) {
    let outcome = state.outcome.as_ref().unwrap();
    let Some(Value::Failure(failure)) = &outcome.value else { panic!("{outcome:?}") };
    (failure.message.clone(), outcome.retry_state())
}
