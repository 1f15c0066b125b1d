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
    /// Finds and loads the entity that has an id, if there is one; or one that has or had it.
    pub(crate) async fn find_instance(
        &self,
        slot: &mut Slot,
        key: &EntityKey,
        instance: Option<RunId>,
    ) -> Result<Option<RunId>, HistoryError> {
        let Some(instance) = instance else { return self.find_entity(slot, key).await };
        let found = self.load_entity(slot, instance).await?;
        let cached = slot.entities.get(&instance).filter(|_| found);
        Ok(cached.filter(|cached| cached.live.key == *key).map(|_| instance))
    }

    /// True when an entity has its id for itself: no later one took it over.
    pub(super) async fn has_id(
        &self,
        slot: &Slot,
        key: &EntityKey,
        instance: RunId,
    ) -> Result<bool, HistoryError> {
        if let Some(latest) = slot.entity_ids.get(key) {
            return Ok(*latest == instance);
        }
        let pointer = self.store.read(Table::Entity, records::pointer_key(slot.id, key)).await?;
        let Some(pointer) = pointer else { return Ok(false) };
        Ok(records::read_pointer(slot.id, key, pointer)? == Some(instance))
    }

    /// Finds and loads the entity that has an id, if there is one.
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
        if !self.load_entity(slot, instance).await? {
            return Ok(None);
        }
        slot.entity_ids.insert(key.clone(), instance);
        Ok(Some(instance))
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
        let cached = CachedEntity::new(read.key, read.version, Some(read.head));
        let weight = cached.weight();
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
