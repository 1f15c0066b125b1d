//! The machine.

use entity::{Context, Decision, EntityKey, EntityKind, Event, Listing, Machine};
use model::Time;

use crate::{
    Done, Input, Rejection, Reply, State, Work, close, listing, requests,
    times::{Times, go_on},
    work,
};

/// The kind of entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule;

impl Machine for Schedule {
    const KIND: EntityKind = EntityKind::Schedule;
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
        let Some(state) = state else { return decide_new(event, context) };
        let mut next = state.clone();
        // What has come is dealt with as the schedule was before the event.
        let mut times = Times::of(state, context.key);
        let mut following = times.catch_up(&mut next, context.now);
        match event {
            Event::Request(Input::Create(create)) => {
                return if create.request_id == state.create_request_id {
                    Ok(unchanged(state))
                } else {
                    Err(Rejection::AlreadyExists)
                };
            }
            Event::Request(Input::Delete) => {
                return Ok(Decision::answered(None, Reply::default()));
            }
            Event::Request(Input::Update(update)) => {
                if requests::is_repeated(&mut next, &update.request_id) {
                    return Ok(unchanged(state));
                }
                requests::update(&mut next, *update, context.now)?;
                times = Times::of(&next, context.key);
                following = times.catch_up(&mut next, context.now);
            }
            Event::Request(Input::Patch { patch, request_id, conflict_token }) => {
                if requests::is_repeated(&mut next, &request_id) {
                    return Ok(unchanged(state));
                }
                requests::check_conflict(&next, conflict_token)?;
                requests::patch(&mut next, &patch, context.now);
            }
            Event::Due | Event::Taken(_) => {}
            Event::Done { number, outcome } => {
                let pending = next.pending.remove(&number);
                let start = pending.and_then(|pending| pending.start);
                if let (Some(start), Done::Started { run_id, start_time }) = (start, outcome) {
                    close::started(&mut next, number, start, run_id, start_time);
                }
                close::forget_early_ends(&mut next);
            }
            Event::WorkflowClosed(closed) => close::closed(&mut next, *closed),
        }
        Ok(finish(next, &times, following, context))
    }

    fn due(state: &State) -> Option<Time> {
        Some(state.due).filter(|due| due.is_set())
    }

    fn outstanding(state: &State) -> Vec<u64> {
        state.pending.keys().copied().collect()
    }

    fn work(state: &State, number: u64, key: &EntityKey) -> Option<Work> {
        work::work(state, number, key)
    }

    fn listing(state: &State, key: &EntityKey) -> Option<Listing> {
        Some(listing::listing(state, key))
    }
}

/// A schedule that does not exist can only be made.
fn decide_new(
    event: Event<Schedule>,
    context: &Context<'_>,
) -> Result<Decision<Schedule>, Rejection> {
    let Event::Request(Input::Create(create)) = event else { return Err(Rejection::NotFound) };
    let mut state = requests::create(*create, context)?;
    let times = Times::of(&state, context.key);
    let following = times.catch_up(&mut state, context.now);
    Ok(finish(state, &times, following, context))
}

fn finish(
    mut state: State,
    times: &Times,
    following: Option<Time>,
    context: &Context<'_>,
) -> Decision<Schedule> {
    let lives = go_on(&mut state, times, following, context.now);
    let reply = Reply { conflict_token: state.conflict_token };
    Decision::answered(Some(state).filter(|_| lives), reply)
}

fn unchanged(state: &State) -> Decision<Schedule> {
    let reply = Reply { conflict_token: state.conflict_token };
    Decision::answered(Some(state.clone()), reply)
}
