//! Waiting for a run's time.

use api::{
    common::v1::TimeSkippingFastForwardInfo,
    enums::v1::FastForwardPollingResult,
    workflowservice::v1::{
        PollWorkflowExecutionTimeSkippingRequest, PollWorkflowExecutionTimeSkippingResponse,
    },
};
use engine::{State, TimeSkipping};
use history::Execution;

use crate::{
    admission::Call,
    deadline::history_deadline,
    error::ApiResult,
    frontend::Frontend,
    validation::{check_fast_forward_id, execution, may_skip_time},
};

/// What is to say of a fast-forward.
type Verdict = (FastForwardPollingResult, &'static str);

pub(crate) async fn poll_workflow_execution_time_skipping(
    frontend: &Frontend,
    call: &Call,
    request: PollWorkflowExecutionTimeSkippingRequest,
) -> ApiResult<PollWorkflowExecutionTimeSkippingResponse> {
    let mut execution = execution(request.workflow_execution)?;
    let namespace = call.namespace()?;
    may_skip_time(frontend.time_skips_max)?;
    check_fast_forward_id(&request.fast_forward_id)?;
    let deadline = history_deadline(call.received, call.timeout);
    let history = &frontend.history;
    let mut found = history.describe(&call.permit, namespace, &execution).await?;
    let first = found.state.first_execution_run_id().to_owned();
    let mut expected = None;
    loop {
        let info = info(&found.state);
        if let Some(verdict) = verdict(&found.state, &request.fast_forward_id, expected.as_ref()) {
            if verdict.1 != ENDED {
                return Ok(response(verdict, info));
            }
            // A run that another follows hands its fast-forward on.
            execution = Execution::current(execution.workflow_id.clone());
            let next = history.describe(&call.permit, namespace, &execution).await?;
            let follows = next.run != found.run && next.state.first_execution_run_id() == first;
            if !follows {
                return Ok(response(verdict, info));
            }
            found = next;
            continue;
        }
        if frontend.now() >= deadline || frontend.stopping.is_cancelled() {
            return Ok(response((FastForwardPollingResult::PollTimeout, ""), info));
        }
        expected = expected.or(info);
        let last = found.state.last_event_id();
        let permit = &call.permit;
        found.state =
            history.wait_for_history(permit, namespace, &found.run, last, deadline).await?;
    }
}

const ENDED: &str = "the execution ended before the fast-forward completed";

/// What came of the fast-forward; none while it is under way.
fn verdict(
    state: &State,
    id: &str,
    expected: Option<&TimeSkippingFastForwardInfo>,
) -> Option<Verdict> {
    let failed = |reason| Some((FastForwardPollingResult::FastForwardFailed, reason));
    let Some(now) = info(state).filter(|now| now.fast_forward_id == id) else {
        return failed(
            "the requested fast_forward_id does not match the execution's current fast-forward",
        );
    };
    if expected.is_some_and(|expected| expected.target_time != now.target_time) {
        return failed("the fast-forward was reset");
    }
    if now.has_completed {
        return Some((FastForwardPollingResult::FastForwardCompleted, ""));
    }
    if !state.is_running() {
        return failed(ENDED);
    }
    if !state.time_skipping.as_deref().is_some_and(TimeSkipping::is_enabled) {
        return failed("time skipping was disabled before the fast-forward completed");
    }
    None
}

fn info(state: &State) -> Option<TimeSkippingFastForwardInfo> {
    state.time_skipping.as_deref().and_then(TimeSkipping::fast_forward_info)
}

fn response(
    (result, reason): Verdict,
    fast_forward_info: Option<TimeSkippingFastForwardInfo>,
) -> PollWorkflowExecutionTimeSkippingResponse {
    PollWorkflowExecutionTimeSkippingResponse {
        fast_forward_polling_result: result as i32,
        failed_reason: reason.to_owned(),
        fast_forward_info,
    }
}
