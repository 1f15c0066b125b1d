//! The limits of batch operations.

/// Open batch operations of one namespace, as in the reference.
pub const OPEN_MAX: u64 = 1;

/// Operations per second of a batch that does not ask for another rate. The reference's 50 protect
/// a store that takes many writes for each.
pub const OPERATIONS_PER_SECOND: u32 = 1000;

/// The most that a batch may ask for.
pub const OPERATIONS_PER_SECOND_MAX: u32 = 10_000;

/// Targets of one step: about a tenth of a second's, so that counts move, but not so many that the
/// state grows large, nor so few that the steps cost more than their operations.
pub(crate) const TARGETS_MAX: u32 = 200;
pub(crate) const TARGETS_MIN: u32 = 5;
pub(crate) const STEPS_PER_SECOND: u32 = 10;
