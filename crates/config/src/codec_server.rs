//! The settings of a codec server.

use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf};

use serde::Deserialize;

use crate::{Audit, Global, Log, Pkcs11, RemoteServer, exposure, values::or_default};

/// Largest body that may be allowed, in bytes.
const BODY_BYTES_LIMIT: usize = 1024 * 1024 * 1024;

/// What `longtide codec-server` reads.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodecServer {
    /// Where it listens.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Listens off loopback without encryption.
    #[serde(default)]
    pub dangerous_plaintext: bool,
    /// Where the keys are.
    pub keys: CodecKeys,
    /// How payloads are encrypted.
    #[serde(default)]
    pub format: CodecFormat,
    /// How payloads are compressed before that.
    #[serde(default)]
    pub compression: CodecCompression,
    /// Refuses to show payloads that are not encrypted.
    #[serde(default)]
    pub require_encryption: bool,
    /// The origins whose pages may ask, such as `https://temporal.example.com`.
    #[serde(default, deserialize_with = "or_default")]
    pub allowed_origins: Vec<String>,
    /// Largest body, in bytes; 16 MiB.
    #[serde(default = "default_body_bytes_max")]
    pub body_bytes_max: usize,
    /// How often each principal may ask in a second; 0: as often as it likes.
    #[serde(default = "default_requests_per_second")]
    pub requests_per_second: u32,
    /// The server that is asked about API keys, with `apiKeys: true` below.
    pub server: Option<RemoteServer>,
    /// Who hears of requests, as a server has it.
    pub audit: Option<Audit>,
    /// Log lines.
    #[serde(default)]
    pub log: Log,
    /// Encryption (`tls.frontend`) and rights, as a server has them.
    #[serde(default, deserialize_with = "or_default")]
    pub global: Global,
}

/// Where keys come from: a file, an environment variable or tokens. Beside tokens, a file or a
/// variable has the keys of the time before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodecKeys {
    /// A file with a line `ID: KEY IN BASE64` each, the key that encrypts first.
    pub file: Option<PathBuf>,
    /// The name of an environment variable with the same.
    pub environment: Option<String>,
    /// Keys of tokens, the one that encrypts first; for envelopes.
    pub tokens: Vec<CodecToken>,
}

/// A key that never leaves its token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodecToken {
    /// Its id, by which payloads name it; never given to another key.
    pub id: String,
    /// Where it is.
    pub pkcs11: Pkcs11,
}

/// See [`CodecServer::format`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodecFormat {
    /// As the SDKs' published samples do.
    #[default]
    Samples,
    /// With data keys, bound to the namespace.
    Envelope,
}

/// See [`CodecServer::compression`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodecCompression {
    /// Not at all.
    #[default]
    None,
    /// As the SDKs' published samples do.
    Zlib,
    /// Smaller and quicker.
    Zstd,
}

impl CodecKeys {
    pub(crate) fn check(&self, format: CodecFormat, problems: &mut Vec<String>) {
        let places = usize::from(self.file.is_some()) + usize::from(self.environment.is_some());
        match (self.tokens.is_empty(), places) {
            (true, 1) | (false, 0 | 1) => {}
            (true, _) => {
                let text = "keys: exactly one of file and environment says where they are, unless \
                            tokens have them";
                problems.push(text.to_owned());
            }
            (false, _) => {
                let text = "keys: beside tokens, one of file and environment has former keys";
                problems.push(text.to_owned());
            }
        }
        if !self.tokens.is_empty() && format != CodecFormat::Envelope {
            let text = "keys.tokens: a token encrypts data keys and no payloads: set format to \
                        envelope";
            problems.push(text.to_owned());
        }
        let mut ids = BTreeSet::new();
        for CodecToken { id, pkcs11 } in &self.tokens {
            if id.is_empty() {
                problems.push("keys.tokens: an id is empty".to_owned());
            }
            if !ids.insert(id) {
                problems.push(format!("keys.tokens: `{id}` is there twice"));
            }
            pkcs11.check(&format!("keys.tokens: `{id}`"), problems);
        }
    }
}

impl CodecServer {
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        self.keys.check(self.format, &mut problems);
        if !(1..=BODY_BYTES_LIMIT).contains(&self.body_bytes_max) {
            let value = self.body_bytes_max;
            let text = format!("body_bytes_max: {value} is not between 1 and {BODY_BYTES_LIMIT}");
            problems.push(text);
        }
        let api_keys = self.global.authorization.as_ref().is_some_and(|it| it.api_keys);
        if api_keys != self.server.is_some() {
            let text = "server: is asked about API keys, and set with global.authorization.apiKeys \
                        or not at all";
            problems.push(text.to_owned());
        }
        if let Some(server) = &self.server {
            server.check("server", &mut problems);
        }
        if let Some(audit) = &self.audit {
            audit.check(&mut problems);
        }
        exposure::check(self.listen, self.dangerous_plaintext, &self.global, &mut problems);
        problems
    }
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8081))
}

fn default_requests_per_second() -> u32 {
    200
}

fn default_body_bytes_max() -> usize {
    16 * 1024 * 1024
}

#[cfg(test)]
mod tests {
    use crate::codec_server_from_text;

    fn read(text: &str) -> Result<super::CodecServer, String> {
        codec_server_from_text(text, |_| None).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_are_all_that_is_needed() {
        let settings = read("keys: { file: /keys }").unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8081");
        assert!(!settings.require_encryption);
    }

    #[test]
    fn tokens_have_keys_for_envelopes() {
        let token = "{ id: a, pkcs11: { module: /m.so, token: t, key: k, pin_file: /p } }";
        let envelope = |keys: &str| read(&format!("format: envelope\nkeys: {{ {keys} }}"));
        let settings = envelope(&format!("tokens: [{token}], file: /former")).unwrap();
        assert_eq!(settings.keys.tokens[0].pkcs11.key, "k");
        assert!(envelope(&format!("tokens: [{token}]")).is_ok());
        let error = envelope(&format!("tokens: [{token}, {token}]")).unwrap_err();
        assert!(error.contains("`a` is there twice"), "{error}");
        let error = envelope("tokens: [{ id: b, pkcs11: { module: m.so, key: k } }]").unwrap_err();
        assert!(error.contains("keys.tokens: `b`: pkcs11: module: `m.so` is no absolute path"));
        let samples = read(&format!("keys: {{ tokens: [{token}] }}")).unwrap_err();
        assert!(samples.contains("set format to envelope"), "{samples}");
    }

    #[test]
    fn what_would_let_everybody_in_is_refused() {
        let error = read("keys: { environment: A }\nlisten: 0.0.0.0:1").unwrap_err();
        assert!(error.contains("dangerous_plaintext"), "{error}");
        let error = read("keys: { file: a, environment: B }\nbody_bytes_max: 0").unwrap_err();
        assert!(error.contains("exactly one") && error.contains("body_bytes_max"), "{error}");
        let error = read("keys: { file: a }\ncompresion: zlib").unwrap_err();
        assert!(error.contains("compresion"), "{error}");
    }
}
