//! The integration tests that the crate of the Rust SDK's core ships.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{
    Run,
    report::{Ending, Outcomes},
};

/// The crate with the tests, and the version whose results are recorded.
const CRATE: &str = "temporalio-sdk-core";
const VERSION: &str = "0.10.1";

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

/// How many tests run at once.
const THREADS: &str = "8";

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Outcomes> {
    let source = run.folder.join(format!("{CRATE}-{VERSION}"));
    if !source.exists() {
        fetch(run, &source)?;
    }
    let mut outcomes = Outcomes::default();
    run.workspace
        .command("cargo")
        .args(["test", "--features", FEATURES, "--test", "integ_tests", "--"])
        .args(["--test-threads", THREADS])
        .args(run.filters)
        .current_dir(&source)
        .env("CARGO_TARGET_DIR", run.folder.join("target"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_PROFILE_TEST_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0")
        .env("TEMPORAL_SERVICE_ADDRESS", format!("http://{}", run.address))
        .run_whatever_it_says(|line| {
            if let Some((test, ending)) = ended(line) {
                outcomes.add(test, ending);
            }
        })?;
    ensure!(!outcomes.is_empty(), "no test ran");
    Ok(outcomes)
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

/// Reads `test a::b ... ok`, which may follow an unfinished line of a log.
fn ended(line: &str) -> Option<(&str, Ending)> {
    let (_, said) = line.rsplit_once("test ").filter(|_| !line.contains("test result"))?;
    let (test, ending) = said.split_once(" ... ")?;
    let ending = match ending.split([',', ' ']).next()? {
        "ok" => Ending::Passed,
        "FAILED" => Ending::Failed,
        "ignored" => Ending::Skipped,
        _ => return None,
    };
    Some((test.trim_end_matches(" - should panic"), ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_read_from_the_lines_of_the_test_program() {
        assert_eq!(ended("test a::b ... ok"), Some(("a::b", Ending::Passed)));
        assert_eq!(ended("test a - should panic ... ok"), Some(("a", Ending::Passed)));
        assert_eq!(ended("INFO doing test a::b ... ok"), Some(("a::b", Ending::Passed)));
        assert_eq!(ended("test a::b ... FAILED"), Some(("a::b", Ending::Failed)));
        assert_eq!(ended("test a ... ignored, slow"), Some(("a", Ending::Skipped)));
        assert_eq!(ended("test result: ok. 12 passed"), None);
        assert_eq!(ended("running 12 tests"), None);
    }
}
