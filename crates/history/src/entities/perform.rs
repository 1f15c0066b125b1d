//! What a kind of entity does outside of itself.

use std::sync::Arc;

use ::entity::{EntityKey, Machine};
use model::RunId;
use namespace::Namespace;

use crate::{Delivery, DestinationKind, History, HistoryError};

/// On behalf of which entity something is done.
#[derive(Debug, Clone)]
pub struct EntityScope {
    /// Its namespace.
    pub namespace: Arc<Namespace>,
    /// The entity.
    pub key: EntityKey,
    /// What tells it from earlier and later entities of the same id.
    pub instance: RunId,
}

impl EntityScope {
    /// An id for what this work makes, a request or a run: the same whenever the work is done.
    pub fn derived_id(&self, number: u64) -> RunId {
        self.instance.derived(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// The shell's part of a kind of entity.
pub trait Perform: Machine {
    /// Does a piece of work. May be called again for the same number, also after the work was done:
    /// it must lead to the same then. No slot is locked meanwhile.
    ///
    /// # Errors
    /// When it should be tried again later. What will never succeed is an outcome.
    fn perform(
        history: &History,
        scope: &EntityScope,
        number: u64,
        work: Self::Work,
    ) -> impl Future<Output = Result<Self::Done, HistoryError>> + Send;

    /// Where a piece of work sends a request that may be without an answer for seconds; none for
    /// what stays inside of the server and is quick.
    fn destination(_work: &Self::Work) -> Option<(DestinationKind, String)> {
        None
    }

    /// Whether the destination of a piece of work answered, whatever it said.
    fn has_answered(_done: &Self::Done) -> bool {
        true
    }

    /// What a worker gets that has just taken the entity's task; none for a kind without tasks.
    fn delivery(_state: &Self::State, _key: &EntityKey, _instance: RunId) -> Option<Delivery> {
        None
    }
}
