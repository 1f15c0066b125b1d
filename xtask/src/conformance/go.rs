//! The Go SDK's integration suite: the test program of the folder `test` of its repository.

use std::path::PathBuf;

use anyhow::ensure;

use super::{
    Run,
    report::{Ending, Outcomes},
    server::Wanted,
};

/// Where the suite is in the folder of sources, and the program with its tests, which stands there
/// under the name that Go's tool gives it. Results are those of this version.
const FOLDER: &str = "sdk-go/test";
const PROGRAM: &str = "test.test";
const VERSION: &str = "v1.48.0";

/// How long a test with all of its parts may take.
const TEST_TIME_MAX: &str = "900s";

/// What the suite expects of a server.
pub(super) const WANTED: Wanted = Wanted {
    port: None,
    namespace: Some("integration-test-namespace"),
    search_attributes: &["CustomKeywordField=Keyword", "CustomStringField=Text"],
    settings: &[
        "callback.allowedAddresses=[{\"Pattern\":\"*\",\"AllowInsecure\":true}]",
        "component.nexusoperations.callback.endpoint.template=\
         \"http://localhost:{http}/namespaces/{{.NamespaceName}}/nexus/callback\"",
        "component.nexusoperations.useSystemCallbackURL=false",
        "frontend.workerVersioningRuleAPIs=true",
        "matching.useNewMatcher=true",
        "matching.wv.VersionDrainageStatusRefreshInterval=1",
        "matching.wv.VersionDrainageStatusVisibilityGracePeriod=10",
    ],
};

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Outcomes> {
    let suite = Suite { run, folder: run.find(FOLDER, VERSION)? };
    let mut outcomes = Outcomes::default();
    for test in suite.tests()? {
        suite.run(&test, |test, ending| outcomes.add(test, ending))?;
    }
    outcomes.keep_parts_only();
    for test in outcomes.failed() {
        suite.run(&test, |part, ending| {
            if part == test {
                outcomes.add_second(part, ending);
            }
        })?;
    }
    ensure!(!outcomes.is_empty(), "no test ran");
    Ok(outcomes)
}

struct Suite<'a> {
    run: &'a Run<'a>,
    folder: PathBuf,
}

impl Suite<'_> {
    /// The names of the tests, without their parts.
    fn tests(&self) -> anyhow::Result<Vec<String>> {
        let list = ["-test.list", "^Test"];
        let program = self.run.workspace.command(self.folder.join(PROGRAM)).args(list);
        let names = program.current_dir(&self.folder).read()?;
        let tests = names.lines().filter(|test| self.run.is_chosen(test));
        Ok(tests.map(str::to_owned).collect())
    }

    /// Runs a test with its parts, or a part. Each time in a process of its own: a test that
    /// panics takes no other one with it.
    fn run(&self, test: &str, mut note: impl FnMut(&str, Ending)) -> anyhow::Result<()> {
        let pattern: Vec<String> =
            test.split('/').map(|part| format!("^{}$", escaped(part))).collect();
        self.run
            .workspace
            .command(self.folder.join(PROGRAM))
            .args(["-test.v", "-test.timeout", TEST_TIME_MAX, "-test.run", &pattern.join("/")])
            .args(["-using-cli-dev-server"])
            .current_dir(&self.folder)
            .env("SERVICE_ADDR", &self.run.address)
            .env("SERVICE_HTTP_ADDR", &self.run.http_address)
            .env("TEMPORAL_NAMESPACE", WANTED.namespace.unwrap_or_default())
            // What these need the makers of the suite have not released themselves.
            .env("DISABLE_SERVER_1_25_TESTS", "1")
            .run_whatever_it_says(|line| {
                if let Some((test, ending)) = ended(line) {
                    note(test, ending);
                }
            })
    }
}

/// A name as a pattern that matches nothing else.
fn escaped(name: &str) -> String {
    let special = |letter: char| "\\.+*?()|[]{}^$".contains(letter);
    name.chars()
        .flat_map(|letter| special(letter).then_some('\\').into_iter().chain([letter]))
        .collect()
}

/// Reads `    --- PASS: TestA/TestB (0.12s)`, which is printed as soon as a test ends.
fn ended(line: &str) -> Option<(&str, Ending)> {
    let (word, rest) = line.trim_start().strip_prefix("--- ")?.split_once(": ")?;
    let (test, _) = rest.rsplit_once(" (")?;
    let ending = match word {
        "PASS" => Ending::Passed,
        "FAIL" => Ending::Failed,
        "SKIP" => Ending::Skipped,
        _ => return None,
    };
    Some((test, ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_read_of_tests_and_of_their_parts() {
        assert_eq!(ended("--- PASS: TestA (0.12s)"), Some(("TestA", Ending::Passed)));
        assert_eq!(ended("    --- FAIL: TestA/b (c) (1s)"), Some(("TestA/b (c)", Ending::Failed)));
        assert_eq!(ended("    --- SKIP: TestA/B (0s)"), Some(("TestA/B", Ending::Skipped)));
        assert_eq!(ended("=== RUN   TestA/B"), None);
        assert_eq!(ended("--- a/file"), None);
    }

    #[test]
    fn a_name_is_no_pattern() {
        assert_eq!(escaped("a.b(c)"), r"a\.b\(c\)");
    }
}
