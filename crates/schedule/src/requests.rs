//! Creation, updates and patches.

use api::schedule::v1::{BackfillRequest, Schedule, SchedulePatch};
use entity::Context;
use model::{Span, Time};
use schedule_spec::{MatchingTime, Spec};

use crate::{
    Create, Rejection, State, Update,
    limits::{BUFFER_MAX, REQUESTS_MAX},
    times::add_start,
};

/// Counts from here.
const FIRST_CONFLICT_TOKEN: i64 = 1;

/// A new schedule.
pub(crate) fn create(input: Create, context: &Context<'_>) -> Result<State, Rejection> {
    let mut state = State {
        schedule: Some(canonical(input.schedule)?),
        create_time: context.now,
        processed_through: context.now,
        conflict_token: FIRST_CONFLICT_TOKEN,
        create_request_id: input.request_id,
        memo: input.memo,
        search_attributes: input.search_attributes,
        ..State::default()
    };
    state.fill_in_defaults();
    if let Some(initial_patch) = &input.initial_patch {
        patch(&mut state, initial_patch, context.now);
    }
    Ok(state)
}

fn canonical(mut schedule: Schedule) -> Result<Schedule, Rejection> {
    let spec = Spec::new(&schedule.spec.unwrap_or_default())?;
    schedule.spec = Some(spec.canonical().clone());
    Ok(schedule)
}

/// Replaces what the schedule does.
pub(crate) fn update(state: &mut State, update: Update, now: Time) -> Result<(), Rejection> {
    check_conflict(state, update.conflict_token)?;
    state.schedule = Some(canonical(update.schedule)?);
    state.fill_in_defaults();
    if update.search_attributes.is_some() {
        state.search_attributes = update.search_attributes;
    }
    if update.memo.is_some() {
        state.memo = update.memo;
    }
    state.update_time = now;
    state.conflict_token += 1;
    Ok(())
}

/// Refuses who knows the schedule as it was before.
pub(crate) const fn check_conflict(state: &State, known: i64) -> Result<(), Rejection> {
    if known == 0 || known == state.conflict_token { Ok(()) } else { Err(Rejection::Conflict) }
}

/// Triggers, backfills, pauses, unpauses.
pub(crate) fn patch(state: &mut State, patch: &SchedulePatch, now: Time) {
    if let Some(trigger) = &patch.trigger_immediately {
        let wanted = Time::from_proto(trigger.scheduled_time.as_ref());
        let time = if wanted.is_set() { wanted } else { now };
        let time = MatchingTime { nominal: time, actual: time };
        add_start(state, time, trigger.overlap_policy, true);
    }
    for backfill in &patch.backfill_request {
        if state.backfills.len() >= BUFFER_MAX {
            state.buffer_dropped += 1;
            continue;
        }
        // The start is part of the range.
        let start = Time::from_proto(backfill.start_time.as_ref()) - Span::from_millis(1);
        state.backfills.push(BackfillRequest { start_time: start.to_proto(), ..*backfill });
    }
    for (notes, paused) in [(&patch.pause, true), (&patch.unpause, false)] {
        if !notes.is_empty() {
            let settings = state.settings_mut();
            settings.paused = paused;
            settings.notes.clone_from(notes);
            state.conflict_token += 1;
        }
    }
}

/// Whether a request was seen before; if not it is remembered.
pub(crate) fn is_repeated(state: &mut State, request_id: &str) -> bool {
    if request_id.is_empty() {
        return false;
    }
    if state.request_ids.iter().any(|seen| seen == request_id) {
        return true;
    }
    if state.request_ids.len() >= REQUESTS_MAX {
        state.request_ids.remove(0);
    }
    state.request_ids.push(request_id.to_owned());
    false
}
