//! A kind of entity as a pure function of its state and an event.

use std::fmt::Debug;

use model::{Agenda, Time};
use prost::Message;

use crate::{ClosedWorkflow, Context, EntityKey, EntityKind, Listing, Taken, WorkerTask};

/// A kind of entity.
///
/// The shell relies on three laws, which the tests of a kind check:
/// - decisions repeat: the same arguments give the same outcome;
/// - time goes on: after [`Event::Due`] the state's [`Machine::due`] is another than before, or
///   none;
/// - work ends: after [`Event::Done`] its number is not among [`Machine::outstanding`] any more,
///   and no number is ever used twice.
pub trait Machine: Debug + Send + Sync + Sized + 'static {
    /// Which kind it is.
    const KIND: EntityKind;
    /// The state of an entity: a message, stored as a whole. Tags are part of the stored format.
    type State: Message + Debug + Default + Clone + PartialEq;
    /// What requests ask for.
    type Input: Debug + Send;
    /// What requests are answered.
    type Reply: Debug + Default + Send;
    /// Why an event is refused; a refusal changes nothing.
    type Rejection: std::error::Error + Send;
    /// Something to be done outside of the entity, after the commit that asks for it. It may be
    /// done twice when the server is killed, and must be the same the second time.
    type Work: Debug + Send;
    /// What came of it.
    type Done: Debug + Send;

    /// What follows from an event. No state: the entity does not exist.
    ///
    /// # Errors
    /// When the event is refused.
    fn decide(
        state: Option<&Self::State>,
        event: Event<Self>,
        context: &Context<'_>,
    ) -> Result<Decision<Self>, Self::Rejection>;

    /// When the entity wants to go on by itself: it gets [`Event::Due`] then.
    fn due(state: &Self::State) -> Option<Time>;

    /// The numbers of the work that is not done.
    fn outstanding(state: &Self::State) -> Vec<u64>;

    /// A piece of that work.
    fn work(state: &Self::State, number: u64, key: &EntityKey) -> Option<Self::Work>;

    /// The task that a worker may take; none while there is none.
    fn task(_state: &Self::State) -> Option<WorkerTask<'_>> {
        None
    }

    /// What it is about to do, for a clock that passes over idle time.
    fn agenda(state: &Self::State) -> Agenda {
        let steps = u32::try_from(Self::outstanding(state).len()).unwrap_or(u32::MAX);
        Agenda { steps, due: Self::due(state), ..Agenda::EMPTY }
    }

    /// How lists show it, if they do.
    fn listing(state: &Self::State, key: &EntityKey) -> Option<Listing>;
}

/// What can happen to an entity.
#[derive(Debug)]
pub enum Event<M: Machine> {
    /// Somebody asks for something.
    Request(M::Input),
    /// A worker takes the task that [`Machine::task`] told of. May come twice, or too late.
    Taken(Taken),
    /// The time has come for which [`Machine::due`] asked.
    Due,
    /// A piece of work was done, or turned out to be impossible.
    Done {
        /// Its number.
        number: u64,
        /// What came of it.
        outcome: M::Done,
    },
    /// A workflow that the entity had started has closed. May come twice.
    WorkflowClosed(Box<ClosedWorkflow>),
}

/// The outcome of an event.
#[derive(Debug)]
pub struct Decision<M: Machine> {
    /// The state after it; none when the entity exists no more, or never did.
    pub state: Option<M::State>,
    /// The state of a new entity that gets the id from here on, beside this one, which stays as it
    /// was. Its instance is [`Context::fresh_id`].
    pub successor: Option<M::State>,
    /// What the caller is told after the commit.
    pub reply: M::Reply,
}

impl<M: Machine> Decision<M> {
    /// A new state and an answer without content.
    pub fn state(state: M::State) -> Self {
        Self::answered(Some(state), M::Reply::default())
    }

    /// A new state, if any, and an answer.
    pub fn answered(state: Option<M::State>, reply: M::Reply) -> Self {
        Self { state, successor: None, reply }
    }
}
