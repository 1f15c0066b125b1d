//! The settings of a codec proxy.

use std::net::SocketAddr;

use serde::Deserialize;

use crate::{
    CodecCompression, CodecFormat, CodecKeys, Global, Log, RemoteServer, values::or_default,
};

/// Largest message that may be allowed, in bytes.
const MESSAGE_BYTES_LIMIT: usize = 1024 * 1024 * 1024;

/// What `longtide codec-proxy` reads.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodecProxy {
    /// Where clients and workers connect.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Listens off loopback without encryption.
    #[serde(default)]
    pub dangerous_plaintext: bool,
    /// The server that it stands before.
    pub target: RemoteServer,
    /// Where the keys are.
    pub keys: CodecKeys,
    /// How payloads are encrypted.
    #[serde(default)]
    pub format: CodecFormat,
    /// How payloads are compressed before that.
    #[serde(default)]
    pub compression: CodecCompression,
    /// Whether messages and stack traces of failures are encrypted, too; by default they are.
    #[serde(default = "default_encode_failures")]
    pub encode_failures: bool,
    /// Services without payloads that pass as they are.
    #[serde(default = "default_passed_services")]
    pub passed_services: Vec<String>,
    /// Lets fields of requests pass that this release does not know, readable.
    #[serde(default)]
    pub dangerous_pass_unknown_fields: bool,
    /// Largest request, in bytes; 16 MiB.
    #[serde(default = "default_request_bytes_max")]
    pub request_bytes_max: usize,
    /// Largest answer, in bytes; 128 MiB.
    #[serde(default = "default_answer_bytes_max")]
    pub answer_bytes_max: usize,
    /// Log lines.
    #[serde(default)]
    pub log: Log,
    /// Encryption of connections in (`tls.frontend`), as a server has it.
    #[serde(default, deserialize_with = "or_default")]
    pub global: Global,
}

impl CodecProxy {
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        self.keys.check(self.format, &mut problems);
        self.target.check("target", &mut problems);
        let sizes = [
            ("request_bytes_max", self.request_bytes_max),
            ("answer_bytes_max", self.answer_bytes_max),
        ];
        for (name, value) in sizes {
            if !(1..=MESSAGE_BYTES_LIMIT).contains(&value) {
                let range = format!("is not between 1 and {MESSAGE_BYTES_LIMIT}");
                problems.push(format!("{name}: {value} {range}"));
            }
        }
        self.global.tls.check(&mut problems);
        let is_encrypted = self.global.tls.frontend.server.is_enabled();
        if !self.listen.ip().is_loopback() && !self.dangerous_plaintext && !is_encrypted {
            problems.push(format!(
                "listen: {} is not a loopback address, and there is no encryption: set \
                 global.tls.frontend.server, or dangerous_plaintext to true if whoever is on the \
                 way may read and change everything",
                self.listen
            ));
        }
        if self.global.authorization.is_some() {
            let text = "global.authorization: the server decides who may do what; the proxy hands \
                        credentials on";
            problems.push(text.to_owned());
        }
        problems
    }
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7333))
}

fn default_encode_failures() -> bool {
    true
}

fn default_passed_services() -> Vec<String> {
    vec!["grpc.health.v1.Health".to_owned()]
}

fn default_request_bytes_max() -> usize {
    16 * 1024 * 1024
}

fn default_answer_bytes_max() -> usize {
    128 * 1024 * 1024
}

#[cfg(test)]
mod tests {
    use crate::codec_proxy_from_text;

    fn read(text: &str) -> Result<super::CodecProxy, String> {
        codec_proxy_from_text(text, |_| None).map_err(|error| error.to_string())
    }

    #[test]
    fn a_target_and_keys_are_all_that_is_needed() {
        let settings = read("target: { address: 'localhost:7233' }\nkeys: { file: /k }").unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:7333");
        assert!(settings.encode_failures && !settings.dangerous_pass_unknown_fields);
        assert_eq!(settings.passed_services, ["grpc.health.v1.Health"]);
    }

    #[test]
    fn what_would_show_something_is_refused() {
        let keys = "keys: { file: /k }";
        for (text, expected) in [
            ("target: { address: 'a.example:7233' }", "target.dangerous_plaintext"),
            ("target: { address: 'a.example' }", "HOST:PORT"),
            ("target: { address: '[::1]:1' }\nlisten: 0.0.0.0:1", "dangerous_plaintext"),
            ("target: { address: 'a:1', tls: { cert_file: c } }", "belong together"),
            ("target: { address: '127.0.0.1:1' }\nrequest_bytes_max: 0", "request_bytes_max"),
            ("target: { address: '127.0.0.1:1' }\nencode_failure: no", "encode_failure"),
        ] {
            let error = read(&format!("{text}\n{keys}")).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(read("target: { address: 'a.example:7233', tls: {} }\nkeys: { file: k }").is_ok());
        let error = read("target: { address: '127.0.0.1:1' }\nkeys: {}").unwrap_err();
        assert!(error.contains("exactly one"), "{error}");
    }
}
