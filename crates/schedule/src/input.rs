//! What callers ask of a schedule.

use api::{
    common::v1::{Memo, SearchAttributes},
    schedule::v1::{Schedule, SchedulePatch},
};
use schedule_spec::SpecError;

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Make the schedule.
    Create(Box<Create>),
    /// Replace what it does.
    Update(Box<Update>),
    /// Trigger, backfill, pause, unpause.
    Patch {
        /// What.
        patch: Box<SchedulePatch>,
        /// The request's id; a repeated one changes nothing. Empty: none.
        request_id: String,
        /// Only if this is the present one; 0: in any case.
        conflict_token: i64,
    },
    /// Remove it. What it started goes on.
    Delete,
}

/// See [`Input::Create`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Create {
    /// What it does; search attributes of its workflow are typed.
    pub schedule: Schedule,
    /// Done at once.
    pub initial_patch: Option<SchedulePatch>,
    /// The request's id.
    pub request_id: String,
    /// Its memo.
    pub memo: Option<Memo>,
    /// Its search attributes, typed.
    pub search_attributes: Option<SearchAttributes>,
}

/// See [`Input::Update`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Update {
    /// What it does from now on.
    pub schedule: Schedule,
    /// Only if this is the present one; 0: in any case.
    pub conflict_token: i64,
    /// The request's id.
    pub request_id: String,
    /// All its search attributes from now on; none: as they are.
    pub search_attributes: Option<SearchAttributes>,
    /// Its memo from now on; none: as it is.
    pub memo: Option<Memo>,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reply {
    /// Guards the next update.
    pub conflict_token: i64,
}

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such schedule.
    #[error("schedule not found")]
    NotFound,
    /// Another request made a schedule of this id.
    #[error("schedule is already registered")]
    AlreadyExists,
    /// The schedule has changed since the caller read it.
    #[error("mismatched conflict token")]
    Conflict,
    /// The specification is none.
    #[error("{0}")]
    Spec(#[from] SpecError),
}
