//! A payload, as the API defines it.

use bytes::{Buf, BufMut, Bytes};
use prost::encoding::encoded_len_varint;

use crate::{
    Metadata,
    metadata::{ENTRIES, Entry, put_entry},
    wire,
};

/// The metadata entry that says how the data is to be read.
pub const ENCODING: &str = "encoding";

/// Fields.
const DATA: u32 = 2;
const EXTERNAL: u32 = 3;
/// Of an external payload.
const SIZE_BYTES: u32 = 1;

/// `temporal.api.common.v1.Payload`, read and written here: this crate depends on no generated code.
/// Fields of later versions are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payload {
    /// What is known about the data, its encoding first of all.
    pub metadata: Metadata,
    /// The data.
    pub data: Bytes,
    /// What of it lies outside.
    pub external_payloads: Vec<ExternalPayload>,
}

/// `temporal.api.common.v1.Payload.ExternalPayloadDetails`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExternalPayload {
    /// How large it is.
    pub size_bytes: i64,
}

impl Payload {
    /// A payload with nothing but an encoding.
    pub fn new(encoding: &str, data: impl Into<Bytes>) -> Self {
        let metadata = [(ENCODING, encoding)].into_iter().collect();
        Self { metadata, data: data.into(), external_payloads: Vec::new() }
    }

    /// The same with another entry of metadata.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.metadata.insert(name, value.as_ref());
        self
    }

    /// How the data is to be read; empty when the payload does not say.
    pub fn encoding(&self) -> &[u8] {
        self.metadata(ENCODING)
    }

    /// An entry of metadata; empty when there is none.
    pub fn metadata(&self, name: &str) -> &[u8] {
        self.metadata.get(name).unwrap_or_default()
    }

    /// Reads an encoded payload, whose data is not copied; `None` when it is none.
    pub fn decode(mut encoded: Bytes) -> Option<Self> {
        let Some((metadata, start)) = usual(&encoded) else { return Self::decode_any(encoded) };
        encoded.advance(start);
        Some(Self { metadata, data: encoded, external_payloads: Vec::new() })
    }

    fn decode_any(mut encoded: Bytes) -> Option<Self> {
        let (mut at, mut plain, mut others) = (0, 0, Vec::new());
        let mut data = 0..0;
        let mut external_payloads = Vec::new();
        for field in wire::fields(&encoded) {
            let field = field.ok()?;
            let end = at + field.record.len();
            match field.number {
                ENTRIES => {
                    let entry = Entry::read(&field)?;
                    if entry.is_plain && plain == at {
                        plain = end;
                    } else {
                        put_entry(entry.name, entry.value, &mut others);
                    }
                }
                DATA => data = end - field.content?.len()..end,
                EXTERNAL => external_payloads.push(ExternalPayload::decode(field.content?)?),
                _ => {}
            }
            at = end;
        }
        // The entries stand together at the beginning, unless somebody unusual wrote them.
        let together = encoded.get(..plain)?;
        let metadata = if others.is_empty() {
            Metadata::of_encoded(together)
        } else {
            Metadata::of_encoded(&[together, &others].concat())
        };
        // Cutting the end off would cost an allocation.
        if data.end < encoded.len() {
            encoded.truncate(data.end);
        }
        encoded.advance(data.start);
        Some(Self { metadata, data: encoded, external_payloads })
    }

    /// The payload, encoded.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        let mut encoded = Vec::with_capacity(self.encoded_len());
        self.put_head(&mut encoded);
        encoded.extend_from_slice(&self.data);
        encoded
    }

    /// How long it is, encoded.
    pub fn encoded_len(&self) -> usize {
        self.head_len() + self.data.len()
    }

    /// How much stands before the data.
    pub(crate) fn head_len(&self) -> usize {
        let external = self.external_payloads.iter().map(|external| external.len());
        let external: usize = external.map(wire::put_len).sum();
        let data = match self.data.len() {
            0 => 0,
            length => 1 + encoded_len_varint(length as u64),
        };
        self.metadata.encoded().len() + external + data
    }

    /// Writes all but the data, which comes last.
    pub(crate) fn put_head(&self, into: &mut impl BufMut) {
        into.put_slice(self.metadata.encoded());
        for external in &self.external_payloads {
            wire::put_head(EXTERNAL, external.len(), into);
            external.put(into);
        }
        if !self.data.is_empty() {
            wire::put_head(DATA, self.data.len(), into);
        }
    }
}

/// The metadata of a payload that is written as nearly all are, and where its data begins, which
/// goes on to the end. For the others, and for what is none, `None`.
fn usual(encoded: &[u8]) -> Option<(Metadata, usize)> {
    let (metadata, rest) = Metadata::usual_of(encoded)?;
    let (tag, mut data) = rest.split_first()?;
    let length = wire::varint(&mut data)?;
    let is_all = u32::from(*tag) == DATA << 3 | 2 && data.len() as u64 == length;
    is_all.then_some((metadata, encoded.len() - data.len()))
}

impl ExternalPayload {
    /// Numbers are sent as if they had no sign.
    fn decode(encoded: &[u8]) -> Option<Self> {
        let mut external = Self::default();
        for field in wire::fields(encoded) {
            let field = field.ok()?;
            if field.number == SIZE_BYTES {
                let mut number = field.record.get(field.key.len()..)?;
                let is_number = field.key == [SIZE_BYTES_KEY];
                external.size_bytes =
                    wire::varint(&mut number).filter(|_| is_number)?.cast_signed();
            }
        }
        Some(external)
    }

    fn len(self) -> usize {
        match self.size_bytes {
            0 => 0,
            number => 1 + encoded_len_varint(number.cast_unsigned()),
        }
    }

    fn put(self, into: &mut impl BufMut) {
        if self.size_bytes != 0 {
            into.put_u8(SIZE_BYTES_KEY);
            wire::put_varint(self.size_bytes.cast_unsigned(), into);
        }
    }
}

/// The number and the kind (a varint).
const SIZE_BYTES_KEY: u8 = 8;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use api::common::v1::Payload as Generated;
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    /// What the API's generated code makes of it.
    fn generated(encoded: &[u8]) -> Option<Payload> {
        let read = Generated::decode(encoded).ok()?;
        let sorted: BTreeMap<_, _> = read.metadata.into_iter().collect();
        let external = read.external_payloads.iter();
        let external = external.map(|external| ExternalPayload { size_bytes: external.size_bytes });
        Some(Payload {
            metadata: sorted.into_iter().collect(),
            data: read.data,
            external_payloads: external.collect(),
        })
    }

    fn read(encoded: &[u8]) -> Option<Payload> {
        Payload::decode(Bytes::copy_from_slice(encoded))
    }

    #[test]
    fn a_payload_reads_as_generated_code_reads_it_however_it_is_written() {
        let spellings: [&[u8]; 12] = [
            b"",
            b"\x12\x01x",
            b"\x12\x00",
            // Data before and between entries, and twice.
            b"\x12\x01x\x0a\x06\x0a\x01a\x12\x01b",
            b"\x0a\x06\x0a\x01a\x12\x01b\x12\x01x\x0a\x06\x0a\x01c\x12\x01d\x12\x01y",
            // The value before the name, one of both, neither, more than both, names twice.
            b"\x0a\x06\x12\x01b\x0a\x01a",
            b"\x0a\x03\x0a\x01a",
            b"\x0a\x03\x12\x01b",
            b"\x0a\x00",
            b"\x0a\x08\x0a\x01a\x12\x01b\x18\x01",
            b"\x0a\x05\x0a\x00\x0a\x01a",
            b"\x0a\x06\x0a\x01a\x12\x01b\x0a\x06\x0a\x01a\x12\x01c\x1a\x02\x08\x07\x20\x01",
        ];
        for spelling in spellings {
            let payload = read(spelling).unwrap();
            assert_eq!(Some(&payload), generated(spelling).as_ref(), "{spelling:x?}");
            let encoded = payload.encode_to_vec();
            assert_eq!(encoded.len(), payload.encoded_len());
            assert_eq!(generated(&encoded), Some(payload));
        }
    }

    #[test]
    fn what_is_no_payload_does_not_read() {
        let broken: [&[u8]; 8] = [
            b"\x12\x02x",
            b"\x12",
            b"\x10\x01",
            b"\x08\x01",
            b"\x0a\x03\x0a\x01\xff",
            b"\x0a\x02\x08\x01",
            b"\x1a\x02\x0a\x00",
            b"\x00\x01",
        ];
        for spelling in broken {
            assert_eq!(read(spelling), None, "{spelling:x?}");
            assert_eq!(generated(spelling), None, "{spelling:x?}");
        }
    }

    #[test]
    fn data_that_is_read_is_not_copied() {
        let payload = Payload::new("json/plain", "1").with("type", "x".repeat(100));
        let encoded = Bytes::from(payload.encode_to_vec());
        let place = encoded.as_ptr_range();
        let read = Payload::decode(encoded).unwrap();
        assert!(place.contains(&read.data.as_ptr()));
        assert_eq!(read, payload);
    }

    proptest! {
        #[test]
        fn random_payloads_read_as_generated_code_reads_them(
            entries in proptest::collection::btree_map(".{0,12}", ".{0,40}", 0..4),
            data in proptest::collection::vec(any::<u8>(), 0..300),
            sizes in proptest::collection::vec(any::<i64>(), 0..3),
            flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..3),
        ) {
            let external = sizes.into_iter().map(|size_bytes| ExternalPayload { size_bytes });
            let payload = Payload {
                metadata: entries.into_iter().collect(),
                data: data.into(),
                external_payloads: external.collect(),
            };
            let mut encoded = payload.encode_to_vec();
            prop_assert_eq!(generated(&encoded), Some(payload.clone()));
            prop_assert_eq!(read(&encoded), Some(payload));
            for (place, change) in flips {
                let length = encoded.len().max(1);
                if let Some(byte) = encoded.get_mut(place % length) {
                    *byte ^= change;
                }
            }
            // Groups, which nobody writes, are the one thing that is refused here only.
            if let Some(read) = read(&encoded) {
                prop_assert_eq!(generated(&encoded), Some(read));
            }
        }
    }
}
