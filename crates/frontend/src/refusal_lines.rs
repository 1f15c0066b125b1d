//! What the log says of those who are refused: enough to see what goes on, and no more. Whoever asks
//! without rights writes no disk full.

use std::sync::atomic::{AtomicU64, Ordering};

use listener::{Rate, RateLimit};

/// So many lines.
const LINES: RateLimit = RateLimit::per_second(10);

/// See the module.
#[derive(Debug)]
pub(crate) struct RefusalLines {
    rate: Rate,
    left_out: AtomicU64,
}

impl RefusalLines {
    pub(crate) fn new() -> Self {
        Self { rate: Rate::new(LINES), left_out: AtomicU64::new(0) }
    }

    /// Says a line, or counts it. The next one that is said tells how many were not.
    pub(crate) fn say(&self, line: impl FnOnce()) {
        if !self.rate.take() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let left_out = self.left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            tracing::warn!(left_out, "there were refusals that are not in the log");
        }
        line();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn refusals_beyond_a_rate_are_counted() {
        let (lines, said) = (RefusalLines::new(), Cell::new(0));
        for _ in 0..1000 {
            lines.say(|| said.set(said.get() + 1));
        }
        assert_eq!((said.get(), lines.left_out.load(Ordering::Relaxed)), (20, 980));
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        lines.say(|| said.set(said.get() + 1));
        assert_eq!((said.get(), lines.left_out.load(Ordering::Relaxed)), (21, 0));
    }
}
