//! Connections to a server.

use std::{io, sync::Arc, time::Duration};

use http::Uri;
use hyper_util::rt::TokioIo;
use tls::{UnverifiedClient, UnverifiedStream};
use tokio::net::TcpStream;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tower::Service;

use crate::{
    diagnosis,
    error::{Error, Result},
    settings::{Settings, Tls},
};

/// How long connecting takes at most, unless told otherwise.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest answer that is taken, in bytes: a page of histories may hold many payloads.
pub(crate) const ANSWER_BYTES_MAX: usize = 128 * 1024 * 1024;

/// The port of an address without one.
const HTTPS_PORT: u16 = 443;

/// Connects, or says which step failed.
pub(crate) async fn connect(settings: &Settings, timeout: Duration) -> Result<Channel> {
    let endpoint = endpoint(settings, timeout)?;
    let anybody = match &settings.tls {
        Some(tls) if tls.anybody => Some(to_anybody(unverified(tls)?, tls)),
        _ => None,
    };
    let connected = async {
        match anybody {
            Some(connector) => endpoint.connect_with_connector(connector).await,
            None => endpoint.connect().await,
        }
    };
    match tokio::time::timeout(timeout, connected).await {
        Ok(Ok(channel)) => Ok(channel),
        Ok(Err(error)) => {
            Err(Error::Connection(Box::new(diagnosis::connect(settings, &error, timeout).await)))
        }
        Err(_) => Err(Error::Connection(Box::new(diagnosis::slow(settings, timeout).await))),
    }
}

/// A connection that is made with the first call.
pub(crate) fn connect_lazily(settings: &Settings, timeout: Duration) -> Result<Channel> {
    let endpoint = endpoint(settings, timeout)?;
    Ok(match &settings.tls {
        Some(tls) if tls.anybody => {
            endpoint.connect_with_connector_lazy(to_anybody(unverified(tls)?, tls))
        }
        _ => endpoint.connect_lazy(),
    })
}

/// A client that does not ask who the server is.
fn unverified(tls: &Tls) -> Result<UnverifiedClient> {
    let identity = tls.certificate.as_deref().zip(tls.key.as_deref());
    UnverifiedClient::new(identity).map_err(|error| Error::usage(error.to_string()))
}

/// What connects without asking who the server is.
fn to_anybody(
    client: UnverifiedClient,
    tls: &Tls,
) -> impl Service<Uri, Response = TokioIo<UnverifiedStream>, Error = io::Error, Future: Send>
+ Send
+ use<> {
    let client = Arc::new(client);
    let named = tls.server_name.clone();
    tower::service_fn(move |uri: Uri| {
        let (client, named) = (Arc::clone(&client), named.clone());
        async move {
            let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let port = uri.port_u16().unwrap_or(HTTPS_PORT);
            let stream = TcpStream::connect((host.as_str(), port)).await?;
            let stream = client.connect(named.unwrap_or(host), stream).await?;
            Ok(TokioIo::new(stream))
        }
    })
}

fn endpoint(settings: &Settings, timeout: Duration) -> Result<Endpoint> {
    let wrong = |error: &dyn std::fmt::Display| {
        Error::usage(format!(
            "`{}` is no address such as localhost:7233: {error}",
            settings.address
        ))
    };
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let anybody = settings.tls.as_ref().is_some_and(|tls| tls.anybody);
    // Encryption that asks nobody is the connector's work, of which the library knows nothing.
    let dialled = if anybody { "http" } else { scheme };
    let url = format!("{dialled}://{}", settings.address);
    let mut endpoint = Endpoint::from_shared(url)
        .map_err(|error| wrong(&error))?
        .connect_timeout(timeout)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(15));
    let authority = settings.authority.as_ref().or(anybody.then_some(&settings.address));
    if let Some(authority) = authority {
        let origin = format!("{scheme}://{authority}")
            .parse()
            .map_err(|error| Error::usage(format!("--client-authority `{authority}`: {error}")))?;
        endpoint = endpoint.origin(origin);
    }
    if let Some(tls) = settings.tls.as_ref().filter(|tls| !tls.anybody) {
        endpoint = endpoint
            .tls_config(configuration(tls))
            .map_err(|error| Error::usage(format!("TLS: {}", diagnosis::chain(&error))))?;
    }
    Ok(endpoint)
}

fn configuration(tls: &Tls) -> ClientTlsConfig {
    let mut config = ClientTlsConfig::new();
    config = match &tls.roots {
        Some(roots) => config.ca_certificate(Certificate::from_pem(roots)),
        None => config.with_native_roots(),
    };
    if let (Some(certificate), Some(key)) = (&tls.certificate, &tls.key) {
        config = config.identity(Identity::from_pem(certificate, key));
    }
    if let Some(name) = &tls.server_name {
        config = config.domain_name(name);
    }
    config
}
