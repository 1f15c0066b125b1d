//! An entity in memory.

use std::sync::Arc;

use ::entity::EntityKey;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Held;

/// What an entity weighs in the cache besides its state, in bytes.
const ENTITY_OVERHEAD_BYTES: usize = 1024;

/// An entity as its slot sees it. Behind the slot's lock.
#[derive(Debug)]
pub(crate) struct CachedEntity {
    /// The state that the next decision is made on, whose commit may be in flight; none before the
    /// first, and once the entity is gone.
    pub(crate) head: Option<Arc<dyn Held>>,
    /// Transitions so far.
    pub(crate) version: u64,
    /// What may be shown of it.
    pub(crate) live: Arc<LiveEntity>,
}

/// The durable side of an entity, shared with those who wait for it. Waiting takes no slot lock.
///
/// Whoever holds a reference keeps the entity in the cache.
#[derive(Debug)]
pub(crate) struct LiveEntity {
    /// Which entity.
    pub(crate) key: EntityKey,
    published: Mutex<Published>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Published {
    version: u64,
    state: Option<Arc<dyn Held>>,
    /// The slot lost its memory: ask it again.
    lost: bool,
}

impl CachedEntity {
    /// An entity that was loaded, or is about to be made.
    pub(crate) fn new(key: EntityKey, version: u64, head: Option<Arc<dyn Held>>) -> Self {
        let published = Published { version, state: head.clone(), lost: false };
        let live = LiveEntity { key, published: Mutex::new(published), changed: Notify::new() };
        Self { head, version, live: Arc::new(live) }
    }

    /// About how much memory it takes.
    pub(crate) fn weight(&self) -> usize {
        ENTITY_OVERHEAD_BYTES + self.head.as_ref().map_or(0, |head| head.weight())
    }

    /// True while a commit is in flight or somebody waits for the entity.
    pub(crate) fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.live) > 1
    }
}

impl LiveEntity {
    /// Shows a state that has become durable, and wakes those who wait.
    pub(crate) fn publish(&self, version: u64, state: Option<Arc<dyn Held>>) {
        {
            let mut published = self.published.lock();
            if published.version >= version {
                return;
            }
            published.version = version;
            published.state = state;
        }
        self.changed.notify_waiters();
    }

    /// Sends those who wait back to the slot.
    pub(crate) fn lose(&self) {
        self.published.lock().lost = true;
        self.changed.notify_waiters();
    }

    /// The latest durable state; none before the first commit, and once the entity is gone.
    pub(crate) fn durable(&self) -> Option<Arc<dyn Held>> {
        self.published.lock().state.clone()
    }

    /// True when the slot knows nothing of this object any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.published.lock().lost
    }

    /// The next change, of those that happen after this call.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }
}
