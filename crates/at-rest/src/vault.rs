//! Keys of a Vault-like service (`transit`): it wraps and unwraps, and never gives the key away.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_client::{AddressRules, HttpClient};
use serde_json::{Value, json};

use crate::aead::Secret;

/// How long the service may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A key of a `transit` engine.
#[derive(Clone)]
pub struct VaultTransit {
    /// Where the service is, such as `https://vault.example.com:8200`.
    pub address: String,
    /// Where the engine is mounted, such as `transit`.
    pub mount: String,
    /// The key's name there.
    pub key: String,
    /// The token that allows to encrypt and decrypt with it.
    pub token: String,
    /// Who makes the requests.
    pub client: Arc<dyn HttpClient>,
}

impl VaultTransit {
    pub(crate) async fn wrap(&self, secret: &Secret) -> Result<String, String> {
        let plaintext = json!({ "plaintext": STANDARD.encode(secret) });
        self.ask("encrypt", &plaintext, "ciphertext").await
    }

    pub(crate) async fn unwrap(&self, wrapped: &str) -> Result<Secret, String> {
        let text = self.ask("decrypt", &json!({ "ciphertext": wrapped }), "plaintext").await?;
        let secret = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        secret.ok_or_else(|| "the service's answer is no key".to_owned())
    }

    async fn ask(&self, verb: &str, question: &Value, field: &str) -> Result<String, String> {
        let address = self.address.trim_end_matches('/');
        let url = format!("{address}/v1/{}/{verb}/{}", self.mount.trim_matches('/'), self.key);
        AddressRules::default().check_endpoint(&url).map_err(|error| error.to_string())?;
        let request = Request::post(&url)
            .header("x-vault-token", &self.token)
            .header("content-type", "application/json")
            .body(Bytes::from(question.to_string()))
            .map_err(|error| error.to_string())?;
        let answer = self.client.send(request, TIMEOUT).await;
        let answer = answer.map_err(|error| format!("{address}: {error}"))?;
        if answer.status() != StatusCode::OK {
            return Err(refusal(address, answer.status(), answer.body()));
        }
        let answer: Value = serde_json::from_slice(answer.body())
            .map_err(|_| format!("{address}: the answer is no JSON"))?;
        let found = answer.get("data").and_then(|data| data.get(field)).and_then(Value::as_str);
        found.map(str::to_owned).ok_or_else(|| format!("{address}: the answer has no `{field}`"))
    }
}

fn refusal(address: &str, status: StatusCode, body: &[u8]) -> String {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let errors = answer.as_ref().and_then(|answer| answer.get("errors")?.as_array());
    let errors = errors.map(|all| all.iter().filter_map(Value::as_str).collect::<Vec<_>>());
    let errors = errors.unwrap_or_default().join("; ");
    format!("{address}: {status} {errors}").trim_end().to_owned()
}

impl fmt::Debug for VaultTransit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VaultTransit")
            .field("address", &self.address)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;
    use http::Response;
    use http_client::CallError;

    use super::*;

    /// Turns texts round in place of encryption.
    #[derive(Debug)]
    struct Fake;

    impl HttpClient for Fake {
        fn send(
            &self,
            request: Request<Bytes>,
            _timeout: Duration,
        ) -> BoxFuture<'_, Result<Response<Bytes>, CallError>> {
            let asked: Value = serde_json::from_slice(request.body()).unwrap();
            let reversed = |text: &str| text.chars().rev().collect::<String>();
            let (status, answer) = match request.uri().path() {
                _ if request.headers()["x-vault-token"] != "good" => {
                    (403, json!({ "errors": ["permission denied"] }))
                }
                "/v1/transit/encrypt/longtide" => {
                    let text = asked["plaintext"].as_str().unwrap();
                    (
                        200,
                        json!({ "data": { "ciphertext": format!("vault:v1:{}", reversed(text)) } }),
                    )
                }
                "/v1/transit/decrypt/longtide" => {
                    let text = asked["ciphertext"].as_str().unwrap();
                    let text = text.strip_prefix("vault:v1:").unwrap();
                    (200, json!({ "data": { "plaintext": reversed(text) } }))
                }
                other => (404, json!({ "errors": [format!("no handler for {other}")] })),
            };
            let body = Bytes::from(answer.to_string());
            Box::pin(async move { Ok(Response::builder().status(status).body(body).unwrap()) })
        }
    }

    fn vault(address: &str, token: &str) -> VaultTransit {
        VaultTransit {
            address: address.to_owned(),
            mount: "transit".to_owned(),
            key: "longtide".to_owned(),
            token: token.to_owned(),
            client: Arc::new(Fake),
        }
    }

    #[tokio::test]
    async fn a_key_is_wrapped_and_unwrapped_by_the_service() {
        let vault = vault("https://vault.test:8200/", "good");
        let wrapped = vault.wrap(&[7; 32]).await.unwrap();
        assert!(wrapped.starts_with("vault:v1:"), "{wrapped}");
        assert_eq!(vault.unwrap(&wrapped).await.unwrap(), [7; 32]);
        assert!(vault.unwrap("vault:v1:abc").await.is_err());
    }

    #[tokio::test]
    async fn a_refusal_is_told_and_the_token_is_not() {
        let vault = vault("https://vault.test:8200", "secret-token");
        let refused = vault.wrap(&[7; 32]).await.unwrap_err();
        assert_eq!(refused, "https://vault.test:8200: 403 Forbidden permission denied");
        assert!(!format!("{vault:?}").contains("secret-token"));
    }

    #[tokio::test]
    async fn nothing_is_sent_without_encryption_but_to_loopback() {
        let refused = vault("http://vault.test:8200", "good").wrap(&[7; 32]).await.unwrap_err();
        assert!(refused.contains("does not allow insecure connections"), "{refused}");
        assert!(vault("http://127.0.0.1:8200", "good").wrap(&[7; 32]).await.is_ok());
    }
}
