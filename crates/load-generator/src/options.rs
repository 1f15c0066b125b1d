//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    drive::Plan,
    scenario::{Mode, Scenario},
    server::Kind,
    verification::Checks,
};

/// Loads a server, verifies all it answers, and measures what that costs.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Options {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Loads a server that runs already.
    Run(RunOptions),
    /// Starts Longtide and the reference in turn and compares them.
    Bench(BenchOptions),
}

/// What to run, and for how long.
#[derive(Debug, Clone, Args)]
pub struct LoadOptions {
    /// Scenarios to run; all without it.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub scenarios: Vec<Scenario>,
    /// Modes to run; both without it.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub modes: Vec<Mode>,
    /// Workflows per measurement at most.
    #[arg(long, default_value_t = 20_000)]
    pub count: u64,
    /// Seconds in which a measurement starts workflows.
    #[arg(long, default_value_t = 8.0)]
    pub duration: f64,
    /// Workflows in flight at saturation; without it 64, and 512 for timers.
    #[arg(long)]
    pub concurrency: Option<usize>,
    /// Polls in flight of each worker and queue.
    #[arg(long, default_value_t = 16)]
    pub pollers: usize,
    /// Work without sticky queues.
    #[arg(long)]
    pub no_sticky: bool,
    /// One in this many histories is compared event by event.
    #[arg(long, default_value_t = 20)]
    pub sample: u64,
    /// Workflows that run before each measurement.
    #[arg(long, default_value_t = 20)]
    pub warm_up: u64,
    /// Where results are appended as JSON lines.
    #[arg(long, default_value = "benches/results/bench.jsonl")]
    pub results: PathBuf,
}

/// `run`
#[derive(Debug, Args)]
pub struct RunOptions {
    /// `host:port` of the server.
    #[arg(long, default_value = "127.0.0.1:7233")]
    pub address: String,
    /// The server's process, when it runs on this machine and its cost is wanted.
    #[arg(long)]
    pub pid: Option<u32>,
    /// Which server that is, for the report.
    #[arg(long, value_enum, default_value_t = Kind::Longtide)]
    pub target: Kind,
    /// `host:port` of the server's metrics page.
    #[arg(long)]
    pub metrics_address: Option<String>,
    #[command(flatten)]
    pub load: LoadOptions,
}

/// `bench`
#[derive(Debug, Args)]
pub struct BenchOptions {
    /// Measures Longtide without and with mutual TLS, tokens, authorization, audit log and encryption at
    /// rest, in place of the reference. Without other scenarios and modes: activities at saturation.
    #[arg(long)]
    pub secured: bool,
    /// Rounds; in each both servers run everything once.
    #[arg(long, default_value_t = 3)]
    pub rounds: u32,
    /// The `longtide` executable, or `none`.
    #[arg(long, default_value = "target/release/longtide")]
    pub longtide: PathBuf,
    /// The reference's `temporal` executable, or `none`.
    #[arg(long, default_value = "temporal")]
    pub reference: PathBuf,
    /// Where the servers' data directories are made; must be on a disk, not in memory.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    pub data_parent: PathBuf,
    /// Seconds for which an idle server is watched; 0 leaves that out.
    #[arg(long, default_value_t = 10.0)]
    pub idle: f64,
    #[command(flatten)]
    pub load: LoadOptions,
}

impl LoadOptions {
    /// Every measurement that was asked for, in order, as this server is to be judged.
    pub fn plans(&self, target: Kind) -> Vec<Plan> {
        let chosen = |values: &[Scenario]| {
            if values.is_empty() { Scenario::value_variants().to_vec() } else { values.to_vec() }
        };
        let modes = if self.modes.is_empty() {
            Mode::value_variants().to_vec()
        } else {
            self.modes.clone()
        };
        let mut plans = Vec::new();
        for scenario in chosen(&self.scenarios) {
            for &mode in modes.iter().filter(|mode| scenario.supports(**mode)) {
                let concurrency = match mode {
                    Mode::Saturation => {
                        self.concurrency.unwrap_or_else(|| scenario.concurrency()).max(1)
                    }
                    Mode::ClosedLoop => 1,
                };
                plans.push(Plan {
                    scenario,
                    mode,
                    count: self.count,
                    duration: Duration::from_secs_f64(self.duration.max(0.0)),
                    concurrency,
                    pollers: self.pollers.max(1),
                    sticky: !self.no_sticky,
                    checks: Checks {
                        sample: self.sample,
                        tolerate_time_outs: target == Kind::Reference,
                    },
                    // A lone timer takes a second, so a few have to do.
                    warm_up: if scenario == Scenario::Timer && mode == Mode::ClosedLoop {
                        self.warm_up.min(1)
                    } else {
                        self.warm_up
                    },
                });
            }
        }
        plans
    }
}
