//! Payloads as bodies: headers that start with `content-` say what the bytes are.

use std::{collections::BTreeMap, fmt::Write as _};

use api::common::v1::Payload;
use bytes::Bytes;
use http::HeaderMap;
use prost::Message as _;

use crate::headers::{CONTENT_PREFIX, set_all, with_prefix};

const PAYLOAD: &str = "application/x-temporal-payload";
/// The encoding of a payload that stands for contents which Temporal has no words for.
const UNKNOWN: &str = "unknown/nexus-content";

/// A body and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// The headers, without `content-`.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub data: Bytes,
}

/// A body that is not what its headers say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the content is no payload: {0}")]
pub struct ContentError(prost::DecodeError);

impl Content {
    /// A payload as a body; without one, and for null, nothing.
    pub fn of(payload: Option<&Payload>) -> Self {
        let Some(payload) = payload else { return Self::default() };
        let text = |name: &str| {
            let value = payload.metadata.get(name)?;
            std::str::from_utf8(value).ok().filter(|text| !text.is_empty())
        };
        let count = payload.metadata.len();
        let message = text("messageType").filter(|_| count == 2);
        let kind = match (text("encoding"), message) {
            (Some(UNKNOWN), _) => return Self::of_unknown(payload),
            (Some("json/plain"), _) if count == 1 => "application/json".to_owned(),
            (Some("binary/plain"), _) if count == 1 => "application/octet-stream".to_owned(),
            (Some("binary/null"), _) if count == 1 => {
                return Self { headers: BTreeMap::new(), data: payload.data.clone() };
            }
            (Some("json/protobuf"), Some(message)) => {
                format!("application/json; format=protobuf; message-type={}", quoted(message))
            }
            (Some("binary/protobuf"), Some(message)) => {
                format!("application/x-protobuf; message-type={}", quoted(message))
            }
            _ => return Self::new(PAYLOAD.to_owned(), payload.encode_to_vec().into()),
        };
        Self::new(kind, payload.data.clone())
    }

    fn new(kind: String, data: Bytes) -> Self {
        Self { headers: BTreeMap::from([("type".to_owned(), kind)]), data }
    }

    fn of_unknown(payload: &Payload) -> Self {
        let headers = payload.metadata.iter().filter(|(name, _)| *name != "encoding");
        let text = |value: &Bytes| String::from_utf8_lossy(value).into_owned();
        Self {
            headers: headers.map(|(name, value)| (name.clone(), text(value))).collect(),
            data: payload.data.clone(),
        }
    }

    /// What a message carries.
    pub fn read(headers: &HeaderMap, data: Bytes) -> Self {
        Self { headers: with_prefix(headers, CONTENT_PREFIX), data }
    }

    /// Sets the headers of a message that carries this.
    pub fn write(&self, headers: &mut HeaderMap) {
        set_all(headers, CONTENT_PREFIX, &self.headers);
    }

    /// The body as a payload.
    ///
    /// # Errors
    /// When it says that it is one, and is not.
    pub fn into_payload(self) -> Result<Payload, ContentError> {
        let Self { mut headers, data } = self;
        // Both belong to the way that the body came.
        headers.remove("encoding");
        headers.remove("length");
        if headers.is_empty() && data.is_empty() {
            return Ok(payload([("encoding", "binary/null")], data));
        }
        let kind = headers.get("type").filter(|_| headers.len() == 1);
        let Some(kind) = kind.and_then(|kind| MediaType::parse(kind)) else {
            return Ok(unknown(headers, data));
        };
        let parameter = |name: &str| kind.parameters.get(name).map(String::as_str);
        let message = parameter("message-type").unwrap_or_default();
        let count = kind.parameters.len();
        Ok(match kind.name.as_str() {
            PAYLOAD => return Payload::decode(data).map_err(ContentError),
            "application/json" if count == 0 => payload([("encoding", "json/plain")], data),
            "application/json"
                if count == 2 && parameter("format") == Some("protobuf") && !message.is_empty() =>
            {
                payload([("encoding", "json/protobuf"), ("messageType", message)], data)
            }
            "application/x-protobuf" if count == 1 && !message.is_empty() => {
                payload([("encoding", "binary/protobuf"), ("messageType", message)], data)
            }
            "application/octet-stream" if count == 0 => {
                payload([("encoding", "binary/plain")], data)
            }
            _ => unknown(headers, data),
        })
    }
}

fn payload<const N: usize>(metadata: [(&str, &str); N], data: Bytes) -> Payload {
    let owned = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    let metadata = metadata.map(|(name, value)| (name.to_owned(), owned(value)));
    Payload { metadata: metadata.into(), data, ..Payload::default() }
}

fn unknown(headers: BTreeMap<String, String>, data: Bytes) -> Payload {
    let mut metadata: BTreeMap<String, Bytes> =
        headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    metadata.insert("encoding".to_owned(), Bytes::from_static(UNKNOWN.as_bytes()));
    Payload { metadata, data, ..Payload::default() }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        // Writing to a string does not fail.
        let _written = match letter {
            '"' | '\\' => write!(quoted, "\\{letter}"),
            other => write!(quoted, "{other}"),
        };
    }
    quoted.push('"');
    quoted
}

/// A media type with its parameters.
struct MediaType {
    name: String,
    parameters: BTreeMap<String, String>,
}

impl MediaType {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';');
        let name = parts.next()?.trim().to_ascii_lowercase();
        let mut parameters = BTreeMap::new();
        for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=')?;
            let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let value = unquoted.map_or_else(|| value.to_owned(), |value| value.replace('\\', ""));
            parameters.insert(key.trim().to_ascii_lowercase(), value);
        }
        Some(Self { name, parameters })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(payload: &Payload) -> Payload {
        let mut headers = HeaderMap::new();
        let content = Content::of(Some(payload));
        content.write(&mut headers);
        headers.insert("content-length", "3".parse().unwrap());
        Content::read(&headers, content.data).into_payload().unwrap()
    }

    #[test]
    fn every_payload_survives_the_way_through_a_body() {
        let data = || Bytes::from_static(b"abc");
        let kinds: [&[(&str, &str)]; 7] = [
            &[("encoding", "json/plain")],
            &[("encoding", "binary/plain")],
            &[("encoding", "json/protobuf"), ("messageType", "a.B")],
            &[("encoding", "binary/protobuf"), ("messageType", "a.B")],
            &[("encoding", "json/plain"), ("more", "x")],
            &[("encoding", "binary/encrypted"), ("key", "x")],
            &[],
        ];
        for metadata in kinds {
            let metadata = metadata.iter().map(|(name, value)| {
                ((*name).to_owned(), Bytes::copy_from_slice(value.as_bytes()))
            });
            let given =
                Payload { metadata: metadata.collect(), data: data(), ..Payload::default() };
            assert_eq!(through(&given), given);
        }
        let null = payload([("encoding", "binary/null")], Bytes::new());
        assert_eq!(through(&null), null);
    }

    #[test]
    fn what_temporal_has_no_words_for_keeps_its_headers() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "text/plain".parse().unwrap());
        headers.insert("content-language", "la".parse().unwrap());
        let content = Content::read(&headers, Bytes::from_static(b"salve"));
        let read = content.clone().into_payload().unwrap();
        assert_eq!(read.metadata["encoding"], UNKNOWN);
        assert_eq!(read.metadata["language"], "la");
        assert_eq!(Content::of(Some(&read)), content);
    }

    #[test]
    fn nothing_is_null() {
        let read = Content::default().into_payload().unwrap();
        assert_eq!(read, payload([("encoding", "binary/null")], Bytes::new()));
        assert_eq!(Content::of(None), Content::default());
    }

    #[test]
    fn a_body_that_is_no_payload_is_refused() {
        let content = Content::new(PAYLOAD.to_owned(), Bytes::from_static(b"\xff"));
        assert!(content.into_payload().is_err());
    }
}
