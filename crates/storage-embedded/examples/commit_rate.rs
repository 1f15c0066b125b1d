//! Measures what a commit costs: `commit_rate DIRECTORY [SECONDS]`. With 0 seconds it only opens.
//!
//! A batch has five small records besides its slot row: an event batch, a snapshot, the current
//! run and two tasks. A group of batches, one per slot, is submitted together and awaited together.
//! CPU is that of all threads of the process, the engine's included, without making the batches.
#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "a measuring program")]

use std::{fs, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use model::{NamespaceId, RunId, SlotId, Time};
use storage::{
    Cursors, Fence, SlotBatch, Store, StoreError, Table, TaskCategory, TaskKey, Write, current_key,
    history_key, run_key, task_key,
};
use storage_embedded::{EmbeddedStore, Settings};
use tokio::time::Instant;

const GROUP_SIZES: [usize; 5] = [1, 8, 64, 256, 1024];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StoreError> {
    let mut arguments = std::env::args().skip(1);
    let Some(directory) = arguments.next() else {
        println!("usage: commit_rate DIRECTORY [SECONDS]");
        return Ok(());
    };
    let seconds = arguments.next().and_then(|seconds| seconds.parse().ok()).unwrap_or(3);
    let opening = Instant::now();
    let store = Arc::new(EmbeddedStore::open(Path::new(&directory), Settings::default())?);
    println!("opened in {} ms", opening.elapsed().as_millis());
    println!("resident memory {} KiB", resident_kib());
    if seconds == 0 {
        store.close().await;
        return Ok(());
    }
    println!("group  batches/s  p50 ms  p99 ms  cpu us/batch  fsyncs/batch  bytes/batch");
    let mut owner = Owner::claim(&*store).await?;
    for group in GROUP_SIZES {
        measure(&store, &mut owner, group, Duration::from_secs(seconds)).await;
    }
    println!("resident memory {} KiB", resident_kib());
    store.close().await;
    Ok(())
}

async fn measure(store: &EmbeddedStore, owner: &mut Owner, group: usize, time: Duration) {
    let before = store.stats();
    let (cpu, started) = (cpu_nanos(), Instant::now());
    let (mut latencies, mut generator) = (Vec::new(), 0);
    while started.elapsed() < time {
        let making_batches = thread_cpu_nanos();
        let batches: Vec<_> = (0..group).map(|index| owner.batch(index, latencies.len())).collect();
        generator += thread_cpu_nanos() - making_batches;
        let submitted = Instant::now();
        let receipts: Vec<_> = batches.into_iter().map(|batch| store.submit(batch)).collect();
        for receipt in receipts {
            if let Err(error) = receipt.await {
                println!("a batch failed: {error}");
                return;
            }
        }
        latencies.push(submitted.elapsed());
    }
    let (cpu, elapsed) = (cpu_nanos() - cpu - generator, started.elapsed());
    let after = store.stats();
    let batches = (after.batches - before.batches) as f64;
    latencies.sort_unstable();
    let percentile =
        |part: usize| latencies[latencies.len().saturating_sub(1) * part / 100].as_secs_f64();
    println!(
        "{group:5} {:10.0} {:7.2} {:7.2} {:13.1} {:13.4} {:12.0}",
        batches / elapsed.as_secs_f64(),
        percentile(50) * 1e3,
        percentile(99) * 1e3,
        cpu as f64 / 1e3 / batches,
        (after.fsyncs - before.fsyncs) as f64 / batches,
        (after.bytes_written - before.bytes_written) as f64 / batches,
    );
}

/// The owner of all slots, with the fence of each.
struct Owner {
    fences: Vec<Fence>,
    value: Bytes,
}

impl Owner {
    async fn claim(store: &dyn Store) -> Result<Self, StoreError> {
        let claim = store.claim().await?;
        let fence = Fence { epoch: claim.epoch, seq: 0 };
        let mut fences = vec![fence; usize::from(model::SLOT_COUNT)];
        for (slot, row) in claim.slots {
            fences[usize::from(slot.number())].seq = row.seq;
        }
        let value = (0..400_u32).map(|byte| byte.wrapping_mul(2_654_435_761).to_be_bytes()[0]);
        Ok(Self { fences, value: value.collect() })
    }

    fn batch(&mut self, index: usize, round: usize) -> SlotBatch {
        // Different slots within a group, and other ones in the next round.
        let number = (index + round * 64) % self.fences.len();
        let fence = &mut self.fences[number];
        let expect = *fence;
        fence.seq += 1;
        let number = u16::try_from(number).unwrap_or(0);
        let slot = SlotId::new(number).unwrap_or_else(|| SlotId::of(&workflow()));
        let seq = expect.seq;
        let run = RunId::from_bytes((u128::from(seq / 8) * 0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let put = |table, key, bytes| Write::Put {
            table,
            namespace: None,
            key,
            value: self.value.slice(..bytes),
        };
        let task = |category, nanos| TaskKey {
            category,
            fire_time: Time::from_nanos(nanos),
            task_id: seq,
        };
        let due = i64::try_from(seq).unwrap_or(0) * 1_000_000;
        let writes = vec![
            put(Table::History, history_key(slot, run, 0, due, seq), 350),
            put(Table::Run, run_key(slot, run), 250),
            put(Table::Current, current_key(slot, NamespaceId::default(), "order"), 90),
            put(Table::Task, task_key(slot, task(TaskCategory::Immediate, 0)), 60),
            put(Table::Task, task_key(slot, task(TaskCategory::Timer, due)), 60),
        ];
        let cursors = Cursors { immediate: seq, timer: Time::from_nanos(due), visibility: seq };
        SlotBatch { slot, expect, cursors, next_task_id: seq + 1, writes }
    }
}

fn workflow() -> model::WorkflowKey {
    model::WorkflowKey { namespace_id: NamespaceId::default(), workflow_id: String::new() }
}

/// CPU time of this thread, in nanoseconds.
fn thread_cpu_nanos() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

/// CPU time of all threads of this process, in nanoseconds.
fn cpu_nanos() -> u64 {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return 0 };
    let of = |path: &Path| fs::read_to_string(path).ok()?.split(' ').next()?.parse::<u64>().ok();
    tasks.flatten().filter_map(|task| of(&task.path().join("schedstat"))).sum()
}

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}
