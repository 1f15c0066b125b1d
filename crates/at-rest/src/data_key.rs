//! Data keys: what values are sealed with.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::BytesMut;
use model::NamespaceId;

use crate::aead::{Aead, Failed, Secret};

/// Values that one data key seals, at most. Nonces are random, 96 bits: with 2^32 of them the
/// chance that two are equal is 2^-33. The next value gets a new key.
pub const VALUES_MAX: u64 = 1 << 32;

/// Values that are counted ahead of their sealing, so that the count survives a crash without a
/// write for each: a start, and every so many values, cost one write of `KEYS`.
pub const VALUES_RESERVED: u64 = 1 << 20;

/// When the next so many are counted: a batch that is under way has room.
const RESERVE_BEFORE: u64 = 1 << 16;

/// A data key in use.
#[derive(Debug)]
pub(crate) struct DataKey {
    pub(crate) id: u32,
    pub(crate) namespace: Option<NamespaceId>,
    key: Aead,
    sealed: AtomicU64,
    reserved: AtomicU64,
}

impl DataKey {
    /// `counted` values may have been sealed before, and no more were counted ahead.
    pub(crate) fn new(
        id: u32,
        namespace: Option<NamespaceId>,
        secret: &Secret,
        counted: u64,
    ) -> Result<Self, Failed> {
        let key = Aead::new(secret)?;
        Ok(Self { id, namespace, key, sealed: counted.into(), reserved: counted.into() })
    }

    /// True while values are counted ahead.
    pub(crate) fn has_room(&self) -> bool {
        self.sealed.load(Relaxed).saturating_add(RESERVE_BEFORE) <= self.reserved.load(Relaxed)
    }

    /// So many are counted now.
    pub(crate) fn reserve(&self, counted: u64) {
        self.reserved.store(counted, Relaxed);
    }

    pub(crate) fn seal(
        &self,
        associated: &[u8],
        value: &[u8],
        sealed: &mut BytesMut,
    ) -> Result<(), Failed> {
        self.sealed.fetch_add(1, Relaxed);
        self.key.seal(associated, value, sealed)
    }

    pub(crate) fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Failed> {
        self.key.open(associated, sealed)
    }
}
