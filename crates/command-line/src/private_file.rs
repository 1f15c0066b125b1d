//! Files that only their owner may read.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::Path,
};

/// Writes a file that only its owner may read.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}
