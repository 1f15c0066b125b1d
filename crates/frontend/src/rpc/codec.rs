//! The codec of calls: messages as they are sent. What all methods have in common is compiled once,
//! for bytes; a handler's own part reads and writes them.

use bytes::{Buf as _, BufMut as _, Bytes};
use prost::Message;
use tonic::{
    Status,
    codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

/// What a buffer starts with, in bytes. Most calls are smaller, and one buffer is made for each
/// direction of each call.
const BUFFER_BYTES: usize = 1024;

/// A message above so many bytes is sent in pieces.
const YIELD_BYTES: usize = 32 * 1024;

/// Messages as they are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wire;

impl Codec for Wire {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Wire {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(BUFFER_BYTES, YIELD_BYTES)
    }
}

impl Decoder for Wire {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(BUFFER_BYTES, YIELD_BYTES)
    }
}

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
