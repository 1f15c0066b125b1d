//! Nexus operations that no workflow waits for.

use std::sync::Arc;

use api::{
    enums::v1::{
        CallbackState, NexusOperationExecutionStatus, NexusOperationIdConflictPolicy,
        NexusOperationIdReusePolicy,
    },
    history::v1::NexusOperationScheduledEventAttributes,
};
use model::Span;
use standalone_nexus_operation::{
    Input, Rejection, Reply, RequestCancel, StandaloneNexusOperation, Start, State, Terminate,
    outcome::Value,
};

use super::{ask, begin, check_told, pause, wait_for};
use crate::{
    dice::Dice,
    operation::{Handler, endless},
    outside::{Told, callback},
    payload::payload,
    world::World,
};

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) id: String,
    handler: Handler,
    ending: Ending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It gives its name.
    Completes,
    /// Somebody asks it to stop.
    IsCancelled,
    /// Somebody ends it.
    IsTerminated,
    /// Its time is over.
    TimesOut(Span),
}

impl Plan {
    pub(crate) fn draw(dice: &Dice, number: u64, clock_jumps: bool) -> Self {
        let ending = match dice.below(6) {
            0 => Ending::IsCancelled,
            1 => Ending::IsTerminated,
            2 => Ending::TimesOut(dice.span(2_000, 40_000)),
            _ => Ending::Completes,
        };
        let handler = if dice.chance(500) { Handler::Outside } else { Handler::Workers };
        // When the clock is set the workflow behind it may run out of time before somebody ends it.
        let is_outside = clock_jumps && ending != Ending::Completes;
        let handler = if is_outside { Handler::Outside } else { handler };
        Self { id: format!("nexus-operation{number}"), handler, ending }
    }

    fn operation(&self) -> String {
        if self.ending == Ending::Completes { self.id.clone() } else { endless(&self.id) }
    }

    fn start(&self, world: &World) -> Start {
        let timeout = match self.ending {
            Ending::TimesOut(timeout) => Some(timeout.to_proto()),
            _ => None,
        };
        let operation = self.operation();
        Start {
            request_id: format!("start of {}", self.id),
            scheduled: NexusOperationScheduledEventAttributes {
                endpoint: self.handler.endpoint().to_owned(),
                endpoint_id: world.cluster.endpoint_id(self.handler).to_owned(),
                service: "service".to_owned(),
                input: Some(payload(&operation)),
                operation,
                schedule_to_close_timeout: timeout,
                ..NexusOperationScheduledEventAttributes::default()
            },
            callbacks: vec![callback(&self.id)],
            reuse: NexusOperationIdReusePolicy::RejectDuplicate,
            conflict: NexusOperationIdConflictPolicy::Fail,
            ..Start::default()
        }
    }

    /// What asks for its end; none when it ends by itself.
    fn interference(&self) -> Option<Input> {
        let request_id = format!("end of {}", self.id);
        match self.ending {
            Ending::IsCancelled => {
                Some(Input::RequestCancel(RequestCancel { request_id, ..Default::default() }))
            }
            Ending::IsTerminated => {
                Some(Input::Terminate(Terminate { request_id, ..Default::default() }))
            }
            Ending::Completes | Ending::TimesOut(_) => None,
        }
    }

    /// How it has to end.
    const fn status(&self) -> NexusOperationExecutionStatus {
        match self.ending {
            Ending::Completes => NexusOperationExecutionStatus::Completed,
            Ending::IsCancelled => NexusOperationExecutionStatus::Canceled,
            Ending::IsTerminated => NexusOperationExecutionStatus::Terminated,
            Ending::TimesOut(_) => NexusOperationExecutionStatus::TimedOut,
        }
    }

    fn told(&self) -> Told {
        match self.ending {
            Ending::Completes => Told::Succeeded(self.id.clone()),
            Ending::IsCancelled => Told::Canceled,
            Ending::IsTerminated | Ending::TimesOut(_) => Told::Failed,
        }
    }
}

/// Starts one, sees its end, and that those know who asked for it.
pub(crate) async fn see_through(world: Arc<World>, plan: Plan) {
    let dice = Dice::new(world.seed, &format!("client of {}", plan.id));
    begin(&world, &dice).await;
    loop {
        let input = Input::Start(Box::new(plan.start(&world)));
        let started = ask::<StandaloneNexusOperation>(&world, &dice, &plan.id, input).await;
        world.note(&plan.id, "start", &started);
        match started {
            Ok(Ok(Reply::Started { .. })) => break,
            // What came before the answer that was lost.
            Ok(Err(Rejection::AlreadyStarted { request_id, .. }))
                if request_id == plan.start(&world).request_id =>
            {
                break;
            }
            Ok(other) => {
                world.witness.accuse(format!("the start of `{}` gave {other:?}", plan.id));
                return;
            }
            Err(_) => pause(&world, &dice).await,
        }
    }
    if let Some(input) = plan.interference() {
        world.sleep(dice.span(0, 8_000)).await;
        interfere(&world, &dice, &plan, input).await;
    }
    let is_closed = |state: &State| !state.is_open();
    let found = wait_for::<StandaloneNexusOperation>(&world, &dice, &plan.id, is_closed).await;
    let Some(found) = found else { return };
    let state = found.state().cloned().unwrap_or_default();
    let (status, expected) = (state.status(), plan.status());
    if status != expected {
        let id = &plan.id;
        world.witness.accuse(format!("`{id}` is {status:?} instead of {expected:?}: {state:?}"));
    }
    if let Some(Value::Result(result)) = state.end().and_then(|end| end.value)
        && result.data != plan.id
    {
        world.witness.accuse(format!("`{}` gave {result:?}", plan.id));
    }
    let are_told = |state: &State| {
        state.callbacks.iter().all(|callback| callback.state() == CallbackState::Succeeded)
    };
    if wait_for::<StandaloneNexusOperation>(&world, &dice, &plan.id, are_told).await.is_some() {
        check_told(&world, &plan.id, &plan.told());
        world.ended(&plan.id);
    }
}

async fn interfere(world: &World, dice: &Dice, plan: &Plan, input: Input) {
    loop {
        let asked = ask::<StandaloneNexusOperation>(world, dice, &plan.id, input.clone()).await;
        world.note(&plan.id, "end", &asked);
        match asked {
            Ok(Ok(_)) => return,
            // It has ended because of a request whose answer was lost.
            Ok(Err(Rejection::Precondition(_))) if plan.ending == Ending::IsCancelled => return,
            Ok(Err(rejection)) => {
                world.witness.accuse(format!("`{}` cannot be ended: {rejection}", plan.id));
                return;
            }
            Err(_) => pause(world, dice).await,
        }
    }
}
