//! The machine.

use entity::{Context, Decision, EntityKey, EntityKind, Event, Listing, Machine, WorkerTask};
use model::{Agenda, Time};

use crate::{
    Input, Rejection, Reply, State,
    attempt::{self, due},
    callback::{self, Delivered, Work},
    close, listing, operations, start,
};

/// The kind of entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandaloneActivity;

impl Machine for StandaloneActivity {
    const KIND: EntityKind = EntityKind::Activity;
    type State = State;
    type Input = Input;
    type Reply = Reply;
    type Rejection = Rejection;
    type Work = Work;
    type Done = Delivered;

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
        let mut reply = Reply::Done;
        let mut deletes = false;
        let is_due = matches!(event, Event::Due);
        match event {
            Event::Request(input) => match input {
                Input::Start(start) => return start::again(next, *start, context),
                Input::Heartbeat(heartbeat) => {
                    reply = attempt::heartbeat(&mut next, heartbeat, context)?;
                }
                Input::Complete(complete) => attempt::complete(&mut next, complete, context)?,
                Input::Fail(fail) => attempt::fail(&mut next, *fail, context)?,
                Input::Confirm(confirm) => close::confirm(&mut next, confirm, context)?,
                Input::RequestCancel(request) => {
                    close::request_cancel(&mut next, request, context)?;
                }
                Input::Terminate(terminate) => close::terminate(&mut next, terminate, context)?,
                Input::Delete => close::delete(&mut next, context),
                Input::Pause(pause) => operations::pause(&mut next, pause, context)?,
                Input::Unpause(unpause) => operations::unpause(&mut next, unpause, context)?,
                Input::Reset(reset) => operations::reset(&mut next, reset, context)?,
                Input::SetOptions(set) => {
                    reply = operations::set_options(&mut next, *set, context)?;
                }
            },
            Event::Taken(taken) => attempt::take(&mut next, &taken, context)?,
            Event::Due => deletes = due(&mut next, context),
            Event::Done { number, outcome } => {
                callback::attempted(&mut next, number, outcome, context);
            }
            Event::WorkflowClosed(_) => {}
        }
        Ok(finish(state, next, deletes, is_due, reply, context))
    }

    fn due(state: &State) -> Option<Time> {
        Some(state.wake_time).filter(|due| due.is_set())
    }

    fn outstanding(state: &State) -> Vec<u64> {
        callback::outstanding(state)
    }

    fn work(state: &State, number: u64, key: &EntityKey) -> Option<Work> {
        callback::work(state, number, key)
    }

    fn task(state: &State) -> Option<WorkerTask<'_>> {
        attempt::task(state)
    }

    /// That it is forgotten one day is no part of it.
    fn agenda(state: &State) -> Agenda {
        let steps = u32::try_from(Self::outstanding(state).len()).unwrap_or(u32::MAX);
        let work = u32::from(state.is_held() || Self::task(state).is_some());
        let due = Self::due(state).filter(|due| *due != state.forget_time);
        Agenda { steps, work, due }
    }

    fn listing(state: &State, key: &EntityKey) -> Option<Listing> {
        Some(listing::listing(state, key))
    }
}

fn finish(
    before: &State,
    mut next: State,
    deletes: bool,
    is_due: bool,
    reply: Reply,
    context: &Context<'_>,
) -> Decision<StandaloneActivity> {
    if deletes || (next.is_deleted && callback::are_over(&next)) {
        return Decision::answered(None, reply);
    }
    // A heartbeat moves what the attempt waits for; that is seen when the earlier time has come.
    let goes_on = before.is_held() && next.is_held() && before.held_stamp == next.held_stamp;
    attempt::arm(&mut next, goes_on, context.now);
    // That a wait is over is no step of its own.
    let is_step = next.attempts.attempt != before.attempts.attempt
        || next.is_open() != before.is_open()
        || !is_due;
    if is_step && next != *before {
        next.transitions += 1;
    }
    Decision::answered(Some(next), reply)
}
