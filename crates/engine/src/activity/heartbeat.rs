//! A worker reports progress.

use api::common::v1::Payloads;

use crate::{
    ActivityHeartbeat, Mutation, Rejection, Reply, Shared, draft::Draft, input::HeartbeatActivity,
};

/// Saves the details and tells whether the workflow wants the activity to stop.
pub(crate) fn heartbeat(
    draft: &mut Draft<'_>,
    input: HeartbeatActivity,
) -> Result<Reply, Rejection> {
    let (scheduled_event_id, activity) = super::held(draft.state(), &input.activity)?;
    let reply = Reply::ActivityHeartbeat {
        cancel_requested: activity.cancel_requested_event_id != 0,
        paused: activity.paused.is_some(),
        reset: activity.is_reset,
    };
    record(draft, scheduled_event_id, input.details);
    Ok(reply)
}

/// Saves the details of a heartbeat.
pub(super) fn record(draft: &mut Draft<'_>, scheduled_event_id: i64, details: Option<Payloads>) {
    let time = draft.now();
    draft.mutate(Mutation::ActivityHeartbeat(ActivityHeartbeat {
        scheduled_event_id,
        details: details.map(Shared::new),
        time,
    }));
}
