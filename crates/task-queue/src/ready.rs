//! Items that somebody waits for right now, such as queries.

use std::collections::BTreeMap;

use model::Time;

/// Names a ready item of one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadyId(u64);

/// Ready items, first come first served. They need no commit and count against no rate limit.
#[derive(Debug)]
pub(crate) struct ReadyItems<R> {
    items: BTreeMap<ReadyId, (Time, R)>,
    next_id: u64,
}

impl<R> ReadyItems<R> {
    pub(crate) const fn new() -> Self {
        Self { items: BTreeMap::new(), next_id: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// A fresh id for an item.
    pub(crate) fn next_id(&mut self) -> ReadyId {
        let id = ReadyId(self.next_id);
        self.next_id += 1;
        id
    }

    pub(crate) fn insert(&mut self, id: ReadyId, deadline: Time, item: R) {
        self.items.insert(id, (deadline, item));
    }

    /// Takes the first item that is not too late.
    pub(crate) fn take(&mut self, now: Time) -> Option<(ReadyId, Time, R)> {
        while let Some((id, (deadline, item))) = self.items.pop_first() {
            if deadline > now {
                return Some((id, deadline, item));
            }
        }
        None
    }

    /// Takes everything.
    pub(crate) fn drain(&mut self) -> Vec<R> {
        std::mem::take(&mut self.items).into_values().map(|(_, item)| item).collect()
    }

    /// Takes an item back.
    pub(crate) fn withdraw(&mut self, id: ReadyId) -> Option<R> {
        self.items.remove(&id).map(|(_, item)| item)
    }
}
