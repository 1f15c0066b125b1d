//! What callers ask of a standalone Nexus operation.

use api::{
    common::v1::{Callback, Link, SearchAttributes},
    enums::v1::{NexusOperationIdConflictPolicy, NexusOperationIdReusePolicy},
    history::v1::NexusOperationScheduledEventAttributes,
    sdk::v1::UserMetadata,
};
use engine::NexusOperationEnd;
use model::RunId;

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Begin.
    Start(Box<Start>),
    /// Its handler has done it.
    Complete(Box<Complete>),
    /// Ask it to stop.
    RequestCancel(RequestCancel),
    /// End it.
    Terminate(Terminate),
    /// Forget it; one that runs is terminated.
    Delete,
}

/// See [`Input::Start`]. Checked, defaults filled in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Start {
    /// The request's id.
    pub request_id: String,
    /// What its handler is told. The id of the request to the handler is filled in.
    pub scheduled: NexusOperationScheduledEventAttributes,
    /// Who starts it.
    pub identity: String,
    /// Search attributes, typed.
    pub search_attributes: Option<SearchAttributes>,
    /// Those of them that the client gave without their types.
    pub untyped_attributes: Vec<String>,
    /// What people read about it.
    pub user_metadata: Option<UserMetadata>,
    /// Who wants to know how it ended.
    pub callbacks: Vec<Callback>,
    /// What it is linked with.
    pub links: Vec<Link>,
    /// What an id means that was used before.
    pub reuse: NexusOperationIdReusePolicy,
    /// What an id means that is in use.
    pub conflict: NexusOperationIdConflictPolicy,
    /// The callbacks go to the one that is in use.
    pub attaches_callbacks: bool,
    /// The links go to the one that is in use.
    pub attaches_links: bool,
}

/// See [`Input::Complete`].
#[derive(Debug, Clone, PartialEq)]
pub struct Complete {
    /// The id of the request that started it.
    pub request_id: String,
    /// What the handler calls it. Needed when the completion overtakes the answer to the start.
    pub operation_token: String,
    /// Links to what the handler did.
    pub links: Vec<Link>,
    /// How it ended.
    pub end: NexusOperationEnd,
}

/// See [`Input::RequestCancel`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestCancel {
    /// The request's id.
    pub request_id: String,
    /// Who.
    pub identity: String,
    /// Why.
    pub reason: String,
}

/// See [`Input::Terminate`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terminate {
    /// The request's id.
    pub request_id: String,
    /// Who.
    pub identity: String,
    /// Why.
    pub reason: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reply {
    /// Done.
    #[default]
    Done,
    /// There is such an operation.
    Started {
        /// What tells it from others of this id.
        instance: RunId,
        /// This request started it.
        is_new: bool,
    },
}

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such operation.
    #[error("operation not found")]
    NotFound,
    /// The id is in use, or was used and may not be again.
    #[error(
        "nexus operation execution already started: request_id={request_id}, run_id={instance}"
    )]
    AlreadyStarted {
        /// The request that started the one there is.
        request_id: String,
        /// What tells it from others of this id.
        instance: String,
    },
    /// Its state does not allow it.
    #[error("{0}")]
    Precondition(String),
}
