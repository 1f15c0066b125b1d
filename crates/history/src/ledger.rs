//! The unfinished immediate tasks of a slot.
//!
//! Task rows are never deleted one by one. What is unfinished is known in memory; the slot's cursor
//! is the lowest unfinished id and travels with the next commit, and rows below it are dead.
//!
//! What finds no room in memory is under way all the same: it is offered, or carried out, when it
//! is committed, and once when the slot is read. Only whether it is finished is not known before
//! its row is read again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use engine::TaskAction;
use matching::ScheduledTask;
use model::RunId;

/// Most immediate tasks that a slot keeps in memory. The others stay in the store, from the
/// ledger's horizon on, and are read when the memory has drained.
pub(crate) const IMMEDIATE_TASKS_MAX: usize = 256;

/// A blocked cursor may hold up so many rows of finished tasks, or twice the unfinished ones,
/// before the tasks that block it are written again with new ids.
const FINISHED_ROWS_MAX: usize = 256;

/// So many rows may be written past the memory before the tasks in it, for which nobody seems to
/// come, give way: they are written again, and what was finished behind them is passed.
const ROWS_BEYOND_MAX: usize = 1024;

/// A task that waits to be done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PendingTask {
    /// Whose.
    pub(crate) run_id: RunId,
    /// What.
    pub(crate) action: TaskAction,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct ImmediateLedger {
    unfinished: BTreeMap<u64, PendingTask>,
    by_run: BTreeSet<(RunId, u64)>,
    /// Finished rows above the lowest unfinished one.
    finished: BTreeSet<u64>,
    /// Rows from this id on are in the store only.
    horizon: Option<u64>,
    /// How many of them were written since tasks last gave way to them.
    beyond: usize,
    /// Those of them whose batches, by the seq that they expect, may still be on their way: a
    /// reader of the store may miss them. As many as the commits under way have.
    on_their_way: VecDeque<(u64, u64)>,
}

impl ImmediateLedger {
    /// Notes a task whose row is part of this commit, or was found in the store. False when there
    /// is no room: it will be read from the store later.
    pub(crate) fn add(&mut self, task_id: u64, task: PendingTask) -> bool {
        if self.horizon.is_some() {
            return false;
        }
        if self.unfinished.len() >= IMMEDIATE_TASKS_MAX {
            self.horizon = Some(task_id);
            return false;
        }
        self.by_run.insert((task.run_id, task_id));
        self.unfinished.insert(task_id, task);
        true
    }

    /// Like [`add`](Self::add), for a row of the batch that expects `seq`; those that expect less
    /// than `durable` are in the store.
    pub(crate) fn add_new(
        &mut self,
        task_id: u64,
        task: PendingTask,
        seq: u64,
        durable: u64,
    ) -> bool {
        self.settle_rows(durable);
        let found_room = self.add(task_id, task);
        if !found_room {
            self.beyond += 1;
            self.on_their_way.push_back((seq, task_id));
        }
        found_room
    }

    fn settle_rows(&mut self, durable: u64) {
        while self.on_their_way.front().is_some_and(|(seq, _)| *seq < durable) {
            self.on_their_way.pop_front();
        }
    }

    /// The unfinished task of a run that does exactly this.
    pub(crate) fn find(&self, task: &PendingTask) -> Option<u64> {
        let mut ids = self.of_run(task.run_id);
        ids.find(|id| self.unfinished.get(id) == Some(task))
    }

    /// The unfinished tasks that a reference in matching may mean. References outlive the ids of
    /// rows, which are written again when they block the cursor.
    pub(crate) fn dispatches(&self, task: &ScheduledTask) -> Vec<u64> {
        let is_meant = |action: &TaskAction| match action {
            TaskAction::DispatchWorkflowTask(of) => {
                of.scheduled_event_id == task.scheduled_event_id
            }
            TaskAction::DispatchActivity(of) => of.scheduled_event_id == task.scheduled_event_id,
            // Entities have no events, and one task at a time.
            TaskAction::DispatchEntityTask(_) => task.scheduled_event_id == 0,
            _ => false,
        };
        let ids = self.of_run(task.run_id);
        ids.filter(|id| self.unfinished.get(id).is_some_and(|of| is_meant(&of.action))).collect()
    }

    /// Finishes what a reference in matching may mean.
    pub(crate) fn finish_dispatches(&mut self, task: &ScheduledTask) {
        for task_id in self.dispatches(task) {
            self.finish(task_id);
        }
    }

    /// The unfinished tasks that are known.
    pub(crate) fn ids(&self) -> Vec<u64> {
        self.unfinished.keys().copied().collect()
    }

    /// An unfinished task by its id.
    pub(crate) fn get(&self, task_id: u64) -> Option<PendingTask> {
        self.unfinished.get(&task_id).copied()
    }

    fn of_run(&self, run_id: RunId) -> impl Iterator<Item = u64> {
        self.by_run.range((run_id, 0)..=(run_id, u64::MAX)).map(|(_, id)| *id)
    }

    /// Finishes the tasks of a run that have nothing left to do.
    pub(crate) fn settle(&mut self, run_id: RunId, is_current: impl Fn(&TaskAction) -> bool) {
        let done: Vec<u64> = self
            .of_run(run_id)
            .filter(|id| self.unfinished.get(id).is_some_and(|task| !is_current(&task.action)))
            .collect();
        for id in done {
            self.finish(id);
        }
    }

    /// Finishes one task.
    pub(crate) fn finish(&mut self, task_id: u64) {
        let Some(task) = self.unfinished.remove(&task_id) else { return };
        self.by_run.remove(&(task.run_id, task_id));
        self.finished.insert(task_id);
        match self.unfinished.first_key_value() {
            Some((lowest, _)) => self.finished = self.finished.split_off(lowest),
            None => self.finished.clear(),
        }
    }

    /// Where a reader of the store starts, when ids below `next_task_id` are in use.
    pub(crate) fn cursor(&self, next_task_id: u64) -> u64 {
        let lowest = self.unfinished.first_key_value().map(|(lowest, _)| *lowest);
        lowest.or(self.horizon).unwrap_or(next_task_id)
    }

    /// True when so many finished rows may pile up above the cursor that the tasks which block it
    /// are better written again.
    pub(crate) fn is_blocked(&self) -> bool {
        if self.horizon.is_some() {
            return self.beyond > ROWS_BEYOND_MAX;
        }
        self.finished.len() > FINISHED_ROWS_MAX.max(2 * self.unfinished.len())
    }

    /// Takes every unfinished task out, with the id it had, to be added again under new ids in
    /// this commit.
    pub(crate) fn take_blockers(&mut self) -> Vec<(u64, PendingTask)> {
        self.by_run.clear();
        self.finished.clear();
        self.beyond = 0;
        std::mem::take(&mut self.unfinished).into_iter().collect()
    }

    /// Rows from this id on are in the store only.
    pub(crate) fn horizon(&self) -> Option<u64> {
        self.horizon
    }

    /// The id from which rows should be read, once there is room for them.
    pub(crate) fn wants_more(&self) -> Option<u64> {
        self.horizon.filter(|_| self.unfinished.len() <= IMMEDIATE_TASKS_MAX / 2)
    }

    /// Rows below `read_to` were read and are about to be added; from there on they are still in
    /// the store only. `None`: everything was read that batches which expect less than `durable`
    /// had.
    pub(crate) fn move_horizon(&mut self, read_to: Option<u64>, durable: u64) {
        self.settle_rows(durable);
        let missed = self.on_their_way.front().map(|(_, task_id)| *task_id);
        self.horizon = [read_to, missed].into_iter().flatten().min();
        if self.horizon.is_none() {
            self.beyond = 0;
        }
    }

    /// Adds a task that was read, if it is below the horizon: the cursor must not pass those that
    /// the reader missed.
    pub(crate) fn restore(&mut self, task_id: u64, task: PendingTask) -> bool {
        if self.horizon.is_some_and(|horizon| task_id >= horizon) {
            return false;
        }
        self.by_run.insert((task.run_id, task_id));
        self.unfinished.insert(task_id, task);
        true
    }
}

#[cfg(test)]
mod tests {
    use engine::{EntityTaskRef, WorkflowTaskRef};

    use super::*;

    fn task(run: u8) -> PendingTask {
        let action = TaskAction::DispatchWorkflowTask(WorkflowTaskRef::default());
        PendingTask { run_id: RunId::from_bytes([run; 16]), action }
    }

    #[test]
    fn the_cursor_is_the_lowest_unfinished_task() {
        let mut ledger = ImmediateLedger::default();
        assert_eq!(ledger.cursor(5), 5);
        for id in 5..8 {
            assert!(ledger.add(id, task(u8::try_from(id).unwrap())));
        }
        ledger.finish(6);
        assert_eq!(ledger.cursor(8), 5);
        ledger.settle(RunId::from_bytes([5; 16]), |_| false);
        assert_eq!(ledger.cursor(8), 7);
        ledger.settle(RunId::from_bytes([7; 16]), |_| true);
        assert_eq!(ledger.cursor(8), 7);
        ledger.finish(7);
        assert_eq!(ledger.cursor(8), 8);
    }

    #[test]
    fn a_task_that_never_finishes_is_written_again() {
        let mut ledger = ImmediateLedger::default();
        ledger.add(0, task(1));
        let mut id = 1;
        while !ledger.is_blocked() {
            ledger.add(id, task(2));
            ledger.finish(id);
            id += 1;
        }
        assert_eq!(id as usize, FINISHED_ROWS_MAX + 2);
        assert_eq!(ledger.take_blockers(), [(0, task(1))]);
        ledger.add(id, task(1));
        assert_eq!(ledger.cursor(id + 1), id);
        assert!(!ledger.is_blocked());
        let meant = ScheduledTask { run_id: task(1).run_id, scheduled_event_id: 0 };
        assert_eq!(ledger.dispatches(&meant), [id], "a reference finds it under its new id");
        assert!(ledger.dispatches(&ScheduledTask { scheduled_event_id: 1, ..meant }).is_empty());
        let of_entity = TaskAction::DispatchEntityTask(EntityTaskRef { stamp: 3 });
        ledger.add(id + 1, PendingTask { run_id: task(7).run_id, action: of_entity });
        let meant = ScheduledTask { run_id: task(7).run_id, ..meant };
        assert_eq!(ledger.dispatches(&meant), [id + 1], "the task of an entity");
    }

    #[test]
    fn tasks_that_nobody_takes_give_way_to_those_behind_them() {
        let mut ledger = ImmediateLedger::default();
        let capacity = IMMEDIATE_TASKS_MAX as u64;
        let mut id = 0;
        while !ledger.is_blocked() {
            assert_eq!(ledger.add_new(id, task(1), 0, 0), id < capacity);
            id += 1;
        }
        assert_eq!(id as usize, IMMEDIATE_TASKS_MAX + ROWS_BEYOND_MAX + 1);
        assert_eq!(ledger.cursor(id), 0);
        for (_, pending) in ledger.take_blockers() {
            assert!(!ledger.add_new(id, pending, 1, 1));
            id += 1;
        }
        assert_eq!(ledger.cursor(id), capacity);
        assert_eq!(ledger.wants_more(), Some(capacity));
        assert!(!ledger.is_blocked());
    }

    #[test]
    fn a_reader_of_the_store_forgets_nothing_that_is_on_its_way_there() {
        let mut ledger = ImmediateLedger::default();
        let capacity = IMMEDIATE_TASKS_MAX as u64;
        for id in 0..=capacity {
            ledger.add_new(id, task(1), 5, 5);
        }
        for id in 0..capacity {
            ledger.finish(id);
        }
        // The scan began before the batch that expects 5 was in the store.
        ledger.move_horizon(None, 5);
        assert!(!ledger.restore(capacity + 1, task(1)), "the cursor would pass what was missed");
        assert_eq!(ledger.wants_more(), Some(capacity));
        assert_eq!(ledger.cursor(capacity + 1), capacity);
        ledger.move_horizon(None, 6);
        assert_eq!(ledger.wants_more(), None);
    }

    #[test]
    fn what_does_not_fit_stays_in_the_store_until_there_is_room() {
        let mut ledger = ImmediateLedger::default();
        let capacity = IMMEDIATE_TASKS_MAX as u64;
        for id in 0..capacity + 10 {
            assert_eq!(ledger.add(id, task(1)), id < capacity);
        }
        for id in 0..capacity {
            assert_eq!(ledger.wants_more(), (id >= capacity / 2).then_some(capacity));
            ledger.finish(id);
        }
        assert_eq!(ledger.cursor(capacity + 10), capacity);
        ledger.move_horizon(None, 0);
        for id in capacity..capacity + 10 {
            assert!(ledger.restore(id, task(1)));
        }
        assert_eq!(ledger.cursor(capacity + 10), capacity);
        assert!(ledger.add(capacity + 10, task(1)));
    }
}
