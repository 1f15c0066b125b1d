//! The remote codec: a server that encodes and decodes payloads over HTTP.

use std::time::Duration;

use api::common::v1::{Payload, Payloads};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use http_client::HttpClient as _;
use prost::Message as _;
use prost_reflect::{DynamicMessage, ReflectMessage as _, Value as Field};

use crate::{
    error::{Error, Result},
    proto_json::{self, Named},
    settings::CodecSettings,
};

/// How long the codec server may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A codec server, and what is shown to it.
#[derive(Debug, Clone)]
pub(crate) struct Codec {
    http: http_client::Client,
    endpoint: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Codec {
    pub(crate) fn new(settings: &CodecSettings, namespace: &str) -> Result<Self> {
        let value = |text: &str| {
            HeaderValue::from_str(text)
                .map_err(|_| Error::usage(format!("`{text}` cannot be sent as a header")))
        };
        let mut headers = vec![(HeaderName::from_static("x-namespace"), value(namespace)?)];
        for (name, text) in &settings.headers {
            let name = name
                .parse()
                .map_err(|_| Error::usage(format!("`{name}` cannot be sent as a header")))?;
            headers.push((name, value(text)?));
        }
        if let Some(authorization) = &settings.authorization {
            let mut authorization = value(authorization)?;
            authorization.set_sensitive(true);
            headers.push((header::AUTHORIZATION, authorization));
        }
        let endpoint = settings.endpoint.trim_end_matches('/').to_owned();
        Ok(Self { http: http_client::Client::default(), endpoint, headers })
    }

    /// A request of the type `name` with its payloads encoded.
    pub(crate) async fn encode(&self, name: &str, message: Bytes) -> Result<Bytes> {
        self.pass(name, message, "encode").await
    }

    /// An answer of the type `name` with its payloads decoded.
    pub(crate) async fn decode(&self, name: &str, message: Bytes) -> Result<Bytes> {
        self.pass(name, message, "decode").await
    }

    async fn pass(&self, name: &str, message: Bytes, verb: &str) -> Result<Bytes> {
        // What is not of Temporal's API has no payloads.
        let Ok(mut dynamic) = proto_json::read(name, &message) else { return Ok(message) };
        let mut found = Vec::new();
        walk(&mut dynamic, &mut |payload| {
            found.push(payload.clone());
            None
        })?;
        if found.is_empty() {
            return Ok(message);
        }
        let count = found.len();
        let passed = self.send(verb, Payloads { payloads: found }).await?;
        if passed.payloads.len() != count {
            return Err(Error::Codec(format!(
                "{verb}: {count} payloads were sent and {} came back",
                passed.payloads.len()
            )));
        }
        let mut passed = passed.payloads.into_iter();
        walk(&mut dynamic, &mut |_| passed.next())?;
        Ok(dynamic.encode_to_vec().into())
    }

    async fn send(&self, verb: &str, payloads: Payloads) -> Result<Payloads> {
        let body = proto_json::to_json(&payloads, false)?.to_string();
        let uri: Uri = format!("{}/{verb}", self.endpoint)
            .parse()
            .map_err(|_| Error::usage(format!("`{}` is no URL", self.endpoint)))?;
        let mut request = Request::post(uri)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(body))
            .map_err(|error| Error::Codec(error.to_string()))?;
        request.headers_mut().extend(self.headers.iter().cloned());
        let answer = self.http.send(request, TIMEOUT).await;
        let answer = answer.map_err(|error| Error::Codec(format!("{verb}: {error}")))?;
        if answer.status() != StatusCode::OK {
            return Err(Error::Codec(format!("{verb}: answered {}", answer.status())));
        }
        proto_json::from_json(answer.body())
            .map_err(|error| Error::Codec(format!("{verb}: its answer is no payloads: {error}")))
    }
}

/// Shows every payload of a message, and puts what comes back in its place. Search attributes stay
/// as they are: the server reads them.
fn walk(
    message: &mut DynamicMessage,
    visit: &mut dyn FnMut(&Payload) -> Option<Payload>,
) -> Result {
    let descriptor = message.descriptor();
    if descriptor.full_name() == "temporal.api.common.v1.SearchAttributes" {
        return Ok(());
    }
    if descriptor.full_name() == Payload::NAME {
        let payload: Payload =
            message.transcode_to().map_err(|error| Error::Codec(error.to_string()))?;
        if let Some(new) = visit(&payload) {
            *message = DynamicMessage::new(descriptor);
            message.transcode_from(&new).map_err(|error| Error::Codec(error.to_string()))?;
        }
        return Ok(());
    }
    for (_, value) in message.fields_mut() {
        match value {
            Field::Message(message) => walk(message, visit)?,
            Field::List(values) => {
                for value in values {
                    if let Field::Message(message) = value {
                        walk(message, visit)?;
                    }
                }
            }
            Field::Map(entries) => {
                // In the order of the keys, so that both walks meet the same order.
                let mut entries: Vec<_> = entries.iter_mut().collect();
                entries.sort_by(|left, right| left.0.cmp(right.0));
                for (_, value) in entries {
                    if let Field::Message(message) = value {
                        walk(message, visit)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}
