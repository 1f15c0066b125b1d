//! What callers ask of a standalone activity.

use api::{
    activity::v1::ActivityOptions,
    common::v1::{Callback, Link, Payloads, SearchAttributes},
    enums::v1::{ActivityIdConflictPolicy, ActivityIdReusePolicy},
    failure::v1::Failure,
    history::v1::ActivityTaskScheduledEventAttributes,
    sdk::v1::UserMetadata,
};
use model::{RunId, Span};
use prost_types::Duration;

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Begin.
    Start(Box<Start>),
    /// A worker is alive.
    Heartbeat(Heartbeat),
    /// A worker has done it.
    Complete(Complete),
    /// A worker's attempt failed.
    Fail(Box<Fail>),
    /// A worker has stopped as it was asked to.
    Confirm(Confirm),
    /// Ask it to stop.
    RequestCancel(RequestCancel),
    /// End it.
    Terminate(Terminate),
    /// Forget it; one that runs is terminated.
    Delete,
    /// Start no further attempt.
    Pause(Pause),
    /// Go on.
    Unpause(Unpause),
    /// Begin again with the first attempt.
    Reset(Reset),
    /// Other options.
    SetOptions(Box<SetOptions>),
}

/// See [`Input::Start`]. Checked, defaults filled in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Start {
    /// The request's id.
    pub request_id: String,
    /// What a worker is told.
    pub scheduled: ActivityTaskScheduledEventAttributes,
    /// How long the first attempt waits.
    pub start_delay: Option<Duration>,
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
    pub reuse: ActivityIdReusePolicy,
    /// What an id means that is in use.
    pub conflict: ActivityIdConflictPolicy,
    /// The callbacks go to the one that is in use.
    pub attaches_callbacks: bool,
    /// The links go to the one that is in use.
    pub attaches_links: bool,
}

/// Which attempt a worker means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The one of a task token.
    Token {
        /// Its number.
        attempt: i32,
        /// Its stamp.
        stamp: u32,
    },
    /// The present one: the caller knows the activity's id only.
    Current,
}

/// See [`Input::Heartbeat`].
#[derive(Debug, Clone, PartialEq)]
pub struct Heartbeat {
    /// Which attempt.
    pub held: Held,
    /// What the next attempt should know.
    pub details: Option<Payloads>,
}

/// See [`Input::Complete`].
#[derive(Debug, Clone, PartialEq)]
pub struct Complete {
    /// Which attempt.
    pub held: Held,
    /// Its result.
    pub result: Option<Payloads>,
    /// The worker.
    pub identity: String,
}

/// See [`Input::Fail`].
#[derive(Debug, Clone, PartialEq)]
pub struct Fail {
    /// Which attempt.
    pub held: Held,
    /// How.
    pub failure: Option<Failure>,
    /// What the next attempt should know.
    pub last_heartbeat_details: Option<Payloads>,
    /// The worker.
    pub identity: String,
}

/// See [`Input::Confirm`].
#[derive(Debug, Clone, PartialEq)]
pub struct Confirm {
    /// Which attempt.
    pub held: Held,
    /// What the client should know.
    pub details: Option<Payloads>,
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

/// See [`Input::Pause`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pause {
    /// The request's id.
    pub request_id: String,
    /// Who.
    pub identity: String,
    /// Why.
    pub reason: String,
}

/// See [`Input::Unpause`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unpause {
    /// The request's id.
    pub request_id: String,
    /// The attempt starts somewhere within this time.
    pub jitter: Span,
}

/// See [`Input::Reset`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reset {
    /// The request's id.
    pub request_id: String,
    /// The next attempt gets no heartbeat details.
    pub clears_heartbeat: bool,
    /// A paused one stays paused.
    pub keeps_paused: bool,
    /// It gets its first options back.
    pub restores_options: bool,
    /// The attempt starts somewhere within this time.
    pub jitter: Span,
}

/// See [`Input::SetOptions`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SetOptions {
    /// The request's id.
    pub request_id: String,
    /// The options and the paths of those that change; none: it gets its first options back.
    pub change: Option<(ActivityOptions, Vec<String>)>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Reply {
    /// Done.
    #[default]
    Done,
    /// There is such an activity.
    Started {
        /// What tells it from others of this id.
        instance: RunId,
        /// This request started it.
        is_new: bool,
    },
    /// What the worker learns from a heartbeat.
    Heartbeat {
        /// It is asked to stop.
        cancel_requested: bool,
        /// No attempt follows this one for now.
        paused: bool,
        /// The next attempt is the first again.
        reset: bool,
    },
    /// The options in force.
    Options(Box<ActivityOptions>),
}

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such activity.
    #[error("activity not found")]
    NotFound,
    /// The worker does not hold it any more.
    #[error("activity task not found")]
    TaskNotFound,
    /// The task of a worker that polled is not needed any more.
    #[error("the task is obsolete")]
    TaskObsolete,
    /// The id is in use, or was used and may not be again.
    #[error("activity execution already started")]
    AlreadyStarted {
        /// The request that started the one there is.
        request_id: String,
        /// What tells it from others of this id.
        instance: String,
    },
    /// Its state does not allow it.
    #[error("{0}")]
    Precondition(String),
    /// It makes no sense.
    #[error("{0}")]
    Invalid(String),
}
