//! What the tests of a suite did, and how that compares with the reference.

use std::collections::{BTreeMap, BTreeSet};

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Passed,
    Failed,
    Skipped,
}

/// The share of what passes on the reference that has to pass here.
const PERCENT_NEEDED: usize = 99;

/// How many of the tests that pass on the reference passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Score {
    passed: usize,
    of: usize,
}

impl Score {
    /// True when few enough are lost.
    pub(super) fn is_enough(self) -> bool {
        self.passed * 100 >= self.of * PERCENT_NEEDED
    }
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

    /// Notes how a test ended that was given a second chance.
    pub(super) fn add_second(&mut self, test: &str, ending: Ending) {
        if ending == Ending::Passed {
            println!("passed when run again: {test}");
        }
        self.0.insert(test.to_owned(), ending);
    }

    /// Forgets the tests that have parts: what counts is their parts.
    pub(super) fn keep_parts_only(&mut self) {
        let wholes: BTreeSet<String> = self
            .0
            .keys()
            .flat_map(|test| test.match_indices('/').filter_map(|(end, _)| test.get(..end)))
            .map(str::to_owned)
            .collect();
        self.0.retain(|test, _| !wholes.contains(test));
    }

    /// The tests that failed.
    pub(super) fn failed(&self) -> Vec<String> {
        self.ended(Ending::Failed).map(str::to_owned).collect()
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

    /// Prints and gives how many of the tests that pass on the reference passed. Of a part of the
    /// suite only the tests that ran count.
    pub(super) fn print_against(&self, reference: &str, part: bool) -> Score {
        let here: BTreeSet<&str> = self.ended(Ending::Passed).collect();
        let measure: BTreeSet<&str> =
            reference.lines().filter(|test| !part || self.0.contains_key(*test)).collect();
        for test in measure.difference(&here) {
            let ran = if self.0.contains_key(*test) { "" } else { " (did not run)" };
            println!("lost: {test}{ran}");
        }
        for test in here.difference(&measure) {
            println!("passes here only: {test}");
        }
        let score = Score { passed: measure.intersection(&here).count(), of: measure.len() };
        println!("{} of {} that pass on the reference", score.passed, score.of);
        score
    }

    /// The names of the tests that passed, one a line, and with them those of an earlier list that
    /// did not run.
    pub(super) fn passed_as_lines(&self, earlier: &str) -> String {
        let kept = earlier.lines().filter(|test| !self.0.contains_key(*test));
        let passed: BTreeSet<&str> = kept.chain(self.ended(Ending::Passed)).collect();
        passed.into_iter().map(|test| format!("{test}\n")).collect()
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
        assert_eq!(outcomes().passed_as_lines(""), "a\n");
    }

    #[test]
    fn a_list_of_a_part_keeps_what_did_not_run() {
        assert_eq!(outcomes().passed_as_lines("b\nc\nother\n"), "a\nother\n");
    }

    #[test]
    fn of_a_test_with_parts_the_parts_count() {
        let mut outcomes = Outcomes::default();
        for test in ["A", "A/b", "A/b/c", "Ab"] {
            outcomes.add(test, Ending::Passed);
        }
        outcomes.keep_parts_only();
        assert_eq!(outcomes.passed_as_lines(""), "A/b/c\nAb\n");
    }

    #[test]
    fn a_second_chance_has_the_last_word() {
        let mut outcomes = outcomes();
        outcomes.add_second("b", Ending::Passed);
        assert_eq!(outcomes.failed(), ["d"]);
    }

    #[test]
    fn of_a_part_only_the_tests_that_ran_count() {
        let measure = "a\nb\nnot run\n";
        assert_eq!(outcomes().print_against(measure, true), Score { passed: 1, of: 2 });
        assert_eq!(outcomes().print_against(measure, false), Score { passed: 1, of: 3 });
    }

    #[test]
    fn one_test_in_a_hundred_may_be_lost() {
        assert!(Score { passed: 99, of: 100 }.is_enough());
        assert!(!Score { passed: 98, of: 100 }.is_enough());
        assert!(!Score { passed: 98, of: 99 }.is_enough());
    }
}
