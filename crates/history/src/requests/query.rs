//! Queries.

use std::sync::Arc;

use api::{
    common::v1::Payloads,
    enums::v1::{QueryRejectCondition, QueryResultType},
    failure::v1::Failure,
    query::v1::{WorkflowQuery, WorkflowQueryResult},
};
use authz::Permit;
use engine::{Input, QueryRoute, Rejection, State, route_query};
use environment::{SkippableClock, Sleep};
use matching::{TaskQueueKey, TaskQueueKind};
use model::{SlotId, Span, Time};
use namespace::Namespace;
use uuid::Uuid;

use crate::{
    Delivery, Execution, History, HistoryError, HistoryPage, QueryDelivery, RunKey,
    answers::Awaited, context::Caller, queries::BufferedQuery, reads::PAGE_BATCHES_MAX,
    run::LiveRun, versions,
};

/// How long before the caller's deadline a query that no worker took fails, so that the caller
/// still learns why. Until then a worker may come, as after a restart.
const NO_POLLER_NOTICE: Span = Span::from_secs(1);

/// A question to a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryRequest {
    /// The question.
    pub query: WorkflowQuery,
    /// When it is not to be asked.
    pub reject_condition: QueryRejectCondition,
    /// When the answer is no longer wanted.
    pub deadline: Time,
}

/// A worker's answer.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and moved a few times at most")]
pub enum QueryAnswer {
    /// The result.
    Answered(Option<Payloads>),
    /// The handler failed.
    Failed {
        /// Why.
        message: String,
        /// More about why.
        failure: Option<Failure>,
    },
}

impl From<WorkflowQueryResult> for QueryAnswer {
    fn from(result: WorkflowQueryResult) -> Self {
        if result.result_type() == QueryResultType::Failed {
            Self::Failed { message: result.error_message, failure: result.failure }
        } else {
            Self::Answered(result.answer)
        }
    }
}

/// Where a query goes next.
enum Route {
    /// With the run's next workflow task.
    Buffered(tokio::sync::oneshot::Receiver<QueryAnswer>),
    /// As a task of its own.
    Direct(Arc<LiveRun>, Arc<State>),
}

impl History {
    /// Asks a workflow. The answer reflects everything that was acknowledged before the question.
    ///
    /// # Errors
    /// [`Rejection::QueryRejected`] by the reject condition, [`Rejection::WorkflowNotReady`] or
    /// [`Rejection::BusyWorkflow`] by the run's state, [`HistoryError::DeadlineExceeded`] when no
    /// worker answered in time.
    pub async fn query_workflow(
        &self,
        _permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        request: QueryRequest,
    ) -> Result<QueryAnswer, HistoryError> {
        let clock = &self.node.environment.clock;
        // A question leaves no trace by which the clock would know that somebody works on it.
        let _hold = clock.skippable().map(SkippableClock::hold);
        let mut expired = clock.sleep_until(request.deadline);
        let mut execution = execution.clone();
        loop {
            match self.route(namespace, &mut execution, &request).await? {
                Route::Direct(live, state) => {
                    return self
                        .query_directly(namespace, &live, &state, &request, &mut expired)
                        .await;
                }
                Route::Buffered(answer) => {
                    tokio::select! {
                        biased;
                        // Without an answer the run's state has changed: route again.
                        answer = answer => if let Ok(answer) = answer { return Ok(answer) },
                        () = &mut expired => return Err(HistoryError::DeadlineExceeded),
                        () = self.node.stopping.cancelled() => {
                            return Err(HistoryError::stopping());
                        }
                    }
                }
            }
        }
    }

    async fn route(
        &self,
        namespace: &Namespace,
        execution: &mut Execution,
        request: &QueryRequest,
    ) -> Result<Route, HistoryError> {
        let workflow = execution.key(namespace.id);
        let (live, barrier) = {
            let mut slot = self.lock(SlotId::of(&workflow)).await?;
            let run_id = self.node.find_run(&mut slot, &workflow, execution.run_id).await?;
            // A query stays with the run that it began with.
            execution.run_id = Some(run_id);
            let barrier = slot.barrier();
            let run =
                slot.runs.get_mut(&run_id).ok_or_else(|| crate::node::not_found(&workflow))?;
            match route_query(&run.head, request.reject_condition, &namespace.limits)? {
                QueryRoute::Direct => (Arc::clone(&run.live), barrier),
                QueryRoute::AfterFirstWorkflowTask(due) if due >= request.deadline => {
                    let text = "Workflow task is not scheduled yet.".to_owned();
                    return Err(Rejection::WorkflowNotReady(text).into());
                }
                QueryRoute::AfterFirstWorkflowTask(_) | QueryRoute::WithWorkflowTask => {
                    run.queries.retain(|query| !query.is_abandoned());
                    if run.queries.len() >= namespace.limits.buffered_queries_max {
                        let text = "consistent query buffer is full, this may be caused by too \
                                    many queries and workflow not able to process query fast \
                                    enough";
                        return Err(Rejection::BusyWorkflow(text.to_owned()).into());
                    }
                    let id = self.node.environment.entropy.uuid_v4().to_string();
                    let (query, answer) = BufferedQuery::new(id, request.query.clone());
                    run.queries.push(query);
                    return Ok(Route::Buffered(answer));
                }
            }
        };
        barrier.wait().await?;
        let state = live.durable().ok_or_else(|| crate::node::not_found(&workflow))?;
        Ok(Route::Direct(live, state))
    }

    /// Asks at the worker that caches the run, then at any worker.
    async fn query_directly(
        &self,
        namespace: &Arc<Namespace>,
        live: &LiveRun,
        state: &Arc<State>,
        request: &QueryRequest,
        expired: &mut Sleep,
    ) -> Result<QueryAnswer, HistoryError> {
        if let Some(sticky) = &state.sticky {
            let key = TaskQueueKey::workflow(namespace.id, sticky.task_queue.as_str());
            let patience = self.node.now() + sticky.schedule_to_start_timeout;
            let until = patience.min(request.deadline);
            let kind = TaskQueueKind::Sticky;
            let history = HistoryPage::default();
            let asked = self.ask(&key, kind, live, state, history, request, until)?;
            if let Some(query) = asked
                && let Some(answer) = self.answer_of(query, until, expired).await?
            {
                return Ok(answer);
            }
            self.forget_sticky_worker(namespace, &live.key).await?;
        }
        let key = {
            let routes = self.node.matching.routes();
            versions::workflow_task_key(state, namespace.id, &routes.routes)
        };
        let to = state.next_event_id;
        let slot = live.key.slot();
        let history = self.node.read_forward(slot, live, 1, to, PAGE_BATCHES_MAX).await?;
        let last_call = request.deadline - NO_POLLER_NOTICE;
        let until = if last_call > self.node.now() { last_call } else { request.deadline };
        let kind = TaskQueueKind::Normal;
        let asked = self.ask(&key, kind, live, state, history, request, until)?;
        let Some(query) = asked else {
            let text = "too many queries wait at the task queue".to_owned();
            return Err(HistoryError::ResourceExhausted(text));
        };
        match self.answer_of(query, until, expired).await? {
            Some(answer) => Ok(answer),
            None if self.node.matching.has_recent_poller(&key) => {
                Err(HistoryError::DeadlineExceeded)
            }
            None => {
                let text = "no poller seen for task queue recently, worker may be down".to_owned();
                Err(Rejection::FailedPrecondition(text).into())
            }
        }
    }

    /// Dispatches a query; none when its queue does not take it.
    fn ask(
        &self,
        key: &TaskQueueKey,
        kind: TaskQueueKind,
        live: &LiveRun,
        state: &Arc<State>,
        history: HistoryPage,
        request: &QueryRequest,
        until: Time,
    ) -> Result<Option<AskedQuery>, HistoryError> {
        let query_id = self.node.environment.entropy.uuid_v4();
        let waiting = self.node.direct_queries.await_answer(query_id)?;
        let delivery = Delivery::Query(Box::new(QueryDelivery {
            run: live.key.clone(),
            query_id,
            query: request.query.clone(),
            state: Arc::clone(state),
            history,
        }));
        let dispatched = self.node.matching.dispatch(key, kind, delivery, until);
        Ok(dispatched.ok().map(|ticket| AskedQuery { waiting, ticket: Some(ticket) }))
    }

    /// Waits for a worker's answer. None when nobody took the query by `until`, which may be
    /// earlier than the caller's deadline.
    async fn answer_of(
        &self,
        mut query: AskedQuery,
        until: Time,
        expired: &mut Sleep,
    ) -> Result<Option<QueryAnswer>, HistoryError> {
        let clock = &self.node.environment.clock;
        let mut impatient = clock.sleep_until(until);
        loop {
            tokio::select! {
                biased;
                answer = &mut query.waiting.answer => {
                    let lost = || HistoryError::Unavailable("the query was lost".to_owned());
                    return answer.map(Some).map_err(|_| lost());
                }
                () = &mut *expired => return Err(HistoryError::DeadlineExceeded),
                () = self.node.stopping.cancelled() => return Err(HistoryError::stopping()),
                () = &mut impatient, if query.ticket.is_some() => {
                    // A query that a worker has taken is waited for until the deadline.
                    if query.ticket.take().and_then(matching::ReadyTicket::withdraw).is_some() {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// The worker that cached the run did not take its query.
    async fn forget_sticky_worker(
        &self,
        namespace: &Arc<Namespace>,
        run: &RunKey,
    ) -> Result<(), HistoryError> {
        let caller = Caller::server(namespace);
        let execution = Execution::run(run.workflow.workflow_id.clone(), run.run_id);
        let reset = self.apply_checked(&caller, &execution, "", Input::ResetStickyTaskQueue).await;
        match reset {
            Ok(_) | Err(HistoryError::Rejected(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Hands a worker's answer to the caller of the query; false when nobody waits for it.
    pub fn respond_query(&self, _permit: &Permit, query_id: &Uuid, answer: QueryAnswer) -> bool {
        self.node.direct_queries.answer(query_id, answer)
    }
}

/// A query in matching, or at a worker.
struct AskedQuery {
    waiting: Awaited<QueryAnswer>,
    ticket: Option<matching::ReadyTicket<Delivery>>,
}
