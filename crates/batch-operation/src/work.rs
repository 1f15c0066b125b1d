//! The work of a batch operation.

use api::workflowservice::v1::StartBatchOperationRequest;
use model::Time;

use crate::{Starter, Target};

/// One step: do the operation on these targets, then find the next ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What to do.
    pub request: StartBatchOperationRequest,
    /// In whose name; none when nobody had to say who it is.
    pub starter: Option<Starter>,
    /// When the batch began: what `now()` in its query stands for.
    pub now: Time,
    /// Operations per second.
    pub rate: u32,
    /// On what.
    pub targets: Vec<Target>,
    /// Where to find the next targets; none when there are no more.
    pub next: Option<Source>,
}

/// Where targets come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The end of what was found before; empty at first, when all of them are counted, too.
    pub page_token: Vec<u8>,
    /// How many to find at most.
    pub targets_max: usize,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The step was taken, or as much of it as there was time for before the batch was stopped.
    Stepped {
        /// Operations that succeeded, or found nothing left to do.
        completed: u64,
        /// Operations that failed.
        failed: u64,
        /// What was found.
        found: Found,
    },
    /// No step will ever succeed.
    Impossible,
}

/// The targets that were found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The targets.
    pub targets: Vec<Target>,
    /// The end of them; empty when there are no more.
    pub page_token: Vec<u8>,
    /// How many there are in all; known after the first step.
    pub total: Option<u64>,
}
