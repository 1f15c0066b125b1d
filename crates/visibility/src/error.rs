//! What can go wrong with the index.

use std::path::PathBuf;

/// A failure of the index.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not an index or is damaged. It is derived data: delete the file and rebuild.
    #[error(
        "the visibility index `{}` is damaged; it can be deleted and will be rebuilt",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// The file was written in another format. Delete the file and rebuild.
    #[error("the visibility index `{}` has format {found}, not {expected}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        found: i32,
        /// The format that this server writes.
        expected: i32,
    },
    /// The page token is not one of ours.
    #[error("invalid page token")]
    PageToken,
    /// The filter has more values than one statement takes.
    #[error("the query has more than {max} values")]
    TooManyValues {
        /// The limit.
        max: usize,
    },
    /// Too many changes or reads are waiting.
    #[error("the visibility index is busy")]
    Busy,
    /// The index is shut down.
    #[error("the visibility index is closed")]
    Closed,
    /// A thread of the index could not be started.
    #[error("could not start a thread of the visibility index")]
    Thread(#[source] std::io::Error),
    /// A row that cannot be read back.
    #[error("a record of the visibility index cannot be decoded")]
    Decode(#[from] prost::DecodeError),
    /// SQLite failed.
    #[error("the visibility index failed")]
    Sqlite(#[from] rusqlite::Error),
}
