//! All queues of a node.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use model::{Span, Time};
use parking_lot::RwLock;
use task_queue::{POLLER_TTL, QueueSettings, STICKY_POLL_WINDOW, TaskQueueKey};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::{
    hub::Hub,
    limits::MatchingLimits,
    queue::{LockedQueue, Queue},
};

/// More shards than cores, so that two look-ups seldom meet.
const SHARDS: usize = 32;
/// A shard looks for idle queues no more often, and only when a queue is added to it.
const SWEEP_EVERY: Span = Span::from_secs(60);
/// The same when there are too many queues.
const SWEEP_EVERY_WHEN_FULL: Span = Span::from_secs(1);

/// A map of queues in shards. Its order decides nothing.
#[derive(Debug)]
pub(crate) struct Registry<D> {
    hub: Arc<Hub>,
    limits: MatchingLimits,
    shards: Vec<RwLock<Shard<D>>>,
    count: AtomicUsize,
    /// The settings of the queues that have some, by keys without a version.
    settings: RwLock<BTreeMap<TaskQueueKey, QueueSettings>>,
}

#[derive(Debug)]
struct Shard<D> {
    queues: HashMap<TaskQueueKey, Arc<Queue<D>>>,
    swept: Time,
}

impl<D> Registry<D> {
    pub(crate) fn new(hub: Arc<Hub>, limits: MatchingLimits) -> Self {
        let swept = hub.now();
        let shard = || RwLock::new(Shard { queues: HashMap::new(), swept });
        Self {
            hub,
            limits,
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            count: AtomicUsize::new(0),
            settings: RwLock::default(),
        }
    }

    /// Locks a queue that exists.
    pub(crate) fn lock(&self, key: &TaskQueueKey) -> Option<LockedQueue<D>> {
        let locked = self.find(key)?.lock();
        (!locked.is_removed()).then_some(locked)
    }

    /// Locks a queue, made if it does not exist. `None` when there are too many.
    pub(crate) fn lock_or_add(&self, key: &TaskQueueKey, now: Time) -> Option<LockedQueue<D>> {
        loop {
            let locked = self.find_or_add(key, now)?.lock();
            // It may have been removed between the look-up and the lock.
            if !locked.is_removed() {
                return Some(locked);
            }
        }
    }

    /// Takes a queue out. Nothing is added to it after this.
    pub(crate) fn remove(&self, key: &TaskQueueKey) -> Option<LockedQueue<D>> {
        let queue = self.shard(key)?.write().queues.remove(key)?;
        let mut locked = queue.lock();
        locked.mark_removed();
        self.count.fetch_sub(1, Ordering::Relaxed);
        self.hub.queues_changed();
        Some(locked)
    }

    /// All queues, by key.
    pub(crate) fn all(&self) -> Vec<Arc<Queue<D>>> {
        let mut queues: Vec<Arc<Queue<D>>> = Vec::with_capacity(self.count());
        for shard in &self.shards {
            queues.extend(shard.read().queues.values().cloned());
        }
        queues.sort_unstable_by(|left, right| left.key.cmp(&right.key));
        queues
    }

    /// All queues of a key's name and type, whatever their version, by version.
    pub(crate) fn family(&self, key: &TaskQueueKey) -> Vec<Arc<Queue<D>>> {
        let Some(shard) = self.shard(key) else { return Vec::new() };
        let shard = shard.read();
        let mut family: Vec<_> =
            shard.queues.values().filter(|queue| is_related(&queue.key, key)).cloned().collect();
        family.sort_unstable_by(|left, right| left.key.cmp(&right.key));
        family
    }

    /// Keeps the settings of a queue, for its versions that are made later.
    pub(crate) fn keep_settings(&self, key: &TaskQueueKey, settings: &QueueSettings) {
        let key = key.with_version(None);
        let mut kept = self.settings.write();
        if *settings == QueueSettings::default() {
            kept.remove(&key);
        } else {
            kept.insert(key, settings.clone());
        }
    }

    fn is_full(&self) -> bool {
        self.count() >= self.limits.queues_max
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn find(&self, key: &TaskQueueKey) -> Option<Arc<Queue<D>>> {
        self.shard(key)?.read().queues.get(key).cloned()
    }

    fn find_or_add(&self, key: &TaskQueueKey, now: Time) -> Option<Arc<Queue<D>>> {
        if let Some(queue) = self.find(key) {
            return Some(queue);
        }
        let mut shard = self.shard(key)?.write();
        if let Some(queue) = shard.queues.get(key) {
            return Some(Arc::clone(queue));
        }
        self.sweep(&mut shard, now);
        if self.is_full() {
            return None;
        }
        let limits = self.limits.queue.clone();
        let queue = Arc::new(Queue::new(key.clone(), Arc::clone(&self.hub), limits, now));
        if let Some(other) = shard.queues.values().find(|other| is_related(&other.key, key)) {
            queue.lock().core().share_rate_limit(other.lock().core());
        }
        if let Some(settings) = self.settings.read().get(&key.with_version(None)) {
            queue.lock().core().configure(settings.clone());
        }
        shard.queues.insert(key.clone(), Arc::clone(&queue));
        self.count.fetch_add(1, Ordering::Relaxed);
        self.hub.queues_changed();
        Some(queue)
    }

    /// Drops idle queues, now and then. What a queue remembers (pollers of the last five minutes, a
    /// worker's rate limit) is of no use by then; when there are too many, less is kept, and
    /// backlogs that nobody works on go back to their slots, which know what of them is still due.
    fn sweep(&self, shard: &mut Shard<D>, now: Time) {
        let is_full = self.is_full();
        let (every, idle) = if is_full {
            (SWEEP_EVERY_WHEN_FULL, STICKY_POLL_WINDOW)
        } else {
            (SWEEP_EVERY, POLLER_TTL)
        };
        if now.since(shard.swept) < every {
            return;
        }
        shard.swept = now;
        let before = shard.queues.len();
        shard.queues.retain(|_, queue| {
            let mut locked = queue.lock();
            let core = locked.core();
            let abandoned = core.is_abandoned(now);
            if abandoned && is_full && !core.is_sticky() {
                self.hub.add_homeless(core.take_all_overflow());
                self.hub.add_dropped(core.drain_backlog());
            }
            let goes = core.is_idle(idle, now) || (abandoned && (is_full || core.is_sticky()));
            if goes {
                locked.mark_removed();
            }
            !goes
        });
        let removed = before - shard.queues.len();
        if removed > 0 {
            self.count.fetch_sub(removed, Ordering::Relaxed);
            self.hub.queues_changed();
        }
    }

    fn shard(&self, key: &TaskQueueKey) -> Option<&RwLock<Shard<D>>> {
        // Not the maps' hash, which differs from run to run: what is swept together must not.
        let seed = key.namespace_id.uuid().as_u64_pair().1;
        #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash will do")]
        let number = xxh3_64_with_seed(key.name.as_bytes(), seed) as usize % SHARDS;
        self.shards.get(number)
    }
}

/// Whether two keys are of the same queue, of any version.
fn is_related(one: &TaskQueueKey, other: &TaskQueueKey) -> bool {
    one.namespace_id == other.namespace_id
        && one.task_type == other.task_type
        && one.name == other.name
}
