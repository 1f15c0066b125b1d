//! What happened, step by step: equal seeds give equal traces, byte for byte.

use std::{fmt::Write as _, sync::Arc};

use environment::Clock;
use model::Time;
use parking_lot::Mutex;

/// Most steps that are kept. A simulation that takes more has run away.
pub(crate) const STEPS_MAX: usize = 400_000;

/// The steps of one simulation.
#[derive(Debug)]
pub(crate) struct Trace {
    clock: Arc<dyn Clock>,
    base: Time,
    text: Mutex<Text>,
}

#[derive(Debug, Default)]
struct Text {
    lines: String,
    steps: usize,
}

impl Trace {
    pub(crate) fn new(clock: Arc<dyn Clock>, base: Time) -> Self {
        Self { clock, base, text: Mutex::default() }
    }

    /// Adds a step.
    pub(crate) fn note(&self, what: &str) {
        let micros = (self.clock.now().nanos() - self.base.nanos()) / 1000;
        let mut text = self.text.lock();
        text.steps += 1;
        if text.steps > STEPS_MAX {
            return;
        }
        tracing::debug!("{what}");
        let Text { lines, steps } = &mut *text;
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        // Writing to a string does not fail.
        let _written = writeln!(lines, "{steps:>6} {seconds:>5}.{micros:06} {what}");
    }

    /// How many steps there were so far.
    pub(crate) fn steps(&self) -> usize {
        self.text.lock().steps
    }

    /// All steps as text.
    pub(crate) fn take(&self) -> String {
        std::mem::take(&mut self.text.lock().lines)
    }
}
