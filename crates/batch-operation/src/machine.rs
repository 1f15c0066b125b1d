//! The machine.

use api::enums::v1::BatchOperationState;
use entity::{Context, Decision, EntityKey, EntityKind, Event, Listing, Machine};
use model::Time;

use crate::{Done, Found, Input, Rejection, Source, Start, State, Step, Stop, listing};

/// The kind of entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOperation;

impl Machine for BatchOperation {
    const KIND: EntityKind = EntityKind::BatchOperation;
    type State = State;
    type Input = Input;
    type Reply = ();
    type Rejection = Rejection;
    type Work = Step;
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
            return Ok(Decision::state(begin(*start, context)));
        };
        let mut next = state.clone();
        match event {
            Event::Request(Input::Start(_)) => {
                return Err(Rejection::AlreadyStarted {
                    instance: context.instance.to_string(),
                    is_open: state.is_open(),
                });
            }
            Event::Request(Input::Stop(_)) if !state.is_open() => return Err(Rejection::Closed),
            Event::Request(Input::Stop(stop)) => halt(&mut next, stop, context),
            Event::Done { number, outcome } if number != 0 && number == state.step => {
                step(&mut next, outcome, context);
            }
            Event::Due if Self::due(state).is_some_and(|due| due <= context.now) => {
                return Ok(Decision::answered(None, ()));
            }
            Event::Done { .. } | Event::Due | Event::Taken(_) | Event::WorkflowClosed(_) => {}
        }
        Ok(Decision::state(next))
    }

    fn due(state: &State) -> Option<Time> {
        let due = Time::from_nanos(state.forget_nanos);
        // A step that is under way still has something to report.
        (due.is_set() && state.step == 0).then_some(due)
    }

    fn outstanding(state: &State) -> Vec<u64> {
        if state.step == 0 { Vec::new() } else { vec![state.step] }
    }

    fn work(state: &State, number: u64, _key: &EntityKey) -> Option<Step> {
        if number == 0 || number != state.step {
            return None;
        }
        let source = || Source {
            page_token: state.page_token.clone(),
            targets_max: usize::try_from(state.targets_max()).unwrap_or(1),
        };
        Some(Step {
            request: state.request.clone()?,
            starter: state.starter.clone(),
            now: state.start_time(),
            rate: state.rate(),
            targets: state.targets.clone(),
            next: (!state.found_all).then(source),
        })
    }

    fn listing(state: &State, key: &EntityKey) -> Option<Listing> {
        Some(listing::listing(state, key))
    }
}

fn begin(start: Start, context: &Context<'_>) -> State {
    State {
        request: Some(start.request),
        starter: start.starter,
        start_nanos: context.now.nanos(),
        status: BatchOperationState::Running as i32,
        step: 1,
        ..State::default()
    }
}

/// The step that is under way ends early, and its report is the last.
fn halt(state: &mut State, stop: Stop, context: &Context<'_>) {
    state.stop_reason = stop.reason;
    state.stop_identity = stop.identity;
    close(state, BatchOperationState::Failed, context);
}

fn step(state: &mut State, outcome: Done, context: &Context<'_>) {
    let number = state.step;
    state.targets.clear();
    state.step = 0;
    let Done::Stepped { completed, failed, found } = outcome else {
        if state.is_open() {
            close(state, BatchOperationState::Failed, context);
        }
        return;
    };
    state.completed = state.completed.saturating_add(completed);
    state.failed = state.failed.saturating_add(failed);
    let Found { targets, page_token, total } = found;
    state.total = total.unwrap_or(state.total);
    if !state.is_open() {
        return;
    }
    state.found_all |= page_token.is_empty();
    state.page_token = page_token;
    if targets.is_empty() && state.found_all {
        return close(state, BatchOperationState::Completed, context);
    }
    state.targets = targets;
    state.step = number + 1;
}

fn close(state: &mut State, status: BatchOperationState, context: &Context<'_>) {
    state.set_status(status);
    state.close_nanos = context.now.nanos();
    state.forget_nanos = (context.now + context.retention).nanos();
}
