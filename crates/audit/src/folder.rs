//! The folder of a log: its files in their order, and the last checkpoint beside them.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use crate::AuditError;

/// Where the last checkpoint is, so that a log that was cut off is seen to be.
const HEAD: &str = "last-checkpoint";

/// What a server that writes holds.
const LOCK: &str = "lock";

/// What names of files begin and end with; between is the number of their first record.
const PREFIX: &str = "audit-";
const SUFFIX: &str = ".jsonl";

/// Digits of that number, so that names sort as numbers do.
const DIGITS: usize = 16;

/// Most files of a folder that are looked at.
const FILES_MAX: usize = 100_000;

/// The folder of a log.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A folder that may not be there yet.
    pub const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it, for its owner alone, and takes it for this process.
    pub(crate) fn take(&self) -> Result<fs::File, AuditError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
        made.map_err(|error| self.failed(&self.path, error))?;
        let path = self.path.join(LOCK);
        let lock = open(&path).map_err(|error| self.failed(&path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(fs::TryLockError::WouldBlock) => Err(AuditError::InUse(self.path.clone())),
            Err(fs::TryLockError::Error(error)) => Err(self.failed(&path, error)),
        }
    }

    /// Its files, each with the number of its first record, in their order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn files(&self) -> Result<Vec<(u64, PathBuf)>, AuditError> {
        let failed = |error| self.failed(&self.path, error);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)?.take(FILES_MAX) {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let number = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX));
            if let Some(first) = number.and_then(|number| number.parse().ok()) {
                files.push((first, path));
            }
        }
        files.sort();
        Ok(files)
    }

    /// The line of the last checkpoint; nothing when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn head(&self) -> Result<Option<Vec<u8>>, AuditError> {
        let path = self.path.join(HEAD);
        match fs::read(&path) {
            Ok(line) => Ok(Some(line)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(&path, error)),
        }
    }

    /// Replaces the last checkpoint, as a whole.
    pub(crate) fn write_head(&self, line: &str) -> io::Result<()> {
        let (new, path) = (self.path.join("last-checkpoint.new"), self.path.join(HEAD));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(line.as_bytes())?;
        file.sync_data()?;
        fs::rename(new, path)?;
        self.sync()
    }

    /// Makes new and deleted files durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        fs::File::open(&self.path)?.sync_all()
    }

    /// Where the file goes whose first record has this number.
    pub(crate) fn file(&self, first: u64) -> PathBuf {
        self.path.join(format!("{PREFIX}{first:0DIGITS$}{SUFFIX}"))
    }

    pub(crate) fn failed(&self, path: &Path, source: io::Error) -> AuditError {
        AuditError::File { path: path.to_owned(), source }
    }
}

/// Opens a file to write at its end, for its owner alone.
pub(crate) fn open(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

/// The files that a path stands for: those of a folder in their order, or itself.
///
/// # Errors
/// When it cannot be read.
pub fn files_of(path: &Path) -> Result<Vec<PathBuf>, AuditError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let files = Folder::at(path.to_owned()).files()?;
    Ok(files.into_iter().map(|(_, path)| path).collect())
}
