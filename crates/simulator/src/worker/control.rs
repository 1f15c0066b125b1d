//! Where activity workers take commands: to stop attempts that nobody waits for any more.

use std::sync::Arc;

use api::{
    nexus::v1::start_operation_response::{Sync, Variant},
    nexus::v1::{Response, StartOperationResponse, request, response},
    nexusservices::workerservice::v1::{ExecuteCommandsRequest, ExecuteCommandsResponse},
    worker::v1::worker_command,
};
use history::NexusDelivery;
use prost::Message as _;

use crate::{
    dice::Dice,
    payload::payload,
    worker::{
        dies,
        nexus::respond,
        poll::{Poll, poll_nexus_task},
        rest,
    },
    world::World,
};

/// The queue of a worker that takes commands.
pub(crate) fn queue_of(identity: &str) -> String {
    format!("{identity} control")
}

/// Takes the commands of a worker as long as it works.
pub(crate) async fn take_commands(world: Arc<World>, identity: String) {
    let dice = Dice::new(world.seed, &queue_of(&identity));
    world.sleep(world.profile.workers_from).await;
    while !world.is_done() {
        rest(&world, &dice).await;
        let poll = Poll::draw(&world, &dice, &queue_of(&identity), &identity);
        let request = poll.clone();
        let polled =
            world.call(&dice, |life| async move { poll_nexus_task(&life, &request).await });
        match polled.await {
            Ok(Some(task)) => carry_out(&world, &dice, &identity, *task).await,
            Ok(None) => poll.check_patience(&world),
            Err(_) => world.sleep(dice.span(5, 200)).await,
        }
    }
}

async fn carry_out(world: &World, dice: &Dice, identity: &str, task: NexusDelivery) {
    if dies(world, dice) {
        return;
    }
    let Some(request::Variant::StartOperation(start)) = &task.request.variant else {
        world.witness.accuse(format!("{identity} was asked for no command: {:?}", task.request));
        return;
    };
    let data = start.payload.as_ref().map(|payload| payload.data.clone()).unwrap_or_default();
    let commands = match ExecuteCommandsRequest::decode(data) {
        Ok(request) => request.commands,
        Err(error) => {
            world.witness.accuse(format!("commands to {identity} cannot be read: {error}"));
            return;
        }
    };
    for command in commands {
        let Some(worker_command::Type::CancelActivity(cancel)) = command.r#type else { continue };
        world.trace.note(&format!("{identity}: told to stop an attempt"));
        world.witness.told_to_stop(identity, cancel.task_token);
    }
    let answer = ExecuteCommandsResponse::default().encode_to_vec();
    let mut result = payload("");
    result.data = answer.into();
    let variant = Some(Variant::SyncSuccess(Sync { payload: Some(result), ..Sync::default() }));
    let started = response::Variant::StartOperation(StartOperationResponse { variant });
    respond(world, dice, &task, Response { variant: Some(started) }).await;
}
