//! What the tests ask of the machine.

use api::{
    common::v1::{Link, Payload},
    failure::v1::Failure,
    history::v1::NexusOperationScheduledEventAttributes,
};
use engine::{NexusOperationAnswer, NexusOperationEnd};
use entity::{Context, EntityKey, EntityKind, Event, Machine};
use model::{Limits, NamespaceId, RunId, Span, Time};
use standalone_nexus_operation::{
    Complete, Done, Input, Rejection, Reply, RequestCancel, StandaloneNexusOperation, Start, State,
    Terminate, outcome::Value,
};

pub(crate) const INSTANCE: RunId = RunId::from_bytes([2; 16]);
pub(crate) const NEXT: RunId = RunId::from_bytes([3; 16]);
pub(crate) const RETENTION: i64 = 100_000;

pub(crate) type Decided = Result<entity::Decision<StandaloneNexusOperation>, Rejection>;

pub(crate) fn key() -> EntityKey {
    EntityKey {
        kind: EntityKind::NexusOperation,
        namespace_id: NamespaceId::from_bytes([1; 16]),
        id: "operation".to_owned(),
    }
}

pub(crate) fn decide(
    state: Option<&State>,
    event: Event<StandaloneNexusOperation>,
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
    StandaloneNexusOperation::decide(state, event, &context)
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

/// Time-outs: 100 s in all, 50 s to its start, 30 s from there on.
pub(crate) fn start() -> Start {
    let scheduled = NexusOperationScheduledEventAttributes {
        endpoint: "endpoint".to_owned(),
        endpoint_id: "id of the endpoint".to_owned(),
        service: "service".to_owned(),
        operation: "operate".to_owned(),
        schedule_to_close_timeout: seconds(100),
        schedule_to_start_timeout: seconds(50),
        start_to_close_timeout: seconds(30),
        ..NexusOperationScheduledEventAttributes::default()
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

/// What comes of the only piece of work that there is.
pub(crate) fn done(state: &State, outcome: Done, seconds: i64) -> State {
    let outstanding = StandaloneNexusOperation::outstanding(state);
    let [number] = outstanding.as_slice() else { panic!("{outstanding:?}") };
    let event = Event::Done { number: *number, outcome };
    decide(Some(state), event, seconds).unwrap().state.unwrap()
}

pub(crate) fn answered(state: &State, answer: NexusOperationAnswer, seconds: i64) -> State {
    done(state, Done::Started(answer), seconds)
}

pub(crate) fn working() -> NexusOperationAnswer {
    NexusOperationAnswer::Started { operation_token: "token".to_owned(), links: vec![link()] }
}

pub(crate) fn unable(retryable: bool) -> NexusOperationAnswer {
    NexusOperationAnswer::HandlerFailed { failure: failure("unable"), retryable }
}

pub(crate) fn succeeded() -> NexusOperationEnd {
    let result = Payload { data: "result".into(), ..Payload::default() };
    NexusOperationEnd::Succeeded { result: Some(result), links: Vec::new() }
}

pub(crate) fn link() -> Link {
    Link::default()
}

pub(crate) fn failure(message: &str) -> Failure {
    Failure { message: message.to_owned(), ..Failure::default() }
}

pub(crate) fn completion(state: &State, end: NexusOperationEnd) -> Input {
    Input::Complete(Box::new(Complete {
        request_id: state.operation.request_id().to_owned(),
        operation_token: "token".to_owned(),
        links: vec![link()],
        end,
    }))
}

pub(crate) fn cancel(request_id: &str) -> Input {
    Input::RequestCancel(RequestCancel {
        request_id: request_id.to_owned(),
        identity: "somebody".to_owned(),
        reason: "enough".to_owned(),
    })
}

pub(crate) fn terminate(request_id: &str) -> Input {
    Input::Terminate(Terminate {
        request_id: request_id.to_owned(),
        identity: "somebody".to_owned(),
        reason: "enough".to_owned(),
    })
}

/// The message of the failure that an operation ended with.
pub(crate) fn message(state: &State) -> String {
    match state.end().and_then(|end| end.value) {
        Some(Value::Failure(failure)) => failure.message,
        other => panic!("{other:?}"),
    }
}
