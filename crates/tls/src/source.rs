//! Where PEM comes from.

use std::{fmt, fs, path::PathBuf};

use crate::TlsError;

/// Largest file that is read, in bytes: bundles of authorities are some 200 KiB.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A place that PEM comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, read again and again.
    File(PathBuf),
    /// The text itself.
    Text(Vec<u8>),
}

impl Source {
    pub(crate) fn read(&self) -> Result<Vec<u8>, TlsError> {
        let path = match self {
            Self::Text(text) => return Ok(text.clone()),
            Self::File(path) => path,
        };
        let unreadable = |source| TlsError::Unreadable { path: path.clone(), source };
        let bytes = fs::metadata(path).map_err(unreadable)?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(TlsError::TooLarge { path: path.clone(), bytes, limit: FILE_BYTES_MAX });
        }
        fs::read(path).map_err(unreadable)
    }
}

/// The text may be a key: it is never shown.
impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
            Self::Text(_) => formatter.write_str("Text"),
        }
    }
}

/// For messages.
impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "`{}`", path.display()),
            Self::Text(_) => formatter.write_str("the configuration's data"),
        }
    }
}
