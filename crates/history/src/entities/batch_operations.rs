//! What batch operations do outside of themselves.

use std::sync::{Arc, atomic::Ordering};

use ::visibility::Error as IndexError;
use api::{
    batch::v1::BatchOperationReset,
    enums::v1::WorkflowExecutionStatus,
    workflow::v1::post_reset_operation::Variant,
    workflowservice::v1::{StartBatchOperationRequest, start_batch_operation_request::Operation},
};
use batch_operation::{BatchOperation, Done, Found, Source, Step, Target, is_of_activities};
use engine::{Input, Rejection, RequestCancel, Signal, Terminate, UpdateOptions};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use model::{RunId, Span};
use visibility_query::{Comparison, Condition, Predicate, SystemAttribute, Test, Value, parse};

use super::{
    BatchMember, EntityScope, LiveEntity, Perform, batch_activities, batch_inputs,
    batch_members::caller_of, held::state_of, standalone_activities::activity_schema,
};
use crate::{Execution, History, HistoryError, ResetRequest, context::Caller};

/// Operations of one step that are under way at the same time.
const AT_ONCE_MAX: usize = 64;

/// How long the first step waits for the index to show what was committed before it.
const CATCH_UP_MAX: Span = Span::from_secs(5);

impl Perform for BatchOperation {
    async fn perform(
        history: &History,
        scope: &EntityScope,
        _number: u64,
        step: Step,
    ) -> Result<Done, HistoryError> {
        let (Some(operation), Some(filter)) = (&step.request.operation, filter(&step, scope))
        else {
            return Ok(Done::Impossible);
        };
        let starter = caller_of(step.starter.as_ref());
        let caller = Caller::earlier(starter.principal(), &scope.namespace);
        let batch = Batch { history, scope, request: &step.request, operation, starter, caller };
        let watched = batch.watched().await?;
        let (completed, failed) = batch.operate(&step, watched.as_deref()).await?;
        let found = match &step.next {
            Some(source) if !is_stopped(watched.as_deref()) => {
                let found = match explicit(&step.request) {
                    Some(targets) => Ok(slice(targets, source)),
                    None => batch.search(&filter, source).await,
                };
                match found {
                    Ok(found) => found,
                    // The filter will never run.
                    Err(IndexError::PageToken | IndexError::TooManyValues { .. }) => {
                        return Ok(Done::Impossible);
                    }
                    Err(error) => return Err(HistoryError::Unavailable(error.to_string())),
                }
            }
            _ => Found::default(),
        };
        Ok(Done::Stepped { completed, failed, found })
    }
}

/// A step on its way.
struct Batch<'a> {
    history: &'a History,
    scope: &'a EntityScope,
    request: &'a StartBatchOperationRequest,
    operation: &'a Operation,
    /// Who asked for it, with the rights of then.
    starter: authz::Caller,
    /// The same, for the events that come of it.
    caller: Caller,
}

impl Batch<'_> {
    /// The batch operation itself, to see whether it is stopped meanwhile.
    async fn watched(&self) -> Result<Option<Arc<LiveEntity>>, HistoryError> {
        let mut slot = self.history.lock(self.scope.key.slot()).await?;
        if !self.history.node.load_entity(&mut slot, self.scope.instance).await? {
            return Ok(None);
        }
        Ok(slot.entities.get(&self.scope.instance).map(|cached| Arc::clone(&cached.live)))
    }

    /// Operates on the targets at the step's rate until all are done or the batch is stopped, and
    /// counts what succeeded and what failed.
    async fn operate(
        &self,
        step: &Step,
        watched: Option<&LiveEntity>,
    ) -> Result<(u64, u64), HistoryError> {
        let clock = &self.history.node.environment.clock;
        let interval = Span::from_nanos(1_000_000_000 / i64::from(step.rate.max(1)));
        let mut next = clock.now();
        let mut waiting = step.targets.iter();
        let mut running = FuturesUnordered::new();
        let (mut completed, mut failed) = (0, 0);
        loop {
            let more = waiting.len() > 0 && !is_stopped(watched);
            if !more && running.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                Some(result) = running.next(), if !running.is_empty() => match result? {
                    true => completed += 1,
                    false => failed += 1,
                },
                () = clock.sleep_until(next), if more && running.len() < AT_ONCE_MAX => {
                    next = next + interval;
                    running.extend(waiting.next().map(|target| self.apply(target)));
                }
            }
        }
        if !is_stopped(watched) {
            // The next step keeps the rate, too.
            clock.sleep_until(next).await;
        }
        Ok((completed, failed))
    }

    /// Whether who asked for the batch may do this to a target. Those that the request names itself
    /// were decided about when it came.
    async fn may_act_on(&self, target: &Target) -> bool {
        let Some(members) = &self.history.node.batch_members else { return true };
        if self.request.visibility_query.is_empty() {
            return true;
        }
        let namespace = &self.scope.namespace.name;
        let (request, id) = (self.request, &target.workflow_id);
        members.may_act(&self.starter, BatchMember { namespace, request, id }).await
    }

    /// Operates on one target; false when that fails. One that is gone, or has closed, needs nothing
    /// any more.
    async fn apply(&self, target: &Target) -> Result<bool, HistoryError> {
        let run_id = match target.run_id.parse::<RunId>() {
            _ if target.run_id.is_empty() => None,
            Ok(run_id) => Some(run_id),
            Err(_) => return Ok(false),
        };
        if target.workflow_id.is_empty() || !self.may_act_on(target).await {
            return Ok(false);
        }
        let caller = &self.caller;
        let request_id = self.scope.instance.to_string();
        if let Some(input) = batch_activities::input(self.operation, request_id) {
            return batch_activities::apply(self.history, caller, target, run_id, input).await;
        }
        let execution = Execution { workflow_id: target.workflow_id.clone(), run_id };
        let input = match self.operation {
            Operation::TerminationOperation(termination) => Input::Terminate(Terminate {
                reason: self.request.reason.clone(),
                details: termination.details.clone(),
                identity: termination.identity.clone(),
                ..Terminate::default()
            }),
            // As in the reference, the reason stays with the batch operation.
            Operation::CancellationOperation(cancellation) => Input::RequestCancel(RequestCancel {
                identity: cancellation.identity.clone(),
                ..RequestCancel::default()
            }),
            Operation::SignalOperation(signal) => Input::Signal(Box::new(Signal {
                signal_name: signal.signal.clone(),
                input: signal.input.clone(),
                identity: signal.identity.clone(),
                header: signal.header.clone(),
                // The same when the step is taken again: a run gets the signal once.
                request_id: format!("{}-{}", self.scope.instance, target.run_id),
                ..Signal::default()
            })),
            Operation::DeletionOperation(_) => {
                return outcome(self.history.delete_for(caller, &execution).await);
            }
            Operation::ResetOperation(reset) => {
                return self.reset(&execution, target, reset).await;
            }
            Operation::UpdateWorkflowOptionsOperation(update) => {
                let update = UpdateOptions {
                    options: update.workflow_execution_options.clone().unwrap_or_default(),
                    paths: update.update_mask.clone().unwrap_or_default().paths,
                    identity: update.identity.clone(),
                };
                let updated = self.history.update_options_for(caller, &execution, update);
                return outcome(updated.await);
            }
            // What else there is was refused when it was asked for.
            operation => match batch_inputs::of_activities(operation, self.seed()) {
                Some(input) => input,
                None => return Ok(false),
            },
        };
        outcome(self.history.apply_checked(caller, &execution, "", input).await)
    }

    /// Begins a run again; asked twice, it does so once.
    async fn reset(
        &self,
        execution: &Execution,
        target: &Target,
        operation: &BatchOperationReset,
    ) -> Result<bool, HistoryError> {
        let Some((point, exclusions, current_run_only)) = batch_inputs::reset(operation) else {
            return Ok(false);
        };
        let found =
            self.history.reset_point(&self.caller.namespace, execution, &point, current_run_only);
        let (execution, finish_event_id) = match found.await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(false),
            Err(error) => return outcome::<()>(Err(error)),
        };
        let options = operation.post_reset_operations.iter();
        let options = options.filter_map(|operation| match &operation.variant {
            Some(Variant::UpdateWorkflowOptions(update)) => Some(UpdateOptions {
                options: update.workflow_execution_options.clone().unwrap_or_default(),
                paths: update.update_mask.clone().unwrap_or_default().paths,
                identity: String::new(),
            }),
            Some(Variant::SignalWorkflow(_)) | None => None,
        });
        let request = ResetRequest {
            finish_event_id,
            request_id: format!("{}-{}-{}", self.scope.instance, target.workflow_id, target.run_id),
            reason: self.request.reason.clone(),
            exclusions,
            options: options.collect(),
        };
        outcome(self.history.reset_for(&self.caller, &execution, &request).await)
    }

    fn seed(&self) -> u64 {
        self.history.node.environment.entropy.random_u64()
    }

    async fn search(&self, filter: &Predicate, source: &Source) -> Result<Found, IndexError> {
        let node = &self.history.node;
        let index = &node.visibility;
        let namespace_id = self.scope.namespace.id;
        // An index that was opened a moment ago does not know the latest runs yet, nor those of a
        // slot that is read again: the operation would pass them over for ever.
        tokio::select! {
            biased;
            () = node.recovered.cancelled() => {}
            () = node.stopping.cancelled() => return Err(IndexError::Closed),
        }
        if node.restoring.load(Ordering::Relaxed) > 0 {
            return Err(IndexError::Busy);
        }
        let mut total = None;
        if source.page_token.is_empty() {
            let clock = &node.environment.clock;
            tokio::select! {
                biased;
                caught_up = index.wait_for(index.submitted()) => caught_up?,
                () = clock.sleep_until(clock.now() + CATCH_UP_MAX) => {}
            }
            total = Some(index.count(namespace_id, filter).await?);
        }
        let page = index.list(namespace_id, filter, source.targets_max, &source.page_token).await?;
        let targets = page.records.into_iter().map(|record| Target {
            workflow_id: record.workflow_id,
            run_id: record.run_id.to_string(),
        });
        Ok(Found { targets: targets.collect(), page_token: page.next_page_token, total })
    }
}

fn is_stopped(watched: Option<&LiveEntity>) -> bool {
    let state = watched.and_then(LiveEntity::durable);
    state.as_deref().and_then(state_of::<BatchOperation>).is_some_and(|state| !state.is_open())
}

fn outcome<T>(result: Result<T, HistoryError>) -> Result<bool, HistoryError> {
    match result {
        Ok(_) => Ok(true),
        Err(HistoryError::Rejected(rejection)) => Ok(matches!(
            rejection,
            Rejection::WorkflowNotFound { .. }
                | Rejection::RunNotFound { .. }
                | Rejection::ChainNotFound
                | Rejection::WorkflowClosed
                | Rejection::PendingActivityNotFound
        )),
        Err(HistoryError::Damaged(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The targets that the request names, if it names them.
fn explicit(request: &StartBatchOperationRequest) -> Option<Vec<Target>> {
    if !request.visibility_query.is_empty() {
        return None;
    }
    let named = request.executions.iter().map(|execution| Target {
        workflow_id: execution.workflow_id.clone(),
        run_id: execution.run_id.clone(),
    });
    let typed = request.target_executions.iter().map(|execution| Target {
        workflow_id: execution.business_id.clone(),
        run_id: execution.run_id.clone(),
    });
    Some(named.chain(typed).collect())
}

/// A page of named targets. The token is the number of those before the next page.
fn slice(targets: Vec<Target>, source: &Source) -> Found {
    let start = source.page_token.first_chunk().map_or(0, |token| u64::from_be_bytes(*token));
    let first = usize::try_from(start).unwrap_or(usize::MAX);
    let end = first.saturating_add(source.targets_max);
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let page_token =
        if targets.len() > end { number(end).to_be_bytes().to_vec() } else { Vec::new() };
    let total = (start == 0).then(|| number(targets.len()));
    let targets = targets.into_iter().skip(first).take(source.targets_max).collect();
    Found { targets, page_token, total }
}

/// What the query means; none when it is not one any more, as when a search attribute was removed.
fn filter(step: &Step, scope: &EntityScope) -> Option<Predicate> {
    let of_activities = step.request.operation.as_ref().is_some_and(is_of_activities);
    let mut schema = scope.namespace.schema.clone();
    if of_activities {
        schema = activity_schema(schema);
    }
    let parsed = parse(&step.request.visibility_query, &schema, step.now).ok()?;
    let mut conditions = vec![parsed.filter];
    let condition = |attribute: SystemAttribute, test: Test| {
        Predicate::Condition(Condition { attribute: attribute.into(), test })
    };
    let takes_closed = matches!(
        step.request.operation,
        Some(
            Operation::ResetOperation(_)
                | Operation::DeletionOperation(_)
                | Operation::DeleteActivitiesOperation(_)
        )
    );
    if !takes_closed {
        let open = [WorkflowExecutionStatus::Running, WorkflowExecutionStatus::Paused];
        let values = open.map(|status| Value::Int(i64::from(status as i32))).into();
        let test = Test::In { values, negated: false };
        conditions.push(condition(SystemAttribute::ExecutionStatus, test));
    }
    if of_activities {
        let division = Value::String(standalone_activity::DIVISION.to_owned());
        let test = Test::Compare(Comparison::Equal, division);
        conditions.push(condition(SystemAttribute::TemporalNamespaceDivision, test));
        return Some(Predicate::all(conditions));
    }
    let filter = Predicate::all(conditions);
    if filter.mentions(SystemAttribute::TemporalNamespaceDivision) {
        return Some(filter);
    }
    let test = Test::Null { negated: false };
    let plain = condition(SystemAttribute::TemporalNamespaceDivision, test);
    Some(Predicate::all([filter, plain]))
}
