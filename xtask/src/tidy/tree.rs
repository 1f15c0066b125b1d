//! The files of the tree.

use std::{fs, path::Path, process::Command};

use anyhow::ensure;

/// A file.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    /// The content; nothing for what is no text, such as an image.
    pub(crate) text: String,
}

impl File {
    #[cfg(test)]
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// True for this file name extension.
    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, found)| found == extension)
    }
}

/// Every file that git tracks or would track.
pub(crate) fn read(root: &Path) -> anyhow::Result<Vec<File>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let paths = String::from_utf8(output.stdout)?;
    let content_of = |path: &str| fs::read(root.join(path)).ok();
    Ok(paths
        .split_terminator('\0')
        .filter_map(|path| {
            let text = String::from_utf8(content_of(path)?).unwrap_or_default();
            Some(File { path: path.to_owned(), text })
        })
        .collect())
}
