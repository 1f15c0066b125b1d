//! The data directory: its format version and its lock.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use storage::{Cipher, StoreError};

/// The format of the directory that this program writes. It opens this one and earlier ones.
pub(crate) const FORMAT: u32 = 1;

const VERSION_FILE: &str = "VERSION";
const LOCK_FILE: &str = "LOCK";
const ENGINE_FOLDER: &str = "fjall";

/// What the wrapped data keys of a directory with encryption are in.
pub const KEYS_FILE: &str = "KEYS";

/// A data directory that belongs to this process.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    /// Locked for as long as it is open.
    _lock: File,
}

impl DataDirectory {
    /// Opens or creates the directory. A newer format, a file in its place and another process in
    /// it are found before anything is written; keys that are missing, too.
    pub(crate) fn open(path: &Path, cipher: Option<&dyn Cipher>) -> Result<Self, StoreError> {
        if path.is_file() {
            let detail = "it is a file, and a data directory is needed";
            return Err(unusable(path, detail));
        }
        let at = |error: io::Error| unusable(path, &error.to_string());
        check_format(path)?;
        if cipher.is_none() {
            check_plain(path)?;
        }
        fs::create_dir_all(path).map_err(at)?;
        let lock = lock(path)?;
        // Whoever held the lock before may have written the version.
        check_format(path)?;
        let has_data = path.join(VERSION_FILE).try_exists().map_err(at)?;
        match cipher {
            Some(cipher) => cipher.begin(has_data).map_err(|what| unusable(path, &what))?,
            None => check_plain(path)?,
        }
        if !has_data {
            if path.join(ENGINE_FOLDER).try_exists().map_err(at)? {
                return Err(unusable(path, "it has data, but its `VERSION` file is missing"));
            }
            write_version(path).map_err(at)?;
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the engine keeps its files.
    pub(crate) fn engine_path(&self) -> PathBuf {
        self.path.join(ENGINE_FOLDER)
    }
}

fn unusable(path: &Path, detail: &str) -> StoreError {
    StoreError::Unusable(format!("data directory `{}`: {detail}", path.display()))
}

/// Refuses a directory whose values are encrypted.
fn check_plain(path: &Path) -> Result<(), StoreError> {
    if path.join(KEYS_FILE).try_exists().unwrap_or(true) {
        let what = "it is encrypted, and no encryption at rest is configured: set \
                    `encryptionAtRest` with the key that its `KEYS` file names (nothing was changed)";
        return Err(unusable(path, what));
    }
    Ok(())
}

fn check_format(path: &Path) -> Result<(), StoreError> {
    let text = match fs::read_to_string(path.join(VERSION_FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unusable(path, &format!("`VERSION`: {error}"))),
    };
    match text.trim().parse::<u32>() {
        Ok(format) if format <= FORMAT => Ok(()),
        Ok(format) => Err(unusable(
            path,
            &format!(
                "it has format {format} and this release reads up to {FORMAT}; \
                 start the newer release that wrote it (nothing was changed)"
            ),
        )),
        Err(_) => Err(unusable(path, "its `VERSION` file is not a number")),
    }
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let lock_path = path.join(LOCK_FILE);
    let at = |error: io::Error| unusable(path, &format!("`LOCK`: {error}"));
    let mut lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&lock_path)
        .map_err(at)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(at(error)),
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&lock_path).unwrap_or_default();
            let holder = match holder.trim() {
                "" => String::new(),
                process => format!(" (process {process})"),
            };
            return Err(unusable(path, &format!("it is in use by another server{holder}")));
        }
    }
    // Who holds the lock is for the message above only: a full disk must not stop a start.
    drop(lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())));
    Ok(lock)
}

/// Writes the file so that a crash leaves it whole or missing.
fn write_version(path: &Path) -> io::Result<()> {
    let temporary = path.join("VERSION.new");
    let mut file = File::create(&temporary)?;
    writeln!(file, "{FORMAT}")?;
    file.sync_all()?;
    fs::rename(&temporary, path.join(VERSION_FILE))?;
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_opening_names_the_directory_and_the_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let first = DataDirectory::open(&path, None).unwrap();
        let error = DataDirectory::open(&path, None).unwrap_err().to_string();
        let holder = format!("in use by another server (process {})", std::process::id());
        assert!(error.contains(&path.display().to_string()), "{error}");
        assert!(error.contains(&holder), "{error}");
        drop(first);
        DataDirectory::open(&path, None).unwrap();
    }

    #[test]
    fn a_newer_format_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(VERSION_FILE), "2\n").unwrap();
        let error = DataDirectory::open(folder.path(), None).unwrap_err().to_string();
        assert!(error.contains("format 2 and this release reads up to 1"), "{error}");
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [VERSION_FILE]);
    }

    #[test]
    fn data_without_a_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(ENGINE_FOLDER)).unwrap();
        let error = DataDirectory::open(folder.path(), None).unwrap_err().to_string();
        assert!(error.contains("its `VERSION` file is missing"), "{error}");
    }

    #[test]
    fn a_file_is_no_directory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.db");
        fs::write(&path, "SQLite format 3").unwrap();
        let error = DataDirectory::open(&path, None).unwrap_err().to_string();
        assert!(error.contains("it is a file"), "{error}");
    }
}
