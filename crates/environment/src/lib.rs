//! Time and randomness, as arguments, and the turns of the runtime.
//!
//! This is the only crate that reads the operating system's clock or makes randomness; everybody
//! else takes an [`Environment`]. The simulator hands out a virtual clock and a seeded source, so
//! that a whole node runs the same way twice.

mod clock;
mod entropy;
mod ready_tasks;
mod simulated_clock;
mod skippable_clock;
mod system_clock;

use std::sync::Arc;

pub use clock::{Clock, Sleep};
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use ready_tasks::after_ready_tasks;
pub use simulated_clock::SimulatedClock;
pub use skippable_clock::{Hold, NotLocked, SkippableClock};
pub use system_clock::SystemClock;

/// The clock and the source of randomness that a node runs on. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where ids and jitter come from.
    pub entropy: Arc<dyn Entropy>,
}

impl Environment {
    /// The real thing: the operating system's clock and randomness.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock::new()), entropy: Arc::new(SystemEntropy) }
    }

    /// A virtual clock that starts at `base`, and randomness that follows from `seed` alone.
    ///
    /// Must be called inside the tokio runtime whose time it is to follow (see
    /// [`SimulatedClock`]).
    pub fn simulated(base: model::Time, seed: u64) -> Self {
        Self {
            clock: Arc::new(SimulatedClock::starting_at(base)),
            entropy: Arc::new(SeededEntropy::new(seed)),
        }
    }
}
