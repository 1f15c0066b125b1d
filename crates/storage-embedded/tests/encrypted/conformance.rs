//! Encryption changes nothing of what a store does.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use storage::{Store, Table, conformance::Subject};

use crate::support::Folder;

struct Encrypted(Folder);

fn encrypted() -> Encrypted {
    Encrypted(Folder::new())
}

impl Subject for Encrypted {
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        async { self.0.open(&[("k1", 1)]).await.0 as Arc<dyn Store> }.boxed()
    }

    fn damage(&self, table: Table, key: Bytes) -> BoxFuture<'_, ()> {
        let database = fjall::Database::builder(self.0.data().join("fjall")).open().unwrap();
        let keyspace = database.keyspace(table.name(), Default::default).unwrap();
        let mut sealed = keyspace.get(&key).unwrap().unwrap().to_vec();
        *sealed.last_mut().unwrap() ^= 1;
        keyspace.insert(&key[..], &sealed[..]).unwrap();
        database.persist(fjall::PersistMode::SyncAll).unwrap();
        ready(()).boxed()
    }
}

storage::conformance_suite!(encrypted);
