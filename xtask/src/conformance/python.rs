//! The Python SDK's own tests, from its repository, on the package that its registry has.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

use super::{
    Run,
    report::{Ending, Outcomes},
};

/// Where the repository is, and the tag whose results are recorded. The package's source archive
/// does not have the tests.
const REPOSITORY: &str = "https://github.com/temporalio/sdk-python";
const TAG: &str = "1.31.0";

/// The package under test and what its tests need, as the repository pins it.
const PACKAGES: &[&str] = &[
    "temporalio[grpc,opentelemetry,pydantic]==1.31.0",
    "cryptography==49.0.0",
    "googleapis-common-protos==1.75.0",
    "httpx==0.28.1",
    "psutil==5.9.8",
    "pytest==9.0.3",
    "pytest-asyncio==0.21.2",
    "pytest-timeout==2.4.0",
    "pytest-xdist==3.8.0",
    "toml",
];

/// The folder with tests of integrations with other products: they need those, and no server.
const LEFT_OUT: &str = "contrib";

/// How long the tests of one file may take.
const FILE_SECONDS_MAX: &str = "900";

/// How many tests run at once.
const JOBS: &str = "4";

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Outcomes> {
    let source = run.folder.join(format!("sdk-python-{TAG}"));
    if !source.exists() {
        clone(run, &source)?;
    }
    let environment = run.folder.join("venv");
    install(run, &environment)?;
    let mut files = Vec::new();
    test_files(&source.join("tests"), &mut files)?;
    files.sort();
    let mut outcomes = Outcomes::default();
    for file in files {
        run_file(run, &source, &environment.join("bin/pytest"), &file, &mut outcomes)?;
    }
    ensure!(!outcomes.is_empty(), "no test ran");
    Ok(outcomes)
}

/// Each file runs in processes of its own: one that hangs takes nothing else with it.
fn run_file(
    run: &Run<'_>,
    source: &Path,
    pytest: &Path,
    file: &Path,
    outcomes: &mut Outcomes,
) -> anyhow::Result<()> {
    let filter = run.filters.join(" or ");
    run.workspace
        .command("timeout")
        .args([FILE_SECONDS_MAX])
        .args([pytest, file.strip_prefix(source)?])
        .args(["-E", &run.address, "-n", JOBS, "-k", &filter])
        .args(["-q", "-rpfEsxX", "--tb=line", "--show-capture=no", "-p", "no:cacheprovider"])
        .current_dir(source)
        // The tests then take the installed package, not the folder beside them.
        .env("TEMPORAL_INTEGRATION_TEST", "1")
        .run_whatever_it_says(|line| {
            if let Some((test, ending)) = ended(line) {
                outcomes.add(test, ending);
            }
        })
}

fn test_files(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != LEFT_OUT {
            test_files(&path, files)?;
        } else if name.starts_with("test_") && name.ends_with(".py") {
            files.push(path);
        }
    }
    Ok(())
}

fn clone(run: &Run<'_>, source: &Path) -> anyhow::Result<()> {
    let repository = run.source.unwrap_or(REPOSITORY);
    let arguments = ["clone", "--quiet", "--depth", "1", "--branch", TAG, repository];
    run.workspace.command("git").args(arguments).args([source]).run().with_context(|| {
        format!("no clone of {repository}; --source names another place, for example a folder")
    })
}

fn install(run: &Run<'_>, environment: &Path) -> anyhow::Result<()> {
    let done = environment.join("installed.txt");
    let wanted = PACKAGES.join("\n");
    if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run.workspace.command("python3").args(["-m", "venv"]).args([environment]).run()?;
    let install = ["install", "--quiet", "--disable-pip-version-check"];
    run.workspace.command(environment.join("bin/pip")).args(install).args(PACKAGES).run()?;
    Ok(fs::write(done, wanted)?)
}

/// Reads a line of the closing summary: `PASSED tests/a.py::b` or `FAILED tests/a.py::b - why`.
/// Skipped tests are summed up there by the line that skips them.
fn ended(line: &str) -> Option<(&str, Ending)> {
    let (word, rest) = line.split_once(' ')?;
    let ending = match word {
        "PASSED" => Ending::Passed,
        "FAILED" | "ERROR" => Ending::Failed,
        "SKIPPED" | "XFAIL" => Ending::Skipped,
        _ => return None,
    };
    let name = rest.split(" - ").next()?;
    (name.starts_with("tests/") || ending == Ending::Skipped).then_some((name, ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_read_from_the_closing_summary() {
        assert_eq!(ended("PASSED tests/a.py::b"), Some(("tests/a.py::b", Ending::Passed)));
        assert_eq!(
            ended("FAILED tests/a.py::b[x y] - assert 1 == 2"),
            Some(("tests/a.py::b[x y]", Ending::Failed))
        );
        assert_eq!(
            ended("SKIPPED [1] tests/a.py:7: why"),
            Some(("[1] tests/a.py:7: why", Ending::Skipped))
        );
        assert_eq!(ended("FAILED to do something"), None);
        assert_eq!(ended("2 failed, 900 passed"), None);
    }
}
