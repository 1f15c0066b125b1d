//! Starts, with or without a signal.

use std::sync::Arc;

use api::enums::v1::WorkflowExecutionStatus;
use authz::Permit;
use engine::{
    AttachRequest, Context, Dispatch, Input, Rejection, Reply, Signal, Start, StartDecision,
    StartPolicy, StartWorkflowTask, StartedWorkflowTask, State, Terminate, Transition, decide,
    decide_start,
};
use model::{RunId, SlotId};
use namespace::Namespace;

use crate::{
    History, HistoryError, RunKey, WorkflowTaskDelivery,
    commit::{Commit, Outcome},
    context::{Caller, fresh_run_id},
    node::SlotGuard,
    run::LiveRun,
};

/// A request to start a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct StartRequest {
    /// What the engine is told; run id and namespace id are filled in. The workflow's id stands in
    /// its attributes.
    pub start: Start,
    /// What happens when the workflow id has been used.
    pub policy: StartPolicy,
    /// What a run that is used instead of a new one takes over, if anything is to be noted there.
    pub attach: Option<Attach>,
    /// The starter is a worker that takes the first workflow task itself.
    pub eager: Option<EagerStart>,
}

/// What an open run takes over of a start that found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attach {
    /// The request's id: a repetition is known again.
    pub request_id: bool,
    /// The request's links.
    pub links: bool,
    /// The request's completion callbacks.
    pub completion_callbacks: bool,
}

/// A starter that takes the first workflow task without a poll.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EagerStart {
    /// The worker.
    pub identity: String,
    /// Stands for the poll's id.
    pub request_id: String,
    /// The worker's version.
    pub dispatch: Dispatch,
}

/// What a start led to.
#[derive(Debug, Clone, PartialEq)]
pub struct StartOutcome {
    /// The run.
    pub run: RunKey,
    /// True when this request started it, now or before.
    pub started: bool,
    /// True when the run is another request's, and knows this one as attached to it.
    pub attached: bool,
    /// The run's status.
    pub status: WorkflowExecutionStatus,
    /// The first run of its chain.
    pub first_execution_run_id: String,
    /// The first workflow task, when the starter takes it.
    pub eager_task: Option<WorkflowTaskDelivery>,
}

/// Where the id of a new run comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunOrigin {
    /// It was drawn for this start.
    Fresh,
    /// It belongs to what asked for the run: the run may exist.
    Derived,
}

/// A start before its commit.
pub(crate) struct Decided {
    live: Arc<LiveRun>,
    state: Arc<State>,
    started: bool,
    attached: bool,
    eager_task: Option<StartedWorkflowTask>,
}

impl Decided {
    /// The run that was started or found.
    pub(crate) fn run(&self) -> &RunKey {
        &self.live.key
    }
}

impl History {
    /// Starts a workflow, or finds the run that its policies prefer.
    ///
    /// # Errors
    /// [`Rejection::AlreadyStarted`] when the policies forbid a new run.
    pub async fn start_workflow(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        request: StartRequest,
    ) -> Result<StartOutcome, HistoryError> {
        let entropy = &self.node.environment.entropy;
        let run_id = RunId::new(entropy.uuid_v7(self.node.now()));
        let caller = Caller::new(permit, namespace);
        self.start_by(&caller, run_id, RunOrigin::Fresh, request).await
    }

    /// Signals the open run of a workflow, or starts one with the signal in
    /// [`Start::signal`](engine::Start::signal).
    ///
    /// # Errors
    /// When the policies forbid a new run, or the open one does not take the signal.
    pub async fn signal_with_start(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        request: StartRequest,
    ) -> Result<StartOutcome, HistoryError> {
        self.signal_with_start_by(&Caller::new(permit, namespace), request).await
    }

    /// As [`History::signal_with_start`], on whose behalf ever.
    pub(crate) async fn signal_with_start_by(
        &self,
        caller: &Caller,
        request: StartRequest,
    ) -> Result<StartOutcome, HistoryError> {
        let run_id = fresh_run_id(&self.node.environment);
        self.start_by(caller, run_id, RunOrigin::Fresh, request).await
    }

    /// Starts a run whose id says what asked for it, and which is not started again if it exists,
    /// open or closed.
    pub(crate) async fn start_derived(
        &self,
        caller: &Caller,
        run_id: RunId,
        request: StartRequest,
    ) -> Result<(), HistoryError> {
        self.start_by(caller, run_id, RunOrigin::Derived, request).await.map(drop)
    }

    async fn start_by(
        &self,
        caller: &Caller,
        run_id: RunId,
        origin: RunOrigin,
        mut request: StartRequest,
    ) -> Result<StartOutcome, HistoryError> {
        let namespace = &caller.namespace;
        request.start.namespace_id.clone_from(&namespace.id_text);
        request.start.run_id = run_id.to_string();
        let workflow = model::WorkflowKey {
            namespace_id: namespace.id,
            workflow_id: request.start.attributes.workflow_id.clone(),
        };
        let (decided, outcome) = {
            let mut slot = self.lock(SlotId::of(&workflow)).await?;
            let current = self.node.find_current(&mut slot, &workflow).await?;
            let exists = origin == RunOrigin::Derived
                // Few starts ask this: the others do not pay for its size.
                && Box::pin(self.node.load_run(&mut slot, run_id)).await?;
            let decided = if exists {
                self.existing(&slot, run_id, true, None).map(|existing| (existing, slot.barrier()))
            } else {
                self.decide_start(&mut slot, caller, current, run_id, request)
            };
            match decided {
                Ok((decided, outcome)) => (Ok(decided), outcome),
                Err(HistoryError::Rejected(rejection)) => {
                    (Err(HistoryError::Rejected(rejection)), slot.barrier())
                }
                Err(error) => return Err(error),
            }
        };
        outcome.wait().await?;
        let Decided { live, state, started, attached, eager_task } = decided?;
        let eager_task = match eager_task {
            None => None,
            Some(task) => Some(self.deliver(&live, task, Default::default(), false).await?),
        };
        Ok(StartOutcome {
            run: live.key.clone(),
            started,
            attached,
            status: WorkflowExecutionStatus::try_from(state.status).unwrap_or_default(),
            first_execution_run_id: state.first_execution_run_id().to_owned(),
            eager_task,
        })
    }

    pub(crate) fn decide_start(
        &self,
        slot: &mut SlotGuard<'_>,
        caller: &Caller,
        current: Option<RunId>,
        run_id: RunId,
        request: StartRequest,
    ) -> Result<(Decided, Outcome), HistoryError> {
        let StartRequest { mut start, policy, attach, eager } = request;
        let context = caller.context(&self.node);
        let head =
            current.and_then(|current| slot.runs.get(&current)).map(|run| Arc::clone(&run.head));
        let decision = match &start.signal {
            Some(signal) => decide_signal(head.as_deref(), signal, &start.request_id, policy)?,
            None => decide_start(head.as_deref(), &start.request_id, policy)?,
        };
        let mut commit = Commit::default();
        match (decision, current, head) {
            (StartDecision::StartNew, _, _) | (StartDecision::TerminateAndStart, None, _) => {}
            (StartDecision::TerminateAndStart, Some(current), head) => {
                let Some(head) = head else { return Err(left_cache()) };
                let input = Input::Terminate(terminate_existing(run_id));
                let terminated = decide(&head, input, &context)?;
                // The new run is decided on before anything is recorded: it may be refused.
                let started = first_transition(start, eager.as_ref(), &context)?;
                commit.record(&self.node, slot, caller, current, terminated)?;
                return self.finish_start(commit, slot, caller, run_id, started);
            }
            (StartDecision::Repeated { started }, Some(current), _) => {
                let existing = self.existing(slot, current, started, eager.as_ref())?;
                return Ok((Decided { attached: !started, ..existing }, slot.barrier()));
            }
            (StartDecision::UseExisting, Some(current), Some(head)) => {
                let attached = attach.as_ref().is_some_and(|attach| attach.request_id);
                let input = match (start.signal.take(), attach) {
                    (Some(signal), _) => Input::Signal(signal),
                    (None, Some(attach)) => Input::AttachRequest(AttachRequest {
                        request_id: if attach.request_id {
                            start.request_id
                        } else {
                            String::new()
                        },
                        links: if attach.links { start.links } else { Vec::new() },
                        completion_callbacks: if attach.completion_callbacks {
                            start.attributes.completion_callbacks
                        } else {
                            Vec::new()
                        },
                    }),
                    (None, None) => {
                        return Ok((self.existing(slot, current, false, None)?, slot.barrier()));
                    }
                };
                let transition = decide(&head, input, &context)?;
                let outcome = if transition.is_empty() {
                    slot.barrier()
                } else {
                    commit.record(&self.node, slot, caller, current, transition)?;
                    commit.submit(&self.node, slot)?
                };
                let existing = self.existing(slot, current, false, None)?;
                return Ok((Decided { attached, ..existing }, outcome));
            }
            (StartDecision::Repeated { .. } | StartDecision::UseExisting, _, _) => {
                return Err(left_cache());
            }
        }
        let started = first_transition(start, eager.as_ref(), &context)?;
        self.finish_start(commit, slot, caller, run_id, started)
    }

    fn finish_start(
        &self,
        mut commit: Commit,
        slot: &mut SlotGuard<'_>,
        caller: &Caller,
        run_id: RunId,
        (transition, eager_task): (Transition, Option<StartedWorkflowTask>),
    ) -> Result<(Decided, Outcome), HistoryError> {
        commit.record_new_run(&self.node, slot, caller, transition)?;
        let outcome = commit.submit(&self.node, slot)?;
        let run = slot.runs.get(&run_id).ok_or_else(left_cache)?;
        let (live, state) = (Arc::clone(&run.live), Arc::clone(&run.head));
        Ok((Decided { live, state, started: true, attached: false, eager_task }, outcome))
    }

    /// The answer of a start that found its run.
    fn existing(
        &self,
        slot: &SlotGuard<'_>,
        run_id: RunId,
        started: bool,
        eager: Option<&EagerStart>,
    ) -> Result<Decided, HistoryError> {
        let run = slot.runs.get(&run_id).ok_or_else(left_cache)?;
        let eager = eager.filter(|_| started);
        let eager_task = eager.and_then(|_| repeated_eager_task(&run.head));
        let (live, state) = (Arc::clone(&run.live), Arc::clone(&run.head));
        Ok(Decided { live, state, started, attached: false, eager_task })
    }
}

/// The first transition of a run; an eager starter's first workflow task is part of it.
fn first_transition(
    mut start: Start,
    eager: Option<&EagerStart>,
    context: &Context<'_>,
) -> Result<(Transition, Option<StartedWorkflowTask>), Rejection> {
    start.attributes.eager_execution_accepted = eager.is_some();
    let mut transition = decide(&State::not_started(), Input::Start(Box::new(start)), context)?;
    let pending = transition.state.workflow_task.as_ref();
    let Some((eager, task)) = eager.zip(pending) else { return Ok((transition, None)) };
    let input = Input::StartWorkflowTask(StartWorkflowTask {
        scheduled_event_id: task.scheduled_event_id,
        attempt: task.attempt,
        request_id: eager.request_id.clone(),
        identity: eager.identity.clone(),
        on_sticky_queue: false,
        dispatch: eager.dispatch.clone(),
    });
    let mut started = decide(&transition.state, input, context)?;
    let reply = std::mem::replace(&mut started.reply, Reply::Done);
    transition.then(started);
    let task = match reply {
        Reply::WorkflowTaskStarted(task) => Some(*task),
        _ => None,
    };
    Ok((transition, task))
}

/// A repeated request gets the first workflow task again while nothing else has happened.
fn repeated_eager_task(state: &State) -> Option<StartedWorkflowTask> {
    let task = state.workflow_task.as_ref()?;
    if task.started_event_id != 3 || task.attempt != 1 {
        return None;
    }
    Some(StartedWorkflowTask {
        scheduled_event_id: task.scheduled_event_id,
        started_event_id: task.started_event_id,
        attempt: task.attempt,
        previous_started_event_id: state.previous_started_event_id,
        scheduled_time: task.scheduled_time,
        started_time: task.started_time,
        history_from: 1,
        history_through: task.started_event_id,
        transient_events: Vec::new(),
        messages: Vec::new(),
        workflow_type: state.workflow_type().to_owned(),
        task_queue: state.task_queue().to_owned(),
    })
}

/// A signal with start prefers the open run (fact sheet section 6).
fn decide_signal(
    current: Option<&State>,
    signal: &Signal,
    request_id: &str,
    policy: StartPolicy,
) -> Result<StartDecision, Rejection> {
    match decide_start(current, request_id, policy)? {
        // The run that the request started has its signal already.
        StartDecision::Repeated { started: true } => Ok(StartDecision::Repeated { started: true }),
        StartDecision::Repeated { started: false } => {
            let seen = current
                .is_some_and(|state| state.signal_request_ids.contains_key(&signal.request_id));
            Ok(if seen {
                StartDecision::Repeated { started: false }
            } else {
                StartDecision::UseExisting
            })
        }
        decision => Ok(decision),
    }
}

fn terminate_existing(new_run_id: RunId) -> Terminate {
    Terminate {
        reason: "TerminateIfRunning WorkflowIdReusePolicy".to_owned(),
        details: Some(api::common::v1::Payloads {
            payloads: vec![api::common::v1::Payload {
                metadata: [("encoding".to_owned(), "json/plain".into())].into(),
                data: format!("\"terminated by new runID: {new_run_id}\"").into(),
                ..Default::default()
            }],
        }),
        identity: "history-service".to_owned(),
        ..Default::default()
    }
}

fn left_cache() -> HistoryError {
    HistoryError::Unavailable("a run left the cache".to_owned())
}
