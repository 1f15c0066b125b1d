//! The client.

use std::{
    error::Error,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use crate::CallError;

/// Largest answer that is read, in bytes, as in the reference.
const RESPONSE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Most connections to one host that are kept while nobody needs them.
const IDLE_CONNECTIONS_MAX: usize = 16;

/// How long they are kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest set of headers of an answer, in bytes.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Who makes HTTP requests.
pub trait HttpClient: fmt::Debug + Send + Sync {
    /// Sends a request and reads the whole answer. The caller has checked the address.
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, CallError>>;
}

/// Reaches no address.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoClient;

impl HttpClient for NoClient {
    fn send(
        &self,
        _request: Request<Bytes>,
        _timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, CallError>> {
        let refused = CallError::Connection("this node reaches no address".to_owned());
        Box::pin(async { Err(refused) })
    }
}

type Pool = legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Sends requests over the network, encrypted or not as the address says. Redirects are answers
/// like others: nobody is sent somewhere that was not checked.
#[derive(Clone, Default)]
pub struct Client {
    /// Made for the first request: reading the system's certificates takes time.
    pool: Arc<OnceLock<Result<Pool, CallError>>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    fn pool(&self) -> Result<Pool, CallError> {
        self.pool.get_or_init(connect).clone()
    }
}

fn connect() -> Result<Pool, CallError> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_native_roots()
        .map_err(|error| CallError::Connection(error.to_string()))?
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector);
    Ok(legacy::Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .http1_max_buf_size(HEADER_BYTES_MAX)
        .build(connector))
}

impl HttpClient for Client {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, CallError>> {
        Box::pin(async move {
            let pool = self.pool()?;
            let exchange = async {
                let response = pool.request(request.map(Full::new)).await;
                let response = response.map_err(|error| CallError::Connection(chain(&error)))?;
                let (parts, body) = response.into_parts();
                let body = Limited::new(body, RESPONSE_BYTES_MAX).collect().await;
                let body = body.map_err(|error| {
                    if error.is::<LengthLimitError>() {
                        CallError::TooLarge
                    } else {
                        CallError::Connection(chain(error.as_ref()))
                    }
                })?;
                Ok(Response::from_parts(parts, body.to_bytes()))
            };
            match tokio::time::timeout(timeout, exchange).await {
                Ok(answer) => answer,
                Err(_) => Err(CallError::TimedOut),
            }
        })
    }
}

/// An error and what is behind it: the outermost says nothing that helps.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// Answers every connection with these bytes; gives its address.
    async fn answering(answer: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let _read = stream.read(&mut [0; 1024]).await;
                    let _written = stream.write_all(&answer).await;
                    if answer.is_empty() {
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        format!("http://{address}/")
    }

    async fn send(url: &str, patience: Duration) -> Result<Response<Bytes>, CallError> {
        let request = Request::post(url).body(Bytes::from_static(b"hello")).unwrap();
        Client::default().send(request, patience).await
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_nobody_is_sent_on() {
        let answer = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\
                      content-length: 2\r\n\r\nno";
        let response = send(&answering(answer.into()).await, PATIENCE).await.unwrap();
        assert_eq!((response.status().as_u16(), &response.body()[..]), (302, &b"no"[..]));
    }

    #[tokio::test]
    async fn an_answer_that_is_too_large_is_not_read() {
        let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        answer.resize(answer.len() + RESPONSE_BYTES_MAX + 1, b'x');
        let refused = send(&answering(answer).await, PATIENCE).await.unwrap_err();
        assert_eq!(refused, CallError::TooLarge);
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_told() {
        let refused = send(&answering(Vec::new()).await, Duration::from_millis(50)).await;
        assert_eq!(refused.unwrap_err(), CallError::TimedOut);
    }

    #[tokio::test]
    async fn an_error_says_what_is_behind_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let refused = send(&format!("http://{address}/"), PATIENCE).await.unwrap_err();
        assert!(refused.to_string().contains("refused"), "{refused}");
    }
}
