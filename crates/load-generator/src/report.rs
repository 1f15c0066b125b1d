//! Results: JSON lines that are kept, tables that are read.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::{drive::Measurement, latency::Percentiles, server::Kind};

/// What all of security may cost, in percent of throughput.
const LOSS_PERCENT_MAX: f64 = 25.0;

/// What an idle server costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Idle {
    /// Always `idle`.
    pub scenario: String,
    /// From the start of the process to its first answer.
    pub start_to_serving_ms: f64,
    pub rss_bytes: u64,
    /// Share of one processor, in percent.
    pub cpu_percent: f64,
}

/// What one line holds besides where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Body {
    Measurement(Box<Measurement>),
    Idle(Idle),
}

/// One line of the results file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Seconds since the Unix epoch.
    pub time: i64,
    /// The commit that was measured, when it is known.
    pub commit: Option<String>,
    pub machine: String,
    pub target: Kind,
    pub round: u32,
    #[serde(flatten)]
    pub body: Body,
}

impl Record {
    /// The measurement, unless the record is about an idle server.
    pub fn measurement(&self) -> Option<&Measurement> {
        match &self.body {
            Body::Measurement(measurement) => Some(measurement),
            Body::Idle(_) => None,
        }
    }
}

/// Appends one line.
///
/// # Errors
/// When the file cannot be written.
pub fn append(path: &Path, record: &Record) -> anyhow::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    let mut line = serde_json::to_string(record)?;
    line.push('\n');
    file.write_all(line.as_bytes()).context("cannot write results")
}

/// The head of the table whose rows [`print_row`] prints.
pub fn print_head() {
    println!(
        "{:<10} {:<8} {:<11} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8} {:>9} {:>7} {:>7} {:>7} \
         {:>8}",
        "target",
        "scenario",
        "mode",
        "count",
        "per s",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "max ms",
        "cpu ms",
        "KB",
        "fsyncs",
        "RSS MB",
        "own ms",
        "others %"
    );
}

/// One measurement as a row.
pub fn print_row(kind: Kind, measurement: &Measurement) {
    let Percentiles { p50, p90, p99, max } = measurement.latency_ms.unwrap_or_default();
    let cost = measurement.server_per_workflow;
    let shown = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    };
    println!(
        "{:<10} {:<8} {:<11} {:>6} {:>9.1} {p50:>9.2} {p90:>9.2} {p99:>9.2} {max:>9.2} {:>8} {:>9} \
         {:>7} {:>7} {:>7.3} {:>8.0}",
        kind.name(),
        measurement.scenario,
        measurement.mode,
        measurement.workflows,
        measurement.throughput,
        shown(cost.map(|cost| cost.cpu_ms), 3),
        shown(cost.map(|cost| cost.write_bytes / 1_024.0), 1),
        shown(cost.and_then(|cost| cost.fsyncs), 2),
        shown(cost.map(|cost| cost.rss_bytes as f64 / 1_048_576.0), 1),
        measurement.generator_cpu_ms,
        measurement.others_cpu_percent,
    );
    if let Some(rate) = measurement.start_throughput {
        println!("{:<31} {rate:.1} starts/s while nobody polls", "");
    }
    print_timers(measurement);
    let oddities = [
        (measurement.retries, "calls repeated"),
        (measurement.cache_misses, "cache misses"),
        (measurement.stale_answers, "answers to tasks that were taken back"),
        (measurement.expired_polls, "polls expired without an answer"),
        (measurement.activity_retries, "activities attempted again"),
        (measurement.verified.timed_out_tasks, "workflow tasks timed out"),
    ];
    for (count, what) in oddities.into_iter().filter(|(count, _)| *count > 0) {
        println!("{:<31} {count} {what}", "");
    }
}

fn print_timers(measurement: &Measurement) {
    let Some((fired, woken)) = measurement.timer_lateness_ms.zip(measurement.timer_wake_up_ms)
    else {
        return;
    };
    println!(
        "{:<31} timers late by p50 {:.2} p99 {:.2} ms, worker has them after p50 {:.2} p99 {:.2} ms",
        "", fired.p50, fired.p99, woken.p50, woken.p99
    );
}

/// An idle server as a row.
pub fn print_idle(kind: Kind, idle: &Idle) {
    println!(
        "{:<10} idle     serving after {:.0} ms, {:.1} MB resident, {:.2} % of a processor",
        kind.name(),
        idle.start_to_serving_ms,
        idle.rss_bytes as f64 / 1_048_576.0,
        idle.cpu_percent
    );
}

/// How many times better Longtide is than the reference, by the medians over all rounds.
pub fn print_ratios(records: &[Record]) {
    let mut keys: Vec<(String, String)> = Vec::new();
    for measurement in records.iter().filter_map(Record::measurement) {
        let key = (measurement.scenario.clone(), measurement.mode.clone());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    println!("\nlongtide against the reference (medians over the rounds, more is better)");
    println!(
        "{:<8} {:<11} {:>12} {:>12} {:>12} {:>12} {:>12}",
        "scenario", "mode", "server cpu", "throughput", "p50", "p99", "bytes"
    );
    for (scenario, mode) in keys {
        let median = |kind: Kind, value: &dyn Fn(&Measurement) -> Option<f64>| {
            let of_kind = records.iter().filter(|record| record.target == kind);
            let same = of_kind
                .filter_map(Record::measurement)
                .filter(|found| found.scenario == scenario && found.mode == mode);
            median(same.filter_map(value).collect())
        };
        // Costs shrink, so the reference is the numerator; throughput grows.
        let cheaper = |value: &dyn Fn(&Measurement) -> Option<f64>| {
            ratio(median(Kind::Reference, value), median(Kind::Longtide, value))
        };
        let throughput = |found: &Measurement| Some(found.throughput);
        println!(
            "{scenario:<8} {mode:<11} {:>12} {:>12} {:>12} {:>12} {:>12}",
            cheaper(&|found| Some(found.server_per_workflow?.cpu_ms)),
            ratio(median(Kind::Longtide, &throughput), median(Kind::Reference, &throughput)),
            cheaper(&|found| Some(found.latency_ms?.p50)),
            cheaper(&|found| Some(found.latency_ms?.p99)),
            cheaper(&|found| Some(found.server_per_workflow?.write_bytes)),
        );
    }
}

/// What is read of a measurement.
type Value<'a> = &'a dyn Fn(&Measurement) -> Option<f64>;

/// What security costs, by the medians over all rounds.
pub fn print_overhead(records: &[Record]) {
    let mut keys: Vec<(String, String)> = Vec::new();
    for measurement in records.iter().filter_map(Record::measurement) {
        let key = (measurement.scenario.clone(), measurement.mode.clone());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    println!(
        "\nplain -> secured: mutual TLS, tokens, authorization, audit log, encryption at rest"
    );
    println!("(medians over the rounds; the generator encrypts, too, on the same machine)");
    for (scenario, mode) in keys {
        let medians = |value: Value<'_>| {
            let of_kind = |kind: Kind| {
                let of_kind = records.iter().filter(|record| record.target == kind);
                let same = of_kind
                    .filter_map(Record::measurement)
                    .filter(|found| found.scenario == scenario && found.mode == mode);
                median(same.filter_map(value).collect())
            };
            of_kind(Kind::Longtide).zip(of_kind(Kind::Secured))
        };
        println!("{scenario} {mode}");
        let lines: [(&str, Value<'_>); 6] = [
            ("workflows per s", &|found| Some(found.throughput)),
            ("server cpu ms per workflow", &|found| Some(found.server_per_workflow?.cpu_ms)),
            ("generator cpu ms per workflow", &|found| Some(found.generator_cpu_ms)),
            ("p50 ms", &|found| Some(found.latency_ms?.p50)),
            ("p99 ms", &|found| Some(found.latency_ms?.p99)),
            ("bytes per workflow", &|found| Some(found.server_per_workflow?.write_bytes)),
        ];
        for (name, value) in lines {
            if let Some((plain, secured)) = medians(value) {
                let change = (secured / plain - 1.0) * 100.0;
                println!("    {name:<30} {plain:>10.3} -> {secured:>10.3}  {change:>+7.1} %");
            }
        }
        if let Some((plain, secured)) = medians(&|found| Some(found.throughput)) {
            let lost = (1.0 - secured / plain) * 100.0;
            let judged = if lost <= LOSS_PERCENT_MAX { "within" } else { "ABOVE" };
            println!(
                "    throughput lost: {lost:.1} %, {judged} the limit of {LOSS_PERCENT_MAX} %"
            );
        }
    }
}

fn ratio(numerator: Option<f64>, denominator: Option<f64>) -> String {
    match numerator.zip(denominator) {
        Some((numerator, denominator)) if denominator > 0.0 => {
            format!("{:.1} x", numerator / denominator)
        }
        _ => "-".to_owned(),
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
