//! The limits of standalone activities.

/// Most completion callbacks of one activity, as in the reference.
pub(crate) const CALLBACKS_MAX: usize = 32;

/// Most links of one activity.
pub(crate) const LINKS_MAX: usize = 100;

/// Most requests whose ids are remembered besides the one that started it.
pub(crate) const REQUESTS_MAX: usize = 25;
