//! What the process uses, read when somebody looks.

use std::fs;

use prometheus::{Gauge, IntGauge, Registry};

use crate::{
    MetricsError, names,
    series::{floats, gauges},
};

/// The page size and the clock tick of Linux on every platform that we build for.
const PAGE_BYTES: i64 = 4096;
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Debug)]
pub(crate) struct ProcessMetrics {
    resident_memory: IntGauge,
    cpu_seconds: Gauge,
}

impl ProcessMetrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        Ok(Self {
            resident_memory: gauges(registry, &names::RESIDENT_MEMORY)?.with(&[]),
            cpu_seconds: floats(registry, &names::CPU_SECONDS)?.with(&[]),
        })
    }

    /// Reads both values; elsewhere than on Linux they stay zero.
    pub(crate) fn refresh(&self) {
        if let Some(bytes) = resident_bytes() {
            self.resident_memory.set(bytes);
        }
        if let Some(seconds) = cpu_seconds() {
            self.cpu_seconds.set(seconds);
        }
    }
}

fn resident_bytes() -> Option<i64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}

/// User and system time: fields 14 and 15 of `stat`, counted after the parenthesised name.
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}
