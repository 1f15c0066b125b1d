//! Statuses and errors of calls in HTTP.

use bytes::Bytes;
use http::StatusCode;
use prost::Message;
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::{Form, json};

/// The status in HTTP for one of gRPC.
pub fn http_status(code: i32) -> StatusCode {
    match code {
        0 => StatusCode::OK,
        1 => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        3 | 9 | 11 => StatusCode::BAD_REQUEST,
        4 => StatusCode::GATEWAY_TIMEOUT,
        5 => StatusCode::NOT_FOUND,
        6 | 10 => StatusCode::CONFLICT,
        7 => StatusCode::FORBIDDEN,
        8 => StatusCode::TOO_MANY_REQUESTS,
        12 => StatusCode::NOT_IMPLEMENTED,
        14 => StatusCode::SERVICE_UNAVAILABLE,
        16 => StatusCode::UNAUTHORIZED,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The body of an error. `details` is an encoded `google.rpc.Status`; only its details are taken.
pub fn error_body(code: i32, message: &str, details: &[u8], form: Form) -> Bytes {
    let details = Details::decode(details).unwrap_or_default().details;
    let details = details.iter().map(|detail| Shown { detail, form }).collect();
    let body = json::text(&Body { code, message, details }, form);
    // Texts and bytes are always JSON.
    body.unwrap_or_default().into()
}

#[derive(Clone, PartialEq, Message)]
struct Details {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

struct Body<'a> {
    code: i32,
    message: &'a str,
    details: Vec<Shown<'a>>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("code", &self.code)?;
        object.serialize_entry("message", self.message)?;
        if !self.details.is_empty() {
            object.serialize_entry("details", &self.details)?;
        }
        object.end()
    }
}

struct Shown<'a> {
    detail: &'a prost_types::Any,
    form: Form,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json::any_of(&self.detail.type_url, &self.detail.value, self.form, serializer)
    }
}

#[cfg(test)]
mod tests {
    use api::errordetails::v1::NamespaceNotFoundFailure;
    use serde_json::{Value, json};

    use super::*;

    const FORM: Form = Form { pretty: false, shorthand: true, bare_null: false };

    #[test]
    fn details_are_told_with_their_types() {
        let known = NamespaceNotFoundFailure { namespace: "n".to_owned() };
        let url = "type.googleapis.com/temporal.api.errordetails.v1.NamespaceNotFoundFailure";
        let any = |url: &str, value: Vec<u8>| prost_types::Any { type_url: url.to_owned(), value };
        let status =
            Details { details: vec![any(url, known.encode_to_vec()), any("x/y.Z", vec![1])] };
        let body = error_body(5, "no \"n\"", &status.encode_to_vec(), FORM);
        let expected = json!({
            "code": 5,
            "message": "no \"n\"",
            "details": [{"@type": url, "namespace": "n"}, {"@type": "x/y.Z", "value": "AQ=="}],
        });
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
        let body = error_body(3, "x", b"", FORM);
        assert_eq!(&body[..], br#"{"code":3,"message":"x"}"#);
    }
}
