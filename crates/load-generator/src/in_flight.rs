//! What the workers tell the starter: task done, workflow completed, something went wrong.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use crate::latency::Latencies;

/// Complaints kept for the report; further ones are only counted.
const COMPLAINTS_MAX: usize = 5;

/// The moments of a workflow that its starter waits for.
#[derive(Debug)]
pub struct Moments {
    /// How many workflow tasks were answered, and the answers acknowledged, before the last.
    pub tasks_done: watch::Receiver<u64>,
    /// The completing answer was acknowledged.
    pub completed: oneshot::Receiver<()>,
}

#[derive(Debug)]
struct Tracked {
    tasks_done: watch::Sender<u64>,
    completed: oneshot::Sender<()>,
}

/// The workflows that were started and have not completed, with all that was observed of them.
#[derive(Debug, Default)]
pub struct InFlight {
    tracked: Mutex<HashMap<String, Tracked>>,
    complaints: Mutex<Vec<String>>,
    complaint_count: AtomicU64,
    /// Calls that were repeated after a retryable error.
    pub retries: AtomicU64,
    /// Tasks whose run was not in the worker's cache.
    pub cache_misses: AtomicU64,
    /// Polls that ended by their deadline or a cancellation instead of an answer.
    pub expired_polls: AtomicU64,
    /// Activities that came again because an attempt timed out, where that is tolerated.
    pub activity_retries: AtomicU64,
    /// Answers to tasks that the server had taken back.
    pub stale_answers: AtomicU64,
    /// Fired event time minus due time.
    pub timer_lateness: Latencies,
    /// The moment the worker had the task with the fired event, minus due time.
    pub timer_wake_up: Latencies,
}

impl InFlight {
    /// Follows a workflow that is about to be started.
    pub fn track(&self, workflow_id: String) -> Moments {
        let (tasks_done, tasks_done_receiver) = watch::channel(0);
        let (completed, completed_receiver) = oneshot::channel();
        self.tracked.lock().insert(workflow_id, Tracked { tasks_done, completed });
        Moments { tasks_done: tasks_done_receiver, completed: completed_receiver }
    }

    /// A workflow task of this workflow was answered, and the workflow goes on.
    pub fn task_done(&self, workflow_id: &str) {
        if let Some(tracked) = self.tracked.lock().get(workflow_id) {
            tracked.tasks_done.send_modify(|count| *count += 1);
        }
    }

    /// The completing answer of this workflow was acknowledged. Twice is a complaint.
    pub fn completed(&self, workflow_id: &str) {
        match self.tracked.lock().remove(workflow_id) {
            Some(tracked) => {
                tracked.completed.send(()).ok();
            }
            None => self.complain(format!("workflow `{workflow_id}` completed a second time")),
        }
    }

    /// Records that the server did something that it must not do.
    pub fn complain(&self, complaint: String) {
        self.complaint_count.fetch_add(1, Ordering::Relaxed);
        let mut complaints = self.complaints.lock();
        if complaints.len() < COMPLAINTS_MAX {
            complaints.push(complaint);
        }
    }

    /// Passes when nothing was complained about.
    ///
    /// # Errors
    /// With the number of complaints and the first of them.
    pub fn without_complaints(&self) -> anyhow::Result<()> {
        let count = self.complaint_count.load(Ordering::Relaxed);
        let complaints = self.complaints.lock();
        anyhow::ensure!(count == 0, "{count} failures: {}", complaints.join("; "));
        Ok(())
    }

    /// Forgets what was measured, not what was complained about: the warm-up ends here.
    pub fn reset_measurements(&self) {
        self.retries.store(0, Ordering::Relaxed);
        self.cache_misses.store(0, Ordering::Relaxed);
        self.stale_answers.store(0, Ordering::Relaxed);
        self.expired_polls.store(0, Ordering::Relaxed);
        self.activity_retries.store(0, Ordering::Relaxed);
        self.timer_lateness.reset();
        self.timer_wake_up.reset();
    }
}
