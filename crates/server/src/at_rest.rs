//! Encryption of what is stored: its keys, and going through the store after they have changed.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use at_rest::{KeyEncryptionKey, KeyEncryptionKeys, KeyRing, Leftovers, VaultTransit};
use bytes::Bytes;
use config::EncryptionAtRest;
use environment::Clock;
use http_client::Client;
use model::{NamespaceId, Span};
use parking_lot::Mutex;
use storage::{Cipher, StoreError, Table};
use storage_embedded::{EmbeddedStore, ResealPage, Resealed, Settings};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::tokens;

/// Between two pages of a store that is gone through: other work goes first.
const PAGE_PAUSE: Span = Span::from_millis(5);

/// How long the next attempt waits after one that failed.
const RETRY_DELAY: Span = Span::from_secs(5);

/// What the configuration says, and where.
#[derive(Debug, Clone)]
pub(crate) struct AtRestOptions {
    pub(crate) settings: EncryptionAtRest,
    /// The configuration file: a rotation reads the keys again.
    pub(crate) configuration: PathBuf,
}

/// The encryption of a running node.
#[derive(Debug)]
pub(crate) struct AtRest {
    ring: Arc<KeyRing>,
    store: Arc<EmbeddedStore>,
    options: AtRestOptions,
    progress: Mutex<Progress>,
    changed: Notify,
}

/// How far the store was gone through.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    /// It is being gone through.
    pub(crate) is_running: bool,
    /// The table that is at its turn.
    pub(crate) table: &'static str,
    /// Records that were looked at, sealed again, and removed.
    pub(crate) records: u64,
    pub(crate) sealed: u64,
    pub(crate) removed: u64,
    /// Why former keys stay, if they do.
    pub(crate) trouble: Option<String>,
}

/// Opens a store in a directory, with encryption if it is configured.
pub(crate) async fn open_store(
    directory: &Path,
    settings: Settings,
    options: Option<&AtRestOptions>,
) -> anyhow::Result<(Arc<EmbeddedStore>, Option<Arc<AtRest>>)> {
    let failed = || format!("the data in `{}` cannot be opened", directory.display());
    let Some(options) = options else {
        let store = EmbeddedStore::open(directory, settings).with_context(failed)?;
        return Ok((Arc::new(store), None));
    };
    let keys = configured_keys(&options.settings)?;
    let ring = KeyRing::open(directory, keys).await.with_context(failed)?;
    let cipher = Arc::clone(&ring) as Arc<dyn Cipher>;
    let store = EmbeddedStore::open_with(directory, settings, Some(cipher)).with_context(failed)?;
    let store = Arc::new(store);
    let at_rest = AtRest {
        ring,
        store: Arc::clone(&store),
        options: options.clone(),
        progress: Mutex::default(),
        changed: Notify::new(),
    };
    Ok((store, Some(Arc::new(at_rest))))
}

impl AtRest {
    /// The keys.
    pub(crate) fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// How far the store was gone through.
    pub(crate) fn progress(&self) -> Progress {
        self.progress.lock().clone()
    }

    /// Reads the configured keys again and wraps all data keys with the current one.
    pub(crate) async fn rewrap(&self) -> anyhow::Result<()> {
        let settings = crate::configured::read(&self.options.configuration)?;
        let settings = settings.encryption_at_rest.context("encryption_at_rest: is missing")?;
        Ok(self.ring.rewrap(configured_keys(&settings)?).await?)
    }

    /// Makes new data keys and begins to seal what is stored again; says how many there are.
    pub(crate) fn rotate_data_keys(&self, only: Option<NamespaceId>) -> anyhow::Result<usize> {
        let made = self.ring.rotate_data_keys(only)?;
        self.changed.notify_one();
        Ok(made)
    }

    /// Destroys the keys of a namespace that has nothing left.
    pub(crate) fn erase(&self, namespace_id: NamespaceId) -> Result<(), String> {
        let gone = self.ring.destroy(namespace_id).map_err(|error| error.to_string())?;
        if gone > 0 {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Goes through the store whenever there is a reason, until `stop`.
    pub(crate) async fn keep_sealed(
        self: Arc<Self>,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) {
        let work = async {
            loop {
                while let Some(leftovers) = self.ring.leftovers() {
                    match self.go_through(&leftovers, clock.as_ref()).await {
                        Ok(true) => {}
                        Ok(false) => break,
                        Err(error) => {
                            tracing::warn!(%error, "what is stored is sealed again later");
                            clock.sleep_until(clock.now() + RETRY_DELAY).await;
                        }
                    }
                }
                self.changed.notified().await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = work => {}
        }
    }

    /// False when something damaged keeps the former keys.
    async fn go_through(
        &self,
        leftovers: &Leftovers,
        clock: &dyn Clock,
    ) -> Result<bool, StoreError> {
        *self.progress.lock() = Progress { is_running: true, ..Progress::default() };
        let mut damaged = Vec::new();
        for table in Table::ALL {
            let mut from = Some(Bytes::new());
            while let Some(start) = from {
                let page = self.store.reseal(ResealPage { table, from: start }).await?;
                self.note(table, &page);
                damaged.extend(page.damaged);
                from = page.next;
                if from.is_some() {
                    clock.sleep_until(clock.now() + PAGE_PAUSE).await;
                }
            }
        }
        if leftovers.plain_values {
            // What was replaced is still in files until those are rewritten.
            let store = Arc::clone(&self.store);
            let compacted = tokio::task::spawn_blocking(move || store.compact()).await;
            compacted.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))?;
        }
        let trouble = damaged.first().map(|first| {
            tracing::error!(records = damaged.len(), %first, "former keys stay");
            format!("{} damaged records, the first: {first}", damaged.len())
        });
        let done = trouble.is_none();
        if done {
            let forgotten = self.ring.forget(leftovers);
            forgotten.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        }
        let mut progress = self.progress.lock();
        progress.is_running = false;
        progress.trouble = trouble;
        Ok(done)
    }
}

impl AtRest {
    fn note(&self, table: Table, page: &Resealed) {
        let mut progress = self.progress.lock();
        progress.table = table.name();
        progress.records += page.records;
        progress.sealed += page.sealed;
        progress.removed += page.removed;
    }
}

fn configured_keys(settings: &EncryptionAtRest) -> anyhow::Result<KeyEncryptionKeys> {
    let mut keys = Vec::new();
    for key in &settings.keys {
        let id = key.id.as_str();
        if let Some(file) = &key.file {
            keys.push(KeyEncryptionKey::from_file(id, file)?);
        } else if let Some(name) = &key.environment {
            let value = tokens::variable(id, name)?;
            keys.push(KeyEncryptionKey::from_bytes(id, value.as_bytes())?);
        } else if let Some(vault) = &key.vault_transit {
            let token = std::fs::read_to_string(&vault.token_file);
            let token =
                token.with_context(|| format!("key `{id}`: `{}`", vault.token_file.display()))?;
            let vault = VaultTransit {
                address: vault.address.clone(),
                mount: vault.mount.clone(),
                key: vault.key.clone(),
                token: token.trim().to_owned(),
                client: Arc::new(Client::default()),
            };
            keys.push(KeyEncryptionKey::from_vault(id, vault));
        } else if let Some(pkcs11) = &key.pkcs11 {
            keys.push(KeyEncryptionKey::from_pkcs11(id, tokens::key(id, pkcs11)?));
        }
    }
    Ok(KeyEncryptionKeys::new(keys, settings.current.clone())?)
}
