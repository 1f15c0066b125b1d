//! The Java SDK's tests: those of `temporal-sdk` in its repository, as they are built there.

use std::{fs, path::PathBuf};

use anyhow::{Context, ensure};

use super::{
    Run,
    report::{Ending, Outcomes},
    server::Wanted,
};

/// Where the suite is in the folder of sources, and the file there with the class path that its
/// tests run with, their own folder first. Results are those of this version.
const FOLDER: &str = "sdk-java/temporal-sdk";
const CLASS_PATH: &str = "classpath.txt";
const VERSION: &str = "v1.38.0";

/// What runs tests of JUnit; the class path has it.
const LAUNCHER: &str = "org.junit.platform.console.ConsoleLauncher";

/// How long a class may take.
const CLASS_SECONDS_MAX: &str = "400";

/// What the suite expects of a server.
pub(super) const WANTED: Wanted = Wanted {
    namespace: Some("UnitTest"),
    search_attributes: &[
        "CustomBoolField=Bool",
        "CustomDatetimeField=Datetime",
        "CustomDoubleField=Double",
        "CustomIntField=Int",
        "CustomKeywordField=Keyword",
        "CustomStringField=Text",
        "CustomTextField=Text",
    ],
    settings: &[
        "callback.allowedAddresses=[{\"Pattern\":\"*\",\"AllowInsecure\":true}]",
        "component.callbacks.allowedAddresses=[{\"Pattern\":\"*\",\"AllowInsecure\":true}]",
        "history.MaxBufferedQueryCount=10000",
    ],
};

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Outcomes> {
    let folder = run.find(FOLDER, VERSION)?;
    let path = folder.join(CLASS_PATH);
    let class_path = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let suite = Suite { run, folder, class_path: class_path.trim().to_owned() };
    let mut outcomes = Outcomes::default();
    for class in suite.classes()? {
        suite.run(&class, |test, ending| outcomes.add(test, ending))?;
    }
    let failed = outcomes.failed();
    let mut classes: Vec<&str> = failed.iter().filter_map(|test| class_of(test)).collect();
    classes.dedup();
    for class in classes {
        suite.run(class, |test, ending| {
            if failed.iter().any(|failed| failed == test) {
                outcomes.add_second(test, ending);
            }
        })?;
    }
    ensure!(!outcomes.is_empty(), "no test ran");
    Ok(outcomes)
}

struct Suite<'a> {
    run: &'a Run<'a>,
    folder: PathBuf,
    class_path: String,
}

impl Suite<'_> {
    /// The classes that may hold tests.
    fn classes(&self) -> anyhow::Result<Vec<String>> {
        let tests = self.class_path.split(':').next().unwrap_or_default();
        let root = self.folder.join(tests);
        let mut classes = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(&root)?.to_string_lossy().replace('/', ".");
                let class = name.strip_suffix(".class").filter(|class| may_hold_tests(class));
                classes.extend(class.filter(|class| self.run.is_chosen(class)).map(str::to_owned));
            }
        }
        classes.sort();
        Ok(classes)
    }

    /// Runs a class in a process of its own, as the repository does.
    fn run(&self, class: &str, mut note: impl FnMut(&str, Ending)) -> anyhow::Result<()> {
        let mut endings = Endings::default();
        self.run
            .workspace
            .command("timeout")
            .args(["--kill-after=10", CLASS_SECONDS_MAX, "java", "-cp", &self.class_path])
            .args([LAUNCHER, "--disable-banner", "--disable-ansi-colors", "--details", "flat"])
            .args(["--select-class", class])
            .current_dir(&self.folder)
            .env("USE_EXTERNAL_SERVICE", "true")
            .env("TEMPORAL_SERVICE_ADDRESS", &self.run.address)
            .run_whatever_it_says(|line| endings.read(line))?;
        for (test, ending) in endings.finish() {
            note(&format!("{class}#{test}"), ending);
        }
        Ok(())
    }
}

/// The class of a test.
fn class_of(test: &str) -> Option<&str> {
    test.split_once('#').map(|(class, _)| class)
}

/// True for names that classes with tests have; those of classes within others have a `$`.
fn may_hold_tests(class: &str) -> bool {
    let name = class.rsplit('.').next().unwrap_or(class);
    !name.contains('$') && name.contains("Test")
}

/// What the launcher says of the tests of a class: the beginning of each, its end, and after that
/// the exception, if there was one.
#[derive(Debug, Default)]
struct Endings {
    ended: Vec<(String, Ending)>,
    /// The test that ended last, while what follows may still be its exception.
    last: Option<usize>,
    /// Tests that began and did not end.
    open: Vec<String>,
}

impl Endings {
    fn read(&mut self, line: &str) {
        let line = line.trim_start();
        if let Some(test) = line.strip_prefix("Started:").and_then(test_of) {
            self.open.push(test.to_owned());
        } else if let Some(test) = line.strip_prefix("Finished:").and_then(test_of) {
            self.open.retain(|open| open != test);
            self.last = Some(self.ended.len());
            self.ended.push((test.to_owned(), Ending::Passed));
            return;
        } else if let Some(test) = line.strip_prefix("Skipped:").and_then(test_of) {
            self.ended.push((test.to_owned(), Ending::Skipped));
        } else if let Some(exception) = line.strip_prefix("=> Exception:")
            && let Some((_, ending)) = self.last.and_then(|last| self.ended.get_mut(last))
        {
            *ending = if exception.contains("AssumptionViolated") {
                Ending::Skipped
            } else {
                Ending::Failed
            };
        }
        self.last = None;
    }

    fn finish(self) -> impl Iterator<Item = (String, Ending)> {
        self.ended.into_iter().chain(self.open.into_iter().map(|test| (test, Ending::Failed)))
    }
}

/// Reads `name ([engine:…]/[runner:…]/[test:name(class)])`.
fn test_of(said: &str) -> Option<&str> {
    let (_, id) = said.rsplit_once("/[test:")?;
    let (name, _) = id.split_once("])")?;
    name.rsplit_once('(').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(word: &str, test: &str) -> String {
        format!("{word}:   {test} ([engine:junit-vintage]/[runner:a.B]/[test:{test}(a.B)])")
    }

    #[test]
    fn a_test_fails_by_an_exception_or_by_never_ending() {
        let mut endings = Endings::default();
        for line in [
            line("    Started", "passes"),
            line("    Finished", "passes"),
            line("    Started", "fails"),
            line("    Finished", "fails"),
            "             => Exception: java.lang.AssertionError: no".to_owned(),
            line("    Started", "not meant"),
            line("    Finished", "not meant"),
            "             => Exception: org.junit.AssumptionViolatedException: no".to_owned(),
            line("    Skipped", "ignored"),
            line("    Started", "hangs"),
        ] {
            endings.read(&line);
        }
        let ended: Vec<_> = endings.finish().collect();
        let expected = [
            ("passes", Ending::Passed),
            ("fails", Ending::Failed),
            ("not meant", Ending::Skipped),
            ("ignored", Ending::Skipped),
            ("hangs", Ending::Failed),
        ];
        assert_eq!(ended, expected.map(|(test, ending)| (test.to_owned(), ending)));
    }

    #[test]
    fn classes_with_tests_are_told_by_their_names() {
        assert!(may_hold_tests("a.ThingTest"));
        assert!(may_hold_tests("a.TestThing"));
        assert!(!may_hold_tests("a.ThingTest$Inner"));
        assert!(!may_hold_tests("a.tests.Thing"));
    }
}
