//! The reference store and the faulty store without faults pass the suite of every backend.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use storage::{Store, Table, conformance::Subject};
use storage_memory::{Faults, FaultyStore, MemoryStore, Random};

#[derive(Default)]
struct Memory {
    store: MemoryStore,
}

impl Subject for Memory {
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        let store: Arc<dyn Store> = Arc::new(self.store.reopened());
        ready(store).boxed()
    }

    fn damage(&self, table: Table, key: Bytes) -> BoxFuture<'_, ()> {
        self.store.damage(table, &key);
        ready(()).boxed()
    }
}

#[derive(Default)]
struct Faultless(Memory);

impl Subject for Faultless {
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        let (memory, random) = (self.0.store.reopened(), Random::new(|| 4));
        let store: Arc<dyn Store> = Arc::new(FaultyStore::start(memory, Faults::default(), random));
        ready(store).boxed()
    }

    fn damage(&self, table: Table, key: Bytes) -> BoxFuture<'_, ()> {
        self.0.damage(table, key)
    }
}

mod memory {
    storage::conformance_suite!(super::Memory::default);
}

mod faultless {
    storage::conformance_suite!(super::Faultless::default);
}
