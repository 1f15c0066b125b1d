//! Dead task records are dropped while the engine rewrites its tables, without tombstones.
//!
//! The engine moves a table that overlaps no other without rewriting it. Tasks of several slots or
//! categories always overlap; those of a single slot and category keep their dead rows for longer.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
};

use fjall::compaction::filter::{
    CompactionFilter, CompactionFilterResult, Context, Factory, ItemAccessor, Verdict,
};
use model::{SlotId, Time};
use storage::Cursors;

/// The committed cursors of all slots, as the engine's threads see them. They only rise, so that a
/// reader between two of them sees one that is too low at worst, and keeps a record for longer.
#[derive(Debug, Clone)]
pub(crate) struct CommittedCursors(Arc<[SlotCursors]>);

#[derive(Debug, Default)]
struct SlotCursors {
    immediate: AtomicU64,
    timer: AtomicI64,
    visibility: AtomicU64,
}

impl CommittedCursors {
    pub(crate) fn new() -> Self {
        Self(SlotId::all().map(|_| SlotCursors::default()).collect())
    }

    /// Takes over cursors that are durable.
    pub(crate) fn set(&self, slot: SlotId, cursors: Cursors) {
        if let Some(entry) = self.0.get(usize::from(slot.number())) {
            entry.immediate.store(cursors.immediate, Relaxed);
            entry.timer.store(cursors.timer.nanos(), Relaxed);
            entry.visibility.store(cursors.visibility, Relaxed);
        }
    }

    fn is_done(&self, task_key: &[u8]) -> bool {
        let Some(Ok(slot)) = task_key.get(..2).map(<[u8; 2]>::try_from) else { return false };
        let Some(entry) = self.0.get(usize::from(u16::from_be_bytes(slot))) else { return false };
        let cursors = Cursors {
            immediate: entry.immediate.load(Relaxed),
            timer: Time::from_nanos(entry.timer.load(Relaxed)),
            visibility: entry.visibility.load(Relaxed),
        };
        cursors.cover(task_key)
    }
}

/// Makes the filter of the task table.
pub(crate) struct DoneTaskFilters(pub(crate) CommittedCursors);

struct DoneTaskFilter(CommittedCursors);

impl Factory for DoneTaskFilters {
    fn name(&self) -> &str {
        "done tasks"
    }

    fn make_filter(&self, _: &Context) -> Box<dyn CompactionFilter> {
        Box::new(DoneTaskFilter(self.0.clone()))
    }
}

impl CompactionFilter for DoneTaskFilter {
    fn filter_item(&mut self, item: ItemAccessor<'_>, _: &Context) -> CompactionFilterResult {
        // A task id is never used twice, so that no older version can come back.
        Ok(if self.0.is_done(item.key()) { Verdict::Destroy } else { Verdict::Keep })
    }
}
