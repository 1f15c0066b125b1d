//! The messages of `longtide.admin.v1.AdminService` about keys. Clients of other releases read
//! them: never reuse a tag.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct GetKeyStatusRequest {}

/// The keys of a server, without the keys themselves.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct KeyStatus {
    /// False when nothing is encrypted; the rest is empty then.
    #[prost(bool, tag = "1")]
    pub(crate) encrypted: bool,
    /// The key-encryption key in force.
    #[prost(string, tag = "2")]
    pub(crate) key_encryption_key: String,
    /// Those that are configured.
    #[prost(string, repeated, tag = "3")]
    pub(crate) configured: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) data_keys: Vec<DataKey>,
    /// There may be records that are not encrypted yet.
    #[prost(bool, tag = "5")]
    pub(crate) plain_records: bool,
    #[prost(message, optional, tag = "6")]
    pub(crate) progress: Option<Progress>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct DataKey {
    #[prost(uint32, tag = "1")]
    pub(crate) id: u32,
    /// Empty for what is of no namespace, and for a destroyed key.
    #[prost(string, tag = "2")]
    pub(crate) namespace_id: String,
    /// `current`, `former` or `destroyed`.
    #[prost(string, tag = "3")]
    pub(crate) state: String,
    /// How many records it may have sealed.
    #[prost(uint64, tag = "4")]
    pub(crate) records: u64,
}

/// How far the records were sealed again.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Progress {
    #[prost(bool, tag = "1")]
    pub(crate) is_running: bool,
    #[prost(string, tag = "2")]
    pub(crate) table: String,
    #[prost(uint64, tag = "3")]
    pub(crate) records: u64,
    #[prost(uint64, tag = "4")]
    pub(crate) sealed: u64,
    #[prost(uint64, tag = "5")]
    pub(crate) removed: u64,
    #[prost(string, tag = "6")]
    pub(crate) trouble: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RotateKeysRequest {
    /// Wrap all data keys with the current key-encryption key of the configuration.
    #[prost(bool, tag = "1")]
    pub(crate) key_encryption_key: bool,
    /// Make new data keys.
    #[prost(bool, tag = "2")]
    pub(crate) data_keys: bool,
    /// Those of this namespace alone.
    #[prost(string, tag = "3")]
    pub(crate) namespace_id: String,
    /// Make a new key for tokens.
    #[prost(bool, tag = "4")]
    pub(crate) token_key: bool,
}
