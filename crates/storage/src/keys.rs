//! Keys: big-endian, so that byte order is the order of slots, runs, events and times.

use bytes::{BufMut, Bytes, BytesMut};
use model::{NamespaceId, RunId, SlotId, Time};
use xxhash_rust::xxh3::xxh3_128;

/// What a durable task is for. Part of the key: never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TaskCategory {
    /// Work that is due at once: dispatch to a task queue, calls to other workflows.
    Immediate = 1,
    /// Work that is due at a time.
    Timer = 2,
    /// A change that the visibility index still has to take.
    Visibility = 3,
}

/// Where a durable task stands in its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKey {
    /// What the task is for.
    pub category: TaskCategory,
    /// When it is due; [`Time::UNSET`] for tasks that are not timers.
    pub fire_time: Time,
    /// Unique and rising within the slot.
    pub task_id: u64,
}

/// The prefix of every key of a slot.
pub fn slot_prefix(slot: SlotId) -> Bytes {
    Bytes::copy_from_slice(&slot.number().to_be_bytes())
}

/// The prefix of every transition record of one branch of a run's history.
pub fn history_prefix(slot: SlotId, tree: RunId, branch: u32) -> Bytes {
    let mut key = Vec::with_capacity(22);
    key.put_u16(slot.number());
    key.put_slice(tree.as_bytes());
    key.put_u32(branch);
    key.into()
}

/// A transition record: `next_event_id` is the id that its first event has or, if it holds none,
/// the next one would have; `version` counts the run's transitions and breaks ties.
pub fn history_key(
    slot: SlotId,
    tree: RunId,
    branch: u32,
    next_event_id: i64,
    version: u64,
) -> Bytes {
    let mut key = Vec::with_capacity(38);
    key.put_slice(&history_prefix(slot, tree, branch));
    key.put_i64(next_event_id);
    key.put_u64(version);
    key.into()
}

/// The snapshot of a run.
pub fn run_key(slot: SlotId, run: RunId) -> Bytes {
    let mut key = Vec::with_capacity(18);
    key.put_u16(slot.number());
    key.put_slice(run.as_bytes());
    key.into()
}

/// The latest run of a workflow id. The id is hashed, so that keys hold no user data; the full id
/// stands in the value and is compared on read.
pub fn current_key(slot: SlotId, namespace: NamespaceId, workflow_id: &str) -> Bytes {
    let mut key = Vec::with_capacity(34);
    key.put_u16(slot.number());
    key.put_slice(namespace.as_bytes());
    key.put_u128(xxh3_128(workflow_id.as_bytes()));
    key.into()
}

/// The prefix of the pointers of a namespace's workflows in a slot.
pub fn current_prefix(slot: SlotId, namespace: NamespaceId) -> Bytes {
    let mut key = Vec::with_capacity(18);
    key.put_u16(slot.number());
    key.put_slice(namespace.as_bytes());
    key.into()
}

/// The state of an entity that is no run.
pub fn entity_key(slot: SlotId, entity: RunId) -> Bytes {
    let mut key = Vec::with_capacity(19);
    key.put_slice(&entity_prefix(slot));
    key.put_slice(entity.as_bytes());
    key.into()
}

/// The prefix of the states of a slot's entities.
pub fn entity_prefix(slot: SlotId) -> Bytes {
    let mut key = Vec::with_capacity(3);
    key.put_u16(slot.number());
    key.put_u8(1);
    key.into()
}

/// The pointer from an entity's id to its state; kinds have ids of their own. The id is hashed and
/// stands in full in the value, as that of a workflow.
pub fn entity_pointer_key(slot: SlotId, kind: u8, namespace: NamespaceId, id: &str) -> Bytes {
    let mut key = Vec::with_capacity(36);
    key.put_u16(slot.number());
    key.put_u8(2);
    key.put_u8(kind);
    key.put_slice(namespace.as_bytes());
    key.put_u128(xxh3_128(id.as_bytes()));
    key.into()
}

/// The prefix of the pointers of a namespace's entities of one kind in a slot.
pub fn entity_pointer_prefix(slot: SlotId, kind: u8, namespace: NamespaceId) -> Bytes {
    let mut key = Vec::with_capacity(20);
    key.put_u16(slot.number());
    key.put_u8(2);
    key.put_u8(kind);
    key.put_slice(namespace.as_bytes());
    key.into()
}

/// Notes that a run has a part of its history in another run's records.
pub fn branch_key(slot: SlotId, tree: RunId, run: RunId) -> Bytes {
    let mut key = Vec::with_capacity(34);
    key.put_slice(&run_key(slot, tree));
    key.put_slice(run.as_bytes());
    key.into()
}

/// A durable task.
pub fn task_key(slot: SlotId, task: TaskKey) -> Bytes {
    let mut key = Vec::with_capacity(19);
    key.put_u16(slot.number());
    key.put_u8(task.category as u8);
    key.put_i64(task.fire_time.nanos());
    key.put_u64(task.task_id);
    key.into()
}

/// The first key after every key with this prefix; empty when there is none (all bytes 0xff).
pub fn prefix_end(prefix: &[u8]) -> Bytes {
    let mut end = BytesMut::from(prefix);
    while let Some(last) = end.last_mut() {
        if *last < u8::MAX {
            *last += 1;
            break;
        }
        end.truncate(end.len() - 1);
    }
    end.freeze()
}
