//! Runs one scenario in one mode against one server and measures it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::{
    activity_worker::ActivityWorker,
    client::{Access, Client},
    clock,
    in_flight::{InFlight, Moments},
    latency::{Latencies, Percentiles},
    process::{self, Usage},
    program::Program,
    scenario::{Mode, Scenario},
    server::Probe,
    starter::{Started, Starter},
    verification::{self, Checks, Verified},
    workflow_worker::WorkflowWorker,
};

/// Work that a server does behind its last answer is counted too.
const SETTLE: Duration = Duration::from_millis(500);
/// The share of all workflows over which throughput is taken.
const MEASURED_SHARE: f64 = 0.95;

/// One measurement to be made.
#[derive(Debug, Clone)]
pub struct Plan {
    pub scenario: Scenario,
    pub mode: Mode,
    /// No further workflow is started after this many …
    pub count: u64,
    /// … or after this time, whichever comes first.
    pub duration: Duration,
    /// Workflows in flight.
    pub concurrency: usize,
    /// Polls in flight of each worker and queue.
    pub pollers: usize,
    /// Whether the workflow worker has a sticky queue.
    pub sticky: bool,
    /// How strictly everything is compared afterwards.
    pub checks: Checks,
    /// Workflows that run before anything is measured.
    pub warm_up: u64,
}

/// What the server spent on one workflow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ServerCost {
    pub cpu_ms: f64,
    pub write_bytes: f64,
    pub wchar: f64,
    /// Null when nothing counted them.
    pub fsyncs: Option<f64>,
    /// Resident memory at the end, in bytes; not per workflow.
    pub rss_bytes: u64,
}

/// The outcome of a [`Plan`], all of it verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    pub scenario: String,
    pub mode: String,
    pub concurrency: usize,
    pub pollers: usize,
    pub sticky: bool,
    pub workflows: u64,
    pub elapsed_seconds: f64,
    /// Workflows per second until 95 % of all had ended, so that neither a lone straggler nor the
    /// thinning load at the end decides; of a backlog while it drains.
    pub throughput: f64,
    /// Starts per second while a backlog is built.
    pub start_throughput: Option<f64>,
    /// Milliseconds from before the start call to the end of the workflow (see [`Mode`]); in the
    /// scenario `start` of the call alone, in `backlog` from the first poll.
    pub latency_ms: Option<Percentiles>,
    pub timer_lateness_ms: Option<Percentiles>,
    pub timer_wake_up_ms: Option<Percentiles>,
    pub server_per_workflow: Option<ServerCost>,
    /// The load generator's own, per workflow.
    pub generator_cpu_ms: f64,
    /// What all other processes took of one processor meanwhile, in percent: the noise.
    pub others_cpu_percent: f64,
    pub retries: u64,
    pub cache_misses: u64,
    pub stale_answers: u64,
    pub expired_polls: u64,
    pub activity_retries: u64,
    pub verified: Verified,
}

/// Everything that the lanes of one run share.
struct Drive {
    starter: Starter,
    mode: Mode,
    next_index: AtomicU64,
    started: Mutex<Vec<Started>>,
    latencies: Latencies,
    /// When workflows ended, from the first measured moment on.
    ends: Latencies,
}

/// Runs `plan` against a server.
///
/// # Errors
/// When a workflow is lost, a result or history is not as it must be, or a call is refused.
pub async fn drive(
    access: &Access,
    plan: &Plan,
    probe: Option<&Probe>,
) -> anyhow::Result<Measurement> {
    let in_flight = Arc::new(InFlight::default());
    let task_queue =
        format!("{}-{}-{}", plan.scenario.name(), plan.mode.name(), clock::wall_nanos());
    let drive = Arc::new(Drive {
        starter: Starter {
            client: Client::connect(access, Arc::clone(&in_flight)).await?,
            in_flight: Arc::clone(&in_flight),
            scenario: plan.scenario,
            task_queue,
        },
        mode: plan.mode,
        next_index: AtomicU64::new(0),
        started: Mutex::default(),
        latencies: Latencies::default(),
        ends: Latencies::default(),
    });
    let mut workers = JoinSet::new();
    let backlog = plan.scenario == Scenario::Backlog;
    if plan.scenario.has_workers() && !backlog {
        start_workers(access, plan, &drive.starter, &mut workers).await?;
    }
    if !backlog {
        drive.run_lanes(plan.warm_up, clock::now(), plan).await;
    }
    let warmed = drive.started.lock().len();
    in_flight.reset_measurements();
    drive.latencies.reset();
    drive.ends.reset();

    let before = Reading::take(probe).await?;
    let end = drive.next_index.load(Ordering::Relaxed).min(plan.warm_up) + plan.count;
    let mut start_throughput = None;
    if backlog {
        let waiting = drive.fill(end, before.time + plan.duration / 2, plan.concurrency).await;
        let filled = before.time.elapsed();
        start_throughput = Some(waiting.len() as f64 / filled.as_secs_f64());
        start_workers(access, plan, &drive.starter, &mut workers).await?;
        drive.drain(waiting).await;
    } else {
        drive.run_lanes(end, before.time, plan).await;
    }
    let elapsed = before.time.elapsed();
    tokio::time::sleep(SETTLE).await;
    in_flight.without_complaints()?;
    let after = Reading::take(probe).await?;

    let started = std::mem::take(&mut *drive.started.lock());
    let verified = verification::verify(&drive.starter, &started, plan.checks).await?;
    workers.shutdown().await;
    in_flight.without_complaints()?;

    let workflows = (started.len() - warmed) as u64;
    anyhow::ensure!(workflows > 0, "no workflow was started in the time given");
    let per_workflow = |total: f64| total / workflows as f64;
    let almost_all = drive.ends.quantile(MEASURED_SHARE).context("nothing ended")?;
    Ok(Measurement {
        scenario: plan.scenario.name(),
        mode: plan.mode.name(),
        concurrency: plan.concurrency,
        pollers: plan.pollers,
        sticky: plan.sticky,
        workflows,
        elapsed_seconds: elapsed.as_secs_f64(),
        throughput: workflows as f64 * MEASURED_SHARE / almost_all.as_secs_f64(),
        start_throughput,
        latency_ms: drive.latencies.percentiles(),
        timer_lateness_ms: in_flight.timer_lateness.percentiles(),
        timer_wake_up_ms: in_flight.timer_wake_up.percentiles(),
        server_per_workflow: after.cost_since(&before, workflows),
        others_cpu_percent: after.others_cpu_since(&before),
        generator_cpu_ms: per_workflow((after.own.cpu - before.own.cpu).as_secs_f64() * 1_000.0),
        retries: in_flight.retries.load(Ordering::Relaxed),
        cache_misses: in_flight.cache_misses.load(Ordering::Relaxed),
        stale_answers: in_flight.stale_answers.load(Ordering::Relaxed),
        expired_polls: in_flight.expired_polls.load(Ordering::Relaxed),
        activity_retries: in_flight.activity_retries.load(Ordering::Relaxed),
        verified,
    })
}

/// Workers on connections of their own, as in a process of their own.
async fn start_workers(
    access: &Access,
    plan: &Plan,
    starter: &Starter,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let program = plan.scenario.program();
    let in_flight = &starter.in_flight;
    let client = Client::connect(access, Arc::clone(in_flight)).await?;
    let queue = &starter.task_queue;
    WorkflowWorker::new(client, program, queue, plan.sticky, Arc::clone(in_flight))
        .poll(plan.pollers, tasks);
    if matches!(program, Program::Activities(_)) {
        let client = Client::connect(access, Arc::clone(in_flight)).await?;
        let tolerant = plan.checks.tolerate_time_outs;
        ActivityWorker::new(client, queue, tolerant, Arc::clone(in_flight))
            .poll(plan.pollers, tasks);
    }
    Ok(())
}

impl Drive {
    /// Keeps the plan's number of workflows in flight until number `end` or the plan's time is up.
    async fn run_lanes(self: &Arc<Self>, end: u64, origin: Instant, plan: &Plan) {
        let deadline = origin + plan.duration;
        let mut lanes = JoinSet::new();
        for _ in 0..plan.concurrency {
            let drive = Arc::clone(self);
            lanes.spawn(async move {
                while let Some(index) = drive.take_index(end, deadline) {
                    let begin = clock::now();
                    let Some((started, moments)) = drive.start(index).await else { return };
                    let finished = drive.starter.finish(&started, moments, drive.mode).await;
                    if !drive.note(origin, begin, finished) {
                        return;
                    }
                }
            });
        }
        while lanes.join_next().await.is_some() {}
    }

    /// Starts workflows that nobody works on yet.
    async fn fill(
        self: &Arc<Self>,
        end: u64,
        deadline: Instant,
        concurrency: usize,
    ) -> Vec<(Started, Moments)> {
        let mut lanes = JoinSet::new();
        for _ in 0..concurrency {
            let drive = Arc::clone(self);
            lanes.spawn(async move {
                let mut waiting = Vec::new();
                while let Some(index) = drive.take_index(end, deadline) {
                    waiting.extend(drive.start(index).await);
                }
                waiting
            });
        }
        lanes.join_all().await.into_iter().flatten().collect()
    }

    /// Waits for all of these to complete.
    async fn drain(&self, waiting: Vec<(Started, Moments)>) {
        let begin = clock::now();
        let finishes = waiting.into_iter().map(|(started, moments)| async move {
            self.starter.finish(&started, moments, self.mode).await
        });
        let mut finishes: FuturesUnordered<_> = finishes.collect();
        while let Some(finished) = finishes.next().await {
            self.note(begin, begin, finished);
        }
    }

    fn take_index(&self, end: u64, deadline: Instant) -> Option<u64> {
        if clock::now() >= deadline {
            return None;
        }
        let take = |next: u64| (next < end).then_some(next + 1);
        self.next_index.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()
    }

    async fn start(&self, index: u64) -> Option<(Started, Moments)> {
        match self.starter.start(index).await {
            Ok((started, moments)) => {
                self.started.lock().push(started.clone());
                Some((started, moments))
            }
            Err(error) => {
                self.starter.in_flight.complain(format!("{error:#}"));
                None
            }
        }
    }

    /// Records an end; false when it was no good one.
    fn note(&self, origin: Instant, begin: Instant, finished: anyhow::Result<()>) -> bool {
        match finished {
            Ok(()) => {
                self.latencies.record(begin.elapsed());
                self.ends.record(origin.elapsed());
                true
            }
            Err(error) => {
                self.starter.in_flight.complain(format!("{error:#}"));
                false
            }
        }
    }
}

/// All counters at one moment.
struct Reading {
    time: Instant,
    own: Usage,
    machine_busy: Duration,
    server: Option<(Usage, Option<f64>)>,
}

impl Reading {
    async fn take(probe: Option<&Probe>) -> anyhow::Result<Self> {
        let server = match probe {
            Some(probe) => Some((probe.usage()?, probe.fsyncs().await?)),
            None => None,
        };
        let own = process::usage(std::process::id()).context("no usage of this process")?;
        let machine_busy = process::machine_busy()?;
        Ok(Self { time: clock::now(), own, machine_busy, server })
    }

    /// Percent of one processor; the server counts among the others when nothing probes it.
    fn others_cpu_since(&self, before: &Self) -> f64 {
        let ours = |reading: &Self| {
            reading.own.cpu + reading.server.map_or(Duration::ZERO, |(usage, _)| usage.cpu)
        };
        let busy = self.machine_busy.saturating_sub(before.machine_busy);
        let others = busy.saturating_sub(ours(self).saturating_sub(ours(before)));
        others.as_secs_f64() / (self.time - before.time).as_secs_f64() * 100.0
    }

    fn cost_since(&self, before: &Self, workflows: u64) -> Option<ServerCost> {
        let (usage, fsyncs) = self.server?;
        let (usage_before, fsyncs_before) = before.server?;
        let per_workflow = |total: f64| total / workflows as f64;
        let bytes = |after: u64, before: u64| per_workflow(after.saturating_sub(before) as f64);
        Some(ServerCost {
            cpu_ms: per_workflow((usage.cpu - usage_before.cpu).as_secs_f64() * 1_000.0),
            write_bytes: bytes(usage.write_bytes, usage_before.write_bytes),
            wchar: bytes(usage.wchar, usage_before.wchar),
            fsyncs: fsyncs.zip(fsyncs_before).map(|(after, before)| per_workflow(after - before)),
            rss_bytes: usage.rss_bytes,
        })
    }
}
