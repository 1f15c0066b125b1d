//! Calls that are added up: the traffic of workers, and what comes too often.

use std::collections::BTreeMap;

use crate::record::Alike;

/// Most kinds of calls that are told apart between two looks; the rest goes to one kind each for
/// the method and what came of it.
const KINDS_MAX: usize = 10_000;

/// Refusals of one source address that are kept one by one between two looks. Whoever tries more
/// fills no disk.
const REFUSALS_EACH_MAX: u32 = 100;

/// Most source addresses that are told apart between two looks.
const SOURCES_MAX: usize = 10_000;

/// What was added up since somebody looked.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    kinds: BTreeMap<Alike, u64>,
    refusals: BTreeMap<String, u32>,
}

impl Counts {
    /// Adds a call.
    pub(crate) fn add(&mut self, calls: Alike) {
        if self.kinds.len() < KINDS_MAX || self.kinds.contains_key(&calls) {
            *self.kinds.entry(calls).or_default() += 1;
            return;
        }
        let principal = crate::Who { kind: "others".to_owned(), name: String::new() };
        let rest = Alike { principal, source: String::new(), namespace: String::new(), ..calls };
        *self.kinds.entry(rest).or_default() += 1;
    }

    /// Whether another refusal of a source is kept in a record of its own.
    pub(crate) fn is_refusal_kept(&mut self, source: &str) -> bool {
        if let Some(seen) = self.refusals.get_mut(source) {
            *seen = seen.saturating_add(1);
            return *seen <= REFUSALS_EACH_MAX;
        }
        let has_room = self.refusals.len() < SOURCES_MAX;
        if has_room {
            self.refusals.insert(source.to_owned(), 1);
        }
        has_room
    }

    /// Gives what was added up, and begins anew.
    pub(crate) fn take(&mut self) -> BTreeMap<Alike, u64> {
        self.refusals.clear();
        std::mem::take(&mut self.kinds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decision, Who};

    fn call(name: &str) -> Alike {
        Alike {
            principal: Who { kind: "jwt".to_owned(), name: name.to_owned() },
            source: String::new(),
            rpc: "PollWorkflowTaskQueue",
            namespace: "orders".to_owned(),
            decision: Decision::Allowed,
            outcome: "OK",
        }
    }

    #[test]
    fn what_is_alike_is_added_up_and_kinds_are_bounded() {
        let mut counts = Counts::default();
        for number in 0..KINDS_MAX + 5 {
            counts.add(call(&number.to_string()));
        }
        counts.add(call("0"));
        let taken = counts.take();
        assert_eq!(taken.len(), KINDS_MAX + 1);
        assert_eq!(taken[&call("0")], 2);
        assert_eq!(taken.values().sum::<u64>(), u64::try_from(KINDS_MAX).unwrap() + 6);
        assert!(counts.take().is_empty());
    }

    #[test]
    fn refusals_of_a_source_are_kept_up_to_a_number() {
        let mut counts = Counts::default();
        let kept = (0..1000).filter(|_| counts.is_refusal_kept("10.0.0.1")).count();
        assert_eq!(kept, 100);
        assert!(counts.is_refusal_kept("10.0.0.2"));
        counts.take();
        assert!(counts.is_refusal_kept("10.0.0.1"));
    }
}
