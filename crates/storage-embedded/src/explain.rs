//! The engine's errors, in words for the operator.

use std::io;

use fjall::LsmError;
use storage::{StoreError, Table, damage};

/// What to tell the operator about an error.
pub(crate) fn explain(error: &fjall::Error) -> String {
    match error {
        fjall::Error::Io(error) | fjall::Error::Storage(LsmError::Io(error)) => {
            if error.kind() == io::ErrorKind::StorageFull {
                "the disk is full".to_owned()
            } else {
                error.to_string()
            }
        }
        fjall::Error::Poisoned => "an earlier write in the background failed".to_owned(),
        fjall::Error::Locked => "another process uses its files".to_owned(),
        error => format!("{error:?}"),
    }
}

/// The error of a read at or after a key.
pub(crate) fn read_error(table: Table, key: &[u8], error: &fjall::Error) -> StoreError {
    match error {
        fjall::Error::Storage(
            LsmError::ChecksumMismatch { .. }
            | LsmError::InvalidHeader(_)
            | LsmError::InvalidTag(_)
            | LsmError::InvalidTrailer,
        ) => {
            damage(table, key, "the disk block that holds it or its successor is unreadable").into()
        }
        error => StoreError::Unavailable(format!("table `{}`: {}", table.name(), explain(error))),
    }
}
