//! A data directory, its keys and what is written there.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use at_rest::{AtRestError, KeyEncryptionKey, KeyEncryptionKeys, KeyRing};
use bytes::Bytes;
use model::NamespaceId;
use storage::{Cipher, Store, StoreError, Table, Write, conformance::Writer, conformance::slot};
use storage_embedded::{EmbeddedStore, ResealPage, Settings};
use tempfile::TempDir;

/// What is looked for in files.
pub(crate) const CANARY: &[u8] = b"canary-7f3a-in-a-payload";

pub(crate) fn settings() -> Settings {
    Settings { write_buffer_bytes: 1024 * 1024, free_bytes_min: 0, ..Settings::default() }
}

pub(crate) fn namespace(number: u8) -> NamespaceId {
    NamespaceId::from_bytes([number; 16])
}

/// Keys by their names; the last one is the current one. A key is its first byte, 32 times.
pub(crate) fn keys(names: &[(&str, u8)]) -> KeyEncryptionKeys {
    let key = |(name, byte): &(&str, u8)| KeyEncryptionKey::from_bytes(name, &[*byte; 32]).unwrap();
    let current = names.last().unwrap().0.to_owned();
    KeyEncryptionKeys::new(names.iter().map(key).collect(), current).unwrap()
}

/// A folder of a test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub(crate) async fn ring(&self, names: &[(&str, u8)]) -> Result<Arc<KeyRing>, AtRestError> {
        KeyRing::open(&self.data(), keys(names)).await
    }

    /// Opens the store with these keys.
    pub(crate) async fn open(&self, names: &[(&str, u8)]) -> (Arc<EmbeddedStore>, Arc<KeyRing>) {
        let ring = self.ring(names).await.unwrap();
        let cipher = Arc::clone(&ring) as Arc<dyn Cipher>;
        let store = EmbeddedStore::open_with(&self.data(), settings(), Some(cipher)).unwrap();
        (Arc::new(store), ring)
    }

    pub(crate) fn open_plain(&self) -> Result<EmbeddedStore, StoreError> {
        EmbeddedStore::open(&self.data(), settings())
    }

    /// Every file and what it holds.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.data()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.insert(path.clone(), fs::read(path).unwrap());
                }
            }
        }
        files
    }

    /// Files that hold the bytes.
    pub(crate) fn files_with(&self, wanted: &[u8]) -> Vec<PathBuf> {
        let holds = |bytes: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
        self.files().into_iter().filter(|(_, bytes)| holds(bytes)).map(|(path, _)| path).collect()
    }
}

/// The key of a record of slot 1.
pub(crate) fn key(number: u16) -> Bytes {
    [&[0, 1], number.to_be_bytes().as_slice()].concat().into()
}

/// A record of a run of this namespace, with the canary.
pub(crate) fn record(number: u16, owner: Option<NamespaceId>) -> Write {
    let value = [CANARY, number.to_string().as_bytes(), &[0xab; 100]].concat().into();
    Write::Put { table: Table::Run, namespace: owner, key: key(number), value }
}

pub(crate) async fn write(store: &Arc<EmbeddedStore>, writes: Vec<Write>) {
    let store: Arc<dyn Store> = Arc::clone(store) as Arc<dyn Store>;
    Writer::claim(&store, slot(1)).await.commit(writes).await;
}

pub(crate) async fn read(store: &dyn Store, number: u16) -> Result<Option<Bytes>, StoreError> {
    store.read(Table::Run, key(number)).await
}

/// Goes through the whole store; says how many records were sealed again and removed.
pub(crate) async fn go_through(store: &EmbeddedStore) -> (u64, u64) {
    let (mut sealed, mut removed) = (0, 0);
    for table in Table::ALL {
        let mut from = Some(Bytes::new());
        while let Some(start) = from {
            let page = store.reseal(ResealPage { table, from: start }).await.unwrap();
            assert_eq!(page.damaged, []);
            sealed += page.sealed;
            removed += page.removed;
            from = page.next;
        }
    }
    (sealed, removed)
}

/// The id of the file's data directory path as text.
pub(crate) fn text(path: &Path) -> String {
    path.display().to_string()
}
