//! Keys by their ids: one to encrypt with, all to decrypt with.

use std::{collections::BTreeMap, fmt};

use zeroize::Zeroizing;

/// Most keys of a ring. Each rotation adds one; those that no data needs are taken out.
pub const KEYS_MAX: usize = 1_000;

/// A set of keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Two keys have one id.
    #[error("the key {0:?} is there twice")]
    Duplicate(String),
    /// A key has no id.
    #[error("a key has no id")]
    NoId,
    /// Not 256 bits.
    #[error("the key {id:?} has {length} bytes, not 32")]
    Length {
        /// Which.
        id: String,
        /// Its length.
        length: usize,
    },
    /// A line of a key file is none.
    #[error("line {0} of the keys is not `ID: KEY IN BASE64`")]
    Line(usize),
    /// Nothing to encrypt with.
    #[error("there is no key")]
    Empty,
    /// See [`KEYS_MAX`].
    #[error("there are more than {KEYS_MAX} keys")]
    TooMany,
    /// The file cannot be read.
    #[error("the keys cannot be read: {0}")]
    Unreadable(String),
}

/// See the module. The keys are wiped from memory when the last copy of the ring is dropped, and
/// never printed.
#[derive(Clone)]
pub struct KeyRing {
    primary: String,
    keys: BTreeMap<String, Zeroizing<[u8; 32]>>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.keys.keys().collect();
        formatter
            .debug_struct("KeyRing")
            .field("primary", &self.primary)
            .field("ids", &ids)
            .finish()
    }
}

impl KeyRing {
    /// A ring with the key that encrypts.
    pub fn new(id: impl Into<String>, key: [u8; 32]) -> Self {
        let primary = id.into();
        Self { keys: [(primary.clone(), Zeroizing::new(key))].into(), primary }
    }

    /// The same with another key that decrypts.
    ///
    /// # Errors
    /// When the id is empty or taken, or there are too many keys.
    pub fn with(mut self, id: impl Into<String>, key: [u8; 32]) -> Result<Self, KeyError> {
        let id = id.into();
        if id.is_empty() {
            return Err(KeyError::NoId);
        }
        if self.keys.len() >= KEYS_MAX {
            return Err(KeyError::TooMany);
        }
        if self.keys.contains_key(&id) {
            return Err(KeyError::Duplicate(id));
        }
        self.keys.insert(id, Zeroizing::new(key));
        Ok(self)
    }

    /// The id of the key that encrypts.
    pub fn primary_id(&self) -> &str {
        &self.primary
    }

    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8; 32])> {
        self.keys.iter().map(|(id, key)| (id.as_str(), &**key))
    }
}
