//! The folder of the server's own authorities: that of the server, which clients trust, and that of
//! the clients, which the server trusts.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use certificate_authority::{Authority, Subject};
use environment::Environment;
use model::Span;

use crate::files;

/// How long an authority holds. Its end is the end of all that it has issued.
const AUTHORITY_VALIDITY: Span = Span::from_secs(10 * 365 * 24 * 3600);

/// The folder.
pub(crate) struct Authorities {
    folder: PathBuf,
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Clients trust what it issues.
    Server,
    /// The server trusts what it issues.
    Client,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Server => "server-ca",
            Self::Client => "client-ca",
        }
    }
}

impl Authorities {
    pub(crate) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The certificate of an authority.
    pub(crate) fn certificate(&self, role: Role) -> PathBuf {
        self.folder.join(format!("{}.pem", role.name()))
    }

    /// Its key.
    pub(crate) fn key(&self, role: Role) -> PathBuf {
        self.folder.join(format!("{}.key", role.name()))
    }

    /// Makes both.
    pub(crate) fn make(&self, environment: &Environment) -> anyhow::Result<()> {
        files::make_folder(&self.folder)?;
        for role in [Role::Server, Role::Client] {
            let subject = Subject {
                organization: "Longtide".to_owned(),
                common_name: format!("Longtide {}", role.name()),
                ..Subject::default()
            };
            let now = environment.clock.now();
            let made =
                Authority::make(&subject, now, AUTHORITY_VALIDITY, environment.entropy.as_ref())?;
            files::write_new(&self.certificate(role), &made.certificate)?;
            files::write_new(&self.key(role), &made.key)?;
        }
        Ok(())
    }

    /// Reads one of them.
    pub(crate) fn open(&self, role: Role) -> anyhow::Result<Authority> {
        let read = |path: PathBuf| {
            fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
        };
        Ok(Authority::from_pem(&read(self.certificate(role))?, &read(self.key(role))?)?)
    }
}
