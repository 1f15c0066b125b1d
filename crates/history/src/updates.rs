//! Those who wait for updates of a run.
//!
//! An update that was not accepted is in memory only: when the slot forgets it, its callers ask
//! again. What happens to an update is shown once it is durable.

use std::sync::Arc;

use api::update::v1::Outcome;
use engine::{UpdateAborted, UpdateProgress, UpdateStage};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// How far an update has come, as its callers may know.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and moved a few times at most")]
pub(crate) enum Progress {
    /// It waits for a worker.
    Admitted,
    /// The workflow works on it.
    Accepted,
    /// It has an outcome.
    Completed(Outcome),
    /// It was not accepted.
    Aborted(UpdateAborted),
    /// The slot knows nothing of it any more: ask it again.
    Lost,
}

/// One update, shared with those who wait for it.
#[derive(Debug)]
pub(crate) struct WatchedUpdate {
    progress: Mutex<Progress>,
    changed: Notify,
}

/// A run's side of a watched update; dropping it tells those who wait that it is lost.
#[derive(Debug)]
pub(crate) struct UpdateHandle(Arc<WatchedUpdate>);

/// What is told once a commit is durable.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and moved a few times at most")]
pub(crate) enum UpdateNews {
    /// The update goes on.
    Accepted(Arc<WatchedUpdate>),
    /// The last word.
    Settled(UpdateHandle, Progress),
}

impl UpdateHandle {
    /// An update that has come so far.
    pub(crate) fn new(progress: Progress) -> Self {
        let progress = Mutex::new(progress);
        Self(Arc::new(WatchedUpdate { progress, changed: Notify::new() }))
    }

    /// A share for somebody who waits.
    pub(crate) fn share(&self) -> Arc<WatchedUpdate> {
        Arc::clone(&self.0)
    }

    /// True when somebody waits.
    pub(crate) fn is_awaited(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

impl Drop for UpdateHandle {
    fn drop(&mut self) {
        self.0.advance(Progress::Lost);
    }
}

impl UpdateNews {
    /// Tells those who wait.
    pub(crate) fn tell(self) {
        match self {
            Self::Accepted(update) => update.advance(Progress::Accepted),
            Self::Settled(handle, progress) => handle.0.advance(progress),
        }
    }
}

impl Progress {
    /// What the run's state tells of an update that is not over.
    pub(crate) fn of(stage: &UpdateStage) -> Self {
        match stage {
            UpdateStage::Admitted | UpdateStage::Completed { .. } => Self::Admitted,
            UpdateStage::Accepted => Self::Accepted,
            UpdateStage::Failed(outcome) => Self::Completed(outcome.clone()),
        }
    }

    /// The last word that a transition tells of an update; none when the update goes on.
    pub(crate) fn last_word(progress: UpdateProgress) -> Option<Self> {
        match progress {
            UpdateProgress::Accepted => None,
            UpdateProgress::Completed(outcome) => Some(Self::Completed(outcome)),
            UpdateProgress::Aborted(reason) => Some(Self::Aborted(reason)),
        }
    }

    const fn is_last(&self) -> bool {
        matches!(self, Self::Completed(_) | Self::Aborted(_) | Self::Lost)
    }
}

impl WatchedUpdate {
    /// How far it has come.
    pub(crate) fn progress(&self) -> Progress {
        self.progress.lock().clone()
    }

    /// The next step, of those that happen after this call.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    fn advance(&self, next: Progress) {
        {
            let mut progress = self.progress.lock();
            if progress.is_last() {
                return;
            }
            *progress = next;
        }
        self.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_stands() {
        let handle = UpdateHandle::new(Progress::Admitted);
        let watched = handle.share();
        assert!(handle.is_awaited());
        UpdateNews::Accepted(handle.share()).tell();
        assert_eq!(watched.progress(), Progress::Accepted);
        UpdateNews::Settled(handle, Progress::Completed(Outcome::default())).tell();
        assert_eq!(watched.progress(), Progress::Completed(Outcome::default()));
    }

    #[test]
    fn a_dropped_handle_sends_those_who_wait_back() {
        let handle = UpdateHandle::new(Progress::Admitted);
        let watched = handle.share();
        drop(handle);
        assert_eq!(watched.progress(), Progress::Lost);
    }
}
