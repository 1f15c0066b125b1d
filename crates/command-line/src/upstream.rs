//! A server that other people's calls are passed on to.

use std::time::Duration;

use http::{HeaderMap, Request, Response};
use tonic::{Status, body::Body, transport::Channel};
use tower::{Service as _, ServiceExt as _};

use crate::{
    Options, Surroundings,
    client::given_metadata,
    connection::{CONNECT_TIMEOUT, connect_lazily},
    diagnosis,
    error::Result,
    settings::Settings,
};

/// How long a call may take; a long poll ends before.
const CALL_TIMEOUT: Duration = Duration::from_secs(70);

/// A connection that is made with the first call and again whenever it breaks, and what is shown to
/// the server when a call itself does not say it.
#[derive(Debug, Clone)]
pub struct Upstream {
    channel: Channel,
    address: String,
    metadata: HeaderMap,
}

impl Upstream {
    /// The server that options, variables and profiles name. Within a runtime only.
    ///
    /// # Errors
    /// When they make no sense.
    pub fn open(options: &Options, around: &Surroundings) -> Result<Self> {
        let settings = Settings::gather(options, around)?;
        let timeout = options.common.client_connect_timeout;
        let timeout = timeout.map_or(CONNECT_TIMEOUT, |given| given.0);
        let channel = connect_lazily(&settings, timeout)?;
        let metadata = given_metadata(&settings)?.into_headers();
        Ok(Self { channel, address: settings.address, metadata })
    }

    /// Where the server is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether callers who show no credentials act with those of the options.
    pub fn lends_credentials(&self) -> bool {
        self.metadata.contains_key(http::header::AUTHORIZATION)
    }

    /// Makes a call. When no answer comes, the answer says so.
    pub async fn call(&self, mut request: Request<Body>) -> Response<Body> {
        for (name, value) in &self.metadata {
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        let mut channel = self.channel.clone();
        let answer = async { channel.ready().await?.call(request).await };
        match tokio::time::timeout(CALL_TIMEOUT, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                let why = diagnosis::chain(&error);
                Status::unavailable(format!("{} cannot be reached: {why}", self.address))
                    .into_http()
            }
            Err(_) => {
                let text = format!("{} did not answer in time", self.address);
                Status::deadline_exceeded(text).into_http()
            }
        }
    }
}
