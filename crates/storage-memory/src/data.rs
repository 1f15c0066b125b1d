//! The tables and what a batch does to them.

use std::collections::BTreeMap;

use bytes::Bytes;
use model::{SlotId, Time};
use storage::{
    CommitError, Cursors, Fences, Record, Scan, SlotBatch, StoreError, Table, TaskCategory,
    TaskKey, Write, envelope, slot_prefix, task_key,
};

type Rows = BTreeMap<Bytes, Bytes>;

/// Sealed records by table and key, and the fences of the slots.
#[derive(Debug, Default)]
pub(crate) struct Data {
    tables: BTreeMap<Table, Rows>,
    pub(crate) fences: Fences,
}

impl Data {
    /// Applies a batch as a whole, or nothing of it.
    pub(crate) fn apply(&mut self, batch: SlotBatch) -> Result<(), CommitError> {
        let before = self.fences.row(batch.slot);
        let row = self.fences.admit(&batch)?;
        for write in batch.writes {
            match write {
                Write::Put { table, key, value, .. } => self.put(table, key, &value),
                Write::Delete { table, key } => self.remove(table, &key),
            }
        }
        self.put(Table::Slot, slot_prefix(batch.slot), &row.encode());
        self.drop_done_tasks(batch.slot, before.cursors, row.cursors);
        Ok(())
    }

    pub(crate) fn put(&mut self, table: Table, key: Bytes, value: &[u8]) {
        let sealed = envelope::seal(table, &key, value);
        self.tables.entry(table).or_default().insert(key, sealed);
    }

    pub(crate) fn remove(&mut self, table: Table, key: &[u8]) {
        if let Some(rows) = self.tables.get_mut(&table) {
            rows.remove(key);
        }
    }

    pub(crate) fn read(&self, table: Table, key: &Bytes) -> Result<Option<Bytes>, StoreError> {
        match self.tables.get(&table).and_then(|rows| rows.get(key)) {
            None => Ok(None),
            Some(sealed) => Ok(Some(envelope::open(table, key, sealed.clone())?)),
        }
    }

    pub(crate) fn scan(&self, scan: &Scan) -> Vec<Record> {
        let Some(rows) = self.tables.get(&scan.table) else { return Vec::new() };
        let in_range = rows
            .range(scan.from.clone()..)
            .take_while(|(key, _)| scan.to.is_empty() || **key < scan.to);
        if !scan.reverse {
            return collect(scan, in_range);
        }
        if scan.to.is_empty() {
            return collect(scan, rows.range(scan.from.clone()..).rev());
        }
        if scan.to <= scan.from {
            return Vec::new();
        }
        collect(scan, rows.range(scan.from.clone()..scan.to.clone()).rev())
    }

    /// Flips one bit of a stored record.
    pub(crate) fn damage(&mut self, table: Table, key: &Bytes) {
        let Some(sealed) = self.tables.get_mut(&table).and_then(|rows| rows.get_mut(key)) else {
            return;
        };
        let mut bytes = sealed.to_vec();
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        *sealed = bytes.into();
    }

    fn drop_done_tasks(&mut self, slot: SlotId, before: Cursors, after: Cursors) {
        let key =
            |category, fire_time, task_id| task_key(slot, TaskKey { category, fire_time, task_id });
        let by_id = |category, before: u64, after: u64| {
            (key(category, Time::UNSET, before), key(category, Time::UNSET, after))
        };
        let ranges = [
            by_id(TaskCategory::Immediate, before.immediate, after.immediate),
            by_id(TaskCategory::Visibility, before.visibility, after.visibility),
            (key(TaskCategory::Timer, before.timer, 0), key(TaskCategory::Timer, after.timer, 0)),
        ];
        let Some(tasks) = self.tables.get_mut(&Table::Task) else { return };
        for (from, to) in ranges {
            while let Some((done, _)) = tasks.range(from.clone()..).next() {
                if *done >= to {
                    break;
                }
                let done = done.clone();
                tasks.remove(&done);
            }
        }
    }
}

fn collect<'a>(scan: &Scan, rows: impl Iterator<Item = (&'a Bytes, &'a Bytes)>) -> Vec<Record> {
    let mut bytes = 0;
    let mut records = Vec::new();
    for (key, sealed) in rows.take(scan.records_max) {
        bytes += sealed.len() - envelope::OVERHEAD_BYTES.min(sealed.len());
        let value = envelope::open(scan.table, key, sealed.clone());
        records.push(Record { key: key.clone(), value });
        if bytes > scan.bytes_max {
            break;
        }
    }
    records
}
