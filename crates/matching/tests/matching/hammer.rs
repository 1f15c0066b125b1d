//! Many threads at once, in real time.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use environment::{Clock, SystemClock};
use matching::{Matched, Matching, MatchingLimits, PollRequest, TaskQueueKind};
use model::Span;
use parking_lot::Mutex;

use crate::support::{queue, task};

const TASKS: u64 = 4_000;
const WORKERS: u64 = 8;
const PRODUCERS: u64 = 4;

/// A started task. One that nobody opens was lost with a broken connection.
struct Parcel {
    id: u64,
    opened: bool,
    ledger: Arc<Ledger>,
}

#[derive(Default)]
struct Ledger {
    delivered: Mutex<BTreeSet<u64>>,
    lost: Mutex<BTreeSet<u64>>,
    fulfilled: AtomicU64,
    cancelled: AtomicU64,
}

impl Parcel {
    fn open(mut self) -> u64 {
        self.opened = true;
        self.id
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if !self.opened {
            assert!(self.ledger.lost.lock().insert(self.id), "lost twice");
        }
    }
}

impl Ledger {
    fn is_complete(&self) -> bool {
        (self.delivered.lock().len() + self.lost.lock().len()) as u64 == TASKS
    }
}

/// Polls with short deadlines, some of them dropped midway.
async fn work(worker: u64, matching: Arc<Matching<Parcel>>, ledger: Arc<Ledger>) {
    let clock = SystemClock::new();
    let key = queue("hammer");
    let mut round = 0;
    while !ledger.is_complete() {
        round += 1;
        let request = PollRequest {
            identity: format!("worker-{worker}"),
            deadline: clock.now() + Span::from_millis(3),
            ..PollRequest::default()
        };
        let patience = if worker.is_multiple_of(2) { 50 * (round % 40) } else { 1_000_000 };
        let poll = matching.poll(&key, request);
        let Ok(polled) = tokio::time::timeout(Duration::from_micros(patience), poll).await else {
            ledger.cancelled.fetch_add(1, Ordering::Relaxed);
            continue;
        };
        let id = match polled.unwrap().matched {
            Matched::Started(parcel) | Matched::Ready(parcel) => parcel.open(),
            Matched::Queued(task) => task.task_id,
            Matched::Empty => continue,
        };
        assert!(ledger.delivered.lock().insert(id), "task {id} was delivered twice");
    }
}

/// Hands its tasks to reserved polls, or offers them; lets some reservations go.
async fn produce(producer: u64, matching: Arc<Matching<Parcel>>, ledger: Arc<Ledger>) {
    let key = queue("hammer");
    for id in (producer..TASKS).step_by(usize::try_from(PRODUCERS).unwrap()) {
        if id % 16 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        match matching.reserve(&key, Default::default()) {
            Some(reservation) if id % 3 != 0 => {
                tokio::task::yield_now().await;
                let parcel = Parcel { id, opened: false, ledger: Arc::clone(&ledger) };
                match reservation.fulfil(parcel) {
                    Ok(()) => {
                        ledger.fulfilled.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(parcel) => {
                        let task = task(parcel.open());
                        matching.offer(&key, TaskQueueKind::Normal, task).unwrap();
                    }
                }
            }
            reservation => {
                matching.offer(&key, TaskQueueKind::Normal, task(id)).unwrap();
                drop(reservation);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_task_arrives_once_whatever_polls_and_reservations_do() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let matching = Arc::new(Matching::new(clock, MatchingLimits::default()));
    let ledger = Arc::new(Ledger::default());
    let mut tasks = Vec::new();
    for worker in 0..WORKERS {
        tasks.push(tokio::spawn(work(worker, Arc::clone(&matching), Arc::clone(&ledger))));
    }
    for producer in 0..PRODUCERS {
        tasks.push(tokio::spawn(produce(producer, Arc::clone(&matching), Arc::clone(&ledger))));
    }
    for task in tasks {
        tokio::time::timeout(Duration::from_secs(60), task).await.unwrap().unwrap();
    }
    let delivered = ledger.delivered.lock().clone();
    let lost = ledger.lost.lock().clone();
    assert!(delivered.is_disjoint(&lost));
    // Only what was started for a poll that broke off can be lost.
    let cancelled = ledger.cancelled.load(Ordering::Relaxed);
    assert!(lost.len() as u64 <= cancelled, "{} lost, {cancelled} cancelled", lost.len());
    assert!(ledger.fulfilled.load(Ordering::Relaxed) > 0, "nobody was ever reserved");
    assert!(cancelled > 0, "nobody ever broke off");
    assert_eq!(matching.totals().pollers + matching.totals().backlog, 0);
}
