//! Payloads made small.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::{read::ZlibDecoder, write::ZlibEncoder};

use crate::{
    Codec, CodecError, Context, Payload,
    codec::{Coded, at_once},
};

/// Most bytes that a payload may decompress to (64 MiB), sixteen times what a call to a server may
/// hold: a small payload cannot fill the memory.
pub const INFLATED_BYTES_MAX: usize = 64 * 1024 * 1024;

const ZLIB: &str = "binary/zlib";
const ZSTD: &str = "binary/zstd";

/// How much a codec compresses by default; the libraries' own default levels.
const ZSTD_LEVEL: i32 = 3;

/// Compresses the whole inner payload, where that makes it smaller. Reads both formats, whichever
/// it writes.
#[derive(Debug, Clone, Copy)]
pub struct Compression {
    format: Format,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Zlib,
    Zstd,
}

impl Compression {
    /// The format of the SDKs' samples, which all of them read.
    pub fn zlib() -> Self {
        Self { format: Format::Zlib }
    }

    /// Zstandard: smaller and many times quicker; only this crate and codec servers made of it read
    /// it.
    pub fn zstd() -> Self {
        Self { format: Format::Zstd }
    }

    fn compress(&self, payload: &mut Payload) -> Result<(), CodecError> {
        let plain = payload.encode_to_vec();
        let failed = |error: std::io::Error| CodecError::Unavailable(error.to_string());
        let (encoding, compressed) = match self.format {
            Format::Zlib => {
                let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(&plain).map_err(failed)?;
                (ZLIB, encoder.finish().map_err(failed)?)
            }
            Format::Zstd => (ZSTD, zstd::bulk::compress(&plain, ZSTD_LEVEL).map_err(failed)?),
        };
        let compressed = Payload::new(encoding, compressed);
        if compressed.encoded_len() < plain.len() {
            *payload = compressed;
        }
        Ok(())
    }

    fn decompress(payload: &mut Payload) -> Result<(), CodecError> {
        let plain = match payload.encoding() {
            encoding if encoding == ZLIB.as_bytes() => {
                inflate(ZlibDecoder::new(payload.data.as_ref()))?
            }
            encoding if encoding == ZSTD.as_bytes() => {
                let decoder = zstd::stream::read::Decoder::new(payload.data.as_ref());
                inflate(decoder.map_err(broken)?)?
            }
            _ => return Ok(()),
        };
        *payload = Payload::decode(Bytes::from(plain)).ok_or(CodecError::NoPayloadInside)?;
        Ok(())
    }
}

fn inflate(reader: impl Read) -> Result<Vec<u8>, CodecError> {
    let mut plain = Vec::new();
    let limit = INFLATED_BYTES_MAX as u64 + 1;
    reader.take(limit).read_to_end(&mut plain).map_err(broken)?;
    if plain.len() > INFLATED_BYTES_MAX {
        return Err(CodecError::TooLarge(INFLATED_BYTES_MAX));
    }
    Ok(plain)
}

fn broken(error: std::io::Error) -> CodecError {
    CodecError::Decompression(error.to_string())
}

impl Codec for Compression {
    fn encode<'a>(&'a self, _: &'a Context, payloads: Vec<Payload>) -> Coded<'a> {
        at_once(payloads, |all| all.iter_mut().try_for_each(|payload| self.compress(payload)))
    }

    fn decode<'a>(&'a self, _: &'a Context, payloads: Vec<Payload>) -> Coded<'a> {
        at_once(payloads, |all| all.iter_mut().try_for_each(Self::decompress))
    }
}
