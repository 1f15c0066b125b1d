//! The one timer task of a node.
//!
//! It knows when each slot is due next and nothing else: slots without timers cost nothing, and an
//! idle server wakes for nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{SlotId, Span, Time};
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};

use crate::node::Node;

/// Most slots whose timers are handled at once.
const SLOTS_AT_ONCE_MAX: usize = 256;

/// Most timers of a slot that are handled before its lock is given to others.
const TIMERS_AT_ONCE_MAX: usize = 32;

/// How long a slot waits for rows that are on their way to the store.
const ROW_PAUSE: Span = Span::from_millis(5);

/// How long a slot waits whose timers could not be handled because the store does not answer.
const RETRY_DELAY: Span = Span::from_millis(500);

/// When each slot is due.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    armed: Mutex<Armed>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Armed {
    by_due: BTreeSet<(Time, SlotId)>,
    by_slot: BTreeMap<SlotId, Time>,
}

impl Timers {
    /// Wakes the slot at this time, or earlier if it was armed for an earlier one.
    pub(crate) fn arm(&self, slot: SlotId, due: Time) {
        let mut armed = self.armed.lock();
        if let Some(before) = armed.by_slot.get(&slot).copied() {
            if before <= due {
                return;
            }
            armed.by_due.remove(&(before, slot));
        }
        armed.by_slot.insert(slot, due);
        armed.by_due.insert((due, slot));
        let is_first = armed.by_due.first() == Some(&(due, slot));
        drop(armed);
        if is_first {
            self.changed.notify_one();
        }
    }

    fn first_due(&self) -> Option<Time> {
        self.armed.lock().by_due.first().map(|(due, _)| *due)
    }

    fn take_due(&self, now: Time) -> Option<SlotId> {
        let mut armed = self.armed.lock();
        let (due, slot) = armed.by_due.first().copied()?;
        if due > now {
            return None;
        }
        armed.by_due.pop_first();
        armed.by_slot.remove(&slot);
        Some(slot)
    }
}

impl Node {
    /// Handles timers as they become due, until the node stops.
    pub(crate) async fn run_timers(self: Arc<Self>) {
        let permits = Arc::new(Semaphore::new(SLOTS_AT_ONCE_MAX));
        while !self.stopping.is_cancelled() {
            let changed = self.timers.changed.notified();
            if let Some(slot) = self.timers.take_due(self.now()) {
                let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
                let node = Arc::clone(&self);
                self.tracker.spawn(async move {
                    node.handle_timers(slot).await;
                    drop(permit);
                });
                continue;
            }
            let due = self.timers.first_due().unwrap_or(Time::MAX);
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                () = changed => {}
                () = self.environment.clock.sleep_until(due), if due < Time::MAX => {}
            }
        }
    }

    /// Handles the due timers of a slot and arms it for the next.
    async fn handle_timers(self: &Arc<Self>, slot_id: SlotId) {
        let outcome = self.handle_due(slot_id).await;
        if let Err(error) = outcome {
            tracing::warn!(slot = slot_id.number(), %error, "timers wait for the store");
            self.timers.arm(slot_id, self.now() + RETRY_DELAY);
        }
    }

    async fn handle_due(self: &Arc<Self>, slot_id: SlotId) -> Result<(), crate::HistoryError> {
        let mut slot = self.lock(slot_id).await?;
        for _ in 0..TIMERS_AT_ONCE_MAX {
            if self.stopping.is_cancelled() {
                return Ok(());
            }
            self.refill_timers(&mut slot).await?;
            let Some((key, task)) = slot.timers.due(self.now()) else { break };
            self.handle_timer(&mut slot, key, task).await?;
        }
        for _ in 0..TIMERS_AT_ONCE_MAX {
            let Some((run_id, action)) = slot.speculative.take_due(self.now()) else { break };
            self.handle_speculative_timer(&mut slot, run_id, action)?;
        }
        if let Some(due) = slot.next_due() {
            // A row that is due and not yet in the store is looked for again soon.
            let on_its_way = slot.timers.wants_more(self.now()).is_some();
            let pause = if on_its_way { ROW_PAUSE } else { Span::ZERO };
            self.timers.arm(slot_id, due.max(self.now() + pause));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(number: u16) -> SlotId {
        SlotId::new(number).unwrap()
    }

    const fn at(seconds: i64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_slot_is_armed_for_its_earliest_time_only() {
        let timers = Timers::default();
        timers.arm(slot(1), at(10));
        timers.arm(slot(2), at(7));
        timers.arm(slot(1), at(5));
        timers.arm(slot(1), at(20));
        assert_eq!(timers.first_due(), Some(at(5)));
        assert_eq!(timers.take_due(at(4)), None);
        assert_eq!(timers.take_due(at(30)), Some(slot(1)));
        assert_eq!(timers.take_due(at(30)), Some(slot(2)));
        assert_eq!(timers.take_due(at(30)), None);
    }
}
