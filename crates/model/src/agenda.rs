//! What somebody does, and what it waits for.

use crate::Time;

/// What a run or an entity is about to do. A clock that passes over idle time asks for it, and
/// nobody else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Agenda {
    /// Steps that are due or under way, and that end by themselves in an instant: a workflow task,
    /// news for another run.
    pub steps: u32,
    /// Work of others that takes its time: activities, Nexus operations.
    pub work: u32,
    /// The next time at which something happens by itself.
    pub due: Option<Time>,
}

impl Agenda {
    /// Nothing is done, and nothing will be without a word from outside.
    pub const EMPTY: Self = Self { steps: 0, work: 0, due: None };

    /// Notes that something happens at this time.
    pub fn wait_until(&mut self, due: Time) {
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
    }
}
