//! Counts the fsync calls of a server that does not count them itself, with `strace`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// Whether `strace` can be run.
pub async fn is_available() -> bool {
    let version = tokio::process::Command::new("strace").arg("--version").output().await;
    version.is_ok_and(|output| output.status.success())
}

/// The command line in front of a server's own that writes its fsync calls to `log`.
///
/// A filter in the kernel keeps all other calls of the server at full speed.
pub fn prefix(log: &Path) -> Vec<PathBuf> {
    let mut words: Vec<PathBuf> =
        ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync", "-e"]
            .map(PathBuf::from)
            .into();
    words.extend(["signal=none", "-o"].map(PathBuf::from));
    words.push(log.to_owned());
    words
}

/// The calls in the log so far.
///
/// # Errors
/// When the log cannot be read.
pub fn count(log: &Path) -> anyhow::Result<u64> {
    let text = fs::read_to_string(log).context("cannot read the fsync trace")?;
    Ok(calls(&text))
}

/// A call that another thread interrupts has a second line, which says `resumed`.
fn calls(text: &str) -> u64 {
    let is_call = |line: &&str| line.contains(" fsync(") || line.contains(" fdatasync(");
    text.lines().filter(is_call).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_call_counts_once() {
        let log = "12 fsync(3) = 0\n12 fdatasync(4 <unfinished ...>\n13 fsync(5) = 0\n\
                   12 <... fdatasync resumed>) = 0\n";
        assert_eq!(calls(log), 3);
    }
}
