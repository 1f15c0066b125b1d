//! The body of a request to a codec server, and of its answer: `{"payloads": […]}`, as proto JSON
//! has it.

use std::collections::BTreeMap;

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig,
        general_purpose::STANDARD as PADDED,
    },
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{ExternalPayload, Metadata, Payload};

/// A body is none. The text holds nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Not JSON, or of another shape.
    #[error("the body is not {{\"payloads\": [...]}}: line {line}, column {column}")]
    Json {
        /// Where, from 1 on.
        line: usize,
        /// Where, from 1 on.
        column: usize,
    },
    /// Bytes are not in base64.
    #[error("payload {0} holds bytes that are not in base64")]
    Base64(usize),
}

#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(default)]
    payloads: Vec<JsonPayload>,
}

/// Unknown members do not count: browsers send those of later versions.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct JsonPayload {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", alias = "external_payloads")]
    external_payloads: Vec<JsonExternal>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonExternal {
    #[serde(default, alias = "size_bytes")]
    size_bytes: Number,
}

/// Proto JSON writes 64-bit numbers as text, and reads both.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Plain(i64),
}

impl Default for Number {
    fn default() -> Self {
        Self::Plain(0)
    }
}

/// Reads the payloads of a body. Bytes may be in either alphabet, with padding or without.
///
/// # Errors
/// When it is of another shape.
pub fn read_body(body: &[u8]) -> Result<Vec<Payload>, BodyError> {
    let body: Body = serde_json::from_slice(body)
        .map_err(|error| BodyError::Json { line: error.line(), column: error.column() })?;
    let read = |(index, payload)| read_payload(payload).ok_or(BodyError::Base64(index));
    body.payloads.into_iter().enumerate().map(read).collect()
}

fn read_payload(payload: JsonPayload) -> Option<Payload> {
    let metadata = payload.metadata.iter().map(|(name, value)| Some((name, decoded(value)?)));
    let metadata = metadata.collect::<Option<Metadata>>()?;
    let data = payload.data.as_deref().map_or(Some(Bytes::new()), decoded)?;
    let external = payload.external_payloads.into_iter().map(|external| {
        let size_bytes = match external.size_bytes {
            Number::Text(text) => text.parse().ok()?,
            Number::Plain(number) => number,
        };
        Some(ExternalPayload { size_bytes })
    });
    Some(Payload { metadata, data, external_payloads: external.collect::<Option<_>>()? })
}

fn decoded(text: &str) -> Option<Bytes> {
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, lenient).decode(text).ok().map(Bytes::from)
}

/// Writes payloads as a body.
pub fn write_body(payloads: &[Payload]) -> Vec<u8> {
    let payloads = payloads.iter().map(|payload| JsonPayload {
        metadata: payload
            .metadata
            .iter()
            .map(|(name, value)| (name.to_owned(), PADDED.encode(value)))
            .collect(),
        data: (!payload.data.is_empty()).then(|| PADDED.encode(&payload.data)),
        external_payloads: payload
            .external_payloads
            .iter()
            .map(|external| JsonExternal {
                size_bytes: Number::Text(external.size_bytes.to_string()),
            })
            .collect(),
    });
    serde_json::to_vec(&Body { payloads: payloads.collect() }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_reads_as_it_was_written() {
        let payloads = vec![
            Payload::new("json/plain", "\"hello\"").with("type", "Keyword"),
            Payload::new("binary/null", ""),
            Payload {
                external_payloads: vec![ExternalPayload { size_bytes: 1 << 60 }],
                ..Payload::default()
            },
        ];
        let body = write_body(&payloads);
        assert_eq!(read_body(&body).unwrap(), payloads);
        assert_eq!(
            write_body(&payloads[1..2]),
            br#"{"payloads":[{"metadata":{"encoding":"YmluYXJ5L251bGw="}}]}"#
        );
    }

    #[test]
    fn every_spelling_of_base64_reads() {
        for text in ["+/8=", "+/8", "-_8=", "-_8"] {
            let body = format!(r#"{{"payloads":[{{"data":"{text}","somethingNew":1}}]}}"#);
            assert_eq!(&read_body(body.as_bytes()).unwrap()[0].data[..], [0xfb, 0xff]);
        }
    }

    #[test]
    fn a_body_of_another_shape_is_refused_without_its_content() {
        for body in ["", "{", "[1]", r#"{"payloads":1}"#, r#"{"payloads":[{"data":"secret!"}]}"#] {
            let text = read_body(body.as_bytes()).unwrap_err().to_string();
            assert!(!text.contains("secret"), "{text}");
        }
        assert!(read_body(b"{}").unwrap().is_empty());
    }
}
