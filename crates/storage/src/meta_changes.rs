//! Changes of meta records that somebody keeps in memory, too.

use bytes::Bytes;
use tokio::sync::{Mutex, MutexGuard};

use crate::{CommitError, MetaError, MetaRecord, Store, StoreError};

/// Lets one change happen after the other, and none before it is known what became of the last.
///
/// A write that the store did not answer, or whose caller went away in the middle, may be in or not.
/// Memory may be behind then: what is durable would not be in force, and each further write would
/// expect a version that the record no longer has. So the record is read again first.
#[derive(Debug, Default)]
pub struct MetaChanges {
    doubtful: Mutex<Option<Bytes>>,
}

/// The turn of one change.
#[derive(Debug)]
pub struct MetaChange<'a> {
    store: &'a dyn Store,
    doubtful: MutexGuard<'a, Option<Bytes>>,
}

impl MetaChanges {
    /// Waits for its turn, and for `read_again` to take in the record of a doubtful change: its key,
    /// and what the store has of it.
    ///
    /// # Errors
    /// When that record cannot be read, or not be taken in.
    pub async fn begin<'a, E: From<StoreError>>(
        &'a self,
        store: &'a dyn Store,
        read_again: impl FnOnce(&Bytes, Option<MetaRecord>) -> Result<(), E>,
    ) -> Result<MetaChange<'a>, E> {
        let mut doubtful = self.doubtful.lock().await;
        if let Some(key) = doubtful.as_ref() {
            let record = store.read_meta(key.clone()).await?;
            read_again(key, record)?;
            *doubtful = None;
        }
        Ok(MetaChange { store, doubtful })
    }
}

impl MetaChange<'_> {
    /// Writes a record. The caller then changes its memory without waiting for anything.
    ///
    /// # Errors
    /// As [`Store::write_meta`].
    pub async fn write(
        &mut self,
        key: Bytes,
        expect: u64,
        value: Option<Bytes>,
    ) -> Result<(), MetaError> {
        *self.doubtful = Some(key.clone());
        let written = self.store.write_meta(key, expect, value).await;
        let is_known = matches!(
            written,
            Ok(()) | Err(MetaError::Commit(CommitError::Refused { .. } | CommitError::Fenced))
        );
        if is_known {
            *self.doubtful = None;
        }
        written
    }
}
