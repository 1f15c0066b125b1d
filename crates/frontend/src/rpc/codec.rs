//! Messages and the bytes that [`api::Wire`] carries.

use bytes::Bytes;
use prost::Message;
use tonic::Status;

/// A message as it was sent, or the answer of gRPC's own libraries to one that is none.
pub(crate) fn decode<M: Message + Default>(encoded: Bytes) -> Result<M, Status> {
    let mut message = M::default();
    merge(&mut message, encoded)?;
    Ok(message)
}

/// As [`decode`], into the place where the message is to be: large ones are costly to move.
pub(crate) fn merge(message: &mut impl Message, encoded: Bytes) -> Result<(), Status> {
    message.merge(encoded).map_err(|error| Status::internal(error.to_string()))
}

/// A message as it is sent.
pub(crate) fn encode(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}
