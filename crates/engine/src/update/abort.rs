//! Updates that come to nothing because of what happens around them.

use crate::{Mutation, UpdateAborted, UpdateNotice, UpdateProgress, UpdatesDropped, draft::Draft};

use super::{Update, failed, workflow_completed};

/// The run has closed: what was accepted fails, and what was not never will be.
pub(crate) fn abort_on_close(draft: &mut Draft<'_>, was_running: bool) {
    if !was_running || draft.state().is_running() {
        return;
    }
    let aborted = if draft.has_new_run() {
        UpdateAborted::WorkflowContinued
    } else {
        UpdateAborted::WorkflowClosed
    };
    for (update_id, update) in &draft.state().updates.clone() {
        let progress = if update.is_accepted() {
            UpdateProgress::Completed(failed(workflow_completed()))
        } else {
            UpdateProgress::Aborted(aborted)
        };
        draft.notice(UpdateNotice { update_id: update_id.clone(), progress });
    }
    drop_where(draft, |update| !update.is_durable());
}

/// The workflow task that delivered them failed at the server: the next one does not bring them
/// again, because they may be what it fails for. True when there were any.
pub(crate) fn fail_delivered(draft: &mut Draft<'_>) -> bool {
    let is_delivered = |update: &Update| update.sent && !update.is_durable();
    let dropped = drop_where(draft, is_delivered);
    let any = !dropped.is_empty();
    for update_id in dropped {
        let progress = UpdateProgress::Aborted(UpdateAborted::WorkflowTaskFailed);
        draft.notice(UpdateNotice { update_id, progress });
    }
    any
}

fn drop_where(draft: &mut Draft<'_>, is_dropped: impl Fn(&Update) -> bool) -> Vec<String> {
    let dropped = draft.state().updates.iter().filter(|(_, update)| is_dropped(update));
    let update_ids: Vec<String> = dropped.map(|(update_id, _)| update_id.clone()).collect();
    if !update_ids.is_empty() {
        draft.mutate(Mutation::UpdatesDropped(UpdatesDropped {
            update_ids: update_ids.clone(),
            rejection: None,
        }));
    }
    update_ids
}
