//! What people do to pending activities: pause, unpause, reset, other options (fact sheet
//! section 9). None of it is in the history.

mod apply;
mod options;
mod pause;
mod reset;

pub(super) use apply::begin_attempt;
pub(crate) use apply::{apply_options_set, apply_paused, apply_reset, apply_unpaused};
pub(crate) use options::set_options;
pub use options::{activity_options, merge_activity_options};
pub(crate) use pause::{pause, unpause};
pub(crate) use reset::reset;

use model::{Span, Time};

use crate::{Rejection, State, draft::Draft, input::ActivitySelection, state::Activity};

/// The scheduled event ids of the pending activities that a request means: at least one.
fn selected(state: &State, selection: &ActivitySelection) -> Result<Vec<i64>, Rejection> {
    if !state.is_started() {
        return Err(Rejection::WorkflowNotFound { workflow_id: state.workflow_id.clone() });
    }
    if !state.is_running() {
        return Err(Rejection::WorkflowClosed);
    }
    let is_meant = |activity: &Activity| match selection {
        ActivitySelection::Id(activity_id) => activity.activity_id() == activity_id,
        ActivitySelection::Type(activity_type) => activity.activity_type() == activity_type,
        ActivitySelection::All => true,
    };
    let meant = state.activities.iter().filter(|(_, activity)| is_meant(activity));
    let ids: Vec<i64> = meant.map(|(id, _)| *id).collect();
    if ids.is_empty() { Err(Rejection::PendingActivityNotFound) } else { Ok(ids) }
}

fn activity<'a>(draft: &'a Draft<'_>, id: i64) -> Result<&'a Activity, Rejection> {
    draft
        .state()
        .activities
        .get(&id)
        .map(|found| &**found)
        .ok_or(Rejection::PendingActivityNotFound)
}

/// When an attempt starts that was asked for now: at once, or somewhere within the jitter, for each
/// activity elsewhere.
fn next_attempt_time(now: Time, jitter: Span, seed: u64, scheduled_event_id: i64) -> Time {
    if jitter.is_zero() {
        return now;
    }
    // The mixing step of SplitMix64.
    let mut mixed = seed ^ scheduled_event_id.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let within = mixed % jitter.nanos().unsigned_abs();
    now + Span::from_nanos(i64::try_from(within).unwrap_or(0))
}
