//! The workspace and the programs that run in it.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process, thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// A cached build folder larger than this is thrown away before the next run.
const CACHED_TARGET_BYTES_MAX: u64 = 25 * 1024 * 1024 * 1024;

/// Between two looks at whether a program with a time limit has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The checked-out tree.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    metadata: Value,
    /// Where cargo builds, when it is not the default.
    target_override: Option<PathBuf>,
}

impl Workspace {
    /// The workspace that this program was built from.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let manifest_folder = env::var("CARGO_MANIFEST_DIR").context("run me as `cargo xtask`")?;
        let root = Path::new(&manifest_folder).parent().context("xtask has a parent folder")?;
        let output = process::Command::new("cargo")
            .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
            .current_dir(root)
            .output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata = serde_json::from_slice(&output.stdout)?;
        Ok(Self { root: root.to_owned(), metadata, target_override: cached_target()? })
    }

    /// The root folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The workspace members as `cargo metadata` describes them.
    pub(crate) fn packages(&self) -> &[Value] {
        self.metadata.get("packages").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> anyhow::Result<PathBuf> {
        if let Some(target) = &self.target_override {
            return Ok(target.clone());
        }
        let target = self.metadata.get("target_directory").and_then(Value::as_str);
        Ok(target.context("cargo metadata names the target directory")?.into())
    }

    /// A cargo command in the root folder.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        self.command("cargo").args(arguments)
    }

    /// Any command in the root folder.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = process::Command::new(program);
        command.current_dir(&self.root);
        if let Some(target) = &self.target_override {
            command.env("CARGO_TARGET_DIR", target);
        }
        Command(command)
    }
}

/// The user's cache folder for Longtide's tools.
pub(crate) fn cache_folder() -> anyhow::Result<PathBuf> {
    let base = match env::var("XDG_CACHE_HOME") {
        Ok(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => Path::new(&env::var("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(base.join("longtide"))
}

/// In continuous integration builds go to the user's cache folder when there can be one, so that
/// the next run need not start from nothing.
fn cached_target() -> anyhow::Result<Option<PathBuf>> {
    if env::var("CI").is_err() || env::var("CARGO_TARGET_DIR").is_ok() {
        return Ok(None);
    }
    let Ok(target) = cache_folder().map(|folder| folder.join("target")) else {
        return Ok(None);
    };
    if fs::create_dir_all(&target).is_err() {
        return Ok(None);
    }
    if folder_bytes(&target) > CACHED_TARGET_BYTES_MAX {
        fs::remove_dir_all(&target)?;
        fs::create_dir_all(&target)?;
    }
    Ok(Some(target))
}

/// True when a program of this name is on the path.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let kind = entry.file_type().ok()?;
            if kind.is_dir() {
                Some(folder_bytes(&entry.path()))
            } else {
                Some(entry.metadata().ok()?.len())
            }
        })
        .sum()
}

/// A program with its arguments. Its output goes to the terminal.
#[derive(Debug)]
pub(crate) struct Command(process::Command);

impl Command {
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.0.args(arguments);
        self
    }

    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(key, value);
        self
    }

    /// Runs it in another folder than the root.
    pub(crate) fn current_dir(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it cannot be started or ends with anything but success.
    pub(crate) fn run(mut self) -> anyhow::Result<()> {
        let status = self.0.status().with_context(|| format!("cannot start {:?}", self.0))?;
        if !status.success() {
            bail!("{status}: {}", self.describe());
        }
        Ok(())
    }

    /// Runs it to its end, showing and passing on each line of its standard output.
    ///
    /// # Errors
    /// When it cannot be started or ends with anything but success.
    pub(crate) fn run_reading(mut self, line: impl FnMut(&str)) -> anyhow::Result<()> {
        let status = self.show(line)?;
        if !status.success() {
            bail!("{status}: {}", self.describe());
        }
        Ok(())
    }

    /// The same for a program whose lines say what went wrong, however it ends.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn run_whatever_it_says(mut self, line: impl FnMut(&str)) -> anyhow::Result<()> {
        self.show(line).map(drop)
    }

    /// Runs it to its end and gives its standard output.
    ///
    /// # Errors
    /// When it cannot be started or ends with anything but success.
    pub(crate) fn read(mut self) -> anyhow::Result<String> {
        let output = self
            .0
            .stderr(process::Stdio::inherit())
            .output()
            .with_context(|| format!("cannot start {:?}", self.0))?;
        if !output.status.success() {
            bail!("{}: {}", output.status, self.describe());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs it with its output in a file. `None` when it takes too long: then it is killed.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn run_within(
        mut self,
        limit: Duration,
        output: File,
    ) -> anyhow::Result<Option<process::ExitStatus>> {
        self.0.stdin(process::Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let mut child = self.0.spawn().with_context(|| format!("cannot start {:?}", self.0))?;
        let started = Instant::now();
        while started.elapsed() < limit {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            thread::sleep(LOOK_EVERY);
        }
        child.kill()?;
        child.wait()?;
        Ok(None)
    }

    fn show(&mut self, mut line: impl FnMut(&str)) -> anyhow::Result<process::ExitStatus> {
        let mut child = self
            .0
            .stdout(process::Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {:?}", self.0))?;
        if let Some(output) = child.stdout.take() {
            for text in BufReader::new(output).lines() {
                let text = text?;
                println!("{text}");
                line(&text);
            }
        }
        Ok(child.wait()?)
    }

    fn describe(&self) -> String {
        let words = std::iter::once(self.0.get_program()).chain(self.0.get_args());
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }
}
