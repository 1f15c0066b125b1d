//! Reading histories as they are stored.

use std::sync::Arc;

use api::{RawHistory, history::v1::history_event::Attributes, update::v1::Outcome};
use bytes::{Buf, Bytes};
use engine::TransitionRecord;
use futures_util::FutureExt as _;
use model::{RunId, SlotId, Time};
use prost::Message;
use storage::{Record, Scan, Table, damage, history_key, history_prefix, prefix_end};

use crate::{
    ActivityDelivery, Delivery, HistoryError, HistoryPage, WorkflowTaskDelivery,
    batches::{self, Batch},
    branches::{self, Part},
    commit::{BRANCH, StartedOfRun},
    dispatch::StartedTask,
    node::Node,
    run::LiveRun,
};

/// Most batches of a page (fact sheet section 3).
pub(crate) const PAGE_BATCHES_MAX: usize = 256;

/// A page ends with the batch that passes so many bytes (2 MiB).
const PAGE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Records read at once.
const PAGE_RECORDS_MAX: usize = 256;

/// A page in the making.
#[derive(Debug)]
struct PageDraft {
    page: HistoryPage,
    batches_max: usize,
    bytes: usize,
}

impl PageDraft {
    fn new(batches_max: usize) -> Self {
        let batches_max = batches_max.clamp(1, PAGE_BATCHES_MAX);
        Self { page: HistoryPage::default(), batches_max, bytes: 0 }
    }

    fn is_full(&self) -> bool {
        self.page.batches.len() >= self.batches_max || self.bytes >= PAGE_BYTES_MAX
    }

    fn push(&mut self, encoded: Bytes) {
        self.bytes += encoded.len();
        self.page.batches.push(encoded);
    }

    /// Adds a batch with its events in falling order; false if the page was full.
    fn push_reversed(&mut self, batch: &Batch) -> bool {
        if self.is_full() {
            self.page.next_event_id = Some(batch.next_event_id - 1);
            return false;
        }
        self.push(batches::reversed(&batch.encoded));
        true
    }
}

impl Node {
    /// The outcome of an update that the history has, and when it had it.
    pub(crate) async fn update_outcome(
        &self,
        live: &LiveRun,
        event_id: i64,
    ) -> Result<(Outcome, Time), HistoryError> {
        let slot = live.key.slot();
        let page = self.read_forward(slot, live, event_id, event_id + 1, 1).await?;
        let events = page
            .batches
            .into_iter()
            .map(|batch| RawHistory::from_encoded(batch).decode_events().unwrap_or_default());
        events
            .flatten()
            .find(|event| event.event_id == event_id)
            .and_then(|event| match event.attributes {
                Some(Attributes::WorkflowExecutionUpdateCompletedEventAttributes(completed)) => {
                    Some((completed.outcome?, Time::from_proto(event.event_time.as_ref())))
                }
                _ => None,
            })
            .ok_or_else(|| HistoryError::Unavailable("an update has no outcome".to_owned()))
    }

    /// Reads the batches that hold the events from `from` up to, not including, `to`. All of them
    /// must be durable.
    pub(crate) async fn read_forward(
        &self,
        slot: SlotId,
        live: &LiveRun,
        from: i64,
        to: i64,
        batches_max: usize,
    ) -> Result<HistoryPage, HistoryError> {
        let from = from.max(1);
        let mut draft = PageDraft::new(batches_max);
        if let Some(recent) = live.recent(from, to) {
            add_forward(&mut draft, recent, from, to);
            return Ok(draft.page);
        }
        for part in branches::parts(&live.ancestors, live.key.run_id, from, to) {
            if !self.read_part(slot, part, &mut draft).await? {
                break;
            }
        }
        Ok(draft.page)
    }

    /// Adds a part of a history to a page; false once the page is full.
    async fn read_part(
        &self,
        slot: SlotId,
        part: Part,
        draft: &mut PageDraft,
    ) -> Result<bool, HistoryError> {
        let Part { tree, from, to } = part;
        let mut position = self.record_with(slot, tree, from).await?;
        let end = history_key(slot, tree, BRANCH, to, 0);
        loop {
            let records = self.scan_history(slot, position, end.clone(), false).await?;
            let Some(last) = records.last() else { return Ok(true) };
            position = [last.key.as_ref(), &[0]].concat().into();
            for record in records {
                if !add_forward(draft, record_batches(record)?, from, to) {
                    return Ok(false);
                }
            }
        }
    }

    /// Reads the batches that hold the events from `from` down to the first. All of them must be
    /// durable.
    pub(crate) async fn read_backward(
        &self,
        slot: SlotId,
        live: &LiveRun,
        from: i64,
        batches_max: usize,
    ) -> Result<HistoryPage, HistoryError> {
        let mut draft = PageDraft::new(batches_max);
        let mut to = from + 1;
        for batch in live.recent_before(to, draft.batches_max + 1) {
            if !draft.push_reversed(&batch) {
                return Ok(draft.page);
            }
            to = batch.first_event_id;
        }
        let parts = branches::parts(&live.ancestors, live.key.run_id, 1, to);
        for part in parts.into_iter().rev() {
            if !self.read_part_backward(slot, part, &mut draft).await? {
                break;
            }
        }
        Ok(draft.page)
    }

    /// Adds a part of a history to a page, its end first; false once the page is full.
    async fn read_part_backward(
        &self,
        slot: SlotId,
        part: Part,
        draft: &mut PageDraft,
    ) -> Result<bool, HistoryError> {
        let Part { tree, from: _, to } = part;
        let start = history_prefix(slot, tree, BRANCH);
        let mut end = history_key(slot, tree, BRANCH, to, 0);
        loop {
            let records = self.scan_history(slot, start.clone(), end, true).await?;
            let Some(last) = records.last() else { return Ok(true) };
            end = last.key.clone();
            for record in records {
                for batch in record_batches(record)?.into_iter().rev() {
                    if batch.first_event_id >= to {
                        continue;
                    }
                    if !draft.push_reversed(&batch) {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// The key of the record that holds an event.
    async fn record_with(
        &self,
        slot: SlotId,
        run_id: RunId,
        event_id: i64,
    ) -> Result<Bytes, HistoryError> {
        let scan = Scan {
            table: Table::History,
            from: history_prefix(slot, run_id, BRANCH),
            to: history_key(slot, run_id, BRANCH, event_id + 1, 0),
            reverse: true,
            records_max: 1,
            bytes_max: PAGE_BYTES_MAX,
        };
        let records = self.store.scan(scan).await?;
        let found = records.into_iter().next().map(|record| record.key);
        Ok(found.unwrap_or_else(|| history_prefix(slot, run_id, BRANCH)))
    }

    async fn scan_history(
        &self,
        slot: SlotId,
        from: Bytes,
        to: Bytes,
        reverse: bool,
    ) -> Result<Vec<Record>, HistoryError> {
        let to = if to.is_empty() { prefix_end(&slot.number().to_be_bytes()) } else { to };
        let scan = Scan {
            table: Table::History,
            from,
            to,
            reverse,
            records_max: PAGE_RECORDS_MAX,
            bytes_max: PAGE_BYTES_MAX,
        };
        Ok(self.store.scan(scan).await?)
    }

    /// Hands a started task to the worker that was reserved for it.
    pub(crate) fn hand_over(self: &Arc<Self>, started: StartedOfRun) {
        let node = Arc::clone(self);
        let mut handing_over = Box::pin(async move { node.hand_over_with_history(started).await });
        // Nothing in it waits when the history is in memory.
        if handing_over.as_mut().now_or_never().is_none() {
            self.tracker.spawn(handing_over);
        }
    }

    async fn hand_over_with_history(&self, started: StartedOfRun) {
        let StartedOfRun { started, live, state, queries } = started;
        let run = live.key.clone();
        let delivery = match started.task {
            StartedTask::Activity(activity) => {
                Delivery::Activity(Box::new(ActivityDelivery { run, activity: *activity, state }))
            }
            StartedTask::WorkflowTask { task, on_sticky_queue } => {
                let slot = run.slot();
                let (from, to) = (task.history_from, task.history_through + 1);
                let read = self.read_forward(slot, &live, from, to, PAGE_BATCHES_MAX).await;
                let history = match read {
                    Ok(history) => history,
                    Err(error) => {
                        // The poll goes back to its place; the task ends by its time-out.
                        tracing::warn!(%error, "the history of a started task cannot be read");
                        return;
                    }
                };
                Delivery::WorkflowTask(Box::new(WorkflowTaskDelivery {
                    run,
                    task: *task,
                    history,
                    queries,
                    on_sticky_queue,
                }))
            }
        };
        if started.reservation.fulfil(delivery).is_err() {
            tracing::debug!("a worker went away while its task was committed");
        }
    }
}

/// Adds batches in order; false once the page is full.
fn add_forward(draft: &mut PageDraft, batches: Vec<Batch>, from: i64, to: i64) -> bool {
    for batch in batches {
        if batch.next_event_id <= from || batch.first_event_id >= to {
            continue;
        }
        if draft.is_full() {
            draft.page.next_event_id = Some(batch.first_event_id);
            return false;
        }
        draft.push(batch.encoded);
    }
    true
}

fn record_batches(record: Record) -> Result<Vec<Batch>, HistoryError> {
    let Record { key, value } = record;
    let damaged = |what: &str| damage(Table::History, &key, what);
    let mut first = key.get(22..30).ok_or_else(|| damaged("its key has no event id"))?;
    let first_event_id = first.get_i64();
    let record = TransitionRecord::decode(value?).map_err(|error| damaged(&error.to_string()))?;
    Ok(batches::number_batches(first_event_id, record.batches))
}
