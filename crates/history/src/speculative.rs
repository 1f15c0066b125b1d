//! The timers of speculative workflow tasks: in memory only, like those.

use std::collections::{BTreeMap, BTreeSet};

use engine::TaskAction;
use model::{RunId, Time};

/// At most one timer for each run in the cache: a run has one workflow task, and its start replaces
/// the timer of its waiting.
#[derive(Debug, Default)]
pub(crate) struct SpeculativeTimers {
    by_run: BTreeMap<RunId, (Time, TaskAction)>,
    by_due: BTreeSet<(Time, RunId)>,
}

impl SpeculativeTimers {
    /// Sets a run's timer.
    pub(crate) fn set(&mut self, run_id: RunId, due: Time, action: TaskAction) {
        self.remove(run_id);
        self.by_run.insert(run_id, (due, action));
        self.by_due.insert((due, run_id));
    }

    /// Drops a run's timer.
    pub(crate) fn remove(&mut self, run_id: RunId) {
        if let Some((due, _)) = self.by_run.remove(&run_id) {
            self.by_due.remove(&(due, run_id));
        }
    }

    /// Drops a run's timer if it has nothing left to do.
    pub(crate) fn settle(&mut self, run_id: RunId, is_current: impl Fn(&TaskAction) -> bool) {
        if self.by_run.get(&run_id).is_some_and(|(_, action)| !is_current(action)) {
            self.remove(run_id);
        }
    }

    /// Takes the earliest timer that is due.
    pub(crate) fn take_due(&mut self, now: Time) -> Option<(RunId, TaskAction)> {
        let (due, run_id) = self.by_due.first().copied()?;
        if due > now {
            return None;
        }
        self.by_due.pop_first();
        self.by_run.remove(&run_id).map(|(_, action)| (run_id, action))
    }

    /// When the next one is due.
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.by_due.first().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use engine::WorkflowTaskRef;

    use super::*;

    const fn at(seconds: i64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    fn action(started_event_id: i64) -> TaskAction {
        TaskAction::WorkflowTaskStartToClose(WorkflowTaskRef {
            started_event_id,
            ..WorkflowTaskRef::default()
        })
    }

    #[test]
    fn a_run_has_one_timer_at_a_time() {
        let (one, two) = (RunId::from_bytes([1; 16]), RunId::from_bytes([2; 16]));
        let mut timers = SpeculativeTimers::default();
        timers.set(one, at(5), action(1));
        timers.set(two, at(7), action(2));
        timers.set(one, at(10), action(3));
        assert_eq!(timers.next_due(), Some(at(7)));
        assert_eq!(timers.take_due(at(6)), None);
        assert_eq!(timers.take_due(at(20)), Some((two, action(2))));
        timers.settle(one, |_| true);
        assert_eq!(timers.take_due(at(20)), Some((one, action(3))));
        assert_eq!(timers.next_due(), None);
        timers.set(two, at(7), action(2));
        timers.settle(two, |_| false);
        assert_eq!(timers.next_due(), None);
    }
}
