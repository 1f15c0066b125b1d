//! The one value that the scenarios pass around: a number as a `json/plain` payload.

use api::common::v1::{Payload, Payloads};
use bytes::Bytes;

const ENCODING: &str = "encoding";
const JSON_PLAIN: &[u8] = b"json/plain";

/// A single payload that holds `number`.
pub fn encode(number: u64) -> Option<Payloads> {
    let payload = Payload {
        metadata: [(ENCODING.to_owned(), Bytes::from_static(JSON_PLAIN))].into(),
        data: Bytes::from(number.to_string()),
        ..Default::default()
    };
    Some(Payloads { payloads: vec![payload] })
}

/// The number in what [`encode`] made; `None` for anything else.
pub fn decode(payloads: Option<&Payloads>) -> Option<u64> {
    let [payload] = payloads?.payloads.as_slice() else { return None };
    if payload.metadata.get(ENCODING)?.as_ref() != JSON_PLAIN {
        return None;
    }
    std::str::from_utf8(&payload.data).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_survives_the_round_trip() {
        for number in [0, 7, u64::MAX] {
            assert_eq!(decode(encode(number).as_ref()), Some(number));
        }
    }

    #[test]
    fn a_payload_without_its_encoding_is_not_a_number() {
        let mut payloads = encode(7).unwrap();
        payloads.payloads[0].metadata.clear();
        assert_eq!(decode(Some(&payloads)), None);
        assert_eq!(decode(None), None);
    }
}
