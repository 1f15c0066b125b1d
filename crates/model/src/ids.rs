//! Identifiers. Those that we make are UUIDs; those that users choose stay strings.

use std::{fmt, str::FromStr};

use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

/// The text is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a UUID")]
pub struct IdError(pub String);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID behind the id.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The 16 bytes used in store keys.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Reads the 16 bytes of a store key.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.hyphenated(), formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError(text.to_owned()))
            }
        }
    };
}

uuid_id! {
    /// The permanent id of a namespace; its name may change.
    NamespaceId
}

uuid_id! {
    /// The id of one run of a workflow.
    RunId
}

impl RunId {
    /// The id that belongs to an event of this run and to no other: the same in every attempt, so
    /// that a run which it names exists at most once. Part of the stored format: never changes.
    ///
    /// It begins as the run's own id does, with a time, so that runs of one time are neighbours.
    #[must_use]
    pub fn derived(self, event_id: i64) -> Self {
        let mut hash = Xxh3::new();
        hash.update(self.as_bytes());
        hash.update(&event_id.to_be_bytes());
        let mut bytes = hash.digest128().to_be_bytes();
        for (byte, own) in bytes.iter_mut().zip(self.as_bytes()).take(TIME_BYTES) {
            *byte = *own;
        }
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

/// Bytes of a run id that hold its time.
const TIME_BYTES: usize = 6;

/// What identifies a workflow across its runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkflowKey {
    /// The namespace that the workflow lives in.
    pub namespace_id: NamespaceId,
    /// The user's id; unique among the open workflows of the namespace.
    pub workflow_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_run_id_is_always_the_same_and_belongs_to_one_event() {
        let run = RunId::from_bytes([7; 16]);
        assert_eq!(run.derived(5).to_string(), run.derived(5).to_string());
        assert_ne!(run.derived(5), run.derived(6));
        assert_ne!(run.derived(5), RunId::from_bytes([8; 16]).derived(5));
        assert!(run.derived(5).to_string().starts_with("07070707-0707-8"));
    }
}
