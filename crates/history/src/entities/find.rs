//! Finding entities in memory and in the store.

use ::entity::EntityKey;
use model::{RunId, SlotId};
use storage::{Scan, Table, entity_key, entity_prefix, prefix_end};

use super::{CachedEntity, records};
use crate::{HistoryError, node::Node, slot::Slot};

/// States that are read at once, and their bytes (1 MiB).
const SCAN_RECORDS_MAX: usize = 256;
const SCAN_BYTES_MAX: usize = 1024 * 1024;

impl Node {
    /// Finds and loads an entity, if there is one.
    pub(crate) async fn find_entity(
        &self,
        slot: &mut Slot,
        key: &EntityKey,
    ) -> Result<Option<RunId>, HistoryError> {
        if let Some(instance) = slot.entity_ids.get(key).copied()
            && let Some(cached) = slot.entities.get(&instance)
        {
            // What is gone stays in memory until the store knows.
            return Ok(cached.head.as_ref().map(|_| instance));
        }
        let pointer = self.store.read(Table::Entity, records::pointer_key(slot.id, key)).await?;
        let Some(pointer) = pointer else { return Ok(None) };
        let Some(instance) = records::read_pointer(slot.id, key, pointer)? else { return Ok(None) };
        Ok(self.load_entity(slot, instance).await?.then_some(instance))
    }

    /// Puts an entity into memory; false when there is none.
    pub(crate) async fn load_entity(
        &self,
        slot: &mut Slot,
        instance: RunId,
    ) -> Result<bool, HistoryError> {
        if let Some(cached) = slot.entities.get(&instance) {
            self.metrics.cache_hit();
            return Ok(cached.head.is_some());
        }
        let value = self.store.read(Table::Entity, entity_key(slot.id, instance)).await?;
        let Some(value) = value else { return Ok(false) };
        let read = records::read_state(slot.id, instance, value)?;
        let cached = CachedEntity::new(read.key.clone(), read.version, Some(read.head));
        let weight = cached.weight();
        slot.entity_ids.insert(read.key, instance);
        slot.entities.insert(instance, cached);
        self.note_use(slot, instance, weight, false);
        Ok(true)
    }

    /// The instances of a slot's entities that are in the store, from one on.
    pub(crate) async fn scan_entities(
        &self,
        slot: SlotId,
        after: Option<RunId>,
    ) -> Result<Vec<RunId>, HistoryError> {
        let prefix = entity_prefix(slot);
        let from = match after {
            Some(after) => [entity_key(slot, after).as_ref(), &[0]].concat().into(),
            None => prefix.clone(),
        };
        let scan = Scan {
            table: Table::Entity,
            from,
            to: prefix_end(&prefix),
            reverse: false,
            records_max: SCAN_RECORDS_MAX,
            bytes_max: SCAN_BYTES_MAX,
        };
        let found = self.store.scan(scan).await?;
        let instance = |key: &[u8]| crate::current::run_id(key.get(3..)?);
        Ok(found.iter().filter_map(|record| instance(&record.key)).collect())
    }
}
