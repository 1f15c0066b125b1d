//! A server that another process of this program calls.

use std::{net::IpAddr, path::PathBuf};

use serde::Deserialize;

/// Where it is, and how the connection is protected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemoteServer {
    /// Its gRPC address, such as `temporal.example.com:7233`.
    pub address: String,
    /// Encryption; without it nothing is encrypted. `{}` trusts whom this machine trusts.
    pub tls: Option<RemoteTls>,
    /// Calls a server elsewhere without encryption.
    pub dangerous_plaintext: bool,
}

/// See [`RemoteServer::tls`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemoteTls {
    /// File of the authorities that are trusted, instead of those that this machine trusts.
    pub ca_file: Option<PathBuf>,
    /// File of the certificate that is shown.
    pub cert_file: Option<PathBuf>,
    /// File of its key.
    pub key_file: Option<PathBuf>,
    /// The name that the server has to prove.
    pub server_name: Option<String>,
}

impl RemoteServer {
    pub(crate) fn check(&self, place: &str, problems: &mut Vec<String>) {
        let Some((host, port)) = self.address.rsplit_once(':') else {
            problems.push(format!("{place}.address: `{}` is not HOST:PORT", self.address));
            return;
        };
        if host.is_empty() || port.parse::<u16>().is_err() {
            problems.push(format!("{place}.address: `{}` is not HOST:PORT", self.address));
        }
        let is_here = host == "localhost"
            || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if self.tls.is_none() && !is_here && !self.dangerous_plaintext {
            problems.push(format!(
                "{place}: `{host}` is not this machine, and there is no encryption: set \
                 {place}.tls, or {place}.dangerous_plaintext to true if whoever is on the way may \
                 read credentials"
            ));
        }
        if let Some(tls) = &self.tls
            && tls.cert_file.is_some() != tls.key_file.is_some()
        {
            problems.push(format!("{place}.tls: cert_file and key_file belong together"));
        }
    }
}
