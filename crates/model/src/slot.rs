//! Slots: the fixed units of ownership (design decision D5).

use xxhash_rust::xxh3::Xxh3;

use crate::WorkflowKey;

/// How many slots there are. A constant that nobody chooses: slots are cheap when idle, and 4,096
/// of them are enough to spread over any cluster that one store can feed.
pub const SLOT_COUNT: u16 = 4096;

/// A unit of ownership: all runs of a workflow id, and everything else with the same hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(u16);

impl SlotId {
    /// The slot with this number, or `None` past [`SLOT_COUNT`].
    pub const fn new(number: u16) -> Option<Self> {
        if number < SLOT_COUNT { Some(Self(number)) } else { None }
    }

    /// The slot of a workflow. Part of the stored format: never changes.
    #[expect(clippy::cast_possible_truncation, reason = "the remainder is below SLOT_COUNT")]
    pub fn of(key: &WorkflowKey) -> Self {
        let mut hash = Xxh3::new();
        hash.update(key.namespace_id.as_bytes());
        hash.update(key.workflow_id.as_bytes());
        Self((hash.digest() % u64::from(SLOT_COUNT)) as u16)
    }

    /// The slot of an entity that is no workflow. Part of the stored format: never changes. Entities
    /// of one id but different kinds are spread as those of different ids.
    #[expect(clippy::cast_possible_truncation, reason = "the remainder is below SLOT_COUNT")]
    pub fn of_entity(namespace_id: crate::NamespaceId, kind: u8, id: &str) -> Self {
        let mut hash = Xxh3::new();
        hash.update(namespace_id.as_bytes());
        // No text has this byte: no workflow id reads like an entity's.
        hash.update(&[0xff, kind]);
        hash.update(id.as_bytes());
        Self((hash.digest() % u64::from(SLOT_COUNT)) as u16)
    }

    /// The slot's number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Every slot in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SLOT_COUNT).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NamespaceId;

    #[test]
    fn the_slot_of_a_workflow_never_changes() {
        let key = WorkflowKey {
            namespace_id: NamespaceId::from_bytes([7; 16]),
            workflow_id: "order-1".to_owned(),
        };
        assert_eq!(SlotId::of(&key).number(), SlotId::of(&key).number());
        assert_eq!(SlotId::new(SLOT_COUNT), None);
        assert_eq!(SlotId::all().count(), usize::from(SLOT_COUNT));
    }
}
