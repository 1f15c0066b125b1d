//! The Python SDK's own tests, from its repository, on the package that its registry has.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

use super::{
    Run,
    report::{Ending, Outcomes},
    server::Wanted,
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

/// How long one test may take, and all of a file.
const TEST_SECONDS_MAX: &str = "90";
const FILE_SECONDS_MAX: &str = "1200";

/// How many tests run at once.
const JOBS: &str = "3";

/// What the suite expects of a server.
pub(super) const WANTED: Wanted = Wanted {
    port: None,
    namespace: None,
    search_attributes: &[],
    settings: &["limit.historyCount.suggestContinueAsNew=50"],
};

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Outcomes> {
    let source = run.folder.join(format!("sdk-python-{TAG}"));
    if !source.exists() {
        clone(run, &source)?;
    }
    let environment = run.folder.join("venv");
    install(run, &environment)?;
    let suite = Suite { run, pytest: environment.join("bin/pytest"), source };
    let mut files = Vec::new();
    test_files(&suite.source.join("tests"), &mut files)?;
    files.sort();
    let mut outcomes = Outcomes::default();
    for file in files {
        let file = file.strip_prefix(&suite.source)?.to_string_lossy().into_owned();
        suite.run(&file, JOBS, |test, ending| outcomes.add(test, ending))?;
    }
    for test in outcomes.failed() {
        suite.run(&test, "1", |test, ending| outcomes.add_second(test, ending))?;
    }
    ensure!(!outcomes.is_empty(), "no test ran");
    Ok(outcomes)
}

struct Suite<'a> {
    run: &'a Run<'a>,
    source: PathBuf,
    pytest: PathBuf,
}

impl Suite<'_> {
    /// Runs the tests of a file, or one of them. Each time in processes of its own: a test that
    /// hangs takes nothing else with it.
    fn run(
        &self,
        what: &str,
        jobs: &str,
        mut note: impl FnMut(&str, Ending),
    ) -> anyhow::Result<()> {
        let filter = self.run.filters.join(" or ");
        self.run
            .workspace
            .command("timeout")
            .args(["--kill-after=10", FILE_SECONDS_MAX])
            .args([self.pytest.as_path(), Path::new(what)])
            .args(["-E", &self.run.address, "-n", jobs, "-k", &filter])
            .args(["-v", "--timeout", TEST_SECONDS_MAX, "--tb=short", "--show-capture=no"])
            .args(["-p", "no:cacheprovider"])
            .current_dir(&self.source)
            // The tests then take the installed package, not the folder beside them.
            .env("TEMPORAL_INTEGRATION_TEST", "1")
            .run_whatever_it_says(|line| {
                if let Some((test, ending)) = ended(line) {
                    note(test, ending);
                }
            })
    }
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
    let repository =
        run.sources.map_or_else(|| REPOSITORY.into(), |sources| sources.join("sdk-python"));
    let arguments = ["clone", "--quiet", "--depth", "1", "--branch", TAG];
    let clone = run.workspace.command("git").args(arguments).args([&repository]).args([source]);
    clone.run().with_context(|| {
        format!("no clone of {}; --sources names a folder with one", repository.display())
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

/// Reads `[gw1] [ 12%] PASSED tests/a.py::b `, which is printed as soon as a test ends.
fn ended(line: &str) -> Option<(&str, Ending)> {
    let (_, said) = line.strip_prefix("[gw")?.split_once("%] ")?;
    let (word, test) = said.split_once(' ')?;
    let ending = match word {
        "PASSED" => Ending::Passed,
        "FAILED" | "ERROR" => Ending::Failed,
        "SKIPPED" | "XFAIL" | "XPASS" => Ending::Skipped,
        _ => return None,
    };
    Some((test.trim_end(), ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_read_as_they_happen() {
        let test = "tests/a.py::b[x y]";
        for (word, ending) in
            [("PASSED", Ending::Passed), ("ERROR", Ending::Failed), ("XFAIL", Ending::Skipped)]
        {
            let line = format!("[gw1] [ 12%] {word} {test} ");
            assert_eq!(ended(&line), Some((test, ending)));
        }
        assert_eq!(ended("FAILED tests/a.py::b - assert 1 == 2"), None);
        assert_eq!(ended("[gw0] node down: Not properly terminated"), None);
        assert_eq!(ended("2 failed, 900 passed"), None);
    }
}
