//! What is told of the keys: never the keys.

use model::NamespaceId;

/// The keys of a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// The key-encryption key that the root key is wrapped with.
    pub key_encryption_key: String,
    /// Those that are configured.
    pub configured: Vec<String>,
    /// The data keys by their numbers.
    pub data_keys: Vec<DataKeyStatus>,
    /// True while there may be values that are not encrypted.
    pub plain_values: bool,
}

/// A data key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKeyStatus {
    /// Its number.
    pub id: u32,
    /// Whose values it seals; `None` for what is of no namespace, and for a destroyed key.
    pub namespace: Option<NamespaceId>,
    /// What it does.
    pub state: DataKeyState,
    /// How many values it may have sealed.
    pub values: u64,
}

/// What a data key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKeyState {
    /// Seals and opens.
    Current,
    /// Opens what is not sealed again yet.
    Former,
    /// It is gone; what it sealed is being removed.
    Destroyed,
}
