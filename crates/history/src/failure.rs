//! When a commit fails.

use std::sync::{Arc, atomic::Ordering};

use model::{SlotId, Span};
use storage::CommitError;

use crate::{HistoryError, node::Node, slot::Tenure};

/// How long a slot waits before it is read again when the store does not answer.
const REREAD_DELAY: Span = Span::from_millis(200);

impl Node {
    /// What became of a batch that was not acknowledged. `Ok` when it is in the store all the same;
    /// otherwise the slot has dropped what was decided on top of it.
    pub(crate) async fn commit_failed(
        self: &Arc<Self>,
        slot_id: SlotId,
        tenure: &Arc<Tenure>,
        expected_seq: u64,
        error: CommitError,
    ) -> Result<(), HistoryError> {
        let unknown = error == CommitError::Unknown;
        let mut slot = self.cell(slot_id).slot.lock().await;
        if let Some(stored) = tenure.has(expected_seq) {
            // An earlier batch failed first, and the slot has been read since.
            return if stored && unknown { Ok(()) } else { Err(error.into()) };
        }
        let is_current = |slot: &crate::slot::Slot| {
            slot.standing.as_ref().is_some_and(|standing| Arc::ptr_eq(&standing.tenure, tenure))
        };
        if !is_current(&slot) {
            return Err(error.into());
        }
        match self.store.slot_row(slot_id).await {
            Ok(row) if self.is_ours(&row) && row.seq > expected_seq && unknown => Ok(()),
            Ok(row) => {
                tracing::warn!(slot = slot_id.number(), %error, "a commit failed");
                tenure.end(row.seq);
                self.restore_soon(slot_id);
                slot.forget();
                Err(error.into())
            }
            Err(unread) => {
                tracing::warn!(slot = slot_id.number(), %error, %unread, "a commit failed");
                self.restore_soon(slot_id);
                slot.forget();
                Err(error.into())
            }
        }
    }

    /// Restores a slot whose lock the caller holds. Who finds the slot forgotten also finds that
    /// lists may not have its latest runs yet.
    fn restore_soon(self: &Arc<Self>, slot_id: SlotId) {
        self.restoring.fetch_add(1, Ordering::Relaxed);
        let node = Arc::clone(self);
        self.tracker.spawn(async move {
            Arc::clone(&node).restore(slot_id).await;
            node.restoring.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// Reads a slot again, however long it takes the store to answer, so that its timers and
    /// tasks go on.
    pub(crate) async fn restore(self: Arc<Self>, slot_id: SlotId) {
        loop {
            let recovered = match self.lock(slot_id).await {
                Ok(mut slot) => self.redispatch(&mut slot).await,
                Err(error) => Err(error),
            };
            match recovered {
                Ok(true) => continue,
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(slot = slot_id.number(), %error, "the slot is read again later");
                }
            }
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                () = self.environment.clock.sleep_until(self.now() + REREAD_DELAY) => {}
            }
        }
    }
}
