//! What can go wrong in a store.

use crate::Table;

/// Why a batch was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Another owner holds the slot, or an earlier batch of this owner failed. Nothing was written.
    #[error("the slot's fence has moved")]
    Fenced,
    /// The store refuses writes for a while, for example on a full disk. Nothing was written.
    #[error("the store refuses writes: {reason}")]
    Refused {
        /// What the operator should know.
        reason: String,
    },
    /// Nobody can say whether the batch was written. Reload the slot before anything else.
    #[error("the outcome of the commit is unknown")]
    Unknown,
}

/// A record whose bytes are not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {key} of table `{table}` is damaged: {detail}", table = .table.name())]
pub struct Damage {
    /// The table.
    pub table: Table,
    /// The key in hexadecimal.
    pub key: String,
    /// What does not fit, and what to do about it.
    pub detail: String,
}

/// Why a read failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// One record is damaged; every other stays readable.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The store cannot answer for the moment.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The store cannot be used by this program: wrong version, locked, not a store.
    #[error("the store cannot be opened: {0}")]
    Unusable(String),
}

/// Why a meta record was not written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MetaError {
    /// The record's version is not the expected one.
    #[error("the record was changed by somebody else")]
    Conflict,
    /// The write was not acknowledged.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The record could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}
