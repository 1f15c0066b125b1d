//! A client of a server's own services, for the command line.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use http::uri::PathAndQuery;
use prost::Message;
use tonic::{
    Request,
    client::Grpc,
    metadata::AsciiMetadataValue,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tonic_prost::ProstCodec;

use crate::admin_service::NAME;

/// Where the server is, and what is shown to it: the names are those of the `temporal` CLI.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// The server's gRPC address.
    #[arg(long, env = "TEMPORAL_ADDRESS", default_value = "127.0.0.1:7233")]
    address: String,
    /// An API key or a token.
    #[arg(long, env = "TEMPORAL_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Encrypt, and trust the authorities that this machine trusts.
    #[arg(long, env = "TEMPORAL_TLS")]
    tls: bool,
    /// File of the authorities that are trusted.
    #[arg(long, env = "TEMPORAL_TLS_SERVER_CA_CERT_PATH", value_name = "PATH")]
    tls_ca_path: Option<PathBuf>,
    /// File of the certificate that is shown.
    #[arg(
        long,
        env = "TEMPORAL_TLS_CLIENT_CERT_PATH",
        value_name = "PATH",
        requires = "tls_key_path"
    )]
    tls_cert_path: Option<PathBuf>,
    /// File of its key.
    #[arg(
        long,
        env = "TEMPORAL_TLS_CLIENT_KEY_PATH",
        value_name = "PATH",
        requires = "tls_cert_path"
    )]
    tls_key_path: Option<PathBuf>,
    /// The name that the server has to prove.
    #[arg(long, env = "TEMPORAL_TLS_SERVER_NAME", value_name = "NAME")]
    tls_server_name: Option<String>,
}

/// A connection to a server.
pub(crate) struct AdminClient {
    grpc: Grpc<Channel>,
    authorization: Option<AsciiMetadataValue>,
}

impl AdminClient {
    /// Connects.
    pub(crate) async fn connect(to: &Connection) -> anyhow::Result<Self> {
        let encrypted = to.tls || to.tls_ca_path.is_some() || to.tls_cert_path.is_some();
        let scheme = if encrypted { "https" } else { "http" };
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{}", to.address))?;
        if encrypted {
            endpoint = endpoint.tls_config(to.tls_config()?)?;
        }
        let channel = endpoint.connect().await;
        let channel = channel.with_context(|| format!("cannot connect to {}", to.address))?;
        let authorization = match &to.api_key {
            None => None,
            Some(key) => {
                let mut value: AsciiMetadataValue =
                    format!("Bearer {key}").parse().context("the API key is no text")?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Self { grpc: Grpc::new(channel), authorization })
    }

    /// Calls a method.
    pub(crate) async fn call<Q, A>(&mut self, method: &'static str, request: Q) -> anyhow::Result<A>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut request = Request::new(request);
        if let Some(value) = &self.authorization {
            request.metadata_mut().insert("authorization", value.clone());
        }
        self.grpc.ready().await?;
        let path: PathAndQuery = format!("/{NAME}/{method}").parse()?;
        let answer = self.grpc.unary(request, path, ProstCodec::<Q, A>::default()).await;
        match answer {
            Ok(answer) => Ok(answer.into_inner()),
            Err(status) => bail!("the server refused: {}", status.message()),
        }
    }
}

impl Connection {
    fn tls_config(&self) -> anyhow::Result<ClientTlsConfig> {
        let mut config = ClientTlsConfig::new();
        config = match &self.tls_ca_path {
            Some(path) => config.ca_certificate(Certificate::from_pem(read(path)?)),
            None => config.with_native_roots(),
        };
        if let (Some(certificate), Some(key)) = (&self.tls_cert_path, &self.tls_key_path) {
            config = config.identity(Identity::from_pem(read(certificate)?, read(key)?));
        }
        if let Some(name) = &self.tls_server_name {
            config = config.domain_name(name);
        }
        Ok(config)
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}
