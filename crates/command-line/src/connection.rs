//! Connections to a server.

use std::time::Duration;

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::{
    diagnosis,
    error::{Error, Result},
    settings::{Settings, Tls},
};

/// How long connecting takes at most, unless told otherwise.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest answer that is taken, in bytes: a page of histories may hold many payloads.
pub(crate) const ANSWER_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Connects, or says which step failed.
pub(crate) async fn connect(settings: &Settings, timeout: Duration) -> Result<Channel> {
    let endpoint = endpoint(settings, timeout)?;
    match tokio::time::timeout(timeout, endpoint.connect()).await {
        Ok(Ok(channel)) => Ok(channel),
        Ok(Err(error)) => {
            Err(Error::Connection(Box::new(diagnosis::connect(settings, &error, timeout).await)))
        }
        Err(_) => Err(Error::Connection(Box::new(diagnosis::slow(settings, timeout).await))),
    }
}

fn endpoint(settings: &Settings, timeout: Duration) -> Result<Endpoint> {
    let wrong = |error: &dyn std::fmt::Display| {
        Error::usage(format!(
            "`{}` is no address such as localhost:7233: {error}",
            settings.address
        ))
    };
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", settings.address);
    let mut endpoint = Endpoint::from_shared(url)
        .map_err(|error| wrong(&error))?
        .connect_timeout(timeout)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(15));
    if let Some(authority) = &settings.authority {
        let origin = format!("{scheme}://{authority}")
            .parse()
            .map_err(|error| Error::usage(format!("--client-authority `{authority}`: {error}")))?;
        endpoint = endpoint.origin(origin);
    }
    if let Some(tls) = &settings.tls {
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
