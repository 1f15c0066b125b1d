//! Tasks and what puts them in order.

use std::sync::Arc;

use model::{RunId, SlotId, Time};

/// A priority from 1 (first) to 5 (last).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PriorityKey(u8);

impl PriorityKey {
    /// The first of all.
    pub const FIRST: Self = Self(1);
    /// The last of all.
    pub const LAST: Self = Self(5);

    /// Reads the API's number: 0 (not set) is the default, and everything else is moved into the
    /// range.
    pub fn from_proto(number: i32) -> Self {
        match number {
            0 => Self::default(),
            _ => Self(u8::try_from(number.clamp(1, 5)).unwrap_or(Self::LAST.0)),
        }
    }

    /// The number.
    pub const fn number(self) -> i32 {
        self.0 as i32
    }
}

impl Default for PriorityKey {
    fn default() -> Self {
        Self(3)
    }
}

/// What decides a task's place in the backlog.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskOrder {
    /// Lower keys go first.
    pub priority: PriorityKey,
    /// Whose share of the priority the task counts against, where fairness is on.
    pub fairness_key: Option<Arc<str>>,
    /// The share's weight; anything but a positive number counts as 1.
    pub fairness_weight: f32,
    /// When the task was created; older ones go first.
    pub created: Time,
}

impl TaskOrder {
    /// The order of a task with neither priority nor fairness.
    pub fn created_at(created: Time) -> Self {
        Self { priority: PriorityKey::default(), fairness_key: None, fairness_weight: 1.0, created }
    }
}

/// Which task a reference means. Its row may be written again under another id; this stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScheduledTask {
    /// The run.
    pub run_id: RunId,
    /// The event that scheduled the task.
    pub scheduled_event_id: i64,
}

/// A reference to a committed task that no worker has started. The task itself lives in its slot,
/// which alone decides whether a reference still means something.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuedTask {
    /// The slot that owns the run.
    pub slot: SlotId,
    /// The run.
    pub run_id: RunId,
    /// The id of the durable task in its slot.
    pub task_id: u64,
    /// The event that scheduled the task.
    pub scheduled_event_id: i64,
    /// A workflow task's attempt; 0 for other tasks.
    pub attempt: i32,
    /// An activity's stamp; 0 for other tasks.
    pub stamp: u32,
    /// Its place in the backlog.
    pub order: TaskOrder,
}

impl QueuedTask {
    /// Which task it means.
    pub fn scheduled(&self) -> ScheduledTask {
        ScheduledTask { run_id: self.run_id, scheduled_event_id: self.scheduled_event_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_of_the_api_are_moved_into_the_range() {
        let numbers = [-7, 0, 1, 3, 5, 6, i32::MAX];
        let read = numbers.map(|number| PriorityKey::from_proto(number).number());
        assert_eq!(read, [1, 3, 1, 3, 5, 5, 5]);
    }
}
