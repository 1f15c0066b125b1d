//! Which runs stay in memory, over all slots.

use lru::LruCache;
use model::{RunId, SlotId};
use parking_lot::Mutex;

/// Closed runs share so much of the cache: one part in this many.
const CLOSED_SHARE: usize = 16;

/// Most runs that one use of the cache pushes out: those in use come back, and a cache full of
/// them must not be walked through again and again.
const VICTIMS_MAX: usize = 8;

/// A run and its slot.
pub(crate) type CacheKey = (SlotId, RunId);

/// What a run weighs on average, in bytes; never 0.
pub(crate) fn average_weight(runs: usize, bytes: usize) -> usize {
    (bytes / runs.max(1)).max(1)
}

/// The order in which runs leave memory, and what they weigh. The runs themselves are in their
/// slots; whoever adds one evicts those that it pushes out.
#[derive(Debug)]
pub(crate) struct RunCache {
    lists: Mutex<Lists>,
}

#[derive(Debug)]
struct Lists {
    open: List,
    closed: List,
}

#[derive(Debug)]
struct List {
    /// Bounded in bytes.
    runs: LruCache<CacheKey, usize>,
    bytes: usize,
    bytes_max: usize,
}

impl RunCache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let closed = bytes_max / CLOSED_SHARE;
        let lists = Lists { open: List::new(bytes_max - closed), closed: List::new(closed) };
        Self { lists: Mutex::new(lists) }
    }

    /// Notes the use of a run and its weight in bytes. Returns runs that should go; each is
    /// forgotten here, and whoever cannot let go of it notes it again.
    pub(crate) fn touch(
        &self,
        key: CacheKey,
        bytes: usize,
        closed: bool,
    ) -> Vec<(CacheKey, usize)> {
        let mut lists = self.lists.lock();
        let (to, from) = if closed {
            let Lists { open, closed } = &mut *lists;
            (closed, open)
        } else {
            let Lists { open, closed } = &mut *lists;
            (open, closed)
        };
        from.remove(&key);
        to.insert(key, bytes);
        to.overflow()
    }

    /// Notes a run again that cannot be let go of yet.
    pub(crate) fn restore(&self, key: CacheKey, bytes: usize) {
        self.lists.lock().open.insert(key, bytes);
    }

    /// Forgets a run that left memory.
    pub(crate) fn remove(&self, key: &CacheKey) {
        let mut lists = self.lists.lock();
        lists.open.remove(key);
        lists.closed.remove(key);
    }

    /// How many runs there are, and what they weigh in bytes.
    pub(crate) fn usage(&self) -> (usize, usize) {
        let lists = self.lists.lock();
        (lists.open.runs.len() + lists.closed.runs.len(), lists.open.bytes + lists.closed.bytes)
    }
}

impl List {
    fn new(bytes_max: usize) -> Self {
        Self { runs: LruCache::unbounded(), bytes: 0, bytes_max }
    }

    fn insert(&mut self, key: CacheKey, bytes: usize) {
        self.bytes += bytes;
        if let Some(before) = self.runs.put(key, bytes) {
            self.bytes -= before;
        }
    }

    fn remove(&mut self, key: &CacheKey) {
        if let Some(bytes) = self.runs.pop(key) {
            self.bytes -= bytes;
        }
    }

    /// Takes out what does not fit; the run used last always fits.
    fn overflow(&mut self) -> Vec<(CacheKey, usize)> {
        let mut victims = Vec::new();
        while self.bytes > self.bytes_max && self.runs.len() > 1 && victims.len() < VICTIMS_MAX {
            let Some((key, bytes)) = self.runs.pop_lru() else { break };
            self.bytes -= bytes;
            victims.push((key, bytes));
        }
        victims
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(run: u8) -> CacheKey {
        (SlotId::new(0).unwrap(), RunId::from_bytes([run; 16]))
    }

    #[test]
    fn the_least_recently_used_run_goes_first() {
        let cache = RunCache::new(1600);
        assert!(cache.touch(key(1), 500, false).is_empty());
        assert!(cache.touch(key(2), 500, false).is_empty());
        assert!(cache.touch(key(1), 500, false).is_empty());
        assert!(cache.touch(key(3), 500, false).is_empty());
        assert_eq!(cache.touch(key(4), 500, false), [(key(2), 500)]);
        assert_eq!(cache.usage(), (3, 1500));
    }

    #[test]
    fn closed_runs_go_early() {
        let cache = RunCache::new(1600);
        cache.touch(key(1), 60, false);
        assert!(cache.touch(key(1), 60, true).is_empty());
        assert_eq!(cache.touch(key(2), 60, true), [(key(1), 60)]);
        assert_eq!(cache.usage(), (1, 60));
        cache.remove(&key(2));
        assert_eq!(cache.usage(), (0, 0));
    }

    #[test]
    fn a_run_that_weighs_too_much_stays_while_it_is_used() {
        let cache = RunCache::new(1600);
        assert!(cache.touch(key(1), 5000, false).is_empty());
        assert_eq!(cache.touch(key(2), 5, false), [(key(1), 5000)]);
    }
}
