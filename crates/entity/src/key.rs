//! What an entity is called.

use model::{NamespaceId, SlotId};

/// A kind of entity; each has ids of its own. Part of the stored format: never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EntityKind {
    /// A schedule.
    Schedule = 1,
    /// A batch operation.
    BatchOperation = 2,
    /// A worker deployment with its versions.
    WorkerDeployment = 3,
    /// An activity that no workflow runs.
    Activity = 4,
    /// A Nexus operation that no workflow runs.
    NexusOperation = 5,
}

impl EntityKind {
    /// The number in keys and records.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Reads a stored number.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Schedule),
            2 => Some(Self::BatchOperation),
            3 => Some(Self::WorkerDeployment),
            4 => Some(Self::Activity),
            5 => Some(Self::NexusOperation),
            _ => None,
        }
    }
}

/// What identifies an entity as long as it exists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityKey {
    /// Its kind.
    pub kind: EntityKind,
    /// The namespace that it lives in.
    pub namespace_id: NamespaceId,
    /// The user's id; unique among the entities of this kind in the namespace.
    pub id: String,
}

impl EntityKey {
    /// The slot that it lives in.
    pub fn slot(&self) -> SlotId {
        SlotId::of_entity(self.namespace_id, self.kind.number(), &self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_kind_is_read_back() {
        for number in 1..=5 {
            let kind = EntityKind::from_number(number).unwrap();
            assert_eq!(u32::from(kind.number()), number);
        }
        assert_eq!(EntityKind::from_number(0), None);
        assert_eq!(EntityKind::from_number(6), None);
    }
}
