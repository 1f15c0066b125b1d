//! From a file to settings.

use std::{fs, path::Path};

use serde::de::DeserializeOwned;
use serde_norway::Value;

use crate::{
    CodecProxy, CodecServer, ConfigError, Settings, WebUi, substitute::substitute,
    tls_variables::fill_in,
};

/// Reads and checks a server's file; `lookup` gives the values of environment variables.
///
/// # Errors
/// When the file cannot be read or anything in it is wrong.
pub fn from_file(
    path: &Path,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Settings, ConfigError> {
    from_text(&text_of(path)?, lookup)
}

/// Reads and checks a server's settings.
///
/// # Errors
/// When anything in them is wrong.
pub fn from_text(
    text: &str,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Settings, ConfigError> {
    let mut settings: Settings = parsed(text, &lookup)?;
    let mut problems = Vec::new();
    fill_in(&mut settings.global, &lookup, &mut problems);
    settings.auth.fill_in(&lookup, &mut problems);
    problems.extend(settings.problems());
    if problems.is_empty() { Ok(settings) } else { Err(ConfigError::Invalid(problems)) }
}

/// Reads and checks a codec server's file, as [`from_file`] does.
///
/// # Errors
/// When the file cannot be read or anything in it is wrong.
pub fn codec_server_from_file(
    path: &Path,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<CodecServer, ConfigError> {
    codec_server_from_text(&text_of(path)?, lookup)
}

/// Reads and checks a codec server's settings.
///
/// # Errors
/// When anything in them is wrong.
pub fn codec_server_from_text(
    text: &str,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<CodecServer, ConfigError> {
    let settings: CodecServer = parsed(text, &lookup)?;
    let problems = settings.problems();
    if problems.is_empty() { Ok(settings) } else { Err(ConfigError::Invalid(problems)) }
}

/// Reads and checks a codec proxy's file, as [`from_file`] does.
///
/// # Errors
/// When the file cannot be read or anything in it is wrong.
pub fn codec_proxy_from_file(
    path: &Path,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<CodecProxy, ConfigError> {
    codec_proxy_from_text(&text_of(path)?, lookup)
}

/// Reads and checks a codec proxy's settings.
///
/// # Errors
/// When anything in them is wrong.
pub fn codec_proxy_from_text(
    text: &str,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<CodecProxy, ConfigError> {
    let settings: CodecProxy = parsed(text, &lookup)?;
    let problems = settings.problems();
    if problems.is_empty() { Ok(settings) } else { Err(ConfigError::Invalid(problems)) }
}

/// Reads and checks the file of a web UI in front of another server, as [`from_file`] does. The pages
/// are below the path `below`, which is empty for all paths.
///
/// # Errors
/// When the file cannot be read or anything in it is wrong.
pub fn web_ui_from_file(
    path: &Path,
    below: &str,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<WebUi, ConfigError> {
    web_ui_from_text(&text_of(path)?, below, lookup)
}

/// Reads and checks the settings of a web UI in front of another server.
///
/// # Errors
/// When anything in them is wrong.
pub fn web_ui_from_text(
    text: &str,
    below: &str,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<WebUi, ConfigError> {
    let mut settings: WebUi =
        if text.trim().is_empty() { WebUi::default() } else { parsed(text, &lookup)? };
    let mut problems = Vec::new();
    settings.auth.fill_in(&lookup, &mut problems);
    settings.auth.check_in_front(below, &mut problems);
    if problems.is_empty() { Ok(settings) } else { Err(ConfigError::Invalid(problems)) }
}

fn text_of(path: &Path) -> Result<String, ConfigError> {
    let text = fs::read_to_string(path);
    text.map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })
}

fn parsed<T: DeserializeOwned>(
    text: &str,
    lookup: &impl Fn(&str) -> Option<String>,
) -> Result<T, ConfigError> {
    if !text.contains('$') {
        // Read at once, errors say in which line they are.
        return Ok(serde_norway::from_str(text)?);
    }
    let document: Value = serde_norway::from_str(text)?;
    Ok(serde_norway::from_value(substitute(document, lookup)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataPlane, OnFailure, all_settings};

    fn read(text: &str) -> Result<Settings, String> {
        from_text(text, |name| (name == "PORT").then(|| "7000".to_owned()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_with_a_directory_is_enough() {
        let settings = read("data_directory: /var/lib/longtide").unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:7233");
        assert_eq!(settings.limits.requests_per_second, 2400);
        assert!(settings.namespaces.is_empty());
    }

    #[test]
    fn everything_can_be_set() {
        let settings = read(
            "data_directory: data\n\
             listen: 127.0.0.1:${PORT}\n\
             namespaces: [{ name: shop, retention: 3d }]\n\
             log: { level: warn, format: text }\n\
             http: { listen: '' }\n\
             nexus: { allowed_addresses: [{ pattern: '*.example.com' }] }\n\
             metrics: { listen: '127.0.0.1:9090' }\n\
             limits: { long_polls: 5 }\n\
             cache: { runs_bytes: 1048576 }\n",
        )
        .unwrap();
        assert_eq!(settings.listen.port(), 7000);
        assert_eq!(settings.namespaces[0].retention.0.as_secs(), 3 * 86_400);
        assert_eq!(settings.limits.long_polls, 5);
    }

    #[test]
    fn unknown_keys_are_errors_with_their_line() {
        let error = read("data_directory: d\nlisen: 127.0.0.1:1\n").unwrap_err();
        assert!(error.contains("lisen") && error.contains("line 2"), "{error}");
        let error = read("data_directory: d\nlimits: { long_pols: 1 }\n").unwrap_err();
        assert!(error.contains("long_pols"), "{error}");
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let error = read(
            "data_directory: d\nlisten: 0.0.0.0:7233\nlimits: { long_polls: 0 }\n\
             log: { level: loud }\n",
        )
        .unwrap_err();
        for part in ["dangerous_plaintext", "limits.long_polls: 0", "log.level: `loud`"] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    const FRONTEND: &str = "data_directory: d\nglobal:\n  tls:\n    frontend:\n";

    fn frontend(server: &str) -> Result<Settings, String> {
        read(&format!(
            "{FRONTEND}      server: {{ {server} }}\n  authorization: {{ authorizer: noop }}\n"
        ))
    }

    #[test]
    fn a_configuration_of_the_reference_is_taken() {
        let settings = read(
            "data_directory: d\nglobal:\n  tls:\n    refreshInterval: 1h30m\n    \
             expirationChecks: { warningWindow: 24h, errorWindow: 0s, checkInterval: 12h }\n    \
             internode:\n      server: { requireClientAuth: true, certFile: c, keyFile: k, \
             clientCaFiles: [ca] }\n      client: { serverName: n, rootCaFiles: [ca], \
             forceTLS: true }\n    frontend:\n      server:\n        requireClientAuth: true\n        \
             certFile: c\n        keyFile: k\n        certData:\n        clientCAFiles:\n          \
             - ca1\n          -\n      hostOverrides:\n        other.example: { certData: Yw==, \
             keyData: aw== }\n    remoteClusters:\n  authorization:\n    authorizer: default\n    \
             claimMapper: default\n    permissionsClaimName: roles\n    jwtKeyProvider: { \
             keySourceURIs: ['file:///keys', ''], refreshInterval: 1m }\n",
        )
        .unwrap();
        let tls = &settings.global.tls;
        assert_eq!(tls.refresh_interval.as_secs(), 5400);
        assert_eq!(tls.frontend.server.client_ca_files, ["ca1"]);
        assert_eq!(tls.frontend.server.client_auth(), crate::tls::ClientAuth::Require);
        assert!(!format!("{settings:?}").contains("aw=="), "a key is shown");
    }

    #[test]
    fn mistakes_of_the_tree_are_told_in_the_words_of_the_reference() {
        let cases = [
            ("certFile: a, certData: b", "cannot specify CertFile and CertData at the same time"),
            ("keyFile: a, keyData: b", "cannot specify KeyFile and KeyData at the same time"),
            (
                "clientCaFiles: [a], clientCaData: [b]",
                "cannot specify ClientCAFiles and ClientCAData at the same time",
            ),
            ("clientCaData: [' ']", "invalid ServerTLS.ClientCAData: CA cannot be empty string"),
            ("clientCaFiles: ['']", "invalid ServerTLS.ClientCAFiles: CA cannot be empty string"),
            ("keyFile: a", "key without certificate"),
            ("certData: a", "certificate without key"),
            ("certFile: a, keyFile: b, requireClientAuth: true", "no authority to check them"),
            ("certFile: a, keyFile: b, clientAuth: optional", "no authority to check them"),
            ("clientAuth: require, clientCaFiles: [a]", "no certificate and key of the server"),
            ("requireClientAuth: true, clientAuth: none", "contradict each other"),
            ("minVersion: 1.1", "minVersion"),
        ];
        for (server, text) in cases {
            let error = frontend(server).unwrap_err();
            assert!(error.contains(text), "{server}: {error}");
        }
        let error =
            read(&format!("{FRONTEND}      client: {{ rootCaFiles: [a], rootCaData: [b] }}\n"));
        let text = "cannot specify RootCAFiles and RootCAData at the same time";
        assert!(error.unwrap_err().contains(text));
        let error = read(&format!("{FRONTEND}      hostOverrides: {{ ' ': {{ certFile: a }} }}\n"));
        assert!(error.unwrap_err().contains("host name cannot be empty string"));
        assert!(frontend("certfile: a").unwrap_err().contains("certfile"));
    }

    #[test]
    fn namespaces_have_authorities_and_say_which_clients_are_meant() {
        const SERVER: &str = "certFile: a, keyFile: b, clientAuth: require";
        let read = |server: &str, orders: &str| {
            read(&format!(
                "{FRONTEND}      server: {{ {server} }}\n      namespaces: {{ orders: {orders} }}\n  \
                 authorization: {{ authorizer: noop }}\n"
            ))
        };
        let good = "{ clientCaFiles: [c], certificateFilters: [{ commonName: 'a*' }] }";
        let settings = read(SERVER, good).unwrap();
        let orders = &settings.global.tls.frontend.namespaces["orders"];
        assert_eq!(orders.client_ca_files, ["c"]);
        assert_eq!(orders.certificate_filters[0].common_name, "a*");
        for (server, orders, text) in [
            ("certFile: a, keyFile: b", good, "clients are not asked for certificates"),
            (SERVER, "{}", "set clientCaFiles or clientCaData"),
            (SERVER, "{ clientCaFiles: [' '] }", "cannot be empty"),
            (SERVER, "{ clientCaFiles: [c], certificateFilters: [{}] }", "says nothing"),
        ] {
            let error = read(server, orders).unwrap_err();
            assert!(error.contains(text), "{orders}: {error}");
        }
    }

    #[test]
    fn variables_of_the_reference_fill_in_what_the_file_leaves_out() {
        let lookup = |name: &str| {
            let value = match name {
                "TEMPORAL_TLS_FRONTEND_CERT" => "cert",
                "TEMPORAL_TLS_FRONTEND_KEY" => "key",
                "TEMPORAL_TLS_CLIENT2_CA_CERT" => "ca2",
                "TEMPORAL_TLS_REQUIRE_CLIENT_AUTH" => "true",
                "TEMPORAL_TLS_SERVER_CA_CERT" => "ca",
                "TEMPORAL_TLS_SERVER_CERT" => "own",
                "TEMPORAL_TLS_SERVER_KEY" => "own-key",
                "TEMPORAL_TLS_REFRESH_INTERVAL" => "30s",
                "TEMPORAL_JWT_KEY_SOURCE1" => "file:///keys",
                "TEMPORAL_AUTH_AUTHORIZER" => "default",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let text =
            "data_directory: d\nglobal: { tls: { frontend: { server: { keyFile: mine } } } }";
        let settings = from_text(text, lookup).unwrap();
        let server = &settings.global.tls.frontend.server;
        assert_eq!((server.cert_file.as_str(), server.key_file.as_str()), ("cert", "mine"));
        assert_eq!(server.client_ca_files, ["ca2"]);
        assert!(server.require_client_auth);
        assert_eq!(settings.global.tls.refresh_interval.as_secs(), 30);
        let authorization = settings.global.authorization.unwrap();
        assert_eq!(authorization.jwt_key_provider.key_source_uris, ["file:///keys"]);
    }

    #[test]
    fn keys_of_encryption_at_rest_have_one_place_each() {
        let of = |keys: &str| {
            read(&format!("data_directory: d\nencryptionAtRest: {{ current: a, keys: [{keys}] }}"))
        };
        let settings = of("{ id: a, file: a.key }, { id: b, environment: KEY }").unwrap();
        assert_eq!(settings.encryption_at_rest.unwrap().keys.len(), 2);
        of("{ id: a, pkcs11: { module: /m.so, token: t, key: k, pinFile: p } }").unwrap();
        for (keys, problem) in [
            ("{ id: b, file: b }", "`a` is none of the keys"),
            ("{ id: a }", "`a` needs one of file"),
            ("{ id: a, file: a, environment: A }", "`a` needs one of file"),
            ("{ id: a, file: a }, { id: a, file: b }", "`a` is there twice"),
            ("{ id: a, file: a, tpm: x }", "tpm"),
            ("{ id: a, pkcs11: { module: m.so, token: t, key: k, pin_file: p } }", "absolute"),
            ("{ id: a, pkcs11: { module: /m.so, key: k, pin_file: p } }", "token and slot"),
            (
                "{ id: a, pkcs11: { module: /m.so, slot: 1, key: k, pin_file: p, \
                 pin_environment: P } }",
                "pin_file and pin_environment",
            ),
            ("{ id: a, pkcs11: { module: /m.so, slot: 1, key: k, pin: 1234 } }", "pin"),
        ] {
            let error = of(keys).unwrap_err();
            assert!(error.contains(problem), "{problem}: {error}");
        }
    }

    #[test]
    fn nobody_is_let_in_by_default() {
        let tls = "tls: { frontend: { server: { certFile: c, keyFile: k } } }";
        let of = |global: &str| read(&format!("data_directory: d\nglobal: {{ {global} }}"));
        for global in [
            tls.to_owned(),
            "authorization: {}".to_owned(),
            "authorization: { apiKeys: true }".to_owned(),
        ] {
            let error = of(&global).unwrap_err();
            assert!(error.contains("global.authorization.authorizer: is not set"), "{error}");
        }
        let error = of("authorization: { authorizer: default }").unwrap_err();
        assert!(error.contains("nobody could prove who they are"), "{error}");
        let keys = "apiKeys: true";
        for (more, text) in [
            ("authorizer: webhook", "global.authorization.webhook: is not set"),
            ("authorizer: default, webhook: {}", "webhook.url: is not set"),
            ("authorizer: default, policies: {}", "either directory or file has to be set"),
            ("authorizer: default, policies: { file: p, mode: loud }", "neither enforce nor"),
            ("authorizer: default, roles: { a: {} }", "roles.a: allows nothing"),
            ("authorizer: default, roles: { a: { includes: own } }", "none of read, write"),
            ("authorizer: noop, policies: { file: p }", "when everybody may do everything"),
        ] {
            let error = of(&format!("authorization: {{ {keys}, {more} }}")).unwrap_err();
            assert!(error.contains(text), "{more}: {error}");
        }
        let error = of("authorization: { authorizer: mine }").unwrap_err();
        assert!(error.contains("unknown authorizer: mine"), "{error}");
        let error = of("authorization: { authorizer: noop, claimMapper: x }").unwrap_err();
        assert!(error.contains("unknown claim mapper: x"), "{error}");
        assert!(of(&format!("{tls}, authorization: {{ authorizer: NOOP }}")).is_ok());
        assert!(of("authorization: { authorizer: default, apiKeys: true }").is_ok());
    }

    #[test]
    fn the_audit_log_has_to_go_somewhere() {
        let of = |text: &str| read(&format!("data_directory: d\naudit: {text}"));
        assert_eq!(read("data_directory: d").unwrap().audit, None);
        let audit = of("{ directory: log, data_plane: all, namespaces: { shop: each } }");
        let audit = audit.unwrap().audit.unwrap();
        assert_eq!((audit.data_plane, audit.on_failure), (DataPlane::All, OnFailure::Block));
        assert_eq!(audit.namespaces["shop"], DataPlane::Each);
        assert!(of("{}").unwrap_err().contains("goes nowhere"));
        assert!(
            of("{ stdout: true, rotate_bytes: 1 }").unwrap_err().contains("audit.rotate_bytes")
        );
        assert!(of("{ directory: log, on_failure: ignore }").is_err());
        let shown = format!("{:?}", of("{ webhook: { url: u, token: canary } }").unwrap());
        assert!(!shown.contains("canary"));
    }

    #[test]
    fn a_certificate_is_renewed_only_where_it_is_a_file() {
        let tls = "global: { tls: { frontend: { server: { certFile: c, keyFile: k } } }, \
                   authorization: { authorizer: noop } }";
        let of = |global: &str, names: &str| {
            read(&format!(
                "data_directory: d\n{global}\ncertificates: {{ authority_directory: a, \
                 names: [{names}] }}"
            ))
        };
        assert!(of(tls, "localhost").is_ok());
        assert!(of(tls, "").unwrap_err().contains("certificates.names"));
        assert!(of("", "localhost").unwrap_err().contains("certFile"));
    }

    #[test]
    fn every_setting_has_a_meaning() {
        let all = all_settings();
        assert!(all.iter().all(|setting| setting.doc.ends_with('.')), "{all:?}");
        let polls = all.iter().find(|setting| setting.name == "limits.long_polls").unwrap();
        assert_eq!((polls.default.as_str(), polls.unit), ("1200", "polls"));
        assert_eq!(polls.range, Some(1..=1_000_000));
    }
}
