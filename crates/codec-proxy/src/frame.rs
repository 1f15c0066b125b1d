//! A message as HTTP/2 carries it: one byte that says whether it is compressed, its length, itself.

use std::io::Read;

use bytes::{BufMut, Bytes, BytesMut};
use flate2::read::GzDecoder;
use tonic::Status;

const HEAD_BYTES: usize = 5;

/// Reads the one message of a body; `encoding` is what the headers say of compression.
pub(crate) fn read(body: &Bytes, encoding: Option<&[u8]>, max: usize) -> Result<Bytes, Status> {
    let not_one = || Status::internal("the body is not one message");
    let (head, message) = body.split_at_checked(HEAD_BYTES).ok_or_else(not_one)?;
    let [compressed, length @ ..] = head else { return Err(not_one()) };
    let length = <[u8; 4]>::try_from(length).map(u32::from_be_bytes).map_err(|_| not_one())?;
    if usize::try_from(length).ok() != Some(message.len()) {
        return Err(not_one());
    }
    match (compressed, encoding) {
        (0, _) => Ok(body.slice(HEAD_BYTES..)),
        (1, Some(b"gzip")) => inflate(message, max),
        (1, _) => Err(Status::unimplemented("messages are compressed with gzip or not at all")),
        _ => Err(not_one()),
    }
}

/// A message as a body, not compressed.
pub(crate) fn write(message: &[u8]) -> Result<Bytes, Status> {
    let length = u32::try_from(message.len())
        .map_err(|_| Status::resource_exhausted("the message has 4 GiB or more"))?;
    let mut body = BytesMut::with_capacity(HEAD_BYTES + message.len());
    body.put_u8(0);
    body.put_u32(length);
    body.put_slice(message);
    Ok(body.freeze())
}

fn inflate(message: &[u8], max: usize) -> Result<Bytes, Status> {
    let mut inflated = Vec::new();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    GzDecoder::new(message)
        .take(limit)
        .read_to_end(&mut inflated)
        .map_err(|_| Status::internal("the message does not decompress"))?;
    if inflated.len() > max {
        return Err(too_large(max));
    }
    Ok(inflated.into())
}

/// A message above the limit, in the words that clients know.
pub(crate) fn too_large(max: usize) -> Status {
    let text = format!("grpc: received message larger than max ({} vs. {max})", max + 1);
    Status::resource_exhausted(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use tonic::Code;

    use super::*;

    fn compressed(message: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(message).unwrap();
        let mut body = write(&encoder.finish().unwrap()).unwrap().to_vec();
        body[0] = 1;
        body.into()
    }

    #[test]
    fn a_message_reads_as_it_was_written() {
        for message in [&b""[..], b"x", &[7; 100_000]] {
            assert_eq!(read(&write(message).unwrap(), None, 10).unwrap(), message);
            assert_eq!(read(&compressed(message), Some(b"gzip"), 100_000).unwrap(), message);
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let code = |body: &[u8], encoding: Option<&[u8]>| {
            read(&Bytes::copy_from_slice(body), encoding, 10).unwrap_err().code()
        };
        for body in [&b""[..], b"\0\0\0\0", b"\0\0\0\0\x02x", b"\0\0\0\0\x01xx", b"\x02\0\0\0\0"] {
            assert_eq!(code(body, None), Code::Internal, "{body:?}");
        }
        assert_eq!(code(&compressed(b"x"), Some(b"snappy")), Code::Unimplemented);
        assert_eq!(code(&compressed(b"x"), None), Code::Unimplemented);
        assert_eq!(code(b"\x01\0\0\0\x01x", Some(b"gzip")), Code::Internal);
        assert_eq!(code(&compressed(&[0; 1_000_000]), Some(b"gzip")), Code::ResourceExhausted);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..64)) {
            let body = Bytes::from(body);
            if let Ok(message) = read(&body, None, 100) {
                prop_assert_eq!(write(&message).unwrap(), body);
            }
        }
    }
}
