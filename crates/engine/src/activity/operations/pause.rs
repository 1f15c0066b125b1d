//! A paused activity gets no attempt; one that runs goes on to its end.

use crate::{
    ActivityPaused, ActivityUnpaused, Mutation, Rejection, Reply,
    draft::Draft,
    input::{PauseActivity, UnpauseActivity},
    state::ActivityPause,
};

use super::{activity, next_attempt_time, selected};
use crate::activity::emit_tasks;

/// Pauses activities. The same request may come twice.
pub(crate) fn pause(draft: &mut Draft<'_>, input: PauseActivity) -> Result<Reply, Rejection> {
    let PauseActivity { selection, identity, reason, request_id } = input;
    let pause = ActivityPause {
        time: draft.now(),
        identity,
        reason,
        request_id,
        ..ActivityPause::default()
    };
    for scheduled_event_id in selected(draft.state(), &selection)? {
        if let Some(paused) = &activity(draft, scheduled_event_id)?.paused {
            if paused.request_id == pause.request_id {
                continue;
            }
            return Err(Rejection::FailedPrecondition("activity is already paused".to_owned()));
        }
        let pause = pause.clone();
        draft.mutate(Mutation::ActivityPaused(ActivityPaused { scheduled_event_id, pause }));
        emit_tasks(draft, scheduled_event_id);
    }
    Ok(Reply::Done)
}

/// Lets activities go on; those that nobody runs start at once, or within the jitter.
pub(crate) fn unpause(draft: &mut Draft<'_>, input: UnpauseActivity) -> Result<Reply, Rejection> {
    let UnpauseActivity { selection, resets_attempts, resets_heartbeat, jitter, seed } = input;
    for scheduled_event_id in selected(draft.state(), &selection)? {
        if activity(draft, scheduled_event_id)?.paused.is_none() {
            continue;
        }
        draft.mutate(Mutation::ActivityUnpaused(ActivityUnpaused {
            scheduled_event_id,
            resets_attempts,
            resets_heartbeat,
            time: draft.now(),
            next_attempt_time: next_attempt_time(draft.now(), jitter, seed, scheduled_event_id),
        }));
        emit_tasks(draft, scheduled_event_id);
    }
    Ok(Reply::Done)
}
