//! Patches of schedules, and who may let a schedule start its workflow.

use api::schedule::v1::SchedulePatch;
use authz::Details;
use history::EntityError;
use schedule::{Input, Rejection};

use super::{ask, not_found, read, refusal};
use crate::{
    admission::Call,
    details::{scheduled, scheduled_start},
    error::{ApiError, ApiResult},
    frontend::Frontend,
};

/// How often a patch is tried again when the schedule has changed meanwhile.
const TRIES_MAX: usize = 5;

/// Applies a patch. One that lets the schedule start its workflow is decided about as a start, too,
/// with what the schedule starts at that moment.
pub(super) async fn apply_patch(
    frontend: &Frontend,
    call: &Call,
    id: &str,
    patch: SchedulePatch,
    request_id: &str,
) -> ApiResult<()> {
    let namespace = call.namespace()?;
    for _ in 0..TRIES_MAX {
        let conflict_token =
            if starts(&patch) { permit_start(frontend, call, id).await? } else { 0 };
        let (patch, request_id) = (Box::new(patch.clone()), request_id.to_owned());
        let input = Input::Patch { patch, request_id, conflict_token };
        match ask(frontend, call, namespace, id, input).await {
            Ok(_) => return Ok(()),
            // What it starts may be another thing now.
            Err(EntityError::Rejected(Rejection::Conflict)) => {}
            Err(error) => return Err(refusal(id, error)),
        }
    }
    Err(ApiError::unavailable("the schedule changes again and again"))
}

/// Whether something is started that would not be without the patch.
const fn starts(patch: &SchedulePatch) -> bool {
    patch.trigger_immediately.is_some()
        || !patch.backfill_request.is_empty()
        || !patch.unpause.is_empty()
}

/// Decides about the start, and says which state of the schedule the decision is about.
async fn permit_start(frontend: &Frontend, call: &Call, id: &str) -> ApiResult<i64> {
    let view = read(frontend, call, id).await?;
    let state = view.state().ok_or_else(|| not_found(id))?;
    let details = Details { schedule_id: id, ..scheduled(&state.schedule) };
    frontend.permit_further(call, details, &scheduled_start(&state.schedule)).await?;
    Ok(state.conflict_token)
}
