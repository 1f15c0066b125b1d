//! Every check and every test, stage by stage.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Instant,
};

use anyhow::{Context, bail, ensure};
use clap::ValueEnum as _;

use crate::{
    shell::{Workspace, is_installed},
    stage::{Stage, Summary, readable},
    tidy,
};

/// The seeds that every run simulates. A seed that found a bug is added here with its fix.
const SEEDS: &[u64] = &[1, 2, 3, 4, 5, 6, 7, 8, 11, 21, 60, 276, 1024, 1030, 1062];

/// Such seeds with few workflows.
const SEEDS_WITH_FEW: &[u64] = &[20_042];

const FEW_WORKFLOWS: &str = "8";

/// So many more seeds are played, from this one on. Time goes with the workflows of a seed, and many
/// seeds with few of them meet more schedules of faults than few seeds with many.
const SEEDS_IN_BULK: u64 = 10_000;
const FIRST_IN_BULK: u64 = 100_000;

/// What a player takes at once of them.
const SEEDS_OF_A_SHARE: u64 = 250;

/// The end-to-end suites that every run includes.
const E2E_SUITES: &[&str] = &[
    "python",
    "cli",
    "command_line",
    "raw",
    "http",
    "security",
    "typescript",
    "rust",
    "ui",
    "crash",
];

/// The oldest SDKs that are promised to work: their suites, their versions, and the files that every
/// run plays with them (none: all).
const E2E_OLDEST_SDKS: &[(&str, &str, &str)] = &[
    (
        "python",
        "1.31.0",
        "python/test_start_and_result.py python/test_updates.py python/test_child_workflows.py",
    ),
    ("typescript", "1.22.0", ""),
];

/// Suites of further SDKs, and the program that each needs. A machine without it leaves the suite
/// out, and says so.
const E2E_SUITES_OF_TOOLCHAINS: &[(&str, &str)] = &[("go", "go"), ("java", "mvn")];

/// Runs the named stages, or all of them.
pub(crate) fn run(workspace: &Workspace, stages: &[Stage]) -> anyhow::Result<()> {
    let started = Instant::now();
    let stages = if stages.is_empty() { Stage::value_variants() } else { stages };
    for stage in stages {
        stage.run(|| match stage {
            Stage::Fmt => fmt(workspace),
            Stage::Tidy => tidy::run(workspace).map(|()| Summary::default()),
            Stage::Clippy => clippy(workspace),
            Stage::Unit => unit(workspace),
            Stage::Doc => doc(workspace),
            Stage::Sim => sim(workspace),
            Stage::E2e => e2e(workspace),
        })?;
    }
    println!("== all: ok in {}", readable(started.elapsed()));
    Ok(())
}

fn fmt(workspace: &Workspace) -> anyhow::Result<Summary> {
    workspace.cargo(&["fmt", "--all", "--check"]).run()?;
    Ok(Summary::default())
}

fn clippy(workspace: &Workspace) -> anyhow::Result<Summary> {
    workspace
        .cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])
        .run()?;
    Ok(Summary::default())
}

fn unit(workspace: &Workspace) -> anyhow::Result<Summary> {
    let tests = ["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"];
    // Random runs are the same ones every time; who runs the tests by hand plays others.
    let command = workspace.cargo(&tests).env("INSTA_UPDATE", "no");
    count_tests(command.env("PROPTEST_RNG_SEED", "1"))
}

/// The generated crate `api` is left out: its comments are Temporal's.
fn doc(workspace: &Workspace) -> anyhow::Result<Summary> {
    let ours = ["--quiet", "--workspace", "--exclude", "api"];
    workspace
        .cargo(&["doc", "--no-deps", "--document-private-items"])
        .args(ours)
        .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links")
        .run()?;
    count_tests(workspace.cargo(&["test", "--doc"]).args(ours))
}

/// Runs tests and adds up what passed. A run without a single test is a failure: it means that the
/// command selects nothing.
fn count_tests(command: crate::shell::Command) -> anyhow::Result<Summary> {
    let mut passed = 0;
    command.run_reading(|line| passed += passed_tests(line))?;
    ensure!(passed > 0, "no test ran");
    Ok(Summary(format!("{passed} tests")))
}

/// Reads `test result: ok. 12 passed; …`.
fn passed_tests(line: &str) -> u64 {
    line.strip_prefix("test result: ok. ")
        .and_then(|rest| rest.split(' ').next()?.parse().ok())
        .unwrap_or(0)
}

/// The seeds with a story run in a process each, so that nothing carries over. The others are many:
/// every processor is a player, which takes one share after the other.
fn sim(workspace: &Workspace) -> anyhow::Result<Summary> {
    let simulator = simulator(workspace)?;
    let play = |seed: u64, more: &[&str]| {
        workspace.command(&simulator).args(["--seed", &seed.to_string()]).args(more).run()
    };
    for seed in SEEDS {
        play(*seed, &[]).with_context(|| format!("repeat with: cargo xtask sim --seed {seed}"))?;
    }
    for seed in SEEDS_WITH_FEW {
        play(*seed, &["--steps", FEW_WORKFLOWS]).with_context(|| {
            format!("repeat with: cargo xtask sim --seed {seed} --steps {FEW_WORKFLOWS}")
        })?;
    }
    // The checkers first: what a blind one does not see means nothing.
    workspace.command(&simulator).args(["--break-all"]).run()?;
    let played = AtomicU64::new(0);
    let failed = AtomicBool::new(false);
    let player = || {
        while !failed.load(Ordering::Relaxed) {
            let first = played.fetch_add(SEEDS_OF_A_SHARE, Ordering::Relaxed);
            let count = SEEDS_IN_BULK.saturating_sub(first).min(SEEDS_OF_A_SHARE);
            if count == 0 {
                break;
            }
            play(FIRST_IN_BULK + first, &["--count", &count.to_string(), "--few"])
                .inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let players = std::thread::available_parallelism()?.get();
        let players: Vec<_> = (0..players).map(|_| scope.spawn(player)).collect();
        let joined = |player: std::thread::ScopedJoinHandle<'_, anyhow::Result<()>>| {
            player.join().unwrap_or_else(|_| bail!("a player panicked"))
        };
        players.into_iter().try_for_each(joined)
    })?;
    let named = (SEEDS.len() + SEEDS_WITH_FEW.len()) as u64;
    Ok(Summary(format!("{} seeds", named + SEEDS_IN_BULK)))
}

/// Builds the simulator in its profile, which plays ten seeds where `dev` plays one.
pub(crate) fn simulator(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    workspace.cargo(&["build", "--quiet", "--profile", "sim", "--package", "simulator"]).run()?;
    Ok(workspace.target()?.join("sim/simulator"))
}

fn e2e(workspace: &Workspace) -> anyhow::Result<Summary> {
    workspace.cargo(&["build", "--package", "server", "--bin", "longtide"]).run()?;
    let mut suites = E2E_SUITES.to_vec();
    for (suite, program) in E2E_SUITES_OF_TOOLCHAINS {
        if is_installed(program) {
            suites.push(suite);
        } else {
            println!("`{program}` is not installed: the suite `{suite}` is left out");
        }
    }
    let server = workspace.target()?.join("debug/longtide");
    workspace.command("tests/e2e/run").args(&suites).env("LONGTIDE_E2E_SERVER", &server).run()?;
    for (suite, version, files) in E2E_OLDEST_SDKS {
        workspace
            .command("tests/e2e/run")
            .args([suite])
            .env("LONGTIDE_E2E_SERVER", &server)
            .env("LONGTIDE_E2E_SDK_VERSION", version)
            .env("LONGTIDE_E2E_FILES", files)
            .run()?;
    }
    Ok(Summary(format!("{}, and the oldest SDKs", suites.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_good_test_results_count() {
        assert_eq!(passed_tests("test result: ok. 12 passed; 0 failed; 1 ignored"), 12);
        assert_eq!(passed_tests("test result: FAILED. 12 passed; 1 failed"), 0);
        assert_eq!(passed_tests("test a::b ... ok"), 0);
    }
}
