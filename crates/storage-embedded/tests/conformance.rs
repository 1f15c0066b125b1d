//! The embedded store passes the suite of every backend.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use storage::{Store, Table, conformance::Subject};
use storage_embedded::{EmbeddedStore, Settings};
use tempfile::TempDir;

struct Embedded {
    folder: TempDir,
}

impl Embedded {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Subject for Embedded {
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        let settings = Settings { free_bytes_min: 0, ..Settings::default() };
        let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&self.path(), settings).unwrap());
        ready(store).boxed()
    }

    /// Opens the engine without the store and flips the last bit of a sealed value.
    fn damage(&self, table: Table, key: Bytes) -> BoxFuture<'_, ()> {
        let database = fjall::Database::builder(self.path().join("fjall")).open().unwrap();
        let keyspace = database.keyspace(table.name(), Default::default).unwrap();
        let mut sealed = keyspace.get(&key).unwrap().unwrap().to_vec();
        *sealed.last_mut().unwrap() ^= 1;
        keyspace.insert(&key[..], &sealed[..]).unwrap();
        database.persist(fjall::PersistMode::SyncAll).unwrap();
        ready(()).boxed()
    }
}

storage::conformance_suite!(Embedded::new);
