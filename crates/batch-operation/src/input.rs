//! What callers ask of a batch operation.

use api::workflowservice::v1::StartBatchOperationRequest;

use crate::Starter;

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Begin.
    Start(Box<Start>),
    /// End before all is done.
    Stop(Stop),
}

/// See [`Input::Start`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Start {
    /// What to do, and to which workflows; checked.
    pub request: StartBatchOperationRequest,
    /// Who asks, if that is known.
    pub starter: Option<Starter>,
}

/// See [`Input::Stop`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stop {
    /// Why.
    pub reason: String,
    /// Who.
    pub identity: String,
}

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such batch operation.
    #[error("batch operation not found")]
    NotFound,
    /// There is or was one of this id.
    #[error("batch operation is already started")]
    AlreadyStarted {
        /// What tells it from others of this id.
        instance: String,
        /// It goes on.
        is_open: bool,
    },
    /// It has ended.
    #[error("batch operation already completed")]
    Closed,
}
