//! `global.tls`: the reference's tree, its checks and their texts.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

pub use crate::tls_namespaces::{CertificateFilter, NamespaceTls};
use crate::{
    tls_namespaces,
    values::{Secret, length_of_time, or_default, texts},
};

/// The whole tree. Longtide is one process: of it, `frontend` and the two lengths of time are used;
/// the rest is read and checked, so that a configuration of the reference is taken as it is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Tls {
    /// How often files are looked at.
    #[serde(deserialize_with = "length_of_time")]
    pub refresh_interval: Duration,
    /// When certificates that expire soon are reported.
    #[serde(deserialize_with = "or_default")]
    pub expiration_checks: ExpirationChecks,
    /// Between nodes.
    #[serde(deserialize_with = "or_default")]
    pub internode: GroupTls,
    /// Between clients and the API.
    #[serde(deserialize_with = "or_default")]
    pub frontend: GroupTls,
    /// Of the reference's own worker.
    #[serde(deserialize_with = "or_default")]
    pub system_worker: WorkerTls,
    /// Towards other clusters.
    #[serde(deserialize_with = "or_default")]
    pub remote_clusters: BTreeMap<String, GroupTls>,
}

/// See [`Tls::expiration_checks`].
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ExpirationChecks {
    /// So long before its end a certificate is worth a warning.
    #[serde(deserialize_with = "length_of_time")]
    pub warning_window: Duration,
    /// So long before its end it is worth an error.
    #[serde(deserialize_with = "length_of_time")]
    pub error_window: Duration,
    /// How often that is looked at; zero for never.
    #[serde(deserialize_with = "length_of_time")]
    pub check_interval: Duration,
}

/// One kind of connection.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct GroupTls {
    /// Those that come in.
    #[serde(deserialize_with = "or_default")]
    pub server: ServerTls,
    /// Those that go out.
    #[serde(deserialize_with = "or_default")]
    pub client: ClientTls,
    /// Those that come in and ask for a name.
    #[serde(deserialize_with = "or_default")]
    pub host_overrides: BTreeMap<String, ServerTls>,
    /// Namespaces that only clients of their own authorities may enter. Of use in `frontend`; not
    /// of the reference.
    #[serde(deserialize_with = "or_default")]
    pub namespaces: BTreeMap<String, NamespaceTls>,
}

/// Whether clients show certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuth {
    /// They are not asked.
    None,
    /// They are asked, and may have none.
    Optional,
    /// They have to.
    Require,
}

/// The server's side of connections.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ServerTls {
    /// File of the certificate and those up to its authority.
    #[serde(deserialize_with = "or_default")]
    pub cert_file: String,
    /// File of its key.
    #[serde(deserialize_with = "or_default")]
    pub key_file: String,
    /// Files of authorities whose clients are trusted.
    #[serde(deserialize_with = "texts", alias = "clientCAFiles")]
    pub client_ca_files: Vec<String>,
    /// The certificate itself, PEM in base64.
    #[serde(deserialize_with = "or_default")]
    pub cert_data: String,
    /// The key itself, PEM in base64.
    #[serde(deserialize_with = "or_default")]
    pub key_data: Secret,
    /// The authorities themselves, PEM in base64.
    #[serde(deserialize_with = "texts", alias = "clientCAData")]
    pub client_ca_data: Vec<String>,
    /// Refuses clients without a certificate.
    #[serde(deserialize_with = "or_default")]
    pub require_client_auth: bool,
    /// The same with a third way, `optional`. Not of the reference.
    pub client_auth: Option<ClientAuth>,
    /// Files of lists of revoked client certificates. Not of the reference.
    #[serde(deserialize_with = "texts")]
    pub client_crl_files: Vec<String>,
    /// The oldest version that is spoken: `1.2` or `1.3`. Not of the reference.
    #[serde(deserialize_with = "or_default")]
    pub min_version: String,
}

/// The client's side of connections.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ClientTls {
    /// The name that the server has to prove.
    #[serde(deserialize_with = "or_default")]
    pub server_name: String,
    /// Takes any name.
    #[serde(deserialize_with = "or_default")]
    pub disable_host_verification: bool,
    /// Files of authorities whose servers are trusted.
    #[serde(deserialize_with = "texts", alias = "rootCAFiles")]
    pub root_ca_files: Vec<String>,
    /// The authorities themselves, PEM in base64.
    #[serde(deserialize_with = "texts", alias = "rootCAData")]
    pub root_ca_data: Vec<String>,
    /// Encrypts even without authorities of its own.
    #[serde(rename = "forceTLS", deserialize_with = "or_default")]
    pub force_tls: bool,
}

/// The reference's own worker.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct WorkerTls {
    /// File of its certificate.
    #[serde(deserialize_with = "or_default")]
    pub cert_file: String,
    /// File of its key.
    #[serde(deserialize_with = "or_default")]
    pub key_file: String,
    /// The certificate itself.
    #[serde(deserialize_with = "or_default")]
    pub cert_data: String,
    /// The key itself.
    #[serde(deserialize_with = "or_default")]
    pub key_data: Secret,
    /// Its connections.
    #[serde(deserialize_with = "or_default")]
    pub client: ClientTls,
}

impl ServerTls {
    /// True when there is something to encrypt with.
    pub fn is_enabled(&self) -> bool {
        !self.key_file.is_empty() || !self.key_data.is_empty()
    }

    /// Whether clients show certificates.
    pub fn client_auth(&self) -> ClientAuth {
        let required =
            if self.require_client_auth { ClientAuth::Require } else { ClientAuth::None };
        self.client_auth.unwrap_or(required)
    }
}

impl Tls {
    /// Notes everything that is wrong and that the form of the file cannot tell.
    pub(crate) fn check(&self, problems: &mut Vec<String>) {
        let place = "global.tls";
        check_group(&format!("{place}.internode"), &self.internode, problems);
        check_no_namespaces(&format!("{place}.internode"), &self.internode, problems);
        check_group(&format!("{place}.frontend"), &self.frontend, problems);
        tls_namespaces::check(&format!("{place}.frontend"), &self.frontend, problems);
        let worker = &self.system_worker;
        let at = format!("{place}.systemWorker");
        check_pair(&at, &worker.cert_file, &worker.cert_data, CERT, problems);
        check_pair(&at, &worker.key_file, worker.key_data.reveal(), KEY, problems);
        check_client(&format!("{at}.client"), &worker.client, problems);
        for (name, group) in &self.remote_clusters {
            check_group(&format!("{place}.remoteClusters.{name}"), group, problems);
            check_no_namespaces(&format!("{place}.remoteClusters.{name}"), group, problems);
        }
    }
}

const CERT: &str = "cannot specify CertFile and CertData at the same time";
const KEY: &str = "cannot specify KeyFile and KeyData at the same time";

fn check_no_namespaces(place: &str, group: &GroupTls, problems: &mut Vec<String>) {
    if !group.namespaces.is_empty() {
        problems.push(format!("{place}.namespaces: they are of use in frontend only"));
    }
}

fn check_group(place: &str, group: &GroupTls, problems: &mut Vec<String>) {
    let of_namespaces = !group.namespaces.is_empty();
    check_server(&format!("{place}.server"), &group.server, of_namespaces, problems);
    check_client(&format!("{place}.client"), &group.client, problems);
    for (name, server) in &group.host_overrides {
        if name.trim().is_empty() {
            problems.push(format!("{place}.hostOverrides: host name cannot be empty string"));
        }
        check_server(&format!("{place}.hostOverrides.{name}"), server, false, problems);
        if !server.is_enabled() {
            problems.push(format!("{place}.hostOverrides.{name}: certificate without key"));
        }
    }
    if !group.host_overrides.is_empty() && !group.server.is_enabled() {
        let text = "host names are of no use without a certificate and key in server";
        problems.push(format!("{place}.hostOverrides: {text}"));
    }
}

/// `of_namespaces`: there are authorities besides the server's own.
fn check_server(place: &str, server: &ServerTls, of_namespaces: bool, problems: &mut Vec<String>) {
    check_pair(place, &server.cert_file, &server.cert_data, CERT, problems);
    check_pair(place, &server.key_file, server.key_data.reveal(), KEY, problems);
    let has_certificate = !server.cert_file.is_empty() || !server.cert_data.is_empty();
    match (has_certificate, server.is_enabled()) {
        (true, false) => problems.push(format!("{place}: certificate without key")),
        (false, true) => problems.push(format!("{place}: key without certificate")),
        _ => {}
    }
    check_authorities(
        place,
        (&server.client_ca_files, "ClientCAFiles"),
        (&server.client_ca_data, "ClientCAData"),
        "ServerTLS",
        problems,
    );
    if server.require_client_auth && !matches!(server.client_auth, None | Some(ClientAuth::Require))
    {
        problems.push(format!("{place}: requireClientAuth and clientAuth contradict each other"));
    }
    let own = !server.client_ca_files.is_empty() || !server.client_ca_data.is_empty();
    let trusts_somebody = own || of_namespaces;
    if server.client_auth() != ClientAuth::None {
        if !trusts_somebody {
            problems.push(format!(
                "{place}: client certificates are asked for, but there is no authority to check \
                 them: set clientCaFiles or clientCaData"
            ));
        }
        if !server.is_enabled() {
            problems.push(format!(
                "{place}: client certificates are asked for, but there is no certificate and key \
                 of the server"
            ));
        }
    }
    if !["", "1.2", "1.3"].contains(&server.min_version.as_str()) {
        let text = &server.min_version;
        problems.push(format!("{place}.minVersion: `{text}` is none of 1.2, 1.3"));
    }
}

fn check_client(place: &str, client: &ClientTls, problems: &mut Vec<String>) {
    check_authorities(
        place,
        (&client.root_ca_files, "RootCAFiles"),
        (&client.root_ca_data, "RootCAData"),
        "ClientTLS",
        problems,
    );
}

fn check_pair(place: &str, file: &str, data: &str, text: &str, problems: &mut Vec<String>) {
    if !file.is_empty() && !data.is_empty() {
        problems.push(format!("{place}: {text}"));
    }
}

fn check_authorities(
    place: &str,
    (files, files_name): (&[String], &str),
    (data, data_name): (&[String], &str),
    kind: &str,
    problems: &mut Vec<String>,
) {
    if !files.is_empty() && !data.is_empty() {
        problems
            .push(format!("{place}: cannot specify {files_name} and {data_name} at the same time"));
    }
    for (list, name) in [(files, files_name), (data, data_name)] {
        if list.iter().any(|item| item.trim().is_empty()) {
            problems.push(format!("{place}: invalid {kind}.{name}: CA cannot be empty string"));
        }
    }
}
