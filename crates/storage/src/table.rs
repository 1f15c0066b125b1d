//! The tables of a store.

/// A table. Each is one ordered keyspace; all but [`Table::Meta`] have the slot as key prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Transition records of a run: encoded event batches and the changes that no event shows.
    History = 1,
    /// Snapshots of a run's state, now and then.
    Run = 2,
    /// The latest run of each workflow id.
    Current = 3,
    /// Durable tasks: immediate ones and timers.
    Task = 4,
    /// The fence and the task cursors of each slot.
    Slot = 5,
    /// What belongs to the whole cell: namespaces, identities, settings.
    Meta = 6,
    /// What is durable and no workflow run: names that point to states, and the states.
    Entity = 7,
    /// Which runs have a part of their history in the records of which others.
    Branch = 8,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 8] = [
        Self::History,
        Self::Run,
        Self::Current,
        Self::Task,
        Self::Slot,
        Self::Meta,
        Self::Entity,
        Self::Branch,
    ];

    /// The name used for files, metrics and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Run => "run",
            Self::Current => "current",
            Self::Task => "task",
            Self::Slot => "slot",
            Self::Meta => "meta",
            Self::Entity => "entity",
            Self::Branch => "branch",
        }
    }

    /// The number bound into the checksum of a record, so that a value cannot move to another table.
    pub const fn tag(self) -> u8 {
        self as u8
    }
}
