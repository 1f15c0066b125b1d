//! Who polled lately.

use std::collections::BTreeMap;

use model::Time;

use crate::POLLER_TTL;

/// A poller as described to users.
#[derive(Debug, Clone, PartialEq)]
pub struct PollerInfo {
    /// The worker's identity.
    pub identity: String,
    /// When it polled last.
    pub last_access_time: Time,
    /// The rate limit that it named, in tasks per second; 0 when it named none.
    pub rate_per_second: f64,
}

/// The last access of each identity, bounded.
#[derive(Debug, Default)]
pub(crate) struct PollerHistory {
    seen: BTreeMap<String, (Time, f64)>,
}

impl PollerHistory {
    /// An identity polls.
    pub(crate) fn record(&mut self, identity: &str, rate: Option<f64>, now: Time, most: usize) {
        let entry = (now, rate.unwrap_or(0.0));
        if let Some(seen) = self.seen.get_mut(identity) {
            *seen = entry;
            return;
        }
        if self.seen.len() >= most {
            self.seen.retain(|_, (last, _)| now.since(*last) < POLLER_TTL);
        }
        if self.seen.len() >= most
            && let Some(oldest) = self.oldest()
        {
            self.seen.remove(&oldest);
        }
        self.seen.insert(identity.to_owned(), entry);
    }

    /// An identity is gone.
    pub(crate) fn remove(&mut self, identity: &str) {
        self.seen.remove(identity);
    }

    /// Those that were seen lately, by identity.
    pub(crate) fn recent(&self, now: Time) -> Vec<PollerInfo> {
        let recent = self.seen.iter().filter(|(_, (last, _))| now.since(*last) < POLLER_TTL);
        recent
            .map(|(identity, (last, rate))| PollerInfo {
                identity: identity.clone(),
                last_access_time: *last,
                rate_per_second: *rate,
            })
            .collect()
    }

    fn oldest(&self) -> Option<String> {
        let oldest = self.seen.iter().min_by_key(|(_, (last, _))| *last);
        oldest.map(|(identity, _)| identity.clone())
    }
}

#[cfg(test)]
mod tests {
    use model::Span;

    use super::*;

    const START: Time = Time::from_nanos(1_700_000_000_000_000_000);

    #[test]
    fn the_longest_unseen_makes_room() {
        let mut history = PollerHistory::default();
        for second in 0..5 {
            let now = START + Span::from_secs(second);
            history.record(&format!("worker-{second}"), Some(2.5), now, 3);
        }
        let now = START + Span::from_secs(5);
        let names: Vec<String> =
            history.recent(now).into_iter().map(|poller| poller.identity).collect();
        assert_eq!(names, ["worker-2", "worker-3", "worker-4"]);
        assert!(history.recent(now + POLLER_TTL).is_empty());
        history.remove("worker-3");
        assert_eq!(history.recent(now).len(), 2);
    }
}
