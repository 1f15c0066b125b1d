//! An update arrives.

use api::update::v1::Request;
use prost::Message as _;

use crate::{
    Mutation, Rejection, Reply, Shared, State, UpdateAdmitted, callback, draft::Draft,
    input::UpdateWorkflow, signal, workflow_task,
};

use super::callbacks;

/// Admits an update, or finds the one with its id. Nothing of it is stored.
pub(crate) fn admit(draft: &mut Draft<'_>, input: UpdateWorkflow) -> Result<Reply, Rejection> {
    let state = draft.state();
    let UpdateWorkflow { request } = input;
    let update_id = update_id(&request);
    if !state.is_started() {
        return Err(Rejection::WorkflowNotFound { workflow_id: state.workflow_id.clone() });
    }
    if !state.is_running() {
        return match state.update_stage(update_id) {
            Some(stage) => Ok(Reply::UpdateKnown(stage)),
            None => Err(Rejection::WorkflowClosed),
        };
    }
    if state.is_paused() {
        return Err(Rejection::FailedPrecondition(
            "Workflow is paused. Cannot update the workflow.".to_owned(),
        ));
    }
    let limits = draft.context().limits;
    if state.workflow_task_failures + 1 >= limits.workflow_task_failing_attempt {
        return Err(Rejection::WorkflowNotReady(
            "Unable to perform workflow execution update due to Workflow Task in failed state."
                .to_owned(),
        ));
    }
    if state.has_started_workflow_task() {
        signal::refuse_while_closing(state)?;
    }
    if let Some(stage) = state.update_stage(update_id) {
        callbacks::join(draft, *request)?;
        return Ok(Reply::UpdateKnown(stage));
    }
    check_limits(draft, &request)?;
    append(draft, *request);
    workflow_task::schedule_speculative(draft);
    Ok(Reply::UpdateAdmitted)
}

/// Admits an update to a run that has just started; its first workflow task delivers it.
pub(crate) fn admit_with_start(draft: &mut Draft<'_>, input: UpdateWorkflow) {
    append(draft, *input.request);
}

fn append(draft: &mut Draft<'_>, request: Request) {
    let update_id = update_id(&request).to_owned();
    let request = Some(Shared::new(request));
    draft.mutate(Mutation::UpdateAdmitted(UpdateAdmitted { update_id, request }));
}

/// The id that an update has.
pub(super) fn update_id(request: &Request) -> &str {
    request.meta.as_ref().map_or("", |meta| &meta.update_id)
}

fn check_limits(draft: &Draft<'_>, request: &Request) -> Result<(), Rejection> {
    let (state, limits) = (draft.state(), draft.context().limits);
    if state.updates.len() >= limits.updates_in_flight_max {
        return Err(Rejection::ConcurrentLimit(format!(
            "limit on number of concurrent in-flight updates has been reached ({})",
            limits.updates_in_flight_max
        )));
    }
    check_total(state, limits.updates_per_run_max).map_err(Rejection::FailedPrecondition)?;
    callback::check_total(draft, request.completion_callbacks.len())?;
    if bytes_in_flight(state) + request.encoded_len() >= limits.updates_in_flight_bytes_max {
        return Err(Rejection::ConcurrentLimit(format!(
            "limit on total payload size of in-flight updates has been reached ({} bytes)",
            limits.updates_in_flight_bytes_max
        )));
    }
    Ok(())
}

/// Refuses one update more than a run takes in all its life.
pub(super) fn check_total(state: &State, most: usize) -> Result<(), String> {
    if state.updates_in_total() < most {
        return Ok(());
    }
    Err(format!(
        "The limit on the total number of distinct updates in this workflow has been reached \
         ({most}). Make sure any duplicate updates share an Update ID so the server can \
         deduplicate them, and consider rejecting updates that you aren't going to process. You \
         can also Continue-as-New to avoid this; we recommend you check Continue-as-New Suggested \
         in your Workflow."
    ))
}

fn bytes_in_flight(state: &State) -> usize {
    let sizes = state.updates.iter().map(|(update_id, update)| {
        update_id.len() + update.request.as_ref().map_or(0, |request| request.encoded_len())
    });
    sizes.sum()
}
