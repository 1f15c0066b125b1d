//! The earliest timers of a slot.
//!
//! Timer rows are ordered by due time and never deleted one by one: the slot's cursor is a time,
//! and rows below it are dead. Timers of the far future stay in the store until it is their turn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use engine::TaskAction;
use model::{RunId, Time};

use crate::ledger::PendingTask;

/// Most timers that a slot keeps in memory. Later ones stay in the store, from the ledger's
/// horizon on, and are read when the horizon is due.
pub(crate) const TIMERS_MAX: usize = 64;

/// Where a timer stands: when it is due, and its task id.
pub(crate) type TimerKey = (Time, u64);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct TimerLedger {
    pending: BTreeMap<TimerKey, PendingTask>,
    by_run: BTreeSet<(RunId, TimerKey)>,
    /// Timers that were due and whose work takes several commits.
    held: BTreeMap<TimerKey, PendingTask>,
    /// Rows from this key on are in the store only.
    horizon: Option<TimerKey>,
    /// Those of them whose batches, by the seq that they expect, may still be on their way: a
    /// reader of the store may miss them. As many as the commits under way have.
    on_their_way: VecDeque<(u64, TimerKey)>,
    /// Rows due before are done. Never goes back, even when the clock does.
    watermark: Time,
}

impl TimerLedger {
    /// An empty ledger whose rows below `watermark` are done.
    pub(crate) fn starting_at(watermark: Time) -> Self {
        Self { watermark, ..Self::default() }
    }

    /// The time under which a timer is stored: no reader looks below the watermark.
    pub(crate) fn row_time(&self, due: Time) -> Time {
        due.max(self.watermark)
    }

    /// Notes a timer whose row is part of the batch that expects `seq`; those that expect less
    /// than `durable` are in the store.
    pub(crate) fn add_new(&mut self, key: TimerKey, task: PendingTask, seq: u64, durable: u64) {
        self.settle_rows(durable);
        if let Some(left) = self.add(key, task) {
            self.on_their_way.push_back((seq, left));
        }
    }

    /// Notes a timer that was found in the store. Gives the one that is left to the store for it.
    pub(crate) fn add(&mut self, key: TimerKey, task: PendingTask) -> Option<TimerKey> {
        if self.horizon.is_some_and(|horizon| key >= horizon) {
            return Some(key);
        }
        self.by_run.insert((task.run_id, key));
        self.pending.insert(key, task);
        if self.pending.len() <= TIMERS_MAX {
            return None;
        }
        let (last, task) = self.pending.pop_last()?;
        self.by_run.remove(&(task.run_id, last));
        self.horizon = Some(last);
        Some(last)
    }

    fn settle_rows(&mut self, durable: u64) {
        while self.on_their_way.front().is_some_and(|(seq, _)| *seq < durable) {
            self.on_their_way.pop_front();
        }
    }

    /// Drops the timers of a run that have nothing left to do.
    pub(crate) fn settle(&mut self, run_id: RunId, is_current: impl Fn(&TaskAction) -> bool) {
        let first = (run_id, (Time::from_nanos(i64::MIN), 0));
        let last = (run_id, (Time::MAX, u64::MAX));
        let keys = self.by_run.range(first..=last).map(|(_, key)| *key);
        let done: Vec<TimerKey> = keys
            .filter(|key| self.pending.get(key).is_some_and(|task| !is_current(&task.action)))
            .collect();
        for key in done {
            self.finish(key);
        }
    }

    /// Sets a due timer aside while its work goes on; it still holds the cursor.
    pub(crate) fn hold(&mut self, key: TimerKey) {
        if let Some(task) = self.pending.remove(&key) {
            self.by_run.remove(&(task.run_id, key));
            self.held.insert(key, task);
        }
    }

    /// Puts a timer back whose work could not be done.
    pub(crate) fn put_back(&mut self, key: TimerKey) {
        if let Some(task) = self.held.remove(&key) {
            self.by_run.insert((task.run_id, key));
            self.pending.insert(key, task);
        }
    }

    /// Drops one timer.
    pub(crate) fn finish(&mut self, key: TimerKey) {
        self.held.remove(&key);
        if let Some(task) = self.pending.remove(&key) {
            self.by_run.remove(&(task.run_id, key));
        }
    }

    /// The earliest timer that is due.
    pub(crate) fn due(&self, now: Time) -> Option<(TimerKey, PendingTask)> {
        let (key, task) = self.pending.first_key_value()?;
        (key.0 <= now).then_some((*key, *task))
    }

    /// When the slot has something to do next, if ever.
    pub(crate) fn next_due(&self) -> Option<Time> {
        let first = self.pending.first_key_value().map(|(key, _)| key.0);
        first.or(self.horizon.map(|horizon| horizon.0))
    }

    /// The key from which rows are to be read now, because nothing in memory is due earlier.
    pub(crate) fn wants_more(&self, now: Time) -> Option<TimerKey> {
        self.horizon.filter(|horizon| self.pending.is_empty() && horizon.0 <= now)
    }

    /// Rows below `read_to` were read and are about to be added; later ones stay in the store.
    /// `None`: everything was read that batches which expect less than `durable` had.
    pub(crate) fn move_horizon(&mut self, read_to: Option<TimerKey>, durable: u64) {
        self.settle_rows(durable);
        let missed = self.on_their_way.iter().map(|(_, key)| *key).min();
        self.horizon = [read_to, missed].into_iter().flatten().min();
    }

    /// Where a reader of the store starts. Rises as far as the unfinished timers and the clock
    /// allow: a timer that is set later is due later.
    pub(crate) fn cursor(&mut self, now: Time) -> Time {
        let first = self.pending.first_key_value().map(|(key, _)| key.0);
        let horizon = self.horizon.map(|horizon| horizon.0);
        let held = self.held.first_key_value().map(|(key, _)| key.0);
        let bound = [first, held, horizon].into_iter().flatten().fold(now, Time::min);
        self.watermark = self.watermark.max(bound);
        self.watermark
    }
}

#[cfg(test)]
mod tests {
    use engine::TimerRef;

    use super::*;

    const fn at(seconds: i64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    fn timer(run: u8, event: i64) -> PendingTask {
        let action = TaskAction::UserTimer(TimerRef { started_event_id: event });
        PendingTask { run_id: RunId::from_bytes([run; 16]), action }
    }

    #[test]
    fn the_earliest_timer_is_due_first_and_holds_the_cursor() {
        let mut ledger = TimerLedger::starting_at(at(1));
        ledger.add((at(30), 1), timer(1, 1));
        ledger.add((at(20), 2), timer(1, 2));
        assert_eq!(ledger.next_due(), Some(at(20)));
        assert_eq!(ledger.due(at(19)), None);
        assert_eq!(ledger.due(at(20)), Some(((at(20), 2), timer(1, 2))));
        assert_eq!(ledger.cursor(at(10)), at(10));
        assert_eq!(ledger.cursor(at(25)), at(20));
        ledger.finish((at(20), 2));
        assert_eq!(ledger.cursor(at(25)), at(25));
    }

    #[test]
    fn timers_of_a_closed_run_are_dropped() {
        let mut ledger = TimerLedger::default();
        ledger.add((at(30), 1), timer(1, 1));
        ledger.add((at(20), 2), timer(2, 2));
        ledger.settle(RunId::from_bytes([2; 16]), |_| false);
        assert_eq!(ledger.next_due(), Some(at(30)));
        ledger.settle(RunId::from_bytes([1; 16]), |_| true);
        assert_eq!(ledger.next_due(), Some(at(30)));
    }

    #[test]
    fn a_clock_that_goes_back_hides_no_timer() {
        let mut ledger = TimerLedger::default();
        assert_eq!(ledger.cursor(at(100)), at(100));
        assert_eq!(ledger.cursor(at(50)), at(100));
        assert_eq!(ledger.row_time(at(60)), at(100));
        assert_eq!(ledger.row_time(at(160)), at(160));
    }

    #[test]
    fn a_timer_whose_work_goes_on_holds_the_cursor() {
        let mut ledger = TimerLedger::default();
        ledger.add((at(20), 2), timer(1, 2));
        ledger.hold((at(20), 2));
        assert_eq!(ledger.due(at(30)), None);
        assert_eq!(ledger.cursor(at(30)), at(20));
        ledger.put_back((at(20), 2));
        assert_eq!(ledger.due(at(30)), Some(((at(20), 2), timer(1, 2))));
        ledger.hold((at(20), 2));
        ledger.finish((at(20), 2));
        assert_eq!(ledger.cursor(at(30)), at(30));
    }

    #[test]
    fn a_reader_of_the_store_forgets_nothing_that_is_on_its_way_there() {
        let mut ledger = TimerLedger::default();
        for id in 1..=TIMERS_MAX as u64 + 1 {
            ledger.add_new((at(id as i64), id), timer(1, id as i64), 5, 5);
        }
        let left = (at(TIMERS_MAX as i64 + 1), TIMERS_MAX as u64 + 1);
        while let Some((key, _)) = ledger.due(at(1000)) {
            ledger.finish(key);
        }
        assert_eq!(ledger.wants_more(at(1000)), Some(left));
        // The scan began before the batch that expects 5 was in the store.
        ledger.move_horizon(None, 5);
        assert_eq!(ledger.wants_more(at(1000)), Some(left));
        ledger.move_horizon(None, 6);
        assert_eq!(ledger.wants_more(at(1000)), None);
    }

    #[test]
    fn the_far_future_stays_in_the_store() {
        let mut ledger = TimerLedger::default();
        let capacity = TIMERS_MAX as u64;
        for id in 1..=capacity + 5 {
            ledger.add((at(1000 - id as i64), id), timer(1, id as i64));
        }
        assert_eq!(ledger.pending.len(), TIMERS_MAX);
        let horizon = ledger.horizon.unwrap();
        assert_eq!(horizon, (at(995), 5));
        while let Some((key, _)) = ledger.due(at(10_000)) {
            assert_eq!(ledger.wants_more(at(10_000)), None);
            ledger.finish(key);
        }
        assert_eq!(ledger.next_due(), Some(at(995)));
        assert_eq!(ledger.wants_more(at(994)), None);
        assert_eq!(ledger.wants_more(at(995)), Some(horizon));
        assert_eq!(ledger.cursor(at(10_000)), at(995));
        ledger.move_horizon(None, 0);
        ledger.add((at(995), 5), timer(1, 5));
        assert_eq!(ledger.due(at(995)), Some(((at(995), 5), timer(1, 5))));
    }
}
