//! Reads what key sources publish.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_client::{Client, HttpClient};
use serde_json::Value;

use crate::KeySource;

/// Largest file that is read, in bytes.
const BYTES_MAX: u64 = 1024 * 1024;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where an issuer says of itself.
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Reads files and addresses; of those it trusts the authorities that the operating system trusts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fetcher {
    client: Client,
}

impl Fetcher {
    /// What a source publishes; the error is for the log.
    pub(crate) async fn key_set(&self, source: &KeySource) -> Result<Value, String> {
        match source {
            KeySource::File(path) => {
                let file = tokio::fs::metadata(path).await.map_err(|error| error.to_string())?;
                if file.len() > BYTES_MAX {
                    return Err(format!("it has {} bytes", file.len()));
                }
                let text = tokio::fs::read(path).await.map_err(|error| error.to_string())?;
                serde_json::from_slice(&text).map_err(|error| error.to_string())
            }
            KeySource::Address(uri) => self.fetched(uri.clone()).await,
            KeySource::Issuer(issuer) => {
                let address = format!("{}{DISCOVERY}", issuer.trim_end_matches('/'));
                let about = self.fetched(parsed(&address)?).await?;
                let text = |name: &str| about.get(name).and_then(Value::as_str);
                if text("issuer") != Some(issuer.as_str()) {
                    return Err(format!("`{address}` speaks of another issuer"));
                }
                let keys = text("jwks_uri").ok_or("there is no jwks_uri")?;
                self.fetched(parsed(keys)?).await
            }
        }
    }

    async fn fetched(&self, uri: Uri) -> Result<Value, String> {
        let request = Request::get(uri)
            .header(header::ACCEPT, "application/json")
            .body(Bytes::new())
            .map_err(|error| error.to_string())?;
        let response = self.client.send(request, TIMEOUT).await;
        let response = response.map_err(|error| error.to_string())?;
        if response.status() != StatusCode::OK {
            return Err(format!("the answer is {}", response.status()));
        }
        serde_json::from_slice(response.body()).map_err(|error| error.to_string())
    }
}

fn parsed(text: &str) -> Result<Uri, String> {
    text.parse().map_err(|_| format!("`{text}` is no address"))
}
