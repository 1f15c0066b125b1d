//! What the tests of a suite did, and how that compares with the reference.

use std::collections::{BTreeMap, BTreeSet};

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Passed,
    Failed,
    Skipped,
}

/// The ending of each test of a suite. A test that runs more than once counts as its worst.
#[derive(Debug, Default)]
pub(super) struct Outcomes(BTreeMap<String, Ending>);

impl Outcomes {
    /// Notes how a test ended.
    pub(super) fn add(&mut self, test: &str, ending: Ending) {
        let noted = self.0.entry(test.to_owned()).or_insert(ending);
        if ending == Ending::Failed {
            *noted = ending;
        }
    }

    /// True when no test was seen.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn ended(&self, ending: Ending) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(_, ended)| **ended == ending).map(|(test, _)| test.as_str())
    }

    /// Prints the failures and the counts.
    pub(super) fn print(&self, suite: &str) {
        for test in self.ended(Ending::Failed) {
            println!("failed: {test}");
        }
        println!(
            "== {suite}: {} passed, {} failed, {} skipped",
            self.ended(Ending::Passed).count(),
            self.ended(Ending::Failed).count(),
            self.ended(Ending::Skipped).count()
        );
    }

    /// Prints how many of the tests that pass on the reference passed; gives the number of those
    /// that ran and did not.
    pub(super) fn print_against(&self, reference: &str) -> usize {
        let measure: BTreeSet<&str> = reference.lines().collect();
        let here: BTreeSet<&str> = self.ended(Ending::Passed).collect();
        let ran = |test: &&&str| self.0.contains_key(**test);
        let counted: Vec<&&str> = measure.iter().filter(ran).collect();
        let lost: Vec<&&&str> = counted.iter().filter(|test| !here.contains(**test)).collect();
        for test in &lost {
            println!("lost: {test}");
        }
        for test in here.iter().filter(|test| !measure.contains(*test)) {
            println!("passes here only: {test}");
        }
        println!(
            "{} of {} that pass on the reference ({} of them ran)",
            counted.len() - lost.len(),
            measure.len(),
            counted.len()
        );
        lost.len()
    }

    /// The names of the tests that passed, one a line.
    pub(super) fn passed_as_lines(&self) -> String {
        self.ended(Ending::Passed).map(|test| format!("{test}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes() -> Outcomes {
        let mut outcomes = Outcomes::default();
        for (test, ending) in [
            ("a", Ending::Passed),
            ("b", Ending::Failed),
            ("c", Ending::Skipped),
            ("d", Ending::Passed),
            ("d", Ending::Failed),
            ("d", Ending::Passed),
        ] {
            outcomes.add(test, ending);
        }
        outcomes
    }

    #[test]
    fn a_test_that_failed_once_has_failed() {
        assert_eq!(outcomes().ended(Ending::Failed).collect::<Vec<_>>(), ["b", "d"]);
        assert_eq!(outcomes().passed_as_lines(), "a\n");
    }

    #[test]
    fn only_tests_that_ran_and_pass_on_the_reference_can_be_lost() {
        assert_eq!(outcomes().print_against("a\nb\nnot run\n"), 1);
        assert_eq!(outcomes().print_against("a\n"), 0);
    }
}
