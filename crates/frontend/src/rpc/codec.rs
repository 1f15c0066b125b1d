//! The codec of calls: protobuf, with buffers that fit most messages.

use std::marker::PhantomData;

use prost::Message;
use tonic::codec::{BufferSettings, Codec};
use tonic_prost::ProstCodec;

/// What a buffer starts with, in bytes. Most calls are smaller, and one buffer is made for each
/// direction of each call.
const BUFFER_BYTES: usize = 1024;

/// A message above so many bytes is sent in pieces.
const YIELD_BYTES: usize = 32 * 1024;

/// Reads `Request` and writes `Response`.
#[derive(Debug)]
pub(crate) struct CallCodec<Response, Request>(PhantomData<(Response, Request)>);

impl<Response, Request> Default for CallCodec<Response, Request> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Response, Request> Codec for CallCodec<Response, Request>
where
    Response: Message + Send + 'static,
    Request: Message + Default + Send + 'static,
{
    type Encode = Response;
    type Decode = Request;
    type Encoder = <ProstCodec<Response, Request> as Codec>::Encoder;
    type Decoder = <ProstCodec<Response, Request> as Codec>::Decoder;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<Response, Request>::raw_encoder(BufferSettings::new(BUFFER_BYTES, YIELD_BYTES))
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<Response, Request>::raw_decoder(BufferSettings::new(BUFFER_BYTES, YIELD_BYTES))
    }
}
