//! Calls to a server.

use std::time::Duration;

use api::{Wire, workflowservice::v1::GetWorkflowExecutionHistoryRequest};
use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message as _;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap},
    transport::Channel,
};

use crate::{
    calls::Call,
    codec::Codec,
    connection::{ANSWER_BYTES_MAX, connect},
    diagnosis,
    error::{Error, Result},
    proto_json::Named as _,
    settings::Settings,
};

/// The reference appends events of a workflow task that are not written, and may never be, to a
/// history; not for its own command line, as which histories are therefore asked for.
const READER_OF_WRITTEN_EVENTS: &str = "temporal-cli";

/// How long a call may take; a long poll ends before.
const CALL_TIMEOUT: Duration = Duration::from_secs(70);
/// How often a call is tried while the server is not there for a moment.
const ATTEMPTS_MAX: u32 = 3;
/// How long to wait before the second attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// A connection, and what is sent with every call.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    grpc: Grpc<Channel>,
    metadata: MetadataMap,
    codec: Option<Codec>,
}

impl Client {
    /// Connects.
    pub(crate) async fn connect(settings: &Settings, timeout: Duration) -> Result<Self> {
        let metadata = metadata(settings)?;
        let codec = settings.codec.as_ref().map(|codec| Codec::new(codec, &settings.namespace));
        let channel = connect(settings, timeout).await?;
        let grpc = Grpc::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
        Ok(Self { grpc, metadata, codec: codec.transpose()? })
    }

    /// Calls a method; what the server refuses is for the caller to judge.
    pub(crate) async fn try_call<Q: Call>(
        &mut self,
        request: Q,
    ) -> Result<std::result::Result<Q::Answer, Status>> {
        let names = [Q::NAME, Q::Answer::NAME];
        let answer = Box::pin(self.ask(Q::PATH, names, request.encode_to_vec().into())).await?;
        Ok(answer.and_then(|answer| {
            Q::Answer::decode(answer).map_err(|error| Status::internal(error.to_string()))
        }))
    }

    /// Calls a method.
    pub(crate) async fn call<Q: Call>(&mut self, request: Q) -> Result<Q::Answer> {
        let answer = self.try_call(request).await?;
        let doing = || Q::METHOD.to_owned();
        answer.map_err(|status| Error::Refused { doing: doing(), status: Box::new(status) })
    }

    /// What all methods have in common is compiled once, and works on messages as they are sent.
    /// `names` are those of the request and of the answer.
    async fn ask(
        &mut self,
        path: &'static str,
        names: [&str; 2],
        request: Bytes,
    ) -> Result<std::result::Result<Bytes, Status>> {
        let [request_name, answer_name] = names;
        let request = match &self.codec {
            Some(codec) => codec.encode(request_name, request).await?,
            None => request,
        };
        let mut attempt = 1;
        let mut pause = FIRST_PAUSE;
        let answer = loop {
            match self.unary(path, request.clone()).await {
                Err(status) if status.code() == Code::Unavailable && attempt < ATTEMPTS_MAX => {
                    attempt += 1;
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                answer => break answer,
            }
        };
        match (answer, &self.codec) {
            (Ok(answer), Some(codec)) => Ok(Ok(codec.decode(answer_name, answer).await?)),
            (answer, _) => Ok(answer),
        }
    }

    async fn unary(
        &mut self,
        path: &'static str,
        request: Bytes,
    ) -> std::result::Result<Bytes, Status> {
        let mut request = Request::new(request);
        *request.metadata_mut() = self.metadata.clone();
        if path == GetWorkflowExecutionHistoryRequest::PATH {
            let reader = AsciiMetadataValue::from_static(READER_OF_WRITTEN_EVENTS);
            request.metadata_mut().insert("client-name", reader);
        }
        request.set_timeout(CALL_TIMEOUT);
        self.grpc.ready().await.map_err(|error| Status::unavailable(diagnosis::chain(&error)))?;
        Ok(self.grpc.unary(request, PathAndQuery::from_static(path), Wire).await?.into_inner())
    }
}

/// What is sent with every call.
fn metadata(settings: &Settings) -> Result<MetadataMap> {
    let mut map = MetadataMap::new();
    map.insert("client-name", AsciiMetadataValue::from_static("longtide-cli"));
    let version = AsciiMetadataValue::from_static(env!("CARGO_PKG_VERSION"));
    map.insert("client-version", version);
    map.insert("caller-type", AsciiMetadataValue::from_static("operator"));
    if let Ok(namespace) = settings.namespace.parse() {
        map.insert("temporal-namespace", namespace);
    }
    put_given(settings, &mut map)?;
    Ok(map)
}

/// What options, variables and profiles say is sent: credentials, and metadata.
pub(crate) fn given_metadata(settings: &Settings) -> Result<MetadataMap> {
    let mut map = MetadataMap::new();
    put_given(settings, &mut map)?;
    Ok(map)
}

fn put_given(settings: &Settings, map: &mut MetadataMap) -> Result {
    if let Some(key) = &settings.api_key {
        let mut value: AsciiMetadataValue = format!("Bearer {key}")
            .parse()
            .map_err(|_| Error::usage("the API key is no plain text"))?;
        value.set_sensitive(true);
        map.insert("authorization", value);
    }
    for (key, value) in &settings.metadata {
        let wrong = || Error::usage(format!("`{key}` cannot be sent as metadata"));
        let name: AsciiMetadataKey = key.to_lowercase().parse().map_err(|_| wrong())?;
        map.insert(name, value.parse().map_err(|_| wrong())?);
    }
    Ok(())
}
