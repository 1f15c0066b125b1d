//! The Java SDK's tests: those of `temporal-sdk` in its repository, as they are built there.

use std::{collections::BTreeSet, fs, path::PathBuf};

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

/// How many classes share a process. What fails there is run again in one of its own, as the
/// repository runs all.
const CLASSES_AT_ONCE: usize = 10;

/// How long a process may take.
const PROCESS_SECONDS_MAX: &str = "900";

/// What the suite expects of a server.
pub(super) const WANTED: Wanted = Wanted {
    port: None,
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
    for classes in suite.classes()?.chunks(CLASSES_AT_ONCE) {
        let endings = suite.run(classes)?;
        let left = endings.left(classes);
        endings.tell(|test, ending| outcomes.add(test, ending));
        for class in left {
            suite.run(&[class])?.tell(|test, ending| outcomes.add(test, ending));
        }
    }
    let failed = outcomes.failed();
    let mut classes: Vec<&str> = failed.iter().filter_map(|test| class_of(test)).collect();
    classes.dedup();
    for class in classes {
        suite.run(&[class.to_owned()])?.tell(|test, ending| {
            if failed.iter().any(|failed| failed == test) {
                outcomes.add_second(test, ending);
            }
        });
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

    /// Runs classes in a process.
    fn run(&self, classes: &[String]) -> anyhow::Result<Endings> {
        let mut endings = Endings::default();
        let selected = classes.iter().flat_map(|class| ["--select-class", class.as_str()]);
        self.run
            .workspace
            .command("timeout")
            .args(["--kill-after=10", PROCESS_SECONDS_MAX, "java", "-cp", &self.class_path])
            .args([LAUNCHER, "--disable-banner", "--disable-ansi-colors", "--details", "flat"])
            .args(selected)
            .current_dir(&self.folder)
            .env("USE_EXTERNAL_SERVICE", "true")
            .env("TEMPORAL_SERVICE_ADDRESS", &self.run.address)
            .run_whatever_it_says(|line| endings.read(line))?;
        Ok(endings)
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
    /// Classes that ended.
    classes: BTreeSet<String>,
    /// True when nothing was left to run.
    is_over: bool,
}

impl Endings {
    fn read(&mut self, line: &str) {
        let line = line.trim_start();
        if let Some(test) = line.strip_prefix("Started:").and_then(test_of) {
            self.open.push(test);
        } else if let Some(test) = line.strip_prefix("Finished:").and_then(test_of) {
            self.open.retain(|open| *open != test);
            self.last = Some(self.ended.len());
            self.ended.push((test, Ending::Passed));
            return;
        } else if let Some(class) = line.strip_prefix("Finished:").and_then(class_in) {
            self.classes.insert(class.to_owned());
        } else if line.starts_with("Test execution finished") {
            self.is_over = true;
        } else if let Some(test) = line.strip_prefix("Skipped:").and_then(test_of) {
            self.ended.push((test, Ending::Skipped));
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

    /// The classes that the process did not come to the end of.
    fn left(&self, classes: &[String]) -> Vec<String> {
        if self.is_over {
            return Vec::new();
        }
        let is_left = |class: &&String| !self.classes.contains(*class);
        classes.iter().filter(is_left).cloned().collect()
    }

    /// A test that did not end has failed.
    fn tell(self, mut note: impl FnMut(&str, Ending)) {
        let open = self.open.into_iter().map(|test| (test, Ending::Failed));
        for (test, ending) in self.ended.into_iter().chain(open) {
            note(&test, ending);
        }
    }
}

/// Reads `name ([engine:…]/[runner:class]/[test:name(…)])` as `class#name`. A test with parameters
/// is several: `…/[test:name]/[test:parameters (name)])`, and itself none.
fn test_of(said: &str) -> Option<String> {
    let (_, id) = said.split_once("/[runner:")?;
    let (class, names) = id.split_once("]/[test:")?;
    let (last, _) = names.strip_suffix("])")?.rsplit_once('(')?;
    Some(format!("{class}#{}", last.trim_end().replace("]/[test:", "/")))
}

/// Reads `… ([engine:…]/[runner:class]…`.
fn class_in(said: &str) -> Option<&str> {
    let (_, class) = said.split_once("/[runner:")?;
    class.split_once(']').map(|(class, _)| class)
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
        let mut ended = Vec::new();
        endings.tell(|test, ending| ended.push((test.to_owned(), ending)));
        let expected = [
            ("a.B#passes", Ending::Passed),
            ("a.B#fails", Ending::Failed),
            ("a.B#not meant", Ending::Skipped),
            ("a.B#ignored", Ending::Skipped),
            ("a.B#hangs", Ending::Failed),
        ];
        assert_eq!(ended, expected.map(|(test, ending)| (test.to_owned(), ending)));
    }

    #[test]
    fn a_test_with_parameters_is_several() {
        let runner = "([engine:junit-vintage]/[runner:a.B]/[test:t]";
        assert_eq!(test_of(&format!("   t {runner})")), None);
        let first = format!("   t(x) [0] {runner}/[test:%5B0%5D x (t)])");
        assert_eq!(test_of(&first).as_deref(), Some("a.B#t/%5B0%5D x"));
    }

    #[test]
    fn what_a_process_did_not_come_to_is_left() {
        let classes = ["a.B".to_owned(), "a.C".to_owned()];
        let mut endings = Endings::default();
        endings.read("Finished:    B ([engine:junit-vintage]/[runner:a.B])");
        assert_eq!(endings.left(&classes), ["a.C"]);
        endings.read("Test execution finished. Number of all tests: 1");
        assert!(endings.left(&classes).is_empty());
    }

    #[test]
    fn classes_with_tests_are_told_by_their_names() {
        assert!(may_hold_tests("a.ThingTest"));
        assert!(may_hold_tests("a.TestThing"));
        assert!(!may_hold_tests("a.ThingTest$Inner"));
        assert!(!may_hold_tests("a.tests.Thing"));
    }
}
