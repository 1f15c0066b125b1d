//! The messages of `longtide.admin.v1.AdminService`. Clients of other releases read them: never
//! reuse a tag.

use prost::Message;
use prost_types::Timestamp;

/// An API key, without its secret.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ApiKey {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(string, repeated, tag = "3")]
    pub(crate) permissions: Vec<String>,
    /// Nothing for never.
    #[prost(message, optional, tag = "4")]
    pub(crate) expires: Option<Timestamp>,
    #[prost(message, optional, tag = "5")]
    pub(crate) created: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CreateApiKeyRequest {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, repeated, tag = "2")]
    pub(crate) permissions: Vec<String>,
    /// Nothing for never.
    #[prost(message, optional, tag = "3")]
    pub(crate) expires: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RotateApiKeyRequest {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    /// When the new key ends; nothing for never.
    #[prost(message, optional, tag = "2")]
    pub(crate) expires: Option<Timestamp>,
    /// When the old one does.
    #[prost(message, optional, tag = "3")]
    pub(crate) old_until: Option<Timestamp>,
}

/// The answer to both: the only one that holds the key's text.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct NewApiKey {
    #[prost(message, optional, tag = "1")]
    pub(crate) key: Option<ApiKey>,
    #[prost(string, tag = "2")]
    pub(crate) text: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ListApiKeysRequest {}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ListApiKeysResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) keys: Vec<ApiKey>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ExpireApiKeyRequest {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    /// When it ends.
    #[prost(message, optional, tag = "2")]
    pub(crate) expires: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RevokeApiKeyRequest {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
}
