//! Tasks of a slot that matching had no room for.

use std::collections::BTreeSet;

use matching::ScheduledTask;

use crate::ledger::IMMEDIATE_TASKS_MAX;

/// Most of them that are known one by one: as many as a slot keeps in memory at all. The others are
/// found by their rows.
const REFUSED_MAX: usize = IMMEDIATE_TASKS_MAX;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct RefusedTasks {
    /// Those that are known.
    pub(crate) tasks: BTreeSet<ScheduledTask>,
    /// There are, or were, others.
    pub(crate) more: bool,
}

impl RefusedTasks {
    pub(crate) fn add(&mut self, task: ScheduledTask) {
        if self.tasks.len() < REFUSED_MAX {
            self.tasks.insert(task);
        } else if !self.tasks.contains(&task) {
            self.more = true;
        }
    }

    /// Matching has taken it after all.
    pub(crate) fn remove(&mut self, task: &ScheduledTask) {
        self.tasks.remove(task);
    }
}
