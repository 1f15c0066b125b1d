//! The state of an entity of any kind.

use std::{
    any::Any,
    fmt::{self, Debug, Formatter},
    sync::Arc,
};

use ::entity::{
    ClosedWorkflow, Context, Decision, EntityKey, EntityKind, Event, Listing, Machine, Taken,
    WorkerTask,
};
use batch_operation::BatchOperation;
use bytes::Bytes;
use engine::TaskAction;
use futures_util::future::BoxFuture;
use model::{Agenda, RunId, Time};
use prost::{DecodeError, Message};
use schedule::Schedule;
use standalone_activity::StandaloneActivity;
use standalone_nexus_operation::StandaloneNexusOperation;

use super::{EntityScope, Perform, work};
use crate::{Delivery, Destination, HistoryError, node::Node};

/// Reads a state. The list of the kinds that there are.
pub(super) fn decode(kind: EntityKind, state: Bytes) -> Result<Arc<dyn Held>, DecodeError> {
    match kind {
        EntityKind::Schedule => decode_as::<Schedule>(state),
        EntityKind::BatchOperation => decode_as::<BatchOperation>(state),
        EntityKind::Activity => decode_as::<StandaloneActivity>(state),
        EntityKind::NexusOperation => decode_as::<StandaloneNexusOperation>(state),
        EntityKind::WorkerDeployment => {
            Err(DecodeError::new("this program has no machine for its kind"))
        }
    }
}

fn decode_as<M: Perform>(state: Bytes) -> Result<Arc<dyn Held>, DecodeError> {
    Ok(Arc::new(HeldState::<M>(M::State::decode(state)?)))
}

/// A state behind which the shell does not see the kind.
pub(crate) trait Held: Debug + Send + Sync {
    fn encode(&self) -> Vec<u8>;
    /// About how much memory it takes.
    fn weight(&self) -> usize;
    fn due(&self) -> Option<Time>;
    fn outstanding(&self) -> Vec<u64>;
    fn listing(&self, key: &EntityKey) -> Option<Listing>;
    /// What it is about to do.
    fn agenda(&self) -> Agenda;
    /// The task that a worker may take.
    fn task(&self) -> Option<WorkerTask<'_>>;
    /// What a worker gets that has just taken it.
    fn delivery(&self, key: &EntityKey, instance: RunId) -> Option<Delivery>;
    /// What follows when a worker takes it.
    fn decide_taken(&self, taken: Taken, context: &Context<'_>) -> Result<Next, String>;
    /// What follows when its time has come.
    fn decide_due(&self, context: &Context<'_>) -> Result<Next, String>;
    /// What follows when a workflow that it started has closed.
    fn decide_closed(&self, closed: ClosedWorkflow, context: &Context<'_>) -> Result<Next, String>;
    /// Where a piece of its work sends a request; none when it stays inside, or there is no such
    /// work.
    fn destination(&self, number: u64, key: &EntityKey) -> Option<Destination>;
    /// Does a piece of its work and tells the entity; none when there is no such work. True when
    /// whoever was asked answered.
    fn carry_out(
        &self,
        node: Arc<Node>,
        scope: EntityScope,
        number: u64,
    ) -> Option<BoxFuture<'static, Result<bool, HistoryError>>>;
    fn as_any(&self) -> &dyn Any;
}

/// What becomes of a state.
#[derive(Debug)]
pub(crate) enum Next {
    Unchanged,
    Changed(Arc<dyn Held>),
    Gone,
}

/// A machine's state.
pub(super) struct HeldState<M: Machine>(pub(super) M::State);

/// Says nothing of the state, for the reason that a node says nothing of its runs.
impl<M: Machine> Debug for HeldState<M> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HeldState").finish_non_exhaustive()
    }
}

/// Sets what follows apart from what the caller is told.
pub(super) fn split<M: Perform>(
    before: Option<&M::State>,
    decision: Decision<M>,
) -> (Next, Option<Arc<dyn Held>>, M::Reply) {
    let next = match decision.state {
        None if before.is_none() => Next::Unchanged,
        None => Next::Gone,
        Some(state) if before == Some(&state) => Next::Unchanged,
        Some(state) => Next::Changed(Arc::new(HeldState::<M>(state))),
    };
    let successor = decision.successor.map(|state| Arc::new(HeldState::<M>(state)) as _);
    (next, successor, decision.reply)
}

/// Reads the state of a known kind.
pub(super) fn state_of<M: Machine>(held: &dyn Held) -> Option<&M::State> {
    held.as_any().downcast_ref::<HeldState<M>>().map(|held| &held.0)
}

/// Whether a task still has something to do in this state.
pub(crate) fn is_current(held: Option<&dyn Held>, action: &TaskAction) -> bool {
    let Some(held) = held else { return false };
    match action {
        TaskAction::EntityTimer(timer) => held.due() == Some(timer.due),
        TaskAction::EntityWork(work) => held.outstanding().contains(&work.number),
        TaskAction::DispatchEntityTask(task) => {
            held.task().is_some_and(|known| known.stamp == task.stamp)
        }
        _ => false,
    }
}

impl<M: Perform> HeldState<M> {
    fn decide(&self, event: Event<M>, context: &Context<'_>) -> Result<Next, String> {
        let decision = M::decide(Some(&self.0), event, context);
        let decision = decision.map_err(|rejection| rejection.to_string())?;
        Ok(split(Some(&self.0), decision).0)
    }
}

impl<M: Perform> Held for HeldState<M> {
    fn encode(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }

    fn weight(&self) -> usize {
        2 * self.0.encoded_len()
    }

    fn due(&self) -> Option<Time> {
        M::due(&self.0)
    }

    fn outstanding(&self) -> Vec<u64> {
        M::outstanding(&self.0)
    }

    fn listing(&self, key: &EntityKey) -> Option<Listing> {
        M::listing(&self.0, key)
    }

    fn agenda(&self) -> Agenda {
        M::agenda(&self.0)
    }

    fn task(&self) -> Option<WorkerTask<'_>> {
        M::task(&self.0)
    }

    fn delivery(&self, key: &EntityKey, instance: RunId) -> Option<Delivery> {
        M::delivery(&self.0, key, instance)
    }

    fn decide_taken(&self, taken: Taken, context: &Context<'_>) -> Result<Next, String> {
        self.decide(Event::Taken(taken), context)
    }

    fn decide_due(&self, context: &Context<'_>) -> Result<Next, String> {
        self.decide(Event::Due, context)
    }

    fn decide_closed(&self, closed: ClosedWorkflow, context: &Context<'_>) -> Result<Next, String> {
        self.decide(Event::WorkflowClosed(Box::new(closed)), context)
    }

    fn destination(&self, number: u64, key: &EntityKey) -> Option<Destination> {
        let (kind, name) = M::destination(&M::work(&self.0, number, key)?)?;
        Some(Destination { kind, namespace_id: key.namespace_id, name })
    }

    fn carry_out(
        &self,
        node: Arc<Node>,
        scope: EntityScope,
        number: u64,
    ) -> Option<BoxFuture<'static, Result<bool, HistoryError>>> {
        let work = M::work(&self.0, number, &scope.key)?;
        Some(Box::pin(work::perform_and_tell::<M>(node, scope, number, work)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A context in which a machine decides.
pub(super) fn context<'a>(
    node: &Node,
    caller: &'a crate::context::Caller,
    key: &'a EntityKey,
    instance: RunId,
) -> Context<'a> {
    let engine::Context { now, limits, retention, namespace, principal, .. } = caller.context(node);
    let fresh_id = crate::context::fresh_run_id(&node.environment);
    Context { now, key, instance, fresh_id, namespace, limits, retention, principal }
}
