//! The times of a schedule: those that have come, and those that will.

use api::schedule::v1::BackfillRequest;
use entity::EntityKey;
use model::Time;
use schedule_spec::{MatchingTime, Spec};

use crate::{
    State, buffer,
    limits::{
        BACKFILL_PAUSE, BACKFILLS_AT_ONCE_MAX, BUFFER_MAX, IDLE_MAX, MATCHING_TIMES_MAX,
        TIMES_AT_ONCE_MAX,
    },
    state::{BufferedStart, jitter_seed},
};

/// A schedule's specification with its jitter.
#[derive(Debug)]
pub(crate) struct Times {
    /// None when the specification is not valid any more, which no request lets through.
    spec: Option<Spec>,
    seed: String,
}

/// Times to go through.
struct Range {
    after: Time,
    through: Time,
    overlap_policy: i32,
    manual: bool,
    limit: usize,
}

/// What was found in a range.
struct Gone {
    /// Through this time everything is done.
    through: Time,
    /// The first time after it.
    next: Option<Time>,
}

impl Times {
    pub(crate) fn of(state: &State, key: &EntityKey) -> Self {
        Self { spec: Spec::new(&state.spec()).ok(), seed: jitter_seed(key) }
    }

    pub(crate) fn next(&self, after: Time) -> Option<MatchingTime> {
        self.spec.as_ref()?.next(&self.seed, after)
    }

    /// Buffers a start for each time that has come.
    pub(crate) fn catch_up(&self, state: &mut State, now: Time) -> Option<Time> {
        let now = now.max(state.processed_through);
        if !state.may_act() {
            state.processed_through = now;
            return self.next(now).map(|next| next.actual);
        }
        let range = Range {
            after: state.processed_through,
            through: now,
            overlap_policy: 0,
            manual: false,
            limit: TIMES_AT_ONCE_MAX,
        };
        let gone = self.go_through(state, &range);
        state.processed_through = gone.through;
        gone.next
    }

    fn go_through(&self, state: &mut State, range: &Range) -> Gone {
        let window = state.catchup_window();
        let mut gone = Gone { through: range.after, next: None };
        for _ in 0..range.limit {
            let Some(next) = self.next(gone.through) else { return Gone { next: None, ..gone } };
            if next.actual > range.through {
                return Gone { next: Some(next.actual), ..gone };
            }
            gone.through = next.actual;
            if !range.manual && state.update_time > next.actual {
                // Of the time before the update.
                continue;
            }
            if !range.manual && range.through.since(next.actual) > window {
                state.missed_catchup_window += 1;
                continue;
            }
            add_start(state, next, range.overlap_policy, range.manual);
        }
        let next = self.next(gone.through).map(|next| next.actual);
        Gone { next, ..gone }
    }

    /// Buffers starts of the oldest backfills, a few at a time.
    pub(crate) fn backfill(&self, state: &mut State) {
        let mut limit = BACKFILLS_AT_ONCE_MAX;
        while limit > 0 && has_room_for_backfills(state) {
            let Some(backfill) = state.backfills.first().copied() else { return };
            let through = Time::from_proto(backfill.end_time.as_ref());
            let range = Range {
                after: Time::from_proto(backfill.start_time.as_ref()),
                through,
                overlap_policy: backfill.overlap_policy,
                manual: true,
                limit,
            };
            let buffered = state.buffered_starts.len();
            let gone = self.go_through(state, &range);
            limit = limit.saturating_sub((state.buffered_starts.len() - buffered).max(1));
            if gone.next.is_none_or(|next| next > through) {
                state.backfills.remove(0);
            } else if let Some(first) = state.backfills.first_mut() {
                *first = BackfillRequest { start_time: gone.through.to_proto(), ..backfill };
            }
        }
    }

    /// Up to so many times at which the schedule will act.
    pub(crate) fn future(&self, state: &State, most: usize) -> Vec<Time> {
        let settings = state.settings();
        let remaining = usize::try_from(settings.remaining_actions).unwrap_or(0);
        let most = if settings.limited_actions { most.min(remaining) } else { most };
        let mut times = Vec::new();
        let mut after = state.processed_through;
        for _ in 0..TIMES_AT_ONCE_MAX {
            if times.len() >= most {
                break;
            }
            let Some(next) = self.next(after) else { break };
            after = next.actual;
            if state.update_time <= next.actual {
                times.push(next.actual);
            }
        }
        times
    }

    /// The times after one and up to another, as many as one answer takes.
    pub(crate) fn between(&self, mut after: Time, through: Time) -> Vec<Time> {
        let mut times = Vec::new();
        while times.len() < MATCHING_TIMES_MAX {
            let Some(next) = self.next(after).filter(|next| next.actual <= through) else { break };
            after = next.actual;
            times.push(after);
        }
        times
    }
}

impl State {
    /// The next times at which the schedule will act.
    pub fn future_times(&self, key: &EntityKey, most: usize) -> Vec<Time> {
        Times::of(self, key).future(self, most)
    }

    /// The times after one and up to another at which the specification matches.
    pub fn matching_times(&self, key: &EntityKey, after: Time, through: Time) -> Vec<Time> {
        Times::of(self, key).between(after, through)
    }
}

/// Buffers a start.
pub(crate) fn add_start(state: &mut State, time: MatchingTime, overlap_policy: i32, manual: bool) {
    if state.buffered_starts.len() >= BUFFER_MAX {
        state.buffer_dropped += 1;
        return;
    }
    state.buffered_starts.push(BufferedStart {
        nominal_time: time.nominal,
        actual_time: time.actual,
        overlap_policy,
        manual,
    });
    state.must_look = true;
}

fn has_room_for_backfills(state: &State) -> bool {
    state.buffered_starts.len() < BUFFER_MAX / 2
}

/// What follows once all that has come is buffered: starts go out, and the schedule knows when to
/// go on. False when it has nothing left to do at all.
pub(crate) fn go_on(state: &mut State, times: &Times, next: Option<Time>, now: Time) -> bool {
    times.backfill(state);
    buffer::process(state);
    let next = next.filter(|_| state.may_act());
    let backfills = !state.backfills.is_empty() && has_room_for_backfills(state);
    state.due = if backfills { now + BACKFILL_PAUSE } else { next.unwrap_or(Time::UNSET) };
    let is_idle = next.is_none()
        && !state.settings().paused
        && state.backfills.is_empty()
        && state.buffered_starts.is_empty()
        && state.pending.is_empty();
    if is_idle {
        state.due = state.last_event() + IDLE_MAX;
        return state.due > now;
    }
    true
}
