//! Histories, forward, backward and as they grow.

mod close_event;

use std::sync::Arc;

use api::{
    History, RawHistory,
    enums::v1::HistoryEventFilterType,
    workflowservice::v1::{
        GetWorkflowExecutionHistoryRequest, GetWorkflowExecutionHistoryResponse,
        GetWorkflowExecutionHistoryReverseRequest, GetWorkflowExecutionHistoryReverseResponse,
    },
};
use bytes::Bytes;
use engine::State;
use history::{Execution, RunKey};
use model::Time;
use prost::Message;

use crate::{
    admission::Call,
    deadline::history_deadline,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::workflow_poll::joined,
    token::HistoryToken,
    validation::execution,
};

/// Most stored batches of a page, and the default (fact sheet section 3).
const PAGE_BATCHES_MAX: usize = 256;

/// Clients that show histories to people do not want events that are not stored.
const CLIENTS_OF_PEOPLE: [&str; 3] = ["longtide-cli", "temporal-cli", "temporal-ui"];

pub(crate) async fn get_workflow_execution_history(
    frontend: &Frontend,
    call: &Call,
    request: GetWorkflowExecutionHistoryRequest,
) -> ApiResult<GetWorkflowExecutionHistoryResponse> {
    let close_event_only =
        request.history_event_filter_type() == HistoryEventFilterType::CloseEvent;
    let namespace_id = call.namespace()?.id;
    let token =
        HistoryToken::decode(frontend.token_keys(), namespace_id, &request.next_page_token, false)?;
    let execution = execution_of(execution(request.execution)?, token.as_ref())?;
    let reader = Reader::open(frontend, call, &execution).await?;
    let deadline = history_deadline(call.received, call.timeout);
    let wait = request.wait_new_event;
    if close_event_only {
        return reader.read_close_event(wait.then_some(deadline)).await;
    }
    let batches_max = page_batches(request.maximum_page_size);
    let token = token.unwrap_or(HistoryToken {
        run_id: reader.run.run_id,
        next_event_id: 1,
        ..HistoryToken::default()
    });
    reader.read(token, batches_max, wait.then_some(deadline)).await
}

pub(crate) async fn get_workflow_execution_history_reverse(
    frontend: &Frontend,
    call: &Call,
    request: GetWorkflowExecutionHistoryReverseRequest,
) -> ApiResult<GetWorkflowExecutionHistoryReverseResponse> {
    let (keys, namespace) = (frontend.token_keys(), call.namespace()?);
    let token = HistoryToken::decode(keys, namespace.id, &request.next_page_token, true)?;
    let execution = execution_of(execution(request.execution)?, token.as_ref())?;
    let run = frontend.history.describe(&call.permit, namespace, &execution).await?.run;
    let from = token.map_or(0, |token| token.next_event_id);
    let batches_max = page_batches(request.maximum_page_size);
    let page = frontend
        .history
        .read_history_reverse(&call.permit, namespace, &run, from, batches_max)
        .await?;
    let next_page_token = page.next_event_id.map(|next_event_id| HistoryToken {
        run_id: run.run_id,
        next_event_id,
        reverse: true,
    });
    Ok(GetWorkflowExecutionHistoryReverseResponse {
        history: Some(joined(page.batches)),
        next_page_token: next_page_token
            .map(|token| token.encode(keys, namespace.id))
            .unwrap_or_default(),
    })
}

/// The run that a token was made for, which a request may name again but not change.
fn execution_of(requested: Execution, token: Option<&HistoryToken>) -> ApiResult<Execution> {
    let Some(token) = token else { return Ok(requested) };
    if requested.run_id.is_some_and(|run_id| run_id != token.run_id) {
        return Err(ApiError::invalid("RunId in the request does not match the NextPageToken."));
    }
    Ok(Execution::run(requested.workflow_id, token.run_id))
}

fn page_batches(requested: i32) -> usize {
    let requested = usize::try_from(requested).ok().filter(|size| *size > 0);
    requested.unwrap_or(PAGE_BATCHES_MAX).min(PAGE_BATCHES_MAX)
}

/// Reads one run for one call.
struct Reader<'a> {
    frontend: &'a Frontend,
    call: &'a Call,
    run: RunKey,
    state: Arc<State>,
}

impl<'a> Reader<'a> {
    async fn open(
        frontend: &'a Frontend,
        call: &'a Call,
        execution: &Execution,
    ) -> ApiResult<Self> {
        let found = frontend.history.describe(&call.permit, call.namespace()?, execution).await?;
        Ok(Self { frontend, call, run: found.run, state: found.state })
    }

    /// One page; with a deadline, waits for new events when there are none.
    async fn read(
        mut self,
        mut token: HistoryToken,
        batches_max: usize,
        deadline: Option<Time>,
    ) -> ApiResult<GetWorkflowExecutionHistoryResponse> {
        if let Some(deadline) = deadline
            && token.next_event_id > self.state.last_event_id()
            && self.state.is_running()
        {
            self.state = self.changed(token.next_event_id - 1, deadline).await?;
        }
        if token.next_event_id > self.state.last_event_id() {
            let waits_on = deadline.is_some() && self.state.is_running();
            return Ok(self.response(RawHistory::default(), waits_on.then_some(token)));
        }
        // No further than the state goes, which says what follows the last event.
        let end = self.state.last_event_id() + 1;
        let events = token.next_event_id..end;
        let (permit, namespace) = (&self.call.permit, self.call.namespace()?);
        let history = &self.frontend.history;
        let page = history.read_history(permit, namespace, &self.run, events, batches_max).await?;
        let mut batches = page.batches;
        token.next_event_id = page.next_event_id.unwrap_or(end);
        if page.next_event_id.is_some() {
            return Ok(self.response(joined(batches), Some(token)));
        }
        if self.is_of_worker() {
            batches.extend(self.transient_events());
        }
        // Who waits reads on after what is stored, and may see such an event again.
        let waits_on = deadline.is_some() && self.state.is_running();
        Ok(self.response(joined(batches), waits_on.then_some(token)))
    }

    /// The last event of a closed run; with a deadline, waits until the run closes.
    async fn read_close_event(
        mut self,
        deadline: Option<Time>,
    ) -> ApiResult<GetWorkflowExecutionHistoryResponse> {
        if let Some(deadline) = deadline {
            while self.state.is_running() && self.frontend.now() < deadline {
                let seen = self.state.last_event_id();
                let waited = self.changed(seen, deadline).await?;
                if self.frontend.stopping.is_cancelled() {
                    break;
                }
                self.state = waited;
            }
        }
        if self.state.is_running() {
            let token = HistoryToken {
                run_id: self.run.run_id,
                next_event_id: 1,
                ..HistoryToken::default()
            };
            return Ok(self.response(RawHistory::default(), deadline.map(|_| token)));
        }
        let page = self
            .frontend
            .history
            .read_history_reverse(&self.call.permit, self.call.namespace()?, &self.run, 0, 1)
            .await?;
        let newest = match page.batches.first() {
            Some(batch) => decoded(batch.clone())?.into_iter().next(),
            None => None,
        };
        let newest = if self.call.follows_next_run_id {
            newest
        } else {
            newest.map(close_event::as_continued_as_new)
        };
        Ok(self.response(newest.into_iter().collect::<Vec<_>>().into(), None))
    }

    /// The state once there is an event after this one, or the run has closed, or time is up, or
    /// the server stops.
    async fn changed(&self, after_event_id: i64, deadline: Time) -> ApiResult<Arc<State>> {
        let (permit, namespace) = (&self.call.permit, self.call.namespace()?);
        let change = self.frontend.history.wait_for_history(
            permit,
            namespace,
            &self.run,
            after_event_id,
            deadline,
        );
        tokio::select! {
            biased;
            changed = change => Ok(changed?),
            () = self.frontend.stopping.cancelled() => Ok(Arc::clone(&self.state)),
        }
    }

    /// The events of the workflow task, when they are not stored.
    fn transient_events(&self) -> Option<Bytes> {
        let events = self.state.transient_events();
        (!events.is_empty()).then(|| RawHistory::from(events).encoded().clone())
    }

    fn response(
        &self,
        history: RawHistory,
        token: Option<HistoryToken>,
    ) -> GetWorkflowExecutionHistoryResponse {
        let (keys, namespace_id) = (self.frontend.token_keys(), self.run.workflow.namespace_id);
        GetWorkflowExecutionHistoryResponse {
            history: Some(history),
            next_page_token: token
                .map(|token| token.encode(keys, namespace_id))
                .unwrap_or_default(),
            ..GetWorkflowExecutionHistoryResponse::default()
        }
    }

    fn is_of_worker(&self) -> bool {
        !CLIENTS_OF_PEOPLE.contains(&self.call.client_name.as_str())
    }
}

fn decoded(batch: Bytes) -> ApiResult<Vec<api::history::v1::HistoryEvent>> {
    History::decode(batch).map(|history| history.events).map_err(|error| ApiError::internal(&error))
}
