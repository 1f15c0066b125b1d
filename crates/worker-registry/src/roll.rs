//! The workers of one namespace.

use std::{
    collections::{BTreeMap, btree_map::Entry as Place},
    ops::Bound,
    sync::Arc,
};

use api::worker::v1::WorkerHeartbeat;
use model::Time;
use prost::Message as _;

use crate::limits::WORKER_TTL;

/// When a worker was heard of: the time, and a number that rises.
pub(crate) type Heard = (Time, u64);

/// Who is there, by key and by age.
#[derive(Debug, Default)]
pub(crate) struct Roll {
    by_key: BTreeMap<String, Entry>,
    by_age: BTreeMap<Heard, String>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    heartbeat: Arc<WorkerHeartbeat>,
    heard: Heard,
    bytes: usize,
}

impl Roll {
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Bytes of all heartbeats.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// A worker says what it is and does.
    pub(crate) fn put(&mut self, heartbeat: WorkerHeartbeat, heard: Heard) {
        let bytes = heartbeat.encoded_len();
        let key = heartbeat.worker_instance_key.clone();
        let entry = Entry { heartbeat: Arc::new(heartbeat), heard, bytes };
        self.by_age.insert(heard, key.clone());
        self.bytes += bytes;
        match self.by_key.entry(key) {
            Place::Vacant(place) => {
                place.insert(entry);
            }
            Place::Occupied(mut place) => {
                let former = place.insert(entry);
                self.by_age.remove(&former.heard);
                self.bytes -= former.bytes;
            }
        }
    }

    /// A worker is gone.
    pub(crate) fn remove(&mut self, key: &str) {
        if let Some(entry) = self.by_key.remove(key) {
            self.by_age.remove(&entry.heard);
            self.bytes -= entry.bytes;
        }
    }

    /// Forgets the one that was heard of longest ago.
    pub(crate) fn remove_oldest(&mut self) {
        if let Some((_, key)) = self.by_age.pop_first()
            && let Some(entry) = self.by_key.remove(&key)
        {
            self.bytes -= entry.bytes;
        }
    }

    /// Forgets those that fell silent.
    pub(crate) fn remove_silent(&mut self, now: Time) {
        while let Some(((heard, _), _)) = self.by_age.first_key_value() {
            if now.since(*heard) < WORKER_TTL {
                return;
            }
            self.remove_oldest();
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Arc<WorkerHeartbeat>> {
        self.by_key.get(key).map(|entry| &entry.heartbeat)
    }

    /// The workers after a key, by key.
    pub(crate) fn after(&self, key: Option<&str>) -> impl Iterator<Item = &Arc<WorkerHeartbeat>> {
        let from = key.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_key.range::<str, _>((from, Bound::Unbounded)).map(|(_, entry)| &entry.heartbeat)
    }
}
