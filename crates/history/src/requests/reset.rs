//! Resets: a run begins again in the middle of its past.

use std::{str::FromStr, sync::Arc};

use api::{History as Events, enums::v1::WorkflowExecutionStatus, history::v1::HistoryEvent};
use authz::Permit;
use bytes::Bytes;
use engine::{
    Change, Input, RESETTER, ReapplyExclusions, Rejection, Reset, RunReset, State, Terminate,
    Transition, UpdateOptions, decide, evolve,
};
use model::{RunId, SlotId, WorkflowKey};
use namespace::Namespace;
use prost::Message;

use crate::{
    Execution, History, HistoryError, branches::ancestors_of_branch, commit::Commit,
    context::Caller, node::SlotGuard, reads::PAGE_BATCHES_MAX, run::LiveRun,
};

/// How often a reset waits for the commits of busy runs before it gives up.
const WAITS_MAX: usize = 32;

/// Most runs after the base whose events are applied again.
const FOLLOWING_RUNS_MAX: usize = 1000;

/// Most bytes of events that are applied again (32 MiB).
const REAPPLIED_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A request to begin a run again.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResetRequest {
    /// The first event that is not taken over: the one after a workflow task was scheduled or
    /// started.
    pub finish_event_id: i64,
    /// The request's id: a repeated one gets the run that the first made.
    pub request_id: String,
    /// Why.
    pub reason: String,
    /// What came later and is not applied again.
    pub exclusions: ReapplyExclusions,
    /// Other options for the new run.
    pub options: Vec<UpdateOptions>,
}

/// A run whose records are read; the references keep it in memory.
type Held = (Arc<LiveRun>, Arc<State>);

impl History {
    /// Makes a run that has the past of another up to an event; it becomes the workflow's current
    /// run, and the run that was is terminated if it is open.
    ///
    /// # Errors
    /// When there is no such run, or the event is no point to begin at.
    pub async fn reset_workflow(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        request: ResetRequest,
    ) -> Result<RunId, HistoryError> {
        self.reset_for(&Caller::new(permit, namespace), execution, &request).await
    }

    pub(crate) async fn reset_for(
        &self,
        caller: &Caller,
        execution: &Execution,
        request: &ResetRequest,
    ) -> Result<RunId, HistoryError> {
        let workflow = execution.key(caller.namespace_id());
        let slot_id = SlotId::of(&workflow);
        for _ in 0..WAITS_MAX {
            let outcome = {
                let mut slot = self.lock(slot_id).await?;
                match self.try_reset(&mut slot, caller, &workflow, execution, request).await? {
                    Attempt::Done(run_id, outcome) => Some((run_id, outcome)),
                    Attempt::Busy(outcome) => {
                        drop(slot);
                        outcome.wait().await?;
                        None
                    }
                }
            };
            if let Some((run_id, outcome)) = outcome {
                outcome.wait().await?;
                return Ok(run_id);
            }
        }
        Err(HistoryError::Unavailable("the workflow is too busy to be reset".to_owned()))
    }

    async fn try_reset(
        &self,
        slot: &mut SlotGuard<'_>,
        caller: &Caller,
        workflow: &WorkflowKey,
        execution: &Execution,
        request: &ResetRequest,
    ) -> Result<Attempt, HistoryError> {
        let base_id = self.node.find_run(slot, workflow, execution.run_id).await?;
        if slot.deleting.contains(&base_id) {
            return Err(crate::node::not_found(workflow));
        }
        let base = held(slot, base_id)?;
        let current = match self.node.find_current(slot, workflow).await? {
            None => None,
            Some(run_id) => Some((run_id, held(slot, run_id)?)),
        };
        if let Some((run_id, (_, state))) = &current
            && state.reset_request_id == request.request_id
        {
            return Ok(Attempt::Done(*run_id, slot.barrier()));
        }
        let end = request.finish_event_id;
        if end <= 1 || end >= base.1.next_event_id {
            return Err(Rejection::invalid(
                "Workflow task finish ID must be > 1 && <= workflow last event ID.",
            )
            .into());
        }
        for update in &request.options {
            if let Some(chosen) = &update.options.versioning_override {
                self.check_override(&base.1, caller.namespace_id(), chosen)?;
            }
        }
        let mut chain = vec![base.clone()];
        if !request.exclusions.is_everything() {
            self.add_following(slot, workflow, &mut chain).await?;
        }
        if chain.iter().chain(current.iter().map(|(_, run)| run)).any(is_in_flight) {
            return Ok(Attempt::Busy(slot.barrier()));
        }
        let past = self.past(slot.id, &base, end).await?;
        let context = caller.context(&self.node);
        let mut replaced = match &current {
            Some((run_id, (_, state))) if state.is_running() => {
                let terminate = Terminate {
                    reason: request.reason.clone(),
                    identity: RESETTER.to_owned(),
                    ..Terminate::default()
                };
                let decided = decide(state, Input::Terminate(terminate), &context)?;
                Some((*run_id, decided))
            }
            _ => None,
        };
        let reapplied = if request.exclusions.is_everything() {
            Vec::new()
        } else {
            self.reapplied(slot.id, &chain, end, replaced.as_ref(), request.exclusions).await?
        };
        let run_id = context.new_run_id.clone();
        let reset = Reset {
            run: RunReset {
                namespace_id: base.1.namespace_id.clone(),
                run_id: run_id.clone(),
                start_request_id: base.1.start_request_id.clone(),
                reset_request_id: request.request_id.clone(),
                history_ancestors: ancestors_of_branch(&base.1, end),
                time: context.now,
                watchers: base.1.watchers.clone(),
            },
            base_run_id: base.1.run_id.clone(),
            reason: request.reason.clone(),
            reapplied,
            options: request.options.clone(),
        };
        let branch = decide(&past, Input::Reset(Box::new(reset)), &context)?;
        let note = Input::RecordReset(run_id.clone());
        let mut commit = Commit::default();
        match &mut replaced {
            Some((current_id, transition)) if *current_id == base_id => {
                transition.then(decide(&transition.state, note, &context)?);
            }
            _ => {
                let noted = decide(&base.1, note, &context)?;
                commit.record(&self.node, slot, caller, base_id, noted)?;
            }
        }
        if let Some((current_id, transition)) = replaced {
            commit.record(&self.node, slot, caller, current_id, transition)?;
        }
        commit.record_branch(&self.node, slot, caller, past, branch)?;
        let outcome = commit.submit(&self.node, slot)?;
        let run_id = RunId::from_str(&run_id)
            .map_err(|_| HistoryError::Unavailable("a new run has no valid id".to_owned()))?;
        Ok(Attempt::Done(run_id, outcome))
    }

    /// Adds the runs that followed the base by continuing as new.
    async fn add_following(
        &self,
        slot: &mut SlotGuard<'_>,
        workflow: &WorkflowKey,
        chain: &mut Vec<Held>,
    ) -> Result<(), HistoryError> {
        while let Some((_, last)) = chain.last() {
            let continued = last.status == WorkflowExecutionStatus::ContinuedAsNew as i32;
            let Some(next) = RunId::from_str(&last.new_execution_run_id).ok().filter(|_| continued)
            else {
                return Ok(());
            };
            if chain.len() > FOLLOWING_RUNS_MAX {
                return Err(too_much());
            }
            let next = self.node.find_run(slot, workflow, Some(next)).await?;
            chain.push(held(slot, next)?);
        }
        Ok(())
    }

    /// The state that the base had before an event, folded from its history.
    async fn past(&self, slot: SlotId, base: &Held, end: i64) -> Result<State, HistoryError> {
        let mut state = State::default();
        let mut from = 1;
        loop {
            let page = self.node.read_forward(slot, &base.0, from, end, PAGE_BATCHES_MAX).await?;
            for batch in page.batches {
                for event in events(batch)? {
                    evolve(&mut state, &Change::Event(Box::new(event)));
                }
            }
            match page.next_event_id {
                Some(next) => from = next,
                None => break,
            }
        }
        if state.next_event_id != end {
            return Err(Rejection::invalid(format!(
                "StateRebuilder unable to Rebuild mutable state to event ID: {}, version: 0, this \
                 event must be at the boundary",
                end - 1
            ))
            .into());
        }
        Ok(state)
    }

    /// What happened after the reset point: in the base, in the runs that followed it, and last
    /// what waited for the workflow task of the run that is replaced.
    async fn reapplied(
        &self,
        slot: SlotId,
        chain: &[Held],
        end: i64,
        replaced: Option<&(RunId, Transition)>,
        exclusions: ReapplyExclusions,
    ) -> Result<Vec<HistoryEvent>, HistoryError> {
        let mut found = Vec::new();
        let mut bytes = 0;
        let mut from = end;
        for (live, state) in chain {
            let to = state.next_event_id;
            loop {
                let page = self.node.read_forward(slot, live, from, to, PAGE_BATCHES_MAX).await?;
                for batch in page.batches {
                    let again = events(batch)?.into_iter().filter(|event| event.event_id >= from);
                    for event in again.filter(|event| exclusions.admit(event)) {
                        bytes += event.encoded_len();
                        found.push(event);
                    }
                }
                if bytes > REAPPLIED_BYTES_MAX {
                    return Err(too_much());
                }
                match page.next_event_id {
                    Some(next) => from = next,
                    None => break,
                }
            }
            from = 1;
            if let Some((run_id, transition)) = replaced
                && live.key.run_id == *run_id
            {
                found.extend(transition.changes.iter().filter_map(|change| match change {
                    Change::Event(event) if exclusions.admit(event) => Some((**event).clone()),
                    Change::Event(_) | Change::Mutation(_) => None,
                }));
            }
        }
        Ok(found)
    }
}

/// How an attempt went.
enum Attempt {
    /// The run is made, or had been.
    Done(RunId, crate::commit::Outcome),
    /// Some of the runs have commits in flight: their records cannot all be read yet.
    Busy(crate::commit::Outcome),
}

fn held(slot: &SlotGuard<'_>, run_id: RunId) -> Result<Held, HistoryError> {
    let run = slot
        .runs
        .get(&run_id)
        .ok_or_else(|| HistoryError::Unavailable("a run left the cache".to_owned()))?;
    Ok((Arc::clone(&run.live), Arc::clone(&run.head)))
}

fn is_in_flight((live, head): &Held) -> bool {
    live.durable().is_none_or(|durable| durable.version != head.version)
}

fn events(batch: Bytes) -> Result<Vec<HistoryEvent>, HistoryError> {
    Events::decode(batch)
        .map(|history| history.events)
        .map_err(|error| HistoryError::Unavailable(format!("a batch cannot be read: {error}")))
}

fn too_much() -> HistoryError {
    Rejection::FailedPrecondition("too much has happened after the reset point".to_owned()).into()
}
