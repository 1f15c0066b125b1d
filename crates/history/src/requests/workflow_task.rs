//! What workers say about workflow tasks, and how they get them.

use std::{collections::BTreeMap, sync::Arc};

use api::query::v1::{WorkflowQuery, WorkflowQueryResult};
use authz::Permit;
use engine::{
    CompleteWorkflowTask, FailWorkflowTask, Input, Rejection, Reply, StartWorkflowTask,
    StartedActivity, StartedWorkflowTask, State, decide,
};
use matching::{QueuedTask, ScheduledTask, WorkerVersion};
use model::SlotId;
use namespace::Namespace;

use crate::{
    ActivityDelivery, Execution, History, HistoryError, QueryAnswer, RunKey, WorkflowTaskDelivery,
    commit::{Commit, Outcome},
    context::Caller,
    history::refuse,
    node::{Node, SlotGuard},
    reads::PAGE_BATCHES_MAX,
    run::LiveRun,
    versions,
};

/// The poll that a task is for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkerPoll {
    /// The poll's own id.
    pub request_id: String,
    /// The worker.
    pub identity: String,
    /// Where the worker takes commands; empty when it takes none.
    pub worker_control_task_queue: String,
    /// The poll is at the worker's sticky queue.
    pub on_sticky_queue: bool,
    /// The worker's version, if it has one.
    pub version: Option<WorkerVersion>,
}

/// A worker's answer to a workflow task.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CompleteWorkflowTaskRequest {
    /// What the engine is told.
    pub input: CompleteWorkflowTask,
    /// Answers to the queries that came with the task.
    pub query_results: BTreeMap<String, WorkflowQueryResult>,
}

/// What the worker gets back.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CompletedTask {
    /// The next workflow task, when the worker asked for it and there is one.
    pub workflow_task: Option<WorkflowTaskDelivery>,
    /// Activities that start at the same worker without a poll.
    pub activity_tasks: Vec<ActivityDelivery>,
    /// The task left no trace: the event to which the worker goes back. 0 otherwise.
    pub reset_history_event_id: i64,
}

/// A task that left matching's backlog; dropped before history has decided on it, it is offered again.
#[derive(Debug)]
pub(crate) struct TakenTask {
    node: Option<Arc<Node>>,
    slot: SlotId,
    task: ScheduledTask,
}

impl TakenTask {
    /// History has decided on it, unless it could not.
    pub(crate) fn decided<T>(&mut self, decided: &Result<T, HistoryError>) {
        if matches!(decided, Ok(_) | Err(HistoryError::Rejected(_))) {
            self.node = None;
        }
    }
}

impl Drop for TakenTask {
    fn drop(&mut self) {
        let Some(node) = self.node.take() else { return };
        let slot = self.slot;
        node.cell(slot).refused.lock().add(self.task);
        let tracker = node.tracker.clone();
        tracker.spawn(async move { node.offer_refused(slot).await });
    }
}

impl History {
    /// Guards a task that matching handed out against a caller that goes away.
    pub(crate) fn take_queued(&self, task: &QueuedTask) -> TakenTask {
        let node = Some(Arc::clone(&self.node));
        TakenTask { node, slot: task.slot, task: task.scheduled() }
    }

    /// Starts a workflow task that matching had in its backlog, for the worker that polled.
    ///
    /// # Errors
    /// [`Rejection::TaskObsolete`] when the task needs no worker any more: poll on.
    pub async fn start_workflow_task(
        &self,
        _permit: &Permit,
        namespace: &Arc<Namespace>,
        task: &QueuedTask,
        poll: WorkerPoll,
    ) -> Result<WorkflowTaskDelivery, HistoryError> {
        let input = |dispatch| {
            Input::StartWorkflowTask(StartWorkflowTask {
                scheduled_event_id: task.scheduled_event_id,
                attempt: task.attempt,
                request_id: poll.request_id,
                identity: poll.identity,
                on_sticky_queue: poll.on_sticky_queue,
                dispatch,
            })
        };
        let worker = poll.version.as_ref();
        let caller = Caller::server(namespace);
        let mut taken = self.take_queued(task);
        let (decided, live, queries, outcome) = {
            let mut slot = self.lock(task.slot).await?;
            let started = self.start_queued(&mut slot, &caller, task, worker, input).await;
            taken.decided(&started);
            let (decided, outcome) = started?;
            let run = slot.runs.get(&task.run_id).ok_or(Rejection::TaskObsolete)?;
            (decided, Arc::clone(&run.live), run.attached_queries(), outcome)
        };
        outcome.wait().await?;
        match decided? {
            Reply::WorkflowTaskStarted(started) => {
                self.deliver(&live, *started, queries, poll.on_sticky_queue).await
            }
            _ => Err(Rejection::TaskObsolete.into()),
        }
    }

    /// Reads the history of a started workflow task.
    pub(crate) async fn deliver(
        &self,
        live: &LiveRun,
        task: StartedWorkflowTask,
        queries: BTreeMap<String, WorkflowQuery>,
        on_sticky_queue: bool,
    ) -> Result<WorkflowTaskDelivery, HistoryError> {
        let run = live.key.clone();
        let (from, to) = (task.history_from, task.history_through + 1);
        let history = self.node.read_forward(run.slot(), live, from, to, PAGE_BATCHES_MAX).await?;
        Ok(WorkflowTaskDelivery { run, task, history, queries, on_sticky_queue })
    }

    /// Takes a worker's answer to its workflow task.
    ///
    /// # Errors
    /// When the worker does not hold the task any more, or its commands are not valid; then the
    /// task has failed, unless the engine says otherwise.
    pub async fn complete_workflow_task(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        run: &RunKey,
        request: CompleteWorkflowTaskRequest,
    ) -> Result<CompletedTask, HistoryError> {
        let caller = Caller::new(permit, namespace);
        let (step, outcome) = {
            let mut slot = self.lock(run.slot()).await?;
            let run_id = Some(run.run_id);
            self.node.find_run(&mut slot, &run.workflow, run_id).await?;
            self.decide_completion(&mut slot, &caller, run, request)?
        };
        outcome.wait().await?;
        let Completion { reply, live, state, queries } = step?;
        let Reply::WorkflowTaskCompleted(completed) = reply else {
            return Ok(CompletedTask::default());
        };
        let activity = |activity: StartedActivity| ActivityDelivery {
            run: run.clone(),
            activity,
            state: Arc::clone(&state),
        };
        let activity_tasks = completed.eager_activities.into_iter().map(activity).collect();
        let on_sticky_queue = state.sticky.is_some();
        let workflow_task = match completed.workflow_task {
            None => None,
            Some(task) => Some(self.deliver(&live, task, queries, on_sticky_queue).await?),
        };
        let reset_history_event_id = completed.reset_history_event_id;
        Ok(CompletedTask { workflow_task, activity_tasks, reset_history_event_id })
    }

    fn decide_completion(
        &self,
        slot: &mut SlotGuard<'_>,
        caller: &Caller,
        key: &RunKey,
        request: CompleteWorkflowTaskRequest,
    ) -> Result<(Result<Completion, HistoryError>, Outcome), HistoryError> {
        let CompleteWorkflowTaskRequest { mut input, mut query_results } = request;
        let context = caller.context(&self.node);
        let Some(run) = slot.runs.get_mut(&key.run_id) else {
            return Err(HistoryError::Unavailable("a run left the cache".to_owned()));
        };
        if let Some(version) = &input.deployment_version {
            let routes = self.node.matching.routes();
            let (namespace_id, commands) = (caller.namespace_id(), &input.commands);
            input.version_task_queues =
                versions::served_queues(commands, namespace_id, &routes.routes, version).collect();
        }
        let decided = decide(&run.head, Input::CompleteWorkflowTask(Box::new(input)), &context);
        let transition = match decided {
            Ok(transition) => transition,
            Err(rejection) => return Ok((Err(rejection.into()), slot.barrier())),
        };
        let mut commit = Commit::default();
        if !matches!(transition.reply, Reply::Refused(_)) {
            let (answered, waiting) = std::mem::take(&mut run.queries)
                .into_iter()
                .partition(|query| query_results.contains_key(&query.id));
            run.queries = waiting;
            let answered: Vec<_> = answered;
            for query in answered {
                if let Some(result) = query_results.remove(&query.id) {
                    commit.answer(query, QueryAnswer::from(result));
                }
            }
        }
        let reply = commit.record(&self.node, slot, caller, key.run_id, transition)?;
        let outcome = commit.submit(&self.node, slot)?;
        let Some(run) = slot.runs.get(&key.run_id) else {
            return Err(HistoryError::Unavailable("a run left the cache".to_owned()));
        };
        let completion = refuse(reply).map(|reply| Completion {
            reply,
            live: Arc::clone(&run.live),
            state: Arc::clone(&run.head),
            queries: run.attached_queries(),
        });
        Ok((completion, outcome))
    }

    /// Takes a worker's word that it could not answer its workflow task.
    ///
    /// # Errors
    /// When the worker does not hold the task any more.
    pub async fn fail_workflow_task(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        run: &RunKey,
        fail: FailWorkflowTask,
    ) -> Result<(), HistoryError> {
        let execution = Execution::run(run.workflow.workflow_id.clone(), run.run_id);
        let input = Input::FailWorkflowTask(Box::new(fail));
        self.apply(permit, namespace, &execution, input).await?;
        Ok(())
    }
}

/// What a completion led to.
struct Completion {
    reply: Reply,
    live: Arc<LiveRun>,
    state: Arc<State>,
    queries: BTreeMap<String, WorkflowQuery>,
}
