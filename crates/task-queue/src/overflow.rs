//! Tasks that did not fit and stayed with their slots.

use std::collections::{BTreeMap, VecDeque};

use model::SlotId;

/// The slots that hold tasks which were refused, in the order of their first refusal. At most one
/// entry per slot.
#[derive(Debug, Default)]
pub(crate) struct Overflow {
    order: VecDeque<SlotId>,
    /// Refused tasks per slot.
    counts: BTreeMap<SlotId, u64>,
}

impl Overflow {
    /// A task of this slot was refused.
    pub(crate) fn add(&mut self, slot: SlotId) {
        let count = self.counts.entry(slot).or_insert(0);
        if *count == 0 {
            self.order.push_back(slot);
        }
        *count += 1;
    }

    /// Takes up to `most` slots out; they are asked to offer their tasks again.
    pub(crate) fn take(&mut self, most: usize, into: &mut Vec<SlotId>) {
        for slot in self.order.drain(..most.min(self.order.len())) {
            self.counts.remove(&slot);
            into.push(slot);
        }
    }

    /// True when no slot waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// About how many tasks wait with their slots.
    pub(crate) fn task_count(&self) -> u64 {
        self.counts.values().sum()
    }
}
