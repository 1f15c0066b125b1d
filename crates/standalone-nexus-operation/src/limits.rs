//! The limits of standalone Nexus operations.

/// Most completion callbacks of one operation, as those of an activity.
pub(crate) const CALLBACKS_MAX: usize = 32;

/// Most links of one operation.
pub(crate) const LINKS_MAX: usize = 100;

/// Most requests whose ids are remembered besides the one that started it.
pub(crate) const REQUESTS_MAX: usize = 25;
