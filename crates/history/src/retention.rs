//! The end of closed runs.

use std::sync::Arc;

use bytes::Bytes;
use model::{RunId, SlotId, Span};
use storage::{Record, Scan, Table, Write, history_key, history_prefix, prefix_end, run_key};

use crate::{
    HistoryError, branches,
    commit::{BRANCH, Commit, Outcome},
    current,
    node::Node,
    slot::Slot,
    timer_ledger::TimerKey,
};

/// Records that one commit deletes.
const DELETED_RECORDS_MAX: usize = 500;

/// Bytes that are read to find them (1 MiB).
const DELETED_BYTES_MAX: usize = 1024 * 1024;

/// How long a deletion waits that the store did not take.
const RETRY_DELAY: Span = Span::from_secs(5);

impl Node {
    /// Deletes a run whose retention is over; its timer goes when nothing is left of it.
    pub(crate) async fn retention_over(
        self: Arc<Self>,
        slot_id: SlotId,
        run_id: RunId,
        key: TimerKey,
    ) {
        let deleted = match self.is_owing(slot_id, run_id).await {
            Ok(false) | Err(HistoryError::Damaged(_)) => self.delete_run(slot_id, run_id).await,
            Ok(true) => {
                Err(HistoryError::Unavailable("other runs do not know of its close".to_owned()))
            }
            Err(error) => Err(error),
        };
        let Ok(mut slot) = self.lock(slot_id).await else { return };
        match deleted {
            Ok(()) => slot.timers.finish(key),
            Err(error) => {
                tracing::warn!(slot = slot_id.number(), %error, "a run is deleted later");
                slot.timers.put_back(key);
                self.timers.arm(slot_id, self.now() + RETRY_DELAY);
            }
        }
    }

    /// Deletes everything that is stored of a closed run.
    ///
    /// In the first commit the run leaves its workflow, the index and its snapshot. Its records
    /// follow from the oldest on, so that what is left of a deletion that stops half-way is no run:
    /// the next attempt finds records without a start and removes them. Records that other runs
    /// need stay, under a mark.
    pub(crate) async fn delete_run(
        self: &Arc<Self>,
        slot_id: SlotId,
        run_id: RunId,
    ) -> Result<(), HistoryError> {
        self.notify_before_deletion(slot_id, run_id).await?;
        // From here on no other run can come to need its records.
        let settled = {
            let mut slot = self.lock(slot_id).await?;
            slot.deleting.insert(run_id);
            slot.barrier()
        };
        settled.wait().await?;
        let deleted = self.delete_records(slot_id, run_id).await;
        // A failed commit has made the slot forget the mark already.
        self.cell(slot_id).slot.lock().await.deleting.remove(&run_id);
        deleted
    }

    async fn delete_records(
        self: &Arc<Self>,
        slot_id: SlotId,
        run_id: RunId,
    ) -> Result<(), HistoryError> {
        loop {
            let outcome = {
                let mut slot = self.lock(slot_id).await?;
                self.delete_some(&mut slot, run_id).await?
            };
            match outcome {
                Some(outcome) => outcome.wait().await?,
                None => return self.release_ancestors(slot_id, run_id).await,
            }
        }
    }

    /// Deletes the pointers to a run and the oldest of the records that no other run needs; none
    /// when nothing is left.
    async fn delete_some(
        self: &Arc<Self>,
        slot: &mut Slot,
        run_id: RunId,
    ) -> Result<Option<Outcome>, HistoryError> {
        let needed_before = self.needed_before(slot.id, run_id).await?;
        let records = self.history_records(slot.id, run_id, needed_before).await?;
        let mut commit = Commit::default();
        slot.deleting.remove(&run_id);
        if self.load_run(slot, run_id).await?
            && let Some(run) = slot.runs.get(&run_id)
        {
            let (live, head) = (Arc::clone(&run.live), Arc::clone(&run.head));
            let version = head.version;
            let workflow = &live.key.workflow;
            if self.find_current(slot, workflow).await? == Some(run_id) {
                let key = current::key(slot.id, workflow);
                commit.write(Write::Delete { table: Table::Current, key });
            }
            let namespace_id = workflow.namespace_id;
            let change = ::visibility::Change::Delete { namespace_id, run_id, version };
            commit.add_visibility(slot, run_id, change)?;
            if needed_before > 0 || !head.history_ancestors.is_empty() {
                commit.write(branches::mark(slot.id, run_id, &head));
            } else {
                let key = run_key(slot.id, run_id);
                commit.write(Write::Delete { table: Table::Run, key });
            }
        } else if records.is_empty() {
            slot.deleting.insert(run_id);
            return Ok(None);
        }
        self.drop_run(slot, run_id);
        slot.deleting.insert(run_id);
        slot.immediate.settle(run_id, |_| false);
        for key in records {
            commit.write(Write::Delete { table: Table::History, key });
        }
        commit.submit(self, slot).map(Some)
    }

    async fn history_records(
        &self,
        slot: SlotId,
        run_id: RunId,
        from_event_id: i64,
    ) -> Result<Vec<Bytes>, HistoryError> {
        let scan = Scan {
            table: Table::History,
            from: history_key(slot, run_id, BRANCH, from_event_id, 0),
            to: prefix_end(&history_prefix(slot, run_id, BRANCH)),
            reverse: false,
            records_max: DELETED_RECORDS_MAX,
            bytes_max: DELETED_BYTES_MAX,
        };
        let records = self.store.scan(scan).await?;
        Ok(records.into_iter().map(|Record { key, .. }| key).collect())
    }
}
