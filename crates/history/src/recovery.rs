//! Reading from the store what a slot's memory does not have.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use engine::{Input, State, TaskAction, TaskRecord, TransitionRecord, decide, is_current};
use model::{RunId, SlotId, Time};
use prost::Message;
use storage::{
    Cursors, Damage, Record, Scan, SlotRow, Table, TaskCategory, TaskKey, damage, history_key,
    history_prefix, prefix_end, run_key, task_key,
};

use crate::{
    HistoryError, RunKey, batches,
    commit::{BRANCH, Commit},
    context::Caller,
    current, dispatch,
    ledger::{IMMEDIATE_TASKS_MAX, ImmediateLedger, PendingTask},
    node::Node,
    run::{CachedRun, LiveRun},
    slot::{Slot, Standing},
    timer_ledger::{TIMERS_MAX, TimerLedger},
    visibility::{self, FeedIndex, VisibilityTask},
};

/// Records and bytes of a page while a run is loaded (1 MiB).
const LOAD_RECORDS_MAX: usize = 256;
const LOAD_BYTES_MAX: usize = 1024 * 1024;

/// Records of a page of task rows, and bytes (1 MiB): so many that the records decide, since a row
/// has some tens of bytes.
const TASK_RECORDS_MAX: usize = 1000;
const TASK_BYTES_MAX: usize = 1024 * 1024;

impl Node {
    /// Reads where a slot stands and what it has to do.
    pub(crate) async fn read_slot(&self, slot: &mut Slot) -> Result<(), HistoryError> {
        let row = if slot.fresh {
            self.claimed_row(slot.id)
        } else {
            self.store.slot_row(slot.id).await?
        };
        slot.fresh = false;
        if !self.is_ours(&row) {
            return Err(HistoryError::Unavailable(
                "another server has taken over the store".to_owned(),
            ));
        }
        if row.seq > 0 {
            self.read_ledgers(slot, &row).await?;
        }
        slot.standing = Some(Standing::new(&row));
        if let Some(due) = slot.next_due() {
            self.timers.arm(slot.id, due);
        }
        Ok(())
    }

    async fn read_ledgers(&self, slot: &mut Slot, row: &SlotRow) -> Result<(), HistoryError> {
        let Cursors { immediate, timer, visibility } = row.cursors;
        slot.immediate = ImmediateLedger::default();
        slot.unoffered.clear();
        slot.unfed.clear();
        self.read_immediate(slot, immediate).await?;
        slot.unpassed = slot.immediate.horizon();
        slot.timers = TimerLedger::starting_at(timer);
        self.read_timers(slot, (timer, 0)).await?;
        self.read_visibility(slot, visibility).await
    }

    async fn read_immediate(&self, slot: &mut Slot, from: u64) -> Result<(), HistoryError> {
        let first = immediate_key(from);
        // What is stored before the scan begins is seen by it.
        let durable = slot.standing.as_ref().map_or(0, |standing| standing.tenure.durable());
        let (found, more) = self.read_tasks(slot.id, first, IMMEDIATE_TASKS_MAX / 2).await?;
        slot.immediate.move_horizon(more.map(|key| key.task_id), durable);
        for (key, task) in found {
            if slot.immediate.restore(key.task_id, task) {
                slot.unoffered.push(key.task_id);
            }
        }
        Ok(())
    }

    async fn read_timers(&self, slot: &mut Slot, from: (Time, u64)) -> Result<(), HistoryError> {
        let (fire_time, task_id) = from;
        let first = TaskKey { category: TaskCategory::Timer, fire_time, task_id };
        // What is stored before the scan begins is seen by it.
        let durable = slot.standing.as_ref().map_or(0, |standing| standing.tenure.durable());
        let (found, more) = self.read_tasks(slot.id, first, TIMERS_MAX).await?;
        slot.timers.move_horizon(more.map(|key| (key.fire_time, key.task_id)), durable);
        for (key, task) in found {
            slot.timers.add((key.fire_time, key.task_id), task);
        }
        Ok(())
    }

    async fn read_visibility(&self, slot: &mut Slot, from: u64) -> Result<(), HistoryError> {
        let category = TaskCategory::Visibility;
        let mut first = TaskKey { category, fire_time: Time::UNSET, task_id: from };
        loop {
            let records = self.scan_tasks(slot.id, first, TASK_RECORDS_MAX).await?;
            let Some((last, _)) = records.last() else { return Ok(()) };
            first.task_id = last.task_id + 1;
            for (key, record) in records {
                match record.and_then(|value| decode_visibility(slot.id, key, value)) {
                    Ok(task) => {
                        // Holds the cursor until it is with the index.
                        slot.visibility.add(key.task_id);
                        slot.unfed.push((key.task_id, task));
                    }
                    Err(damage) => report(&damage),
                }
            }
        }
    }

    /// Reads up to `most` tasks from a key on; and the key of the first that was not read.
    async fn read_tasks(
        &self,
        slot: SlotId,
        from: TaskKey,
        most: usize,
    ) -> Result<(Vec<(TaskKey, PendingTask)>, Option<TaskKey>), HistoryError> {
        let mut records = self.scan_tasks(slot, from, most + 1).await?;
        let more = if records.len() > most { records.pop().map(|(key, _)| key) } else { None };
        let mut tasks = Vec::with_capacity(records.len());
        for (key, record) in records {
            match record.and_then(|value| decode_task(slot, key, value)) {
                Ok(task) => tasks.push((key, task)),
                Err(damage) => report(&damage),
            }
        }
        Ok((tasks, more))
    }

    async fn scan_tasks(
        &self,
        slot: SlotId,
        from: TaskKey,
        records_max: usize,
    ) -> Result<Vec<(TaskKey, Result<Bytes, Damage>)>, HistoryError> {
        let first = task_key(slot, from);
        let category = first.get(..3).unwrap_or_default();
        let scan = Scan {
            table: Table::Task,
            to: prefix_end(category),
            from: first.clone(),
            reverse: false,
            records_max,
            bytes_max: TASK_BYTES_MAX,
        };
        let records = self.store.scan(scan).await?;
        let parse = |record: Record| Some((parse_key(from.category, &record.key)?, record.value));
        Ok(records.into_iter().filter_map(parse).collect())
    }

    /// Reads more timers, once those in memory are done and later ones are due.
    pub(crate) async fn refill_timers(&self, slot: &mut Slot) -> Result<(), HistoryError> {
        let mut read_from = None;
        while let Some(from) = slot.timers.wants_more(self.now()) {
            if read_from == Some(from) {
                // Its batch is on its way; the release of that arms the slot again.
                break;
            }
            read_from = Some(from);
            self.read_timers(slot, from).await?;
        }
        Ok(())
    }

    /// Reads more immediate tasks, once those in memory are mostly done.
    pub(crate) async fn refill_immediate(self: Arc<Self>, slot_id: SlotId) {
        // Where the slot cannot be locked it has forgotten the mark already.
        if let Ok(mut slot) = self.lock(slot_id).await {
            slot.refilling = false;
        }
        self.restore(slot_id).await;
    }

    /// Gives matching and the visibility index what was found in the store. True when there is more
    /// of it, and others are to have the slot in between.
    pub(crate) async fn redispatch(
        self: &Arc<Self>,
        slot: &mut Slot,
    ) -> Result<bool, HistoryError> {
        let mut read_from = None;
        loop {
            while let Some(task_id) = slot.unoffered.last().copied() {
                self.reoffer(slot, task_id).await?;
                slot.unoffered.pop();
            }
            // Tasks that were done already made room, and no commit will say so.
            let Some(from) = slot.immediate.wants_more() else { break };
            if read_from == Some(from) {
                // The caller asks again until the store has them.
                let text = "tasks are on their way to the store".to_owned();
                return Err(HistoryError::Unavailable(text));
            }
            read_from = Some(from);
            self.read_immediate(slot, from).await?;
        }
        while let Some((task_id, task)) = slot.unfed.last().cloned() {
            self.refeed(slot, task_id, &task).await?;
            slot.unfed.pop();
        }
        self.pass(slot).await
    }

    /// Acts on a page of the rows that the slot has no room for: who waits for them may be needed
    /// to make room. True when there are more.
    async fn pass(self: &Arc<Self>, slot: &mut Slot) -> Result<bool, HistoryError> {
        let Some(from) = slot.unpassed else { return Ok(false) };
        let (found, more) =
            self.read_tasks(slot.id, immediate_key(from), IMMEDIATE_TASKS_MAX).await?;
        for (key, task) in found {
            self.act_on(slot, key.task_id, task).await?;
        }
        slot.unpassed = more.map(|key| key.task_id);
        Ok(slot.unpassed.is_some())
    }

    /// Offers an unfinished task to matching again, or carries it out.
    pub(crate) async fn reoffer(
        self: &Arc<Self>,
        slot: &mut Slot,
        task_id: u64,
    ) -> Result<(), HistoryError> {
        let Some(task) = slot.immediate.get(task_id) else { return Ok(()) };
        self.act_on(slot, task_id, task).await
    }

    async fn act_on(
        self: &Arc<Self>,
        slot: &mut Slot,
        task_id: u64,
        task: PendingTask,
    ) -> Result<(), HistoryError> {
        let is_known = slot.immediate.get(task_id).is_some();
        if matches!(task.action, TaskAction::EntityWork(_)) {
            // It finds out by itself whether there is something left to do.
            self.carry_out(slot.id, task, is_known);
            return Ok(());
        }
        if matches!(task.action, TaskAction::DispatchEntityTask(_)) {
            return self.reoffer_entity_task(slot, task_id, task).await;
        }
        let found = match self.load_run(slot, task.run_id).await {
            Err(HistoryError::Damaged(damage)) => {
                report(&damage);
                false
            }
            other => other?,
        };
        let run = slot.runs.get(&task.run_id).filter(|_| found);
        match run.filter(|run| is_current(&run.head, &task.action)) {
            Some(_) if task.action.is_of_outbox() => self.carry_out(slot.id, task, is_known),
            Some(run) => {
                let routes = self.matching.routes();
                let (state, key) = (&run.head, &run.live.key);
                let offer = dispatch::offer(state, key, slot.id, task_id, &task, &routes);
                drop(routes);
                if let Some(offer) = offer {
                    self.offer(offer);
                }
            }
            None => slot.immediate.finish(task_id),
        }
        Ok(())
    }

    async fn refeed(
        self: &Arc<Self>,
        slot: &mut Slot,
        task_id: u64,
        task: &VisibilityTask,
    ) -> Result<(), HistoryError> {
        let Some(run_id) = current::run_id(&task.run_id) else {
            slot.visibility.finish(task_id);
            return Ok(());
        };
        let change = match task.deletion(run_id) {
            Some(deletion) => Some(deletion),
            None if self.load_run(slot, run_id).await? => {
                let live = slot.runs.get(&run_id).map(|run| Arc::clone(&run.live));
                live.and_then(|live| {
                    let state = live.durable()?;
                    Some(visibility::upsert(&live.key, &state))
                })
            }
            None if self.load_entity(slot, run_id).await? => slot.entity_listing(run_id),
            None => None,
        };
        let Some(change) = change else {
            slot.visibility.finish(task_id);
            return Ok(());
        };
        let place = slot.visibility.add(task_id);
        let node = Arc::clone(self);
        let feed = FeedIndex { slot: slot.id, task_id, change, place };
        self.tracker.spawn(async move { node.feed_index(feed).await });
        Ok(())
    }

    /// Puts a run into memory; false when there is no such run.
    pub(crate) async fn load_run(
        &self,
        slot: &mut Slot,
        run_id: RunId,
    ) -> Result<bool, HistoryError> {
        if slot.runs.contains_key(&run_id) {
            self.metrics.cache_hit();
            return Ok(true);
        }
        if slot.deleting.contains(&run_id) {
            return Ok(false);
        }
        let started = self.environment.clock.monotonic();
        let read = self.read_run(slot.id, run_id).await;
        let took = self.environment.clock.monotonic() - started;
        self.metrics.run_read(took, read.is_err());
        let Some(run) = read? else { return Ok(false) };
        self.metrics.cache_miss(took);
        let (weight, closed) = (run.weight(), !run.head.is_running());
        slot.runs.insert(run_id, run);
        self.note_use(slot, run_id, weight, closed);
        Ok(true)
    }

    /// Reads a run: its last snapshot, and the records since.
    async fn read_run(
        &self,
        slot: SlotId,
        run_id: RunId,
    ) -> Result<Option<CachedRun>, HistoryError> {
        let snapshot_key = run_key(slot, run_id);
        let snapshot = self.store.read(Table::Run, snapshot_key.clone()).await?;
        let snapshot_bytes = snapshot.as_ref().map_or(0, Bytes::len);
        let mut state = match snapshot {
            None => State::default(),
            Some(value) => State::decode(value)
                .map_err(|error| damage(Table::Run, &snapshot_key, &error.to_string()))?,
        };
        if state.deleted {
            return Ok(None);
        }
        let to = prefix_end(&history_prefix(slot, run_id, BRANCH));
        let next_event_id = state.next_event_id.max(1);
        let mut from = history_key(slot, run_id, BRANCH, next_event_id, state.version + 1);
        let mut delta_bytes = 0;
        let mut recent = Vec::new();
        loop {
            let scan = Scan {
                table: Table::History,
                from: from.clone(),
                to: to.clone(),
                reverse: false,
                records_max: LOAD_RECORDS_MAX,
                bytes_max: LOAD_BYTES_MAX,
            };
            let records = self.store.scan(scan).await?;
            let Some(last) = records.last() else { break };
            from = [last.key.as_ref(), &[0]].concat().into();
            for Record { key, value } in records {
                let value = value?;
                delta_bytes += key.len() + value.len();
                recent.extend(fold(&key, value, &mut state)?);
            }
        }
        let Some(key) = RunKey::of(&state).filter(|_| state.is_started()) else { return Ok(None) };
        let state = Arc::new(state);
        let live = LiveRun::new(key, Some(Arc::clone(&state)));
        live.decided(recent);
        Ok(Some(CachedRun::new(live, state, delta_bytes, snapshot_bytes)))
    }

    /// Moves a waiting workflow task off a sticky queue that nobody polls.
    pub(crate) async fn leave_sticky_queue(self: Arc<Self>, slot_id: SlotId, run_id: RunId) {
        let left = async {
            let mut slot = self.lock(slot_id).await?;
            if !self.load_run(&mut slot, run_id).await? {
                return Ok(());
            }
            let Some(run) = slot.runs.get(&run_id) else { return Ok(()) };
            let caller = Caller::server(&self.namespace_of(&run.head)?);
            let context = caller.context(&self);
            let transition = decide(&run.head, Input::LeaveStickyQueue, &context)?;
            if transition.is_empty() {
                return Ok(());
            }
            let mut commit = Commit::default();
            commit.record(&self, &mut slot, &caller, run_id, transition)?;
            commit.submit(&self, &mut slot).map(drop)
        };
        let left: Result<(), HistoryError> = left.await;
        if let Err(error) = left {
            // Its schedule-to-start timer moves the task later.
            tracing::warn!(slot = slot_id.number(), %error, "a task stays on a dead sticky queue");
        }
    }
}

/// Folds a stored record into the state, and numbers its batches.
fn fold(key: &[u8], value: Bytes, state: &mut State) -> Result<Vec<batches::Batch>, Damage> {
    let damaged = |what: &str| damage(Table::History, key, what);
    let mut version = key.get(30..38).ok_or_else(|| damaged("its key has no version"))?;
    let version = version.get_u64();
    let first_event_id = state.next_event_id.max(1);
    let record =
        TransitionRecord::decode(value.clone()).map_err(|error| damaged(&error.to_string()))?;
    TransitionRecord::fold(value, version, state).map_err(|error| damaged(&error.to_string()))?;
    Ok(batches::number_batches(first_event_id, record.batches))
}

fn immediate_key(task_id: u64) -> TaskKey {
    TaskKey { category: TaskCategory::Immediate, fire_time: Time::UNSET, task_id }
}

fn parse_key(category: TaskCategory, key: &[u8]) -> Option<TaskKey> {
    let mut rest = key.get(3..19)?;
    let fire_time = Time::from_nanos(rest.get_i64());
    Some(TaskKey { category, fire_time, task_id: rest.get_u64() })
}

fn decode_task(slot: SlotId, key: TaskKey, value: Bytes) -> Result<PendingTask, Damage> {
    let damaged = |what: &str| damage(Table::Task, &task_key(slot, key), what);
    let record = TaskRecord::decode(value).map_err(|error| damaged(&error.to_string()))?;
    let run_id =
        current::run_id(&record.run_id).ok_or_else(|| damaged("its run id is not 16 bytes"))?;
    let action = record.action.ok_or_else(|| damaged("this program does not know its action"))?;
    Ok(PendingTask { run_id, action })
}

fn decode_visibility(slot: SlotId, key: TaskKey, value: Bytes) -> Result<VisibilityTask, Damage> {
    VisibilityTask::decode(value)
        .map_err(|error| damage(Table::Task, &task_key(slot, key), &error.to_string()))
}

/// A damaged record harms what it belongs to and nothing else.
pub(crate) fn report(damage: &Damage) {
    tracing::error!(%damage, "a stored record cannot be read");
}
