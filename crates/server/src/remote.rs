//! Connections to another server, as a configuration describes them.

use std::{fs, path::Path, time::Duration};

use anyhow::Context;
use config::{RemoteServer, RemoteTls};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How often an idle server is asked whether it is still there, and how long it may take to answer.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(15);

/// Largest set of headers of an answer, in bytes: refusals have their details there.
const HEADER_BYTES_MAX: u32 = 1024 * 1024;

/// Bytes that a server may send ahead on one call and on one connection.
const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// A connection that is made with the first call, and again whenever it breaks.
pub(crate) fn channel(server: &RemoteServer) -> anyhow::Result<Channel> {
    let scheme = if server.tls.is_some() { "https" } else { "http" };
    let mut endpoint = Endpoint::from_shared(format!("{scheme}://{}", server.address))
        .with_context(|| format!("`{}` is no address", server.address))?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    if let Some(tls) = &server.tls {
        endpoint = endpoint.tls_config(encryption(tls)?).context("tls")?;
    }
    Ok(endpoint.connect_lazy())
}

fn encryption(tls: &RemoteTls) -> anyhow::Result<ClientTlsConfig> {
    let mut config = match &tls.ca_file {
        Some(file) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(file)?)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    if let (Some(certificate), Some(key)) = (&tls.cert_file, &tls.key_file) {
        config = config.identity(Identity::from_pem(read(certificate)?, read(key)?));
    }
    if let Some(name) = &tls.server_name {
        config = config.domain_name(name);
    }
    Ok(config)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))
}
