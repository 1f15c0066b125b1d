//! Starts that bring something with them, and that find a workflow which was started before.

use api::enums::v1::WorkflowIdConflictPolicy;
use engine::Signal;
use history::{
    HistoryError, StartRequest, UpdateRequest, UpdateStage, UpdateWithStartError,
    UpdateWithStartOutcome, UpdateWithStartRequest,
};

use super::{Client, UPDATE_ATTEMPTS};
use crate::{
    broken::Broken, cluster::CallError, dice::Dice, payload::payloads, update, world::World,
};

/// What a workflow is started with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Companion {
    Nothing,
    Signal,
    Update,
}

/// The signal and the update that come with a start.
const SIGNAL: &str = "signal with start";
const UPDATE: &str = "update with start";

impl Client {
    /// Starts the workflow with a signal or an update, as the seed has it. Whatever came of it, the
    /// start without them is the same request, and finds the run.
    pub(super) async fn start_with_companion(&self) {
        match self.companion() {
            Companion::Nothing => {}
            Companion::Signal => Box::pin(self.signal_with_start(SIGNAL, None)).await,
            Companion::Update => Box::pin(self.update_with_start()).await,
        }
    }

    fn companion(&self) -> Companion {
        // A reset goes back to an event that stands elsewhere then.
        if self.takes_reset() {
            return Companion::Nothing;
        }
        let dice = Dice::new(self.world.seed, &format!("start of {}", self.workflow_id));
        match dice.below(10) {
            0 | 1 => Companion::Signal,
            2 | 3 => Companion::Update,
            _ => Companion::Nothing,
        }
    }

    /// The request that starts the workflow, or uses the run that is there. With another request's
    /// id it must find one.
    fn request_to_use(&self, request_id: Option<&str>) -> StartRequest {
        let mut request = self.request();
        request.policy.conflict = WorkflowIdConflictPolicy::UseExisting;
        if let Some(request_id) = request_id {
            request_id.clone_into(&mut request.start.request_id);
        }
        request
    }

    /// Signals the workflow, and starts it if need be.
    pub(super) async fn signal_with_start(&self, signal: &str, request_id: Option<&str>) {
        let (world, workflow_id) = (&self.world, &self.workflow_id);
        world.witness.signal(workflow_id, signal, false);
        loop {
            let mut request = self.request_to_use(request_id);
            request.start.signal = (!world.breaks(Broken::StartsWithoutSignal)).then(|| {
                Box::new(Signal {
                    signal_name: "signal".to_owned(),
                    input: Some(payloads(signal)),
                    request_id: signal.to_owned(),
                    ..Signal::default()
                })
            });
            let started = world.call(&self.dice, |life| async move {
                life.history.signal_with_start(&life.permit, &life.namespace(), request).await
            });
            let started = Box::pin(started).await;
            world.note(workflow_id, signal, &started);
            match started {
                Ok(outcome) => {
                    world.witness.signal(workflow_id, signal, true);
                    if outcome.started && request_id.is_some() {
                        self.accuse_second_start(&outcome.run.run_id.to_string());
                    }
                    return;
                }
                Err(error) if error.is_rejection() => return,
                Err(_) => self.pause().await,
            }
        }
    }

    fn accuse_second_start(&self, run_id: &str) {
        let workflow_id = &self.workflow_id;
        let text = format!("a second start of `{workflow_id}` was answered with run {run_id}");
        self.world.witness.accuse(text);
    }

    async fn update_with_start(&self) {
        let world = &self.world;
        if world.breaks(Broken::StartsWithoutUpdate) {
            let run = self.start().await;
            world.witness.updated(&run, UPDATE);
            return;
        }
        for _ in 0..UPDATE_ATTEMPTS {
            let request = UpdateWithStartRequest {
                start: self.request_to_use(None),
                update: UpdateRequest {
                    request: update::request(UPDATE),
                    first_execution_run_id: String::new(),
                    wait_stage: UpdateStage::Completed,
                    deadline: None,
                },
            };
            let updated = world.call(&self.dice, |life| async move {
                let (permit, namespace) = (&life.permit, &life.namespace());
                Ok(life.history.update_with_start(permit, namespace, request).await)
            });
            let updated = updated.await;
            note(world, &self.workflow_id, &updated);
            match updated {
                Ok(Ok(outcome)) => {
                    self.take_update(&outcome);
                    return;
                }
                Ok(Err(error)) if is_rejection(&error) => return,
                Ok(Err(_)) | Err(_) => self.pause().await,
            }
        }
    }

    fn take_update(&self, outcome: &UpdateWithStartOutcome) {
        let UpdateWithStartOutcome { started, update, .. } = outcome;
        let (witness, workflow_id) = (&self.world.witness, &self.workflow_id);
        if *started {
            witness.started(workflow_id, &update.run);
        }
        let answer = update::answer(update.outcome.as_ref());
        match answer.as_deref() {
            Some(UPDATE) => witness.updated(&update.run, UPDATE),
            // It may have come to a run that has no time for it.
            None => {}
            Some(other) => witness.accuse(format!("{UPDATE} of `{workflow_id}` gave `{other}`")),
        }
    }
}

fn is_rejection(error: &UpdateWithStartError) -> bool {
    let (UpdateWithStartError::Start(error)
    | UpdateWithStartError::Update(error)
    | UpdateWithStartError::UpdateAfterStart(error)) = error;
    matches!(error, HistoryError::Rejected(_))
}

fn note(
    world: &World,
    workflow_id: &str,
    updated: &Result<Result<UpdateWithStartOutcome, UpdateWithStartError>, CallError>,
) {
    match updated {
        Ok(Err(error)) => world.trace.note(&format!("{workflow_id}: {UPDATE}: {error}")),
        Ok(Ok(_)) => world.trace.note(&format!("{workflow_id}: {UPDATE}: done")),
        Err(error) => world.trace.note(&format!("{workflow_id}: {UPDATE}: {error}")),
    }
}
