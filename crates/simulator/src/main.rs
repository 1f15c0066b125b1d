//! `simulator --seed N`: runs the simulation of a seed, or of many.

#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

use std::process::ExitCode;

use clap::Parser;
use simulator::{Broken, Settings, WORKFLOWS, break_all, few_workflows, simulate};

/// Lines of the trace that a failure prints.
const TAIL_LINES: usize = 200;

/// Runs the server under a seed, with faults, and checks what it promised.
#[derive(Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many seeds, one after the other.
    #[arg(long, default_value_t = 1)]
    count: u64,
    /// How many workflows each of them starts.
    #[arg(long, default_value_t = WORKFLOWS)]
    steps: usize,
    /// Start only a few workflows, as the seed says.
    #[arg(long, conflicts_with = "steps")]
    few: bool,
    /// Break a promise, to see that it is noticed.
    #[arg(long)]
    broken: Option<Broken>,
    /// Break every promise, and see that each is noticed.
    #[arg(long)]
    break_all: bool,
    /// Print every step, and the server's log to standard error.
    #[arg(long)]
    verbose: bool,
}

fn notice_all() -> ExitCode {
    let notices = match break_all() {
        Ok(notices) => notices,
        Err(error) => {
            println!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut is_blind = false;
    for notice in &notices {
        match notice.seed {
            Some(seed) => println!("{:?}: noticed by seed {seed}", notice.broken),
            None => {
                is_blind = true;
                println!("{:?}: nobody notices", notice.broken);
            }
        }
    }
    println!("{} promises were broken", notices.len());
    if is_blind { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn main() -> ExitCode {
    let Arguments { seed, count, steps, few, broken, break_all, verbose } = Arguments::parse();
    if break_all {
        return notice_all();
    }
    if verbose {
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG);
        log.without_time().with_writer(std::io::stderr).init();
    }
    let mut all_steps = 0;
    for seed in seed..seed.saturating_add(count) {
        let workflows = if few { few_workflows(seed) } else { steps };
        let outcome = match simulate(Settings { seed, workflows, broken }) {
            Ok(outcome) => outcome,
            Err(error) => {
                println!("error: {error}");
                return ExitCode::FAILURE;
            }
        };
        all_steps += outcome.steps;
        if verbose {
            print!("{}", outcome.trace);
        }
        if outcome.violations.is_empty() {
            continue;
        }
        if !verbose {
            let skipped = outcome.trace.lines().count().saturating_sub(TAIL_LINES);
            for line in outcome.trace.lines().skip(skipped) {
                println!("{line}");
            }
        }
        println!("seed {seed} fails at step {}:", outcome.steps);
        for violation in &outcome.violations {
            println!("  {violation}");
        }
        println!("repeat with: cargo xtask sim --seed {seed} --steps {workflows} --verbose");
        return ExitCode::FAILURE;
    }
    println!("{count} seeds from {seed} on, {all_steps} steps: all promises kept");
    ExitCode::SUCCESS
}
