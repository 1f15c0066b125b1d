//! What a failure says, when it is kept from the server as payloads are.
//!
//! SDKs that encode the common attributes of failures put message and stack trace into a payload
//! and leave [`ENCODED_FAILURE`] where the message was. Types and the rest stay readable.

use serde::{Deserialize, Serialize};

use crate::Payload;

/// The message that stands in a failure whose attributes are encoded.
pub const ENCODED_FAILURE: &str = "Encoded failure";

const JSON: &str = "json/plain";

/// Message and stack trace of a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommonAttributes {
    /// What went wrong.
    pub message: String,
    /// Where.
    pub stack_trace: String,
}

impl CommonAttributes {
    /// As a payload, before a codec.
    pub fn to_payload(&self) -> Payload {
        let json = serde_json::to_vec(self).unwrap_or_default();
        Payload::new(JSON, json)
    }

    /// From a payload, after a codec; `None` when it holds something else, which SDKs ignore.
    pub fn of_payload(payload: &Payload) -> Option<Self> {
        if payload.encoding() != JSON.as_bytes() {
            return None;
        }
        serde_json::from_slice(&payload.data).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_have_the_names_that_all_sdks_use() {
        let attributes =
            CommonAttributes { message: "no".to_owned(), stack_trace: "at a\nat b".to_owned() };
        let payload = attributes.to_payload();
        assert_eq!(&payload.data[..], br#"{"message":"no","stack_trace":"at a\nat b"}"#);
        assert_eq!(CommonAttributes::of_payload(&payload), Some(attributes));
    }

    #[test]
    fn something_else_is_ignored() {
        for (encoding, data) in [(JSON, r#"{"message":"no"}"#), ("binary/plain", "{}")] {
            assert_eq!(CommonAttributes::of_payload(&Payload::new(encoding, data)), None);
        }
        let numbers = Payload::new(JSON, r#"{"message":1,"stack_trace":2}"#);
        assert_eq!(CommonAttributes::of_payload(&numbers), None);
    }
}
