//! The row that every slot has: its fence and its cursors.

use bytes::{Buf, BufMut, Bytes};
use model::{SlotId, Time};

use crate::{Damage, Table, TaskCategory, damage, slot_prefix};

/// Counts the owners of a slot: each claim has a higher one than the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u64);

/// How far the durable tasks of a slot are done. Rows below a cursor are dead: no reader starts
/// below it, and a backend may drop them whenever it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursors {
    /// Immediate tasks with a lower id are done.
    pub immediate: u64,
    /// Timers that were due before this time are done.
    pub timer: Time,
    /// Visibility tasks with a lower id are done.
    pub visibility: u64,
}

/// The fence and cursors of a slot, as last committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlotRow {
    /// Who may write.
    pub epoch: Epoch,
    /// Batches committed so far; the next one must expect exactly this.
    pub seq: u64,
    /// Where task reads start.
    pub cursors: Cursors,
    /// Task ids below this may have been used.
    pub next_task_id: u64,
}

const ROW_BYTES: usize = 48;

impl SlotRow {
    /// The stored form: six big-endian numbers.
    pub fn encode(&self) -> Bytes {
        let mut row = Vec::with_capacity(ROW_BYTES);
        row.put_u64(self.epoch.0);
        row.put_u64(self.seq);
        row.put_u64(self.cursors.immediate);
        row.put_i64(self.cursors.timer.nanos());
        row.put_u64(self.cursors.visibility);
        row.put_u64(self.next_task_id);
        row.into()
    }

    /// Reads the stored form of a slot's row.
    pub fn decode(slot: SlotId, mut row: &[u8]) -> Result<Self, Damage> {
        if row.len() != ROW_BYTES {
            let detail = format!("it has {} bytes instead of {ROW_BYTES}", row.len());
            return Err(damage(Table::Slot, &slot_prefix(slot), &detail));
        }
        Ok(Self {
            epoch: Epoch(row.get_u64()),
            seq: row.get_u64(),
            cursors: Cursors {
                immediate: row.get_u64(),
                timer: Time::from_nanos(row.get_i64()),
                visibility: row.get_u64(),
            },
            next_task_id: row.get_u64(),
        })
    }
}

impl Cursors {
    /// True if the task record with this key is done: below the cursor of its category. A backend
    /// may drop such records; no reader asks for them.
    pub fn cover(&self, task_key: &[u8]) -> bool {
        let Some(mut rest) = task_key.get(2..) else { return false };
        if rest.len() != 17 {
            return false;
        }
        let category = rest.get_u8();
        let fire_time = Time::from_nanos(rest.get_i64());
        let task_id = rest.get_u64();
        if category == TaskCategory::Immediate as u8 {
            task_id < self.immediate
        } else if category == TaskCategory::Timer as u8 {
            fire_time < self.timer
        } else if category == TaskCategory::Visibility as u8 {
            task_id < self.visibility
        } else {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TaskKey, task_key};

    fn row() -> SlotRow {
        SlotRow {
            epoch: Epoch(7),
            seq: 42,
            cursors: Cursors { immediate: 10, timer: Time::from_nanos(-5), visibility: 20 },
            next_task_id: 99,
        }
    }

    #[test]
    fn a_row_survives_its_stored_form() {
        let slot = SlotId::new(3).unwrap();
        assert_eq!(SlotRow::decode(slot, &row().encode()), Ok(row()));
        assert!(SlotRow::decode(slot, &row().encode()[1..]).is_err());
    }

    #[test]
    fn cursors_cover_exactly_the_tasks_below_them() {
        let slot = SlotId::new(3).unwrap();
        let covered = |category, fire_time, task_id| {
            let fire_time = Time::from_nanos(fire_time);
            row().cursors.cover(&task_key(slot, TaskKey { category, fire_time, task_id }))
        };
        assert!(covered(TaskCategory::Immediate, 0, 9));
        assert!(!covered(TaskCategory::Immediate, 0, 10));
        assert!(covered(TaskCategory::Timer, -6, 1_000));
        assert!(!covered(TaskCategory::Timer, -5, 0));
        assert!(covered(TaskCategory::Visibility, 0, 19));
        assert!(!covered(TaskCategory::Visibility, 0, 20));
        assert!(!row().cursors.cover(&[0, 3]));
    }
}
