//! A UI that is not built in: another one, or one that is being worked on.

use std::{collections::BTreeMap, fs, io, path::Path};

use crate::file::{File, kind};

/// Most files, and most bytes in them.
const FILES_MAX: usize = 5000;
const BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Why a folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be read.
    #[error("`{path}` cannot be read")]
    Unreadable {
        /// What cannot.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// There is nothing to begin with.
    #[error("there is no `index.html`")]
    NoIndex,
    /// There is too much.
    #[error("there are more than {FILES_MAX} files or {BYTES_MAX} bytes")]
    TooLarge,
}

/// Reads the files below a folder. Links are not followed.
pub(crate) fn read(folder: &Path) -> Result<BTreeMap<String, File>, FolderError> {
    let mut files = BTreeMap::new();
    collect(folder, "", &mut files, &mut 0)?;
    if files.contains_key("index.html") { Ok(files) } else { Err(FolderError::NoIndex) }
}

fn collect(
    folder: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, File>,
    bytes: &mut u64,
) -> Result<(), FolderError> {
    let unreadable = |path: &Path| {
        let path = path.display().to_string();
        |source| FolderError::Unreadable { path, source }
    };
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        let entry = entry.map_err(unreadable(folder))?;
        let path = entry.path();
        let metadata = fs::symlink_metadata(&path).map_err(unreadable(&path))?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if metadata.is_dir() {
            collect(&path, &format!("{name}/"), files, bytes)?;
        } else if metadata.is_file() {
            *bytes += metadata.len();
            if files.len() >= FILES_MAX || *bytes > BYTES_MAX {
                return Err(FolderError::TooLarge);
            }
            let plain = fs::read(&path).map_err(unreadable(&path))?.into();
            files.insert(name.clone(), File { kind: kind(&name), plain, brotli: None, gzip: None });
        }
    }
    Ok(())
}
