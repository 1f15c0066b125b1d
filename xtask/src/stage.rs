//! The stages of a full test run.

use std::time::{Duration, Instant};

use clap::ValueEnum;

/// A stage, in the order in which they run: cheap ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stage {
    /// Formatting.
    Fmt,
    /// The tree's rules and generated documents.
    Tidy,
    /// Lints, all targets, no warnings.
    Clippy,
    /// Unit tests, laws, golden histories, store conformance, fuzz corpora.
    Unit,
    /// Documentation and its examples.
    Doc,
    /// The simulator on its fixed seeds.
    Sim,
    /// The built server with unmodified SDKs and command-line tools.
    E2e,
}

impl Stage {
    /// Runs the work of a stage and prints its closing line.
    pub(crate) fn run(self, work: impl FnOnce() -> anyhow::Result<Summary>) -> anyhow::Result<()> {
        let started = Instant::now();
        let result = work();
        let took = readable(started.elapsed());
        let name = self.to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned());
        match &result {
            Ok(summary) => println!("== {name}: ok in {took}{summary}"),
            Err(_) => println!("== {name}: FAILED after {took}"),
        }
        result.map(|_| ())
    }
}

/// What a stage says when it went well, after its duration.
#[derive(Debug, Default)]
pub(crate) struct Summary(pub(crate) String);

impl std::fmt::Display for Summary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(formatter, " ({})", self.0) }
    }
}

/// A duration in minutes and seconds.
pub(crate) fn readable(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}
