//! `certificates`: the server's own certificate authority.

use std::time::Duration;

use serde::Deserialize;

use crate::{Retention, Setting, tls::ServerTls};

/// The authority that issues the server's certificate, and issues it again before it expires.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Certificates {
    /// The folder of the authorities and their keys; none when empty.
    pub authority_directory: String,
    /// The names and addresses that clients know the server by.
    pub names: Vec<String>,
    /// How long a certificate of the server holds. It is renewed when a third of that is left.
    pub validity: Retention,
}

impl Default for Certificates {
    fn default() -> Self {
        Self {
            authority_directory: String::new(),
            names: Vec::new(),
            validity: Retention(VALIDITY),
        }
    }
}

const VALIDITY: Duration = Duration::from_secs(30 * 24 * 3600);

/// Clocks differ, and a certificate has to be renewed before it ends.
const VALIDITY_MIN: Duration = Duration::from_secs(3);

impl Certificates {
    /// True when the server has an authority of its own.
    pub const fn is_enabled(&self) -> bool {
        !self.authority_directory.is_empty()
    }

    /// Notes everything that is wrong and that the form of the file cannot tell.
    pub(crate) fn check_names(&self, server: &ServerTls, problems: &mut Vec<String>) {
        if !self.is_enabled() {
            return;
        }
        if self.names.is_empty() || self.names.iter().any(|name| name.trim().is_empty()) {
            problems.push("certificates.names: is empty, or has an empty name".to_owned());
        }
        if server.cert_file.is_empty() || server.key_file.is_empty() {
            problems.push(
                "certificates: what is renewed are files: set certFile and keyFile of \
                 global.tls.frontend.server"
                    .to_owned(),
            );
        }
        if self.validity.0 < VALIDITY_MIN {
            problems.push("certificates.validity: is below three seconds".to_owned());
        }
    }

    /// Every setting of the section.
    pub(crate) fn describe(prefix: &str) -> Vec<Setting> {
        let setting = |name: &str, doc, unit, default: &str| Setting {
            name: format!("{prefix}{name}"),
            doc,
            unit,
            default: default.to_owned(),
            range: None,
        };
        vec![
            setting(
                "authority_directory",
                "The folder of the server's own certificate authority; none when empty.",
                "path",
                "",
            ),
            setting("names", "The names that clients know the server by.", "", "[]"),
            setting(
                "validity",
                "How long a certificate of the server holds; renewed when a third is left.",
                "time",
                "30days",
            ),
        ]
    }
}
