//! The server's certificate is issued again before it expires, and when the server gets other names.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use certificate_authority::{Issued, Purpose, Subject};
use config::Settings;
use environment::Environment;
use model::Span;
use tls::Source;
use tokio_util::sync::CancellationToken;

use crate::{
    authorities::{Authorities, Role},
    files,
};

/// How often the certificate is looked at: at least twelve times in its life.
const LOOK_EVERY_MAX: Span = Span::from_secs(3600);
const LOOK_EVERY_MIN: Span = Span::from_millis(200);
const LOOKS: i64 = 12;

/// Issues the server's certificate.
#[derive(Debug, Clone)]
pub(crate) struct Renewal {
    authority_directory: PathBuf,
    names: Vec<String>,
    validity: Span,
    certificate: PathBuf,
    key: PathBuf,
}

impl Renewal {
    /// Reads the configuration; nothing when the server has no authority.
    pub(crate) fn from_settings(settings: &Settings) -> Option<Self> {
        let certificates = &settings.certificates;
        let server = &settings.global.tls.frontend.server;
        certificates.is_enabled().then(|| Self {
            authority_directory: PathBuf::from(&certificates.authority_directory),
            names: certificates.names.clone(),
            validity: certificates.validity.0.into(),
            certificate: PathBuf::from(&server.cert_file),
            key: PathBuf::from(&server.key_file),
        })
    }

    /// Issues the certificate if it is time. True when it was.
    pub(crate) fn renew_if_due(&self, environment: &Environment) -> anyhow::Result<bool> {
        if !self.is_due(environment) {
            return Ok(false);
        }
        let authority = Authorities::at(&self.authority_directory).open(Role::Server)?;
        let subject = Subject {
            common_name: self.names.first().cloned().unwrap_or_default(),
            organization: "Longtide".to_owned(),
            names: self.names.clone(),
            ..Subject::default()
        };
        let now = environment.clock.now();
        let entropy = environment.entropy.as_ref();
        let issued = authority.issue(Purpose::Server, &subject, now, self.validity, entropy)?;
        self.replace(&issued)?;
        Ok(true)
    }

    /// Issues it again and again, until `stop` is cancelled.
    pub(crate) async fn watch(self, environment: Environment, stop: CancellationToken) {
        let span = Span::from_nanos(self.validity.nanos() / LOOKS);
        let span = span.min(LOOK_EVERY_MAX).max(LOOK_EVERY_MIN);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = environment.clock.sleep(span) => {}
            }
            match self.renew_if_due(&environment) {
                Ok(true) => tracing::info!("the server's certificate was issued again"),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "the server's certificate cannot be issued again");
                }
            }
        }
    }

    /// True when less than a third of its life is left, or it is not what it should be.
    fn is_due(&self, environment: &Environment) -> bool {
        let found = tls::inspect(&Source::File(self.certificate.clone()));
        let Some(leaf) = found.ok().and_then(|all| all.into_iter().next()) else { return true };
        let left = leaf.not_after.since(environment.clock.now());
        let wanted: BTreeSet<&str> = self.names.iter().map(String::as_str).collect();
        let names: BTreeSet<&str> = leaf.names.iter().map(String::as_str).collect();
        // One that holds longer than it should is from before the settings changed.
        left < Span::from_nanos(self.validity.nanos() / 3)
            || left > self.validity
            || names != wanted
            || !self.key.exists()
    }

    /// Puts both files in their places. For a moment they do not belong together: whoever reads them
    /// then keeps the former pair, and looks again.
    fn replace(&self, issued: &Issued) -> anyhow::Result<()> {
        replace_file(&self.key, &issued.key)?;
        replace_file(&self.certificate, &issued.certificate)
    }
}

/// Replaces a file as a whole.
fn replace_file(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut new = path.to_owned().into_os_string();
    new.push(".new");
    let new = PathBuf::from(new);
    // Left behind by a server that died.
    drop(std::fs::remove_file(&new));
    files::write_new(&new, text)?;
    Ok(std::fs::rename(&new, path)?)
}

#[cfg(test)]
mod tests {
    use model::Time;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_certificate_is_issued_again_when_a_third_of_its_life_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let now = Time::from_nanos(1_800_000_000_000_000_000);
        let environment = Environment::simulated(now, 1);
        Authorities::at(folder.path()).make(&environment).unwrap();
        let mut renewal = Renewal {
            authority_directory: folder.path().to_owned(),
            names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            validity: Span::from_secs(90),
            certificate: folder.path().join("server.pem"),
            key: folder.path().join("server.key"),
        };
        assert!(renewal.renew_if_due(&environment).unwrap());
        assert!(!renewal.renew_if_due(&environment).unwrap());
        tokio::time::advance(std::time::Duration::from_secs(59)).await;
        assert!(!renewal.renew_if_due(&environment).unwrap());
        tokio::time::advance(std::time::Duration::from_secs(2)).await;
        assert!(renewal.renew_if_due(&environment).unwrap());
        renewal.validity = Span::from_secs(60);
        assert!(renewal.renew_if_due(&environment).unwrap());
        renewal.names.push("other".to_owned());
        assert!(renewal.renew_if_due(&environment).unwrap());
        assert!(!renewal.renew_if_due(&environment).unwrap());
    }
}
