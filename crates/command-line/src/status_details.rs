//! The details that a status carries.

use prost::Message;
use tonic::Status;

/// `google.rpc.Status`, as far as it is needed.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// The first detail, encoded.
pub(crate) fn first(status: &Status) -> Option<Vec<u8>> {
    let status = RpcStatus::decode(status.details()).ok()?;
    status.details.into_iter().next().map(|any| any.value)
}
