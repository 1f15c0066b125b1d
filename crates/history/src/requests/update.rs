//! Updates.

use std::sync::Arc;

use api::update::v1::{Outcome, Request};
use authz::Permit;
use engine::{
    Input, Rejection, Reply, UpdateAborted, UpdateStage as KnownStage, UpdateWorkflow, decide,
};
use environment::Sleep;
use model::{RunId, SlotId, Span, Time};
use namespace::Namespace;

use crate::{
    Execution, History, HistoryError, RunKey,
    commit::{Commit, Outcome as CommitOutcome},
    context::Caller,
    node::{SlotGuard, not_found},
    run::LiveRun,
    updates::{Progress, UpdateHandle, WatchedUpdate},
};

/// How long the server answers a caller without what it waits for (fact sheet section 5).
pub(crate) const UPDATE_WAIT: Span = Span::from_secs(20);

/// How far an update has come, and how far a caller waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UpdateStage {
    /// The server knows it.
    Admitted,
    /// The workflow works on it.
    Accepted,
    /// It has an outcome.
    Completed,
}

/// A request for an update.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateRequest {
    /// What is asked; its id is set.
    pub request: Request,
    /// Only if this run began the chain; empty: any chain.
    pub first_execution_run_id: String,
    /// How far the caller waits.
    pub wait_stage: UpdateStage,
    /// When the caller gives up.
    pub deadline: Option<Time>,
}

/// What became of an update so far.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateStatus {
    /// The run that has it.
    pub run: RunKey,
    /// Its id.
    pub update_id: String,
    /// How far it has come.
    pub stage: UpdateStage,
    /// What came out of it, once it has completed.
    pub outcome: Option<Outcome>,
}

/// An update that a run knows.
pub(crate) struct Found {
    pub(crate) live: Arc<LiveRun>,
    pub(crate) update_id: String,
    pub(crate) state: FoundState,
}

pub(crate) enum FoundState {
    /// Its outcome is in the history.
    Completed { event_id: i64 },
    /// It goes on.
    Watched(Arc<WatchedUpdate>),
}

impl History {
    /// Asks a workflow for an update and waits for it, up to 20 seconds. An update that a run
    /// knows already is not asked for again.
    ///
    /// # Errors
    /// When there is no such run, it takes no more updates, or it closed before it accepted this
    /// one.
    pub async fn update_workflow(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        request: UpdateRequest,
    ) -> Result<UpdateStatus, HistoryError> {
        let caller = Caller::new(permit, namespace);
        let mut wait = self.update_wait(request.wait_stage, request.deadline);
        loop {
            let found = self.find_or_admit(&caller, execution, &request).await?;
            match self.wait_for_update(found, &mut wait).await? {
                Waited::Reached(status) => return Ok(status),
                // The update was lost, or belongs to the next run of the chain.
                Waited::AskAgain(_) if !wait.is_over(self) => {}
                Waited::AskAgain(error) => return Err(error),
            }
        }
    }

    /// Waits for an update that was asked for earlier, up to 20 seconds; without a stage it only
    /// looks.
    ///
    /// # Errors
    /// When the run does not know the update, or closed before it accepted it.
    pub async fn poll_update(
        &self,
        _permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        update_id: &str,
        wait_stage: Option<UpdateStage>,
        deadline: Option<Time>,
    ) -> Result<UpdateStatus, HistoryError> {
        let mut wait = self.update_wait(wait_stage.unwrap_or(UpdateStage::Admitted), deadline);
        loop {
            let found = self.find_update(namespace, execution, update_id).await?;
            match self.wait_for_update(found, &mut wait).await? {
                Waited::Reached(status) => return Ok(status),
                Waited::AskAgain(HistoryError::Unavailable(_)) if !wait.is_over(self) => {}
                Waited::AskAgain(error) => return Err(error),
            }
        }
    }

    pub(crate) fn update_wait(&self, stage: UpdateStage, deadline: Option<Time>) -> UpdateWait {
        let clock = &self.node.environment.clock;
        let soft = clock.now() + UPDATE_WAIT;
        let hard = deadline.unwrap_or(Time::MAX);
        UpdateWait { stage, soft, hard, expired: clock.sleep_until(soft.min(hard)) }
    }

    async fn find_or_admit(
        &self,
        caller: &Caller,
        execution: &Execution,
        request: &UpdateRequest,
    ) -> Result<Found, HistoryError> {
        let workflow = execution.key(caller.namespace_id());
        let (found, outcome) = {
            let mut slot = self.lock(SlotId::of(&workflow)).await?;
            let run_id = self.node.find_run(&mut slot, &workflow, execution.run_id).await?;
            let first = &request.first_execution_run_id;
            let run = slot.runs.get(&run_id).ok_or_else(|| not_found(&workflow))?;
            if !first.is_empty() && run.head.first_execution_run_id() != first {
                return Err(Rejection::ChainNotFound.into());
            }
            self.decide_update(&mut slot, caller, run_id, &request.request)?
        };
        outcome.wait().await?;
        found
    }

    /// Admits an update to a run, or finds it there.
    pub(crate) fn decide_update(
        &self,
        slot: &mut SlotGuard<'_>,
        caller: &Caller,
        run_id: RunId,
        request: &Request,
    ) -> Result<(Result<Found, HistoryError>, CommitOutcome), HistoryError> {
        let context = caller.context(&self.node);
        let Some(run) = slot.runs.get(&run_id) else { return Err(left_cache()) };
        let input = UpdateWorkflow { request: Box::new(request.clone()) };
        let transition = match decide(&run.head, Input::UpdateWorkflow(input), &context) {
            Ok(transition) => transition,
            Err(rejection) => return Ok((Err(rejection.into()), slot.barrier())),
        };
        let update_id = update_id(request);
        if let Reply::UpdateKnown(stage) = transition.reply.clone() {
            let found = known_update(slot, run_id, update_id, &stage)?;
            if transition.is_empty() {
                return Ok((Ok(found), slot.barrier()));
            }
            // It brought callbacks.
            let mut commit = Commit::default();
            commit.record(&self.node, slot, caller, run_id, transition)?;
            return Ok((Ok(found), commit.submit(&self.node, slot)?));
        }
        let mut commit = Commit::default();
        commit.record(&self.node, slot, caller, run_id, transition)?;
        let outcome = commit.submit(&self.node, slot)?;
        let found = known_update(slot, run_id, update_id, &KnownStage::Admitted)?;
        Ok((Ok(found), outcome))
    }

    async fn find_update(
        &self,
        namespace: &Namespace,
        execution: &Execution,
        update_id: &str,
    ) -> Result<Found, HistoryError> {
        let workflow = execution.key(namespace.id);
        let (found, outcome) = {
            let mut slot = self.lock(SlotId::of(&workflow)).await?;
            let run_id = self.node.find_run(&mut slot, &workflow, execution.run_id).await?;
            let run = slot.runs.get(&run_id).ok_or_else(|| not_found(&workflow))?;
            let found = match run.head.update_stage(update_id) {
                Some(stage) => Ok(known_update(&mut slot, run_id, update_id, &stage)?),
                None => Err(Rejection::UpdateNotFound(update_id.to_owned())),
            };
            (found, slot.barrier())
        };
        outcome.wait().await?;
        Ok(found?)
    }

    /// Waits until the update has come far enough, or for as long as the caller is kept waiting.
    pub(crate) async fn wait_for_update(
        &self,
        found: Found,
        wait: &mut UpdateWait,
    ) -> Result<Waited, HistoryError> {
        let Found { live, update_id, state } = found;
        let status = |stage, outcome| {
            let (run, update_id) = (live.key.clone(), update_id.clone());
            Ok(Waited::Reached(UpdateStatus { run, update_id, stage, outcome }))
        };
        let watched = match state {
            FoundState::Completed { event_id } => {
                let (outcome, _) = self.node.update_outcome(&live, event_id).await?;
                return status(UpdateStage::Completed, Some(outcome));
            }
            FoundState::Watched(watched) => watched,
        };
        loop {
            let changed = watched.changed();
            tokio::pin!(changed);
            // Counts from here on, not from the first poll.
            changed.as_mut().enable();
            let reached = match watched.progress() {
                Progress::Completed(outcome) => {
                    return status(UpdateStage::Completed, Some(outcome));
                }
                Progress::Aborted(reason) => return aborted(reason),
                Progress::Lost => return Ok(Waited::AskAgain(lost())),
                Progress::Accepted => UpdateStage::Accepted,
                Progress::Admitted => UpdateStage::Admitted,
            };
            if reached >= wait.stage {
                return status(reached, None);
            }
            tokio::select! {
                biased;
                () = &mut changed => {}
                () = self.node.stopping.cancelled() => return Err(lost()),
                () = &mut wait.expired => {
                    return if wait.soft <= wait.hard {
                        status(reached, None)
                    } else {
                        Err(HistoryError::DeadlineExceeded)
                    };
                }
            }
        }
    }
}

/// How long, and for what, a caller waits.
pub(crate) struct UpdateWait {
    stage: UpdateStage,
    soft: Time,
    hard: Time,
    expired: Sleep,
}

impl UpdateWait {
    fn is_over(&self, history: &History) -> bool {
        history.node.now() >= self.soft.min(self.hard)
    }
}

/// What came of waiting.
#[expect(clippy::large_enum_variant, reason = "one at a time, and moved a few times at most")]
pub(crate) enum Waited {
    Reached(UpdateStatus),
    /// The update is not where it was; the error is for a caller that does not ask again.
    AskAgain(HistoryError),
}

fn aborted(reason: UpdateAborted) -> Result<Waited, HistoryError> {
    match reason {
        UpdateAborted::WorkflowClosed => Err(Rejection::UpdateAbortedByClosing.into()),
        UpdateAborted::WorkflowContinued => {
            let text = "workflow operation can not be applied because workflow is closing";
            Ok(Waited::AskAgain(Rejection::BusyWorkflow(text.to_owned()).into()))
        }
        UpdateAborted::WorkflowTaskFailed => Err(Rejection::WorkflowNotReady(
            "Unable to perform workflow execution update due to unexpected workflow task failure."
                .to_owned(),
        )
        .into()),
    }
}

fn lost() -> HistoryError {
    HistoryError::Unavailable("workflow update was aborted".to_owned())
}

fn left_cache() -> HistoryError {
    HistoryError::Unavailable("a run left the cache".to_owned())
}

/// The id of an update.
pub(crate) fn update_id(request: &Request) -> &str {
    request.meta.as_ref().map_or("", |meta| &meta.update_id)
}

/// An update that the run knows, as of the decisions so far.
pub(crate) fn known_update(
    slot: &mut SlotGuard<'_>,
    run_id: RunId,
    update_id: &str,
    stage: &KnownStage,
) -> Result<Found, HistoryError> {
    let Some(run) = slot.runs.get_mut(&run_id) else { return Err(left_cache()) };
    let live = Arc::clone(&run.live);
    let state = match stage {
        KnownStage::Completed { event_id } => FoundState::Completed { event_id: *event_id },
        KnownStage::Failed(_) => {
            FoundState::Watched(UpdateHandle::new(Progress::of(stage)).share())
        }
        KnownStage::Admitted | KnownStage::Accepted => {
            run.updates.retain(|_, update| update.is_awaited());
            let known = run.updates.entry(update_id.to_owned());
            let handle = known.or_insert_with(|| UpdateHandle::new(Progress::of(stage)));
            FoundState::Watched(handle.share())
        }
    };
    Ok(Found { live, update_id: update_id.to_owned(), state })
}
