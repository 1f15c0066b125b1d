//! `data-converter web`: payloads for the web UI of old, which asks for them by a web socket.
//!
//! Its page asks a program on the user's machine, which had the keys. Here the program asks the
//! codec server. It listens on loopback only, and answers only the pages of the one web UI.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use api::common::v1::Payload;
use clap::{Args, Subcommand};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{StatusCode, Uri, header::ORIGIN};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async_with_config,
    tungstenite::{
        Error as SocketError, Message,
        handshake::server::{ErrorResponse, Request, Response},
        protocol::WebSocketConfig,
    },
};

use crate::{
    codec::Codec,
    context::Context,
    error::{Error, Result},
    proto_json::{self, Named as _},
};

/// Most pages that are served at a time; the others wait.
const PAGES_MAX: usize = 16;

/// How long a page may take to say what it is.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest question, in bytes: a payload may have two megabytes, and grows in base64, twice.
const QUESTION_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How long to wait when the machine has no connections left.
const PAUSE: Duration = Duration::from_millis(100);

/// Commands about payloads.
#[derive(Debug, Subcommand)]
pub enum DataConverterCommand {
    /// Decode payloads for the web UI of old, which asks by a web socket.
    Web(Web),
}

/// See `data-converter web`.
#[derive(Debug, Args)]
pub struct Web {
    /// The address of the web UI: no other page is answered.
    #[arg(long, value_name = "URL", value_parser = origin)]
    web_ui_url: String,
    /// Port to listen on; 0 for any free one.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    port: u16,
}

/// What a page asks.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    request_id: String,
    /// A payload as JSON.
    payload: String,
}

/// What it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    request_id: String,
    content: String,
}

impl DataConverterCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let Self::Web(command) = self;
        command.run(context).await
    }
}

impl Web {
    async fn run(self, context: &mut Context) -> Result {
        let settings = &context.settings;
        let codec = settings.codec.as_ref().map(|codec| Codec::new(codec, &settings.namespace));
        let codec = codec.transpose()?;
        if codec.is_none() {
            let text =
                "no codec server is named (--codec-endpoint): payloads are shown as they are";
            context.output.warning(text)?;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await;
        let listener = listener.map_err(|error| {
            Error::usage(format!("cannot listen on port {}: {error}", self.port))
        })?;
        let port = listener.local_addr()?.port();
        let origin = self.web_ui_url;
        let text = "To configure your Web UI session to use the local data converter use this URL:";
        context.output.line(&format!("{text} {origin}/data-converter/{port}"))?;
        serve(&listener, codec, origin).await
    }
}

/// Serves pages until the program is ended.
async fn serve(listener: &TcpListener, codec: Option<Codec>, origin: String) -> Result {
    let (codec, origin) = (Arc::new(codec), Arc::<str>::from(origin));
    let turns = Arc::new(Semaphore::new(PAGES_MAX));
    let mut pages = JoinSet::new();
    loop {
        let turn = Arc::clone(&turns).acquire_owned().await;
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (codec, origin) = (Arc::clone(&codec), Arc::clone(&origin));
        pages.spawn(async move {
            // A page that goes away, or speaks nonsense, is nobody else's business.
            let _gone: std::result::Result<(), SocketError> = async {
                let Ok(socket) = timeout(HANDSHAKE_TIMEOUT, accept(stream, &origin)).await else {
                    return Ok(());
                };
                answer_all(socket?, codec.as_ref().as_ref()).await
            }
            .await;
            drop(turn);
        });
        while pages.try_join_next().is_some() {}
    }
}

async fn accept(
    stream: TcpStream,
    origin: &str,
) -> std::result::Result<WebSocketStream<TcpStream>, SocketError> {
    let limits = WebSocketConfig::default()
        .max_message_size(Some(QUESTION_BYTES_MAX))
        .max_frame_size(Some(QUESTION_BYTES_MAX));
    let check = |request: &Request, response: Response| of_page(request, response, origin);
    accept_hdr_async_with_config(stream, check, Some(limits)).await
}

/// Lets in the pages of the web UI, and nobody else's.
fn of_page(
    request: &Request,
    response: Response,
    page: &str,
) -> std::result::Result<Response, ErrorResponse> {
    if request.headers().get(ORIGIN).is_some_and(|origin| origin.as_bytes() == page.as_bytes()) {
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(Some("this page may not ask".to_owned()));
    *refusal.status_mut() = StatusCode::FORBIDDEN;
    Err(refusal)
}

/// Answers a page's questions until it goes.
async fn answer_all(
    mut socket: WebSocketStream<TcpStream>,
    codec: Option<&Codec>,
) -> std::result::Result<(), SocketError> {
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        let Ok(question) = serde_json::from_str::<Question>(&text) else { break };
        let content = content(&question.payload, codec).await;
        // The page shows this in the payload's place.
        let content = content.unwrap_or_else(|error| error.to_string());
        let answer = Answer { request_id: question.request_id, content };
        let Ok(text) = serde_json::to_string(&answer) else { break };
        socket.send(Message::text(text)).await?;
    }
    socket.close(None).await
}

/// A payload, decoded, as text: JSON as it is, everything else as it is told people.
async fn content(payload: &str, codec: Option<&Codec>) -> Result<String> {
    let payload: Payload = proto_json::from_json(payload.as_bytes())
        .map_err(|error| Error::usage(format!("the question holds no payload: {error}")))?;
    let payload = match codec {
        Some(codec) => {
            let decoded = codec.decode(Payload::NAME, payload.encode_to_vec().into()).await?;
            Payload::decode(decoded).map_err(|error| Error::Codec(error.to_string()))?
        }
        None => payload,
    };
    let is_json = payload.metadata.get("encoding").is_some_and(|name| name.starts_with(b"json/"));
    Ok(match (std::str::from_utf8(&payload.data), proto_json::value(&payload)) {
        (Ok(text), _) if is_json => text.to_owned(),
        (_, serde_json::Value::String(text)) => text,
        (_, value) => value.to_string(),
    })
}

/// Reads the address of a web UI: what browsers call its origin.
fn origin(text: &str) -> std::result::Result<String, String> {
    let wrong = || format!("`{text}` is no address such as http://localhost:8080");
    let url: Uri = text.parse().map_err(|_| wrong())?;
    match (url.scheme_str(), url.authority()) {
        (Some(scheme @ ("http" | "https")), Some(authority)) => {
            Ok(format!("{scheme}://{authority}").to_lowercase())
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(origin: Option<&str>) -> bool {
        let mut request = Request::new(());
        if let Some(origin) = origin {
            request.headers_mut().insert(ORIGIN, origin.parse().unwrap());
        }
        of_page(&request, Response::new(()), "http://localhost:8080").is_ok()
    }

    #[test]
    fn pages_of_the_one_web_ui_may_ask() {
        assert!(asked(Some("http://localhost:8080")));
        for other in ["http://localhost", "https://localhost:8080", "http://evil.example", "null"] {
            assert!(!asked(Some(other)), "{other}");
        }
        assert!(!asked(None));
    }

    #[test]
    fn an_origin_has_neither_a_path_nor_large_letters() {
        assert_eq!(origin("http://Localhost:8080/x").unwrap(), "http://localhost:8080");
        assert_eq!(origin("https://ui.example").unwrap(), "https://ui.example");
        for wrong in ["localhost", "ftp://a", "", "/a"] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn contents_are_told_as_they_are() {
        let told = |json: &'static str| content(json, None);
        let json = r#"{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "eyJhIjogMS4xMH0="}"#;
        assert_eq!(told(json).await.unwrap(), r#"{"a": 1.10}"#);
        let nothing = r#"{"metadata": {"encoding": "YmluYXJ5L251bGw="}}"#;
        assert_eq!(told(nothing).await.unwrap(), "null");
        let bytes = r#"{"metadata": {"encoding": "YmluYXJ5L3BsYWlu"}, "data": "AAE="}"#;
        assert_eq!(told(bytes).await.unwrap(), "<2 bytes of binary/plain>");
        assert!(told("[").await.is_err());
    }
}
