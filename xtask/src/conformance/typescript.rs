//! The TypeScript SDK's tests: the folder `packages/test` of its repository, as it is built there.

use std::{fs, path::PathBuf};

use anyhow::{Context, ensure};

use super::{
    Run, programs,
    report::{Ending, Outcomes},
    server::Wanted,
};

/// Where the suite is in the folder of sources. Results are those of this version.
const FOLDER: &str = "sdk-typescript/packages/test";
const VERSION: &str = "v1.22.0";

/// Where its test files are, and their runner, which a package manager may have put higher up.
const FILES: &str = "lib";
const RUNNER: &str = "node_modules/.bin/ava";

/// How long a file may take, and how long its tests may be without an end of one.
const FILE_SECONDS_MAX: &str = "900";
const QUIET_MAX: &str = "180s";

/// The versions under which its tests look for servers of their own.
const SDK: &str = "sdk-typescript";
const SERVER_VERSIONS: &[&str] = &["1.22.0", "1.0.0"];

/// Files whose search attributes do not fit beside those of the suite: they start servers themselves.
const WITH_SERVERS_OF_THEIR_OWN: &[&str] = &["test-typed-search-attributes"];

/// What the suite expects of a server.
pub(super) const WANTED: Wanted = Wanted {
    // Some tests connect to where clients do by default.
    port: Some(7233),
    namespace: None,
    search_attributes: &[
        "CustomBoolField=Bool",
        "CustomDatetimeField=Datetime",
        "CustomDoubleField=Double",
        "CustomIntField=Int",
        "CustomKeywordField=Keyword",
        "CustomTextField=Text",
    ],
    settings: &["activity.longPollTimeout=\"5s\""],
};

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Outcomes> {
    let folder = run.find(FOLDER, VERSION)?;
    let runner = folder
        .ancestors()
        .map(|folder| folder.join(RUNNER))
        .find(|runner| runner.exists())
        .with_context(|| format!("the suite's packages are not installed: no {RUNNER}"))?;
    let servers = programs::folder(run, SDK, SERVER_VERSIONS)?;
    let suite = Suite { run, folder, runner, servers };
    let mut outcomes = Outcomes::default();
    for file in suite.files()? {
        suite.run(&file, None, |test, ending| outcomes.add(test, ending))?;
    }
    for test in outcomes.failed() {
        let Some((file, title)) = test.split_once(" › ") else { continue };
        // What stands before and after tests can only be run with all of them.
        let title = (!title.ends_with(" hook")).then_some(title);
        suite.run(file, title, |again, ending| {
            if title.is_none() || again == test {
                outcomes.add_second(again, ending);
            }
        })?;
    }
    ensure!(!outcomes.is_empty(), "no test ran");
    Ok(outcomes)
}

struct Suite<'a> {
    run: &'a Run<'a>,
    folder: PathBuf,
    runner: PathBuf,
    servers: PathBuf,
}

impl Suite<'_> {
    /// The names of the test files, without their ending.
    fn files(&self) -> anyhow::Result<Vec<String>> {
        let mut files = Vec::new();
        let folder = self.folder.join(FILES);
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let file = name.strip_suffix(".js").filter(|file| file.starts_with("test-"));
            files.extend(file.filter(|file| self.run.is_chosen(file)).map(str::to_owned));
        }
        files.sort();
        Ok(files)
    }

    /// Runs a file, or one of its tests, in processes of their own.
    fn run(
        &self,
        file: &str,
        title: Option<&str>,
        mut note: impl FnMut(&str, Ending),
    ) -> anyhow::Result<()> {
        let mut command = self
            .run
            .workspace
            .command("timeout")
            .args(["--kill-after=10", FILE_SECONDS_MAX])
            .args([&self.runner])
            .args(["--tap", "--serial", "--timeout", QUIET_MAX, &format!("{FILES}/{file}.js")]);
        if let Some(title) = title {
            command = command.args(["--match", title]);
        }
        if !WITH_SERVERS_OF_THEIR_OWN.contains(&file) {
            command = command.env("TEMPORAL_TEST_ENV_CONFIG_SERVER", "1");
        }
        command
            .current_dir(&self.folder)
            .env("TEMPORAL_ADDRESS", &self.run.address)
            .env("TEMPORAL_NAMESPACE", "default")
            .env("TMPDIR", &self.servers)
            .run_whatever_it_says(|line| {
                if let Some((test, ending)) = ended(line) {
                    note(&format!("{file} › {test}"), ending);
                }
            })
    }
}

/// Reads `ok 3 - title` and `not ok 4 - title`, perhaps with `# SKIP`.
fn ended(line: &str) -> Option<(&str, Ending)> {
    let (ending, rest) = match line.strip_prefix("not ok ") {
        Some(rest) => (Ending::Failed, rest),
        None => (Ending::Passed, line.strip_prefix("ok ")?),
    };
    let (number, title) = rest.split_once(" - ")?;
    number.parse::<u32>().ok()?;
    if let Some((title, _)) = title.split_once(" # ") {
        return Some((title, Ending::Skipped));
    }
    let is_a_test = !title.starts_with("No tests found in ");
    is_a_test.then_some((title, ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_read() {
        assert_eq!(ended("ok 3 - a - b"), Some(("a - b", Ending::Passed)));
        assert_eq!(ended("not ok 4 - a"), Some(("a", Ending::Failed)));
        assert_eq!(ended("ok 5 - a # SKIP"), Some(("a", Ending::Skipped)));
        assert_eq!(ended("not ok 1 - No tests found in lib/test-a.js"), None);
        assert_eq!(ended("okay - then"), None);
        assert_eq!(ended("    ok 3 - a"), None);
    }
}
