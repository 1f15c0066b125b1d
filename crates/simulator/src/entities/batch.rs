//! A batch operation that ends the workflows which wait for that.

use std::sync::Arc;

use api::{
    batch::v1::BatchOperationTermination,
    enums::v1::BatchOperationState,
    workflowservice::v1::{StartBatchOperationRequest, start_batch_operation_request::Operation},
};
use batch_operation::{BatchOperation, Input, Rejection, Start};

use super::{ask, ended, pause, wait_for};
use crate::{dice::Dice, program::End, world::World};

/// Its id.
pub(crate) const ID: &str = "batch";

/// The type of the workflows that wait for it.
pub(crate) const WORKFLOW_TYPE: &str = "batched";

/// Starts it once all its workflows have been started, and sees its end.
pub(crate) async fn see_through(world: Arc<World>) {
    let dice = Dice::new(world.seed, "client of a batch");
    let waiting = world.programs.iter().filter(|(_, program)| program.end == End::AwaitBatch);
    let waiting: Vec<&String> = waiting.map(|(workflow_id, _)| workflow_id).collect();
    while !waiting.iter().all(|id| world.witness.has_started(id)) {
        pause(&world, &dice).await;
    }
    loop {
        let request = StartBatchOperationRequest {
            job_id: ID.to_owned(),
            visibility_query: format!("WorkflowType = '{WORKFLOW_TYPE}'"),
            reason: "simulated".to_owned(),
            operation: Some(Operation::TerminationOperation(BatchOperationTermination::default())),
            ..StartBatchOperationRequest::default()
        };
        let start = Input::Start(Box::new(Start { request, starter: None }));
        let started = ask::<BatchOperation>(&world, &dice, ID, start).await;
        world.note(ID, "start", &started);
        match started {
            Ok(Ok(()) | Err(Rejection::AlreadyStarted { .. })) => break,
            Ok(Err(rejection)) => {
                world.witness.accuse(format!("a batch operation is refused: {rejection}"));
                return;
            }
            Err(_) => pause(&world, &dice).await,
        }
    }
    let is_closed = |state: &batch_operation::State| !state.is_open();
    let Some(view) = wait_for::<BatchOperation>(&world, &dice, ID, is_closed).await else {
        return;
    };
    let state = view.state().cloned().unwrap_or_default();
    let is_whole = state.status() == BatchOperationState::Completed
        && state.completed == state.total
        && state.failed == 0;
    if !is_whole {
        world.witness.accuse(format!("a batch operation ended as {state:?}"));
    }
    ended(&world, ID);
}
