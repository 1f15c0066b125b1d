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
    let first = payloads.and_then(|payloads| payloads.payloads.first());
    first.map(|first| String::from_utf8_lossy(&first.data).into_owned()).unwrap_or_default()
}
