//! The limits of a schedule. All are the reference's.

use model::Span;

/// Most buffered starts, and most ongoing backfills.
pub(crate) const BUFFER_MAX: usize = 1000;

/// Times that backfills add at once; the next ones come a second later.
pub(crate) const BACKFILLS_AT_ONCE_MAX: usize = 10;

/// Times of the specification that one decision goes through; the next decision goes on.
pub(crate) const TIMES_AT_ONCE_MAX: usize = 10_000;

/// Actions that a schedule remembers.
pub(crate) const RECENT_ACTIONS_MAX: usize = 10;

/// Future times that a description names.
pub const FUTURE_TIMES_MAX: usize = 10;

/// Recent actions and future times that a list names.
pub(crate) const LISTED_MAX: usize = 5;

/// Calendars, intervals and exclusions that a list names.
pub(crate) const LISTED_SPECS_MAX: usize = 10;

/// Times that one answer lists.
pub const MATCHING_TIMES_MAX: usize = 1000;

/// Requests that a schedule recognises when they are repeated.
pub(crate) const REQUESTS_MAX: usize = 10;

/// How late a start may be when the policies do not say, and the least that they may say.
pub(crate) const CATCHUP_WINDOW: Span = Span::from_secs(365 * 24 * 3600);
pub(crate) const CATCHUP_WINDOW_MIN: Span = Span::from_secs(10);

/// How long a schedule is kept that has nothing left to do.
pub(crate) const IDLE_MAX: Span = Span::from_secs(7 * 24 * 3600);

/// The pause between parts of a backfill.
pub(crate) const BACKFILL_PAUSE: Span = Span::from_secs(1);
