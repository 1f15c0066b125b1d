//! What encrypts the values of a store (design decision D7).

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use model::NamespaceId;

/// Seals and opens values under data keys, which have numbers. Key 0 is none: a plain value.
///
/// The associated data of a value says where it belongs: what was sealed for one place does not
/// open in another.
pub trait Cipher: Send + Sync + Debug + 'static {
    /// Called once by a store that owns its directory, before it reads or writes anything there.
    /// `has_data` says whether the directory held a store before.
    ///
    /// # Errors
    /// In words for the operator, when the keys cannot be used. Nothing was written then.
    fn begin(&self, has_data: bool) -> Result<(), String>;

    /// The data key that new values of a namespace are sealed with, or of those that are of none.
    /// Makes the key when there is none, which writes a file: for the thread that commits.
    ///
    /// # Errors
    /// In words for the operator, when the key cannot be made.
    fn key_for(&self, namespace: Option<NamespaceId>) -> Result<u32, String>;

    /// Appends a sealed value.
    ///
    /// # Errors
    /// When there is no such key.
    fn seal(
        &self,
        key_id: u32,
        associated: &[u8],
        value: &[u8],
        sealed: &mut BytesMut,
    ) -> Result<(), String>;

    /// Opens a sealed value.
    fn open(&self, key_id: u32, associated: &[u8], sealed: &[u8]) -> Opened;

    /// What becomes of a value that was sealed with this key, when the store is gone through.
    fn fate(&self, key_id: u32) -> Fate;
}

/// What came of opening a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// The plain value.
    Value(Bytes),
    /// The key was destroyed, and the value with it: it counts as not there.
    Erased,
    /// Not what was sealed here, or sealed with a key that nobody knows.
    Damaged(String),
}

/// What becomes of a stored value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stays as it is.
    Keep,
    /// It is sealed again with the newest key of this namespace.
    SealAgain(Option<NamespaceId>),
    /// Its key was destroyed: it is removed.
    Remove,
}

/// How many bytes a cipher may add to a value.
pub const CIPHER_OVERHEAD_BYTES: usize = 28;
