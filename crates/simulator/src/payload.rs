//! Text as payloads.

use api::common::v1::{Payload, Payloads};

pub(crate) fn payload(text: &str) -> Payload {
    Payload { data: text.to_owned().into(), ..Payload::default() }
}

pub(crate) fn payloads(text: &str) -> Payloads {
    Payloads { payloads: vec![payload(text)] }
}

/// The text of the first payload; empty when there is none.
pub(crate) fn text(payloads: Option<&Payloads>) -> String {
    payload_text(payloads.and_then(|payloads| payloads.payloads.first()))
}

/// The text of a payload; empty when there is none.
pub(crate) fn payload_text(payload: Option<&Payload>) -> String {
    payload.map(|payload| String::from_utf8_lossy(&payload.data).into_owned()).unwrap_or_default()
}
