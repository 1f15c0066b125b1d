//! The state of a standalone Nexus operation. Tags are part of the stored format: never reuse one.

use api::{
    common::v1::{Link, Payload, SearchAttributes},
    enums::v1::NexusOperationExecutionStatus,
    failure::v1::Failure,
    history::v1::NexusOperationScheduledEventAttributes,
    sdk::v1::UserMetadata,
};
use engine::{CompletionCallback, NexusOperation, Shared};
use model::Time;

/// One standalone Nexus operation.
#[derive(Clone, PartialEq, prost::Message)]
pub struct State {
    /// Its attempts, and those of the request to cancel it.
    #[prost(message, required, tag = "1")]
    pub operation: NexusOperation,
    /// Running until it is closed.
    #[prost(enumeration = "NexusOperationExecutionStatus", tag = "2")]
    pub status: i32,
    /// When it was closed.
    #[prost(message, required, tag = "3")]
    pub close_time: Time,
    /// When it is forgotten; unset while it is open.
    #[prost(message, required, tag = "4")]
    pub forget_time: Time,
    /// Steps so far.
    #[prost(int64, tag = "5")]
    pub transitions: i64,
    /// The client's request that started it.
    #[prost(string, tag = "6")]
    pub start_request_id: String,
    /// Requests that attached something to it later.
    #[prost(string, repeated, tag = "7")]
    pub attached_requests: Vec<String>,
    /// The client that started it.
    #[prost(string, tag = "8")]
    pub identity: String,
    /// What people read about it.
    #[prost(message, optional, tag = "9")]
    pub user_metadata: Option<Shared<UserMetadata>>,
    /// Its search attributes, typed.
    #[prost(message, optional, tag = "10")]
    pub search_attributes: Option<Shared<SearchAttributes>>,
    /// The search attributes that the client gave without their types.
    #[prost(string, repeated, tag = "11")]
    pub untyped_attributes: Vec<String>,
    /// What it is linked with.
    #[prost(message, repeated, tag = "12")]
    pub links: Vec<Link>,
    /// Who wants to know how it ended.
    #[prost(message, repeated, tag = "13")]
    pub callbacks: Vec<CompletionCallback>,
    /// How it ended; none when the failure of its last attempt says so.
    #[prost(message, optional, tag = "14")]
    pub outcome: Option<Outcome>,
    /// The wish that it stops.
    #[prost(message, optional, tag = "15")]
    pub cancel: Option<Cancel>,
    /// The request that terminated it.
    #[prost(string, tag = "16")]
    pub terminate_request_id: String,
    /// It is to be deleted once its callbacks are done.
    #[prost(bool, tag = "17")]
    pub is_deleted: bool,
}

/// How an operation ended.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Outcome {
    /// With or without success.
    #[prost(oneof = "outcome::Value", tags = "1, 2")]
    pub value: Option<outcome::Value>,
}

/// What an outcome says.
pub mod outcome {
    use super::{Failure, Payload};

    /// The result, or why there is none.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Value {
        /// It succeeded.
        #[prost(message, tag = "1")]
        Result(Payload),
        /// It did not.
        #[prost(message, tag = "2")]
        Failure(Box<Failure>),
    }
}

/// Who asked an operation to stop, and why.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Cancel {
    /// Who.
    #[prost(string, tag = "1")]
    pub identity: String,
    /// Why.
    #[prost(string, tag = "2")]
    pub reason: String,
    /// The request.
    #[prost(string, tag = "3")]
    pub request_id: String,
}

impl State {
    /// What its handler is told.
    pub fn scheduled(&self) -> &NexusOperationScheduledEventAttributes {
        static NONE: std::sync::LazyLock<NexusOperationScheduledEventAttributes> =
            std::sync::LazyLock::new(Default::default);
        self.operation.scheduled.as_deref().unwrap_or(&NONE)
    }

    /// True until it has ended.
    pub fn is_open(&self) -> bool {
        self.status() == NexusOperationExecutionStatus::Running
    }

    /// True while a handler works on it.
    pub fn is_started(&self) -> bool {
        self.is_open() && self.operation.is_started()
    }

    /// True while an answer to the request that starts it is awaited.
    pub fn is_asked_for(&self) -> bool {
        let operation = &self.operation;
        self.is_open() && !operation.is_started() && !operation.is_backing_off()
    }

    /// True while an answer to the request that cancels it is awaited. It is sent once the
    /// operation has started: before, nobody knows what it is called.
    pub fn is_cancel_asked_for(&self) -> bool {
        let waits = |wish: &engine::NexusCancellation| !wish.ended && !wish.is_backing_off();
        self.is_started() && self.operation.cancellation.as_ref().is_some_and(waits)
    }

    /// How it ended; none while it is open.
    pub fn end(&self) -> Option<Outcome> {
        if self.is_open() {
            return None;
        }
        self.outcome.clone().or_else(|| {
            let failure = self.operation.last_attempt_failure.as_ref()?.to_owned_message();
            Some(Outcome { value: Some(outcome::Value::Failure(Box::new(failure))) })
        })
    }
}
