//! Entities as they are stored: a pointer from the id, and the state as a whole.

use ::entity::{EntityKey, EntityKind};
use bytes::Bytes;
use model::{NamespaceId, RunId, SlotId};
use prost::Message;
use storage::{Damage, Table, Write, damage, entity_key, entity_pointer_key};

use super::held::{self, Held};
use crate::current;

/// Tags are part of the stored format: never reuse one.
#[derive(Clone, PartialEq, Message)]
struct PointerRecord {
    /// The full id: the key holds its hash.
    #[prost(string, tag = "1")]
    id: String,
    /// The 16 bytes under which the state is stored.
    #[prost(bytes = "bytes", tag = "2")]
    instance: Bytes,
}

/// Tags are part of the stored format: never reuse one.
#[derive(Clone, PartialEq, Message)]
struct StateRecord {
    #[prost(uint32, tag = "1")]
    kind: u32,
    /// The namespace's 16 bytes.
    #[prost(bytes = "bytes", tag = "2")]
    namespace_id: Bytes,
    #[prost(string, tag = "3")]
    id: String,
    /// Transitions so far.
    #[prost(uint64, tag = "4")]
    version: u64,
    /// The machine's own message.
    #[prost(bytes = "bytes", tag = "5")]
    state: Bytes,
}

/// An entity that was read.
#[derive(Debug)]
pub(super) struct ReadEntity {
    pub(super) key: EntityKey,
    pub(super) version: u64,
    pub(super) head: std::sync::Arc<dyn Held>,
}

pub(super) fn pointer_key(slot: SlotId, key: &EntityKey) -> Bytes {
    entity_pointer_key(slot, key.kind.number(), key.namespace_id, &key.id)
}

pub(super) fn write_pointer(slot: SlotId, key: &EntityKey, instance: RunId) -> Write {
    let record =
        PointerRecord { id: key.id.clone(), instance: Bytes::copy_from_slice(instance.as_bytes()) };
    let value = record.encode_to_vec().into();
    Write::Put {
        table: Table::Entity,
        namespace: Some(key.namespace_id),
        key: pointer_key(slot, key),
        value,
    }
}

/// Another id with the same hash counts as none.
pub(super) fn read_pointer(
    slot: SlotId,
    key: &EntityKey,
    value: Bytes,
) -> Result<Option<RunId>, Damage> {
    let damaged = |what: &str| damage(Table::Entity, &pointer_key(slot, key), what);
    let record = PointerRecord::decode(value).map_err(|error| damaged(&error.to_string()))?;
    if record.id != key.id {
        return Ok(None);
    }
    current::run_id(&record.instance).map(Some).ok_or_else(|| damaged("its id is not 16 bytes"))
}

/// The instance that a pointer names, whatever the id.
pub(crate) fn pointed_at(value: &Bytes) -> Option<RunId> {
    current::run_id(&PointerRecord::decode(value.clone()).ok()?.instance)
}

pub(super) fn write_state(
    slot: SlotId,
    key: &EntityKey,
    instance: RunId,
    version: u64,
    head: &dyn Held,
) -> Write {
    let record = StateRecord {
        kind: key.kind.number().into(),
        namespace_id: Bytes::copy_from_slice(key.namespace_id.as_bytes()),
        id: key.id.clone(),
        version,
        state: head.encode().into(),
    };
    let value = record.encode_to_vec().into();
    Write::Put {
        table: Table::Entity,
        namespace: Some(key.namespace_id),
        key: entity_key(slot, instance),
        value,
    }
}

pub(super) fn read_state(
    slot: SlotId,
    instance: RunId,
    value: Bytes,
) -> Result<ReadEntity, Damage> {
    let damaged = |what: &str| damage(Table::Entity, &entity_key(slot, instance), what);
    let record = StateRecord::decode(value).map_err(|error| damaged(&error.to_string()))?;
    let kind = EntityKind::from_number(record.kind)
        .ok_or_else(|| damaged("this program does not know its kind"))?;
    let namespace_id = <[u8; 16]>::try_from(record.namespace_id.as_ref())
        .map_err(|_| damaged("its namespace id is not 16 bytes"))?;
    let head = held::decode(kind, record.state).map_err(|error| damaged(&error.to_string()))?;
    let namespace_id = NamespaceId::from_bytes(namespace_id);
    let key = EntityKey { kind, namespace_id, id: record.id };
    Ok(ReadEntity { key, version: record.version, head })
}
