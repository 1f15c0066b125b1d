//! The integration tests that the crate of the Rust SDK's core ships.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, anyhow, ensure};
use serde_json::Value;

use super::{
    Run,
    report::{Ending, Outcomes},
    server::Wanted,
};

/// The crate with the tests, and the version whose results are recorded.
const CRATE: &str = "temporalio-sdk-core";
const VERSION: &str = "0.10.1";

/// Its test target.
const TARGET: &str = "integ_tests";

/// Features that its test target asks for, and one that spares the machine a `protoc`.
const FEATURES: &str = "temporalio-common/serde_serialize,test-utilities,ephemeral-server,otel,\
                        temporalio-client/vendored-protox";

/// What publishing took out of the manifest, because the crate of the SDK depends on this one; the
/// patch makes both use the same copy. The rest of the crate stays as it is.
const RESTORED: &str = "
[dev-dependencies.temporalio-sdk]
version = \"~1.1.1\"
features = [\"experimental\", \"opentelemetry\", \"testing\"]

[dev-dependencies.uuid]
version = \"1.18\"
features = [\"v4\"]

[patch.crates-io]
temporalio-sdk-core = { path = \".\" }
";

/// How many tests run at once; and how many of those that get a second chance.
const JOBS: usize = 8;
const SECOND_JOBS: usize = 2;

/// How long a test may take. The longest needs half of it on a slow machine.
const TEST_TIME_MAX: Duration = Duration::from_secs(120);

/// What the suite expects of a server.
pub(super) const WANTED: Wanted = Wanted {
    port: None,
    namespace: None,
    search_attributes: &["CustomTextField=Text", "CustomIntField=Int"],
    settings: &["limit.historyCount.suggestContinueAsNew=50"],
};

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Outcomes> {
    let source = run.folder.join(format!("{CRATE}-{VERSION}"));
    if !source.exists() {
        fetch(run, &source)?;
    }
    let program =
        Program { path: build(run, &source)?, logs: run.folder.join("logs"), source, run };
    fs::create_dir_all(&program.logs)?;
    let ignored = program.tests(&["--ignored"])?;
    let tests: Vec<String> = program.tests(&[])?.into_iter().collect();
    let mut outcomes = Outcomes::default();
    for test in &ignored {
        outcomes.add(test, Ending::Skipped);
    }
    let tests: Vec<String> = tests.into_iter().filter(|test| !ignored.contains(test)).collect();
    for (test, ending) in program.run_all(&tests, JOBS)? {
        outcomes.add(&test, ending);
    }
    for (test, ending) in program.run_all(&outcomes.failed(), SECOND_JOBS)? {
        outcomes.add_second(&test, ending);
    }
    println!("what the tests printed: {}", program.logs.display());
    ensure!(!outcomes.is_empty(), "no test ran");
    Ok(outcomes)
}

/// The program with all the tests. Each runs in a process of its own: one that hangs ends alone.
struct Program<'a> {
    run: &'a Run<'a>,
    path: PathBuf,
    /// The crate's folder, where the tests expect to run.
    source: PathBuf,
    /// The folder for what tests print, a file each.
    logs: PathBuf,
}

impl Program<'_> {
    /// The names of the tests.
    fn tests(&self, options: &[&str]) -> anyhow::Result<BTreeSet<String>> {
        let list = self.run.workspace.command(&self.path).args(["--list", "--format", "terse"]);
        let text = list.args(options).args(self.run.filters).current_dir(&self.source).read()?;
        Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
    }

    fn run_all(&self, tests: &[String], jobs: usize) -> anyhow::Result<Vec<(String, Ending)>> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut ended = Vec::new();
            while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                ended.push((test.clone(), self.run_one(test)?));
            }
            Ok::<_, anyhow::Error>(ended)
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
            let mut ended = Vec::new();
            for worker in workers {
                ended.extend(worker.join().map_err(|_| anyhow!("a thread panicked"))??);
            }
            Ok(ended)
        })
    }

    fn run_one(&self, test: &str) -> anyhow::Result<Ending> {
        let log = File::create(self.logs.join(test.replace("::", ".") + ".log"))?;
        let status = self
            .run
            .workspace
            .command(&self.path)
            .args([test, "--exact", "--nocapture"])
            .current_dir(&self.source)
            .env("CARGO_MANIFEST_DIR", &self.source)
            .env("TEMPORAL_SERVICE_ADDRESS", format!("http://{}", self.run.address))
            .run_within(TEST_TIME_MAX, log)?;
        let (ending, word) = match status {
            Some(status) if status.success() => (Ending::Passed, "ok"),
            Some(_) => (Ending::Failed, "FAILED"),
            None => (Ending::Failed, "took too long"),
        };
        println!("{test} ... {word}");
        Ok(ending)
    }
}

/// Builds the tests, and says where the program is.
fn build(run: &Run<'_>, source: &Path) -> anyhow::Result<PathBuf> {
    let messages = run
        .workspace
        .command("cargo")
        .args(["test", "--features", FEATURES, "--test", TARGET, "--no-run"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(source)
        .env("CARGO_TARGET_DIR", run.folder.join("target"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_PROFILE_TEST_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0")
        .read()?;
    messages.lines().find_map(executable).context("cargo names the program that it built")
}

/// The program that a message of cargo tells of.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let name = message.get("target")?.get("name")?.as_str()?;
    let path = message.get("executable")?.as_str()?;
    (name == TARGET).then(|| path.into())
}

/// Gets the crate through cargo, by way of a package that depends on it, and copies it to where its
/// tests can be built.
fn fetch(run: &Run<'_>, source: &Path) -> anyhow::Result<()> {
    let scratch = run.folder.join("fetch");
    fs::create_dir_all(scratch.join("src"))?;
    fs::write(scratch.join("src/lib.rs"), "")?;
    fs::write(
        scratch.join("Cargo.toml"),
        format!(
            "[workspace]\n[package]\nname = \"fetch\"\nedition = \"2024\"\n[dependencies]\n\
             {CRATE} = \"={VERSION}\"\n"
        ),
    )?;
    let metadata = ["metadata", "--format-version", "1"];
    let text = run.workspace.command("cargo").args(metadata).current_dir(&scratch).read()?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = metadata.get("packages").and_then(Value::as_array);
    let manifest = packages
        .into_iter()
        .flatten()
        .find(|package| package.get("name").and_then(Value::as_str) == Some(CRATE))
        .and_then(|package| package.get("manifest_path")?.as_str())
        .context("cargo metadata names the crate's manifest")?;
    let folder = Path::new(manifest).parent().context("a manifest is in a folder")?;
    let copy = run.folder.join("copy");
    run.workspace.command("cp").args(["-r".as_ref(), folder, copy.as_path()]).run()?;
    let manifest = copy.join("Cargo.toml");
    fs::write(&manifest, fs::read_to_string(&manifest)? + RESTORED)?;
    Ok(fs::rename(copy, source)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_in_the_messages_of_cargo() {
        let message = |name: &str, executable: &str| {
            format!(r#"{{"target":{{"name":"{name}"}},"executable":{executable}}}"#)
        };
        assert_eq!(executable(&message(TARGET, r#""/a/b""#)), Some("/a/b".into()));
        assert_eq!(executable(&message("other", r#""/a/b""#)), None);
        assert_eq!(executable(&message(TARGET, "null")), None);
        assert_eq!(executable(r#"{"reason":"build-finished"}"#), None);
    }
}
