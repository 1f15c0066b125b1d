//! An activity begins again with its first attempt.

use crate::{ActivityReset, Mutation, Rejection, Reply, draft::Draft, input::ResetActivity};

use super::{next_attempt_time, selected};
use crate::activity::emit_tasks;

/// Resets activities. One that runs learns of it from its next heartbeat and goes on to its end.
pub(crate) fn reset(draft: &mut Draft<'_>, input: ResetActivity) -> Result<Reply, Rejection> {
    let ResetActivity { selection, resets_heartbeat, keeps_paused, restores_options, jitter, seed } =
        input;
    for scheduled_event_id in selected(draft.state(), &selection)? {
        draft.mutate(Mutation::ActivityReset(ActivityReset {
            scheduled_event_id,
            resets_heartbeat,
            keeps_paused,
            restores_options,
            time: draft.now(),
            next_attempt_time: next_attempt_time(draft.now(), jitter, seed, scheduled_event_id),
        }));
        emit_tasks(draft, scheduled_event_id);
    }
    Ok(Reply::Done)
}
