//! Signing in to a web UI in front of another server: where its sessions are.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use clap::Args;
use config::{EncryptionAtRest, KeyEncryptionKey, SingleSignOn as Auth};
use environment::Environment;
use http_client::Client;
use single_sign_on::SingleSignOn;
use storage::Store;
use storage_memory::MemoryStore;
use tokio_util::sync::CancellationToken;

use crate::{
    at_rest::{self, AtRestOptions},
    output, signing_in,
    ui::variable,
};

/// The id of the key that sessions are encrypted with.
const KEY_ID: &str = "sessions";

/// The header in which every server takes tokens.
const HEADER: &str = "authorization";

/// How people sign in.
#[derive(Debug, Args)]
pub(crate) struct SignIn {
    /// File with the section `auth` of a server's configuration: people sign in, and the server is
    /// shown their tokens. [env: TEMPORAL_AUTH_ENABLED, TEMPORAL_AUTH_PROVIDER_URL, …]
    #[arg(long, value_name = "FILE")]
    auth_config: Option<PathBuf>,
    /// Directory that keeps sessions, encrypted; without it they are in memory, and end with this
    /// program.
    #[arg(long, value_name = "PATH", requires = "sessions_key")]
    sessions_directory: Option<PathBuf>,
    /// File of the key that they are encrypted with: 32 bytes, as they are or in base64 or
    /// hexadecimal.
    #[arg(long, value_name = "PATH", requires = "sessions_directory")]
    sessions_key: Option<PathBuf>,
}

/// Sessions, and the store that has them.
pub(crate) struct SignedIn {
    pub(crate) single_sign_on: Arc<SingleSignOn>,
    store: Arc<dyn Store>,
}

impl SignIn {
    /// What file and variables say of signing in to pages below a path.
    pub(crate) fn settings(&self, below: &str) -> anyhow::Result<Auth> {
        let read = match &self.auth_config {
            None => config::web_ui_from_text("", below, variable),
            Some(file) => config::web_ui_from_file(file, below, variable),
        };
        let place = || self.auth_config.as_deref().map_or("TEMPORAL_AUTH_…".into(), shown);
        let auth = read.with_context(place)?.auth;
        if self.sessions_directory.is_some() && !auth.enabled {
            anyhow::bail!("--sessions-directory: nobody signs in, see --auth-config");
        }
        Ok(auth)
    }

    /// Opens the sessions, if people sign in.
    pub(crate) async fn open(
        &self,
        auth: &Auth,
        stop: &CancellationToken,
    ) -> anyhow::Result<Option<SignedIn>> {
        let Some(settings) = signing_in::of(auth, HEADER)? else { return Ok(None) };
        let store: Arc<dyn Store> = match (&self.sessions_directory, &self.sessions_key) {
            (Some(directory), Some(key)) => {
                let options = encryption(key);
                let settings = storage_embedded::Settings::default();
                let (store, at_rest) =
                    at_rest::open_store(directory, settings, Some(&options)).await?;
                if let Some(at_rest) = at_rest {
                    let clock = Environment::system().clock;
                    tokio::spawn(at_rest.keep_sealed(clock, stop.clone()));
                }
                output::line(&format!("Sessions are in `{}`, encrypted", directory.display()));
                store
            }
            _ => {
                output::line(
                    "Sessions are in memory: they end with this program (see \
                     --sessions-directory)",
                );
                Arc::new(MemoryStore::new())
            }
        };
        let (environment, http) = (Environment::system(), Arc::new(Client::default()));
        let opened = SingleSignOn::open(settings, Arc::clone(&store), environment, http).await?;
        tokio::spawn(Arc::clone(&opened).watch(stop.clone()));
        Ok(Some(SignedIn { single_sign_on: opened, store }))
    }
}

impl SignedIn {
    /// Writes down what is not yet.
    pub(crate) async fn close(self) {
        self.store.close().await;
    }
}

fn encryption(key: &Path) -> AtRestOptions {
    let key = KeyEncryptionKey {
        id: KEY_ID.to_owned(),
        file: Some(key.to_owned()),
        ..KeyEncryptionKey::default()
    };
    let settings = EncryptionAtRest {
        current: KEY_ID.to_owned(),
        keys: vec![key],
        ..EncryptionAtRest::default()
    };
    // No configuration is read again: there is no way to rotate keys from outside.
    AtRestOptions { settings, configuration: PathBuf::new() }
}

fn shown(file: &Path) -> String {
    format!("in {}", file.display())
}
