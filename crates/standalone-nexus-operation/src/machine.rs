//! The machine.

use entity::{Context, Decision, EntityKey, EntityKind, Event, Listing, Machine};
use model::{Agenda, Time};

use crate::{
    Done, Input, Rejection, Reply, State, Work, attempt, callback, cancel, close, listing, start,
    work,
};

/// The kind of entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandaloneNexusOperation;

impl Machine for StandaloneNexusOperation {
    const KIND: EntityKind = EntityKind::NexusOperation;
    type State = State;
    type Input = Input;
    type Reply = Reply;
    type Rejection = Rejection;
    type Work = Work;
    type Done = Done;

    fn decide(
        state: Option<&State>,
        event: Event<Self>,
        context: &Context<'_>,
    ) -> Result<Decision<Self>, Rejection> {
        let Some(state) = state else {
            let Event::Request(Input::Start(start)) = event else {
                return Err(Rejection::NotFound);
            };
            return start::first(*start, context);
        };
        let mut next = state.clone();
        let mut deletes = false;
        match event {
            Event::Request(Input::Start(start)) => return start::again(next, *start, context),
            Event::Request(Input::Complete(complete)) => {
                attempt::complete(&mut next, *complete, context)?;
            }
            Event::Request(Input::RequestCancel(request)) => {
                cancel::request(&mut next, request, context)?;
            }
            Event::Request(Input::Terminate(terminate)) => {
                close::terminate(&mut next, terminate, context)?;
            }
            Event::Request(Input::Delete) => close::delete(&mut next, context),
            Event::Due => deletes = attempt::due(&mut next, context),
            Event::Done { number, outcome } => work::done(&mut next, number, outcome, context),
            // It has no tasks and starts no workflows itself: its handler may.
            Event::Taken(_) | Event::WorkflowClosed(_) => {}
        }
        if deletes || (next.is_deleted && callback::are_over(&next)) {
            return Ok(Decision::answered(None, Reply::Done));
        }
        if next != *state {
            next.transitions += 1;
        }
        Ok(Decision::state(next))
    }

    fn due(state: &State) -> Option<Time> {
        attempt::next_time(state)
    }

    fn outstanding(state: &State) -> Vec<u64> {
        work::outstanding(state)
    }

    fn work(state: &State, number: u64, _key: &EntityKey) -> Option<Work> {
        work::work(state, number)
    }

    /// That it is forgotten one day is no part of it.
    fn agenda(state: &State) -> Agenda {
        let steps = u32::try_from(Self::outstanding(state).len()).unwrap_or(u32::MAX);
        let due = Self::due(state).filter(|due| *due != state.forget_time);
        Agenda { steps, due, ..Agenda::EMPTY }
    }

    fn listing(state: &State, key: &EntityKey) -> Option<Listing> {
        Some(listing::listing(state, key))
    }
}
