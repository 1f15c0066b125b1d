//! Advice to workers about their number of polls.

use model::{Span, Time};

use crate::{QueueStats, TokenBucket};

/// A poll that waited so long is one too many.
const IDLE_WAIT: Span = Span::from_secs(1);
/// A backlog older than this needs more polls.
const BACKLOG_AGE: Span = Span::from_millis(200);
/// More tasks come in than go out by this factor: more polls.
const GROWTH: f64 = 1.2;
/// Advice to grow is given no more often, so that the number of polls does not overshoot.
const DECISIONS_PER_SECOND: f64 = 10.0;

/// Decides the `poll_request_delta_suggestion` of poll responses.
#[derive(Debug)]
pub(crate) struct PollerScaling {
    decisions: TokenBucket,
}

impl PollerScaling {
    pub(crate) fn new(now: Time) -> Self {
        Self { decisions: TokenBucket::new(DECISIONS_PER_SECOND, now) }
    }

    /// The advice for a poll that got something after `waited`; `None` for "stay".
    pub(crate) fn decide(&mut self, waited: Span, stats: QueueStats, now: Time) -> Option<i32> {
        if waited >= IDLE_WAIT {
            return Some(-1);
        }
        let aged =
            stats.approximate_backlog_count > 0 && stats.approximate_backlog_age > BACKLOG_AGE;
        let growing = stats.tasks_dispatch_rate > 0.0
            && stats.tasks_add_rate / stats.tasks_dispatch_rate > GROWTH;
        let wanted = aged || growing;
        (wanted && self.decisions.take(now).is_ok()).then_some(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time::from_nanos(1_700_000_000_000_000_000);

    #[test]
    fn an_old_backlog_asks_for_more_polls_but_not_too_often() {
        let mut scaling = PollerScaling::new(START);
        let stats = QueueStats {
            approximate_backlog_count: 1,
            approximate_backlog_age: Span::from_secs(1),
            ..QueueStats::default()
        };
        let wanted =
            (0..100).filter(|_| scaling.decide(Span::ZERO, stats, START) == Some(1)).count();
        assert_eq!(wanted, 10);
    }

    #[test]
    fn a_poll_that_waited_is_one_too_many() {
        let mut scaling = PollerScaling::new(START);
        let idle = QueueStats::default();
        assert_eq!(scaling.decide(Span::from_secs(2), idle, START), Some(-1));
        assert_eq!(scaling.decide(Span::ZERO, idle, START), None);
    }
}
