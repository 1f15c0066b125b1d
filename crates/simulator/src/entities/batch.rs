//! A batch operation on the workflows which wait for that: it terminates, cancels or signals them.

use std::sync::Arc;

use api::{
    batch::v1::{BatchOperationCancellation, BatchOperationSignal, BatchOperationTermination},
    enums::v1::BatchOperationState,
    history::v1::history_event::Attributes,
    workflowservice::v1::{StartBatchOperationRequest, start_batch_operation_request::Operation},
};
use batch_operation::{BatchOperation, Input, Rejection, Start};

use super::{ask, pause, wait_for};
use crate::{
    broken::Broken,
    check::{ensure, snapshot::Snapshot},
    dice::Dice,
    program::{BatchKind, End},
    world::World,
};

/// Its id.
pub(crate) const ID: &str = "batch";

/// The type of the workflows that wait for it.
pub(crate) const WORKFLOW_TYPE: &str = "batched";

/// The signal that it sends.
pub(crate) const SIGNAL: &str = "batch";

fn operation(kind: BatchKind) -> Operation {
    match kind {
        BatchKind::Terminates => {
            Operation::TerminationOperation(BatchOperationTermination::default())
        }
        BatchKind::Cancels => {
            Operation::CancellationOperation(BatchOperationCancellation::default())
        }
        BatchKind::Signals => Operation::SignalOperation(BatchOperationSignal {
            signal: SIGNAL.to_owned(),
            ..BatchOperationSignal::default()
        }),
    }
}

/// When it is done, none of its workflows is left out.
async fn check_done(world: &World, waiting: &[(&String, BatchKind)]) -> Result<(), String> {
    let snapshot = Snapshot::read(&world.cluster.memory).await?;
    for (workflow_id, kind) in waiting {
        let runs = snapshot.runs_of(workflow_id);
        let (_, run) = runs.last().ok_or_else(|| format!("`{workflow_id}` has no run"))?;
        let is_told = run.events.iter().any(|event| match (&event.attributes, kind) {
            (
                Some(Attributes::WorkflowExecutionCancelRequestedEventAttributes(_)),
                BatchKind::Cancels,
            ) => true,
            (
                Some(Attributes::WorkflowExecutionSignaledEventAttributes(signaled)),
                BatchKind::Signals,
            ) => signaled.signal_name == SIGNAL,
            _ => false,
        });
        // What waits for the end of a workflow task is not in the history yet.
        let waits = !run.state.buffered_events.is_empty();
        let is_done = is_told || waits || !run.state.is_running();
        ensure!(is_done, "a batch operation is done and has left out `{workflow_id}`");
    }
    Ok(())
}

/// Starts it once all its workflows have been started, and sees its end.
pub(crate) async fn see_through(world: Arc<World>) {
    let dice = Dice::new(world.seed, "client of a batch");
    let waiting = world.programs.iter().filter_map(|(workflow_id, program)| match program.end {
        End::AwaitBatch(kind) => Some((workflow_id, kind)),
        _ => None,
    });
    let waiting: Vec<(&String, BatchKind)> = waiting.collect();
    let Some((first, kind)) = waiting.first().copied() else { return };
    while !waiting.iter().all(|(id, _)| world.witness.has_started(id)) {
        pause(&world, &dice).await;
    }
    let mut visibility_query = format!("WorkflowType = '{WORKFLOW_TYPE}'");
    if world.breaks(Broken::SkipsInBatches) {
        visibility_query.push_str(&format!(" AND WorkflowId != '{first}'"));
    }
    loop {
        let request = StartBatchOperationRequest {
            job_id: ID.to_owned(),
            visibility_query: visibility_query.clone(),
            reason: "simulated".to_owned(),
            operation: Some(operation(kind)),
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
    if let Err(error) = check_done(&world, &waiting).await {
        world.witness.accuse(error);
    }
    world.ended(ID);
}
