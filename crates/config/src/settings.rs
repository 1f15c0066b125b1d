//! Every setting.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

use serde::Deserialize;

use crate::{
    Audit, Certificates, EncryptionAtRest, Global, Retention, Setting, SingleSignOn,
    declare::section, exposure,
};

/// Shortest retention of a namespace.
const RETENTION_MIN: Duration = Duration::from_secs(3600);

section! {
    /// Logging, to standard error.
    Log {
        /// The least severe level that is logged: debug, info, warn, error or never.
        level: String = "info".to_owned(), "";
        /// How lines look: text or json.
        format: String = "json".to_owned(), "";
    }
}

section! {
    /// Prometheus metrics.
    Metrics {
        /// Where `/metrics` is served; nowhere when empty.
        listen: String = String::new(), "address:port";
        /// Whether it is encrypted, with the certificates of the frontend: those of clients are
        /// asked for as there.
        encrypted: bool = false, "";
    }
}

section! {
    /// HTTP: the API in JSON, Nexus requests and completions from outside.
    Http {
        /// Where HTTP is served; nowhere when empty.
        listen: String = "127.0.0.1:7243".to_owned(), "address:port";
        /// Names besides those of loopback under which the API may be asked for without encryption;
        /// `*.example.com` stands for all names below, `*` for any. Other names are refused: a web
        /// page could otherwise use a name of its own for the server.
        allowed_hosts: Vec<String> = Vec::new(), "";
    }
}

section! {
    /// The web UI.
    Ui {
        /// Whether there is one.
        enabled: bool = false, "";
        /// Where it is by itself, with the API below `/api/`; where HTTP is when empty.
        listen: String = String::new(), "address:port";
        /// A folder with another one than is built in.
        directory: String = String::new(), "";
    }
}

/// An address that users may name in callbacks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowedAddress {
    /// What the host and its port look like; `*` stands for anything.
    pub pattern: String,
    /// Allows it without encryption.
    #[serde(default)]
    pub dangerous_allow_insecure: bool,
}

/// Nexus operations and callbacks to addresses outside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nexus {
    /// Where handlers outside say that an operation has ended; empty: the server's own HTTP.
    pub callback_url_template: String,
    /// Which addresses users may name in callbacks; by default none.
    pub allowed_addresses: Vec<AllowedAddress>,
}

section! {
    /// What clients may ask of the server: addresses, callers, namespaces, the server as a whole.
    Limits {
        /// Requests of each namespace per second, lists and counts apart; twice as many may come at
        /// once. The reference's frontend.namespaceRPS.
        requests_per_second: u64 = 2400, "requests/s", 1..=1_000_000;
        /// Lists and counts of each namespace per second; twice as many may come at once. The
        /// reference's frontend.namespaceRPS.visibility.
        visibility_per_second: u64 = 10, "requests/s", 1..=1_000_000;
        /// Changes of namespaces and of the cluster per second; twice as many may come at once.
        operator_per_second: u64 = 20, "requests/s", 1..=1_000_000;
        /// Long polls of each namespace that wait at the same time: one for each poller of each
        /// worker. The reference's frontend.namespaceCount.
        long_polls: u64 = 1200, "polls", 1..=1_000_000;
        /// Requests of all namespaces together per second; twice as many may come at once; 0 for no
        /// limit. The reference's frontend.rps.
        server_requests_per_second: u64 = 0, "requests/s", 0..=10_000_000;
        /// Requests of each caller with a name per second; twice as many may come at once; 0 for no
        /// limit.
        principal_requests_per_second: u64 = 0, "requests/s", 0..=1_000_000;
        /// Requests of each address per second, whoever makes them; twice as many may come at once;
        /// 0 for no limit. A network of IP version 6 (/64) is one address.
        address_requests_per_second: u64 = 20_000, "requests/s", 0..=10_000_000;
        /// Requests of each address per second that are refused before they are read: without good
        /// credentials, or to nothing that exists; twice as many may come at once. Past it
        /// connections are cut, and for a second no other is taken. 0 for no limit.
        address_refusals_per_second: u64 = 500, "requests/s", 0..=1_000_000;
        /// Connections of each address at the same time; 0 for no limit.
        address_connections: u64 = 2000, "connections", 0..=1_000_000;
        /// New connections of each address per second; twice as many may come at once; 0 for no
        /// limit.
        address_connections_per_second: u64 = 100, "connections/s", 0..=100_000;
        /// Connections of a port at the same time; more wait.
        connections: u64 = 10_000, "connections", 1..=1_000_000;
        /// Handshakes of encryption under way at the same time; more wait.
        handshakes: u64 = 256, "handshakes", 1..=100_000;
        /// How long a client may take from connecting until it has begun to speak.
        handshake_seconds: u64 = 10, "seconds", 1..=600;
        /// Calls at the same time on one connection, long polls among them.
        streams_per_connection: u64 = 10_000, "calls", 1..=1_000_000;
        /// Largest set of headers of a call.
        header_bytes: u64 = 65_536, "bytes", 4096..=1_048_576;
        /// Largest message of a call.
        message_bytes: u64 = 4_194_304, "bytes", 65_536..=134_217_728;
        /// How long a client may take to send the message of a call.
        message_seconds: u64 = 30, "seconds", 1..=600;
    }
}

/// Limits of one namespace in place of those of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NamespaceLimits {
    /// See [`Limits::requests_per_second`].
    pub requests_per_second: Option<u64>,
    /// See [`Limits::visibility_per_second`].
    pub visibility_per_second: Option<u64>,
    /// See [`Limits::operator_per_second`].
    pub operator_per_second: Option<u64>,
    /// See [`Limits::long_polls`].
    pub long_polls: Option<u64>,
}

impl NamespaceLimits {
    /// These limits, and those of each namespace where this one has none of its own.
    pub fn over(&self, each: &Limits) -> Limits {
        Limits {
            requests_per_second: self.requests_per_second.unwrap_or(each.requests_per_second),
            visibility_per_second: self.visibility_per_second.unwrap_or(each.visibility_per_second),
            operator_per_second: self.operator_per_second.unwrap_or(each.operator_per_second),
            long_polls: self.long_polls.unwrap_or(each.long_polls),
            ..each.clone()
        }
    }
}

section! {
    /// Memory.
    Cache {
        /// Runs kept in memory, so that their next request reads nothing from the store.
        runs_bytes: u64 = 67_108_864, "bytes", 1_048_576..=1_099_511_627_776;
        /// Blocks of the store kept in memory.
        store_bytes: u64 = 67_108_864, "bytes", 1_048_576..=1_099_511_627_776;
    }
}

/// A namespace that the server makes when it does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// How long closed runs are kept; at least an hour.
    #[serde(default = "default_retention")]
    pub retention: Retention,
}

const fn default_retention() -> Retention {
    Retention(Duration::from_secs(24 * 3600))
}

/// The whole file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The directory of the server's data; made when it does not exist.
    pub data_directory: PathBuf,
    /// Where the gRPC API listens.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Allows listening on other addresses than loopback without encryption.
    #[serde(default)]
    pub dangerous_plaintext: bool,
    /// Encryption and authorization, under the reference's names.
    #[serde(default)]
    pub global: Global,
    /// The server's own certificate authority, if it has one.
    #[serde(default)]
    pub certificates: Certificates,
    /// Who called what; nobody knows when it is not there.
    #[serde(default)]
    pub audit: Option<Audit>,
    /// Namespaces that are made when they do not exist.
    #[serde(default)]
    pub namespaces: Vec<Namespace>,
    /// Logging.
    #[serde(default)]
    pub log: Log,
    /// HTTP.
    #[serde(default)]
    pub http: Http,
    /// The web UI.
    #[serde(default)]
    pub ui: Ui,
    /// How people sign in to it.
    #[serde(default)]
    pub auth: SingleSignOn,
    /// Nexus outside of the server.
    #[serde(default)]
    pub nexus: Nexus,
    /// Metrics.
    #[serde(default)]
    pub metrics: Metrics,
    /// Request limits.
    #[serde(default)]
    pub limits: Limits,
    /// Request limits of single namespaces, by name.
    #[serde(default)]
    pub namespace_limits: BTreeMap<String, NamespaceLimits>,
    /// Memory.
    #[serde(default)]
    pub cache: Cache,
    /// Encryption of what is stored; none when it is missing.
    #[serde(default, alias = "encryptionAtRest")]
    pub encryption_at_rest: Option<EncryptionAtRest>,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7233))
}

/// Every setting in the order of the file.
pub fn all_settings() -> Vec<Setting> {
    let setting = |name: &str, doc, unit, default: &str| Setting {
        name: name.to_owned(),
        doc,
        unit,
        default: default.to_owned(),
        range: None,
    };
    let mut all = vec![
        setting("data_directory", "The directory of the server's data.", "path", ""),
        setting("listen", "Where the gRPC API listens.", "address:port", "127.0.0.1:7233"),
        setting(
            "dangerous_plaintext",
            "Allows listening on other addresses than loopback without encryption.",
            "",
            "false",
        ),
        setting(
            "global.tls",
            "Encryption of connections: the reference's tree, in docs/security/tls.md.",
            "",
            "",
        ),
        setting(
            "global.authorization",
            "Who may do what: the reference's settings and more, in docs/security/authorization.md.",
            "",
            "",
        ),
        setting(
            "encryption_at_rest",
            "Encryption of what is stored: its keys, in docs/security/encryption-at-rest.md.",
            "",
            "",
        ),
    ];
    all.extend(Certificates::describe("certificates."));
    all.extend(Audit::describe());
    all.extend([
        setting("namespaces[].name", "A namespace that is made when it does not exist.", "", ""),
        setting("namespaces[].retention", "How long its closed runs are kept.", "time", "1day"),
    ]);
    all.extend(Log::describe("log."));
    all.extend(Http::describe("http."));
    all.extend(Ui::describe("ui."));
    all.extend(SingleSignOn::describe());
    all.extend([
        setting(
            "nexus.callback_url_template",
            "Where handlers outside say that an operation has ended, with `{{.NamespaceName}}` or \
             `{{.NamespaceID}}` in the place of the caller's namespace; empty: the server's own HTTP.",
            "URL",
            "",
        ),
        setting(
            "nexus.allowed_addresses[].pattern",
            "A host, and its port, that users may name in callbacks; `*` stands for anything.",
            "",
            "",
        ),
        setting(
            "nexus.allowed_addresses[].dangerous_allow_insecure",
            "Allows it without encryption.",
            "",
            "false",
        ),
    ]);
    all.extend(Metrics::describe("metrics."));
    all.extend(Limits::describe("limits."));
    all.push(setting(
        "namespace_limits.NAME",
        "Limits of the namespace of this name: any of requests_per_second, visibility_per_second, \
         operator_per_second and long_polls, in place of those above.",
        "",
        "",
    ));
    all.extend(Cache::describe("cache."));
    all
}

impl Settings {
    /// Notes everything that is wrong and that the form of the file cannot tell.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.data_directory.as_os_str().is_empty() {
            problems.push("data_directory: is empty".to_owned());
        }
        exposure::check(self.listen, self.dangerous_plaintext, &self.global, &mut problems);
        self.certificates.check_names(&self.global.tls.frontend.server, &mut problems);
        if let Some(audit) = &self.audit {
            audit.check(&mut problems);
        }
        let mut names = BTreeSet::new();
        for Namespace { name, retention } in &self.namespaces {
            if name.is_empty() {
                problems.push("namespaces: a name is empty".to_owned());
            }
            if !names.insert(name) {
                problems.push(format!("namespaces: `{name}` is there twice"));
            }
            if retention.0 < RETENTION_MIN {
                problems.push(format!("namespaces: the retention of `{name}` is below an hour"));
            }
        }
        self.log.check("log.", &mut problems);
        let one_of = |name: &str, value: &str, allowed: &[&str], problems: &mut Vec<String>| {
            if !allowed.contains(&value) {
                let allowed = allowed.join(", ");
                problems.push(format!("{name}: `{value}` is none of {allowed}"));
            }
        };
        let levels = ["debug", "info", "warn", "error", "never"];
        one_of("log.level", &self.log.level, &levels, &mut problems);
        one_of("log.format", &self.log.format, &["text", "json"], &mut problems);
        self.http.check("http.", &mut problems);
        self.ui.check("ui.", &mut problems);
        self.auth.check(self.ui.enabled, self.global.authorization.as_ref(), &mut problems);
        self.metrics.check("metrics.", &mut problems);
        let is_encrypted = self.global.tls.frontend.server.is_enabled();
        for (name, address, is_safe) in [
            ("http.listen", self.http.address(), is_encrypted || self.dangerous_plaintext),
            ("ui.listen", self.ui.address(), is_encrypted || self.dangerous_plaintext),
            (
                "metrics.listen",
                self.metrics.address(),
                self.metrics.encrypted || self.dangerous_plaintext,
            ),
        ] {
            match address {
                Some(Ok(address)) if !address.ip().is_loopback() && !is_safe => {
                    let text = "is not a loopback address, and not encrypted: see \
                                metrics.encrypted and dangerous_plaintext";
                    problems.push(format!("{name}: {address} {text}"));
                }
                Some(Err(text)) => problems.push(format!("{name}: {text}")),
                _ => {}
            }
        }
        if self.metrics.encrypted && !is_encrypted {
            let text = "there is no certificate: see global.tls.frontend.server";
            problems.push(format!("metrics.encrypted: {text}"));
        }
        if self.nexus.allowed_addresses.iter().any(|allowed| allowed.pattern.is_empty()) {
            problems.push("nexus.allowed_addresses: a pattern is empty".to_owned());
        }
        self.limits.check("limits.", &mut problems);
        for (name, own) in &self.namespace_limits {
            let prefix = format!("namespace_limits.{name}.");
            own.over(&Limits::default()).check(&prefix, &mut problems);
        }
        self.cache.check("cache.", &mut problems);
        if let Some(encryption) = &self.encryption_at_rest {
            encryption.check(&mut problems);
        }
        problems
    }
}

impl Http {
    /// Where HTTP is served; `None` for nowhere.
    pub fn address(&self) -> Option<Result<SocketAddr, String>> {
        address(&self.listen)
    }
}

impl Ui {
    /// Where it is by itself; `None` where HTTP is.
    pub fn address(&self) -> Option<Result<SocketAddr, String>> {
        address(&self.listen)
    }
}

impl Metrics {
    /// Where metrics are served; `None` for nowhere.
    pub fn address(&self) -> Option<Result<SocketAddr, String>> {
        address(&self.listen)
    }
}

fn address(listen: &str) -> Option<Result<SocketAddr, String>> {
    if listen.is_empty() {
        return None;
    }
    Some(listen.parse().map_err(|_| format!("`{listen}` is no address:port")))
}
