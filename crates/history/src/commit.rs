//! From decisions to one durable batch, and what happens after it.
//!
//! Persist, then act: everything that the world may notice of a decision waits in a [`Release`]
//! until [`commit_and_release`] has seen the store's acknowledgement.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use engine::{
    Reply, State, Task, TaskAction, TaskRecord, Transition, UpdateNotice, is_current, is_volatile,
};
use matching::{OfferRefused, PublishedRoutes};
use model::{Agenda, RunId, SlotId, Time};
use prost::Message;
use storage::{
    CommitReceipt, Cursors, Fence, SlotBatch, Table, TaskCategory, TaskKey, Write, history_key,
    run_key, task_key,
};
use tokio::sync::Notify;

use crate::{
    HistoryError, RunKey, batches, branches,
    context::Caller,
    current,
    dispatch::{self, Offer, Started},
    entities::{StoredEntity, TakenAtOnce},
    ledger::PendingTask,
    node::Node,
    queries::BufferedQuery,
    run::{CachedRun, LiveRun},
    slot::{Slot, Tenure},
    updates::{Progress, UpdateNews},
    visibility::{self, FeedIndex, VisibilityTask},
};

/// The only branch of a run's history.
pub(crate) const BRANCH: u32 = 0;

/// The decisions of one step of a slot, on their way into one batch.
///
/// Between the first [`Commit::record`] and [`Commit::submit`] nothing waits and nothing fails: the
/// slot's memory and the batch change together.
#[derive(Debug, Default)]
pub(crate) struct Commit {
    writes: Vec<Write>,
    release: Release,
    /// What the runs and entities of the step are about to do, for a clock that asks.
    pub(crate) agendas: Vec<(RunId, Agenda)>,
}

/// What happens once the batch is durable; dropped if it is not.
#[derive(Debug, Default)]
pub(crate) struct Release {
    published: Vec<(Arc<LiveRun>, Arc<State>)>,
    started: Vec<StartedOfRun>,
    offers: Vec<Offer>,
    /// Work towards other runs, to be carried out; and whether the slot knows of it.
    outbox: Vec<(PendingTask, bool)>,
    index: Vec<FeedIndex>,
    entities: Vec<StoredEntity>,
    taken: Vec<TakenAtOnce>,
    updates: Vec<UpdateNews>,
    /// Queries whose answers came with the commit.
    pub(crate) answers: Vec<(BufferedQuery, crate::QueryAnswer)>,
    /// Queries that are to ask the slot again: their run has no workflow task any more.
    released_queries: Vec<BufferedQuery>,
    next_due: Option<Time>,
}

/// A started task and the run that it belongs to.
#[derive(Debug)]
pub(crate) struct StartedOfRun {
    pub(crate) started: Started,
    pub(crate) live: Arc<LiveRun>,
    pub(crate) state: Arc<State>,
    pub(crate) queries: std::collections::BTreeMap<String, api::query::v1::WorkflowQuery>,
}

/// The outcome of a commit, for all who wait for it.
#[derive(Debug, Clone)]
pub(crate) struct Outcome(Arc<Settled>);

/// Wakes in the order of waiting, which a watch channel does not: simulations repeat.
#[derive(Debug, Default)]
struct Settled {
    result: OnceLock<Result<(), HistoryError>>,
    done: Notify,
}

/// Whoever tells the outcome; dropped before, the commit was given up.
struct Settler(Arc<Settled>);

impl Settler {
    fn settle(&self, result: Result<(), HistoryError>) {
        self.0.result.get_or_init(|| result);
        self.0.done.notify_waiters();
    }
}

impl Drop for Settler {
    fn drop(&mut self) {
        self.settle(Err(given_up()));
    }
}

fn given_up() -> HistoryError {
    HistoryError::Unavailable("the commit was given up".to_owned())
}

/// A submitted batch.
struct Pending {
    slot: SlotId,
    waits_for: WaitsFor,
    release: Release,
    outcome: Settler,
}

/// What must be durable before anything is shown.
enum WaitsFor {
    /// The batch itself.
    Batch { tenure: Arc<Tenure>, expected_seq: u64, receipt: CommitReceipt },
    /// What was submitted before: the step stores nothing of its own.
    Earlier(Outcome),
}

impl Commit {
    /// Takes a run's transition into the batch and makes it the state that the next decision is
    /// made on. Tasks that it schedules are started at once where workers wait for them.
    pub(crate) fn record(
        &mut self,
        node: &Node,
        slot: &mut Slot,
        caller: &Caller,
        run_id: RunId,
        mut transition: Transition,
    ) -> Result<Reply, HistoryError> {
        let reply = std::mem::replace(&mut transition.reply, Reply::Done);
        let new_run = transition.new_run.take();
        let server = Caller::server(&caller.namespace);
        let context = server.context(node);
        let started = dispatch::start_at_waiting_workers(
            &node.matching,
            caller.namespace_id(),
            &context,
            &mut transition,
        );
        self.record_decided(node, slot, caller, run_id, transition, started)?;
        if let Some(new_run) = new_run {
            self.record_new_run(node, slot, caller, *new_run)?;
        }
        Ok(reply)
    }

    /// Takes the first transition of a run into the batch and makes it the current run.
    pub(crate) fn record_new_run(
        &mut self,
        node: &Node,
        slot: &mut Slot,
        caller: &Caller,
        transition: Transition,
    ) -> Result<Reply, HistoryError> {
        let key = RunKey::of(&transition.state)
            .ok_or_else(|| HistoryError::Unavailable("a new run has no valid ids".to_owned()))?;
        self.writes.push(current::write(slot.id, &key.workflow, key.run_id));
        slot.currents.insert(key.workflow.clone(), key.run_id);
        let run_id = key.run_id;
        let live = LiveRun::new(key, None);
        let before = State::not_started();
        slot.runs.insert(run_id, CachedRun::new(live, before, 0, 0));
        self.record(node, slot, caller, run_id, transition)
    }

    /// Takes the first transition of a run that a reset made of `past` into the batch, and makes
    /// it the current run.
    pub(crate) fn record_branch(
        &mut self,
        node: &Node,
        slot: &mut Slot,
        caller: &Caller,
        past: State,
        transition: Transition,
    ) -> Result<Reply, HistoryError> {
        let key = RunKey::of(&transition.state)
            .ok_or_else(|| HistoryError::Unavailable("a new run has no valid ids".to_owned()))?;
        let run_id = key.run_id;
        self.writes.push(current::write(slot.id, &key.workflow, run_id));
        self.writes.extend(branches::branch_rows(slot.id, run_id, &transition.state));
        slot.currents.insert(key.workflow.clone(), run_id);
        let live = LiveRun::branch(key, transition.state.history_ancestors.clone());
        slot.runs.insert(run_id, CachedRun::branch(live, Arc::new(past)));
        self.record(node, slot, caller, run_id, transition)
    }

    fn record_decided(
        &mut self,
        node: &Node,
        slot: &mut Slot,
        caller: &Caller,
        run_id: RunId,
        transition: Transition,
        started: Vec<Started>,
    ) -> Result<(), HistoryError> {
        let slot_id = slot.id;
        let Some(run) = slot.runs.get_mut(&run_id) else {
            return Err(HistoryError::Unavailable("a run left the cache".to_owned()));
        };
        let live = Arc::clone(&run.live);
        let record = transition.record();
        let has_stored_changes = transition.has_stored_changes();
        let state = transition.state;
        let before = std::mem::replace(&mut run.head, Arc::clone(&state));
        for notice in transition.notices {
            self.release.updates.extend(news(run, notice));
        }
        if has_stored_changes {
            let first_event_id = before.next_event_id.max(1);
            let namespace = Some(live.key.workflow.namespace_id);
            let value: Bytes = record.encode_to_vec().into();
            let key = history_key(slot_id, run_id, BRANCH, first_event_id, state.version);
            if run.wants_snapshot(key.len() + value.len()) {
                let snapshot: Bytes = state.durable().encode_to_vec().into();
                run.snapshot_written(snapshot.len());
                let key = run_key(slot_id, run_id);
                self.writes.push(Write::Put { table: Table::Run, namespace, key, value: snapshot });
            }
            self.writes.push(Write::Put { table: Table::History, namespace, key, value });
            live.decided(batches::number_batches(first_event_id, record.batches));
        }
        for started in started {
            let queries = match started.task {
                dispatch::StartedTask::WorkflowTask { .. } => run.attached_queries(),
                dispatch::StartedTask::Activity(_) => Default::default(),
            };
            self.release.started.push(StartedOfRun {
                started,
                live: Arc::clone(&live),
                state: Arc::clone(&state),
                queries,
            });
        }
        if state.workflow_task.is_none() {
            self.release.released_queries.append(&mut run.queries);
        }
        let weight = run.weight();
        slot.immediate.settle(run_id, |action| is_current(&state, action));
        slot.timers.settle(run_id, |action| is_current(&state, action));
        slot.speculative.settle(run_id, |action| is_volatile(&state, action));
        let routes = node.matching.routes();
        for task in transition.tasks.iter().filter(|task| is_current(&state, &task.action)) {
            self.add_task(slot, &live.key, &state, task, &routes)?;
        }
        // A run that a reset made is new to the index and to the counters.
        let before = if before.run_id == state.run_id { before } else { State::not_started() };
        if visibility::differs(&before, &state) {
            let change = visibility::upsert(&live.key, &state);
            self.add_visibility(slot, run_id, change)?;
        }
        node.metrics.transition(&caller.namespace.name, &before, &state);
        self.plan(node, run_id, |_| engine::agenda(&state));
        node.note_use(slot, run_id, weight, !state.is_running());
        self.release.published.push((live, state));
        Ok(())
    }

    /// Writes a durable task of a run.
    fn add_task(
        &mut self,
        slot: &mut Slot,
        run: &RunKey,
        state: &State,
        task: &Task,
        routes: &PublishedRoutes,
    ) -> Result<(), HistoryError> {
        let pending = PendingTask { run_id: run.run_id, action: task.action };
        if task.action.is_of_outbox() {
            return self.add_outbox_task(slot, pending);
        }
        if is_volatile(state, &task.action) {
            if is_dispatch(&task.action) {
                let task_id = slot.take_task_id()?;
                self.offer(dispatch::offer(state, run, slot.id, task_id, &pending, routes));
            } else {
                slot.speculative.set(run.run_id, state.on_the_wall(task.due), task.action);
            }
            return Ok(());
        }
        if !is_dispatch(&task.action) {
            return self.add_timer(slot, state.on_the_wall(task.due), pending);
        }
        // A task that moves to another queue keeps its row.
        if let Some(task_id) = slot.immediate.find(&pending) {
            self.offer(dispatch::offer(state, run, slot.id, task_id, &pending, routes));
            return Ok(());
        }
        let slot_id = slot.id;
        let offer = |task_id| dispatch::offer(state, run, slot_id, task_id, &pending, routes);
        self.add_dispatch_task(slot, pending, offer)
    }

    /// Writes an immediate task; its id, and whether it found room in the slot's memory.
    fn add_immediate(
        &mut self,
        slot: &mut Slot,
        pending: PendingTask,
    ) -> Result<(u64, bool), HistoryError> {
        let task_id = slot.take_task_id()?;
        let standing = slot.standing_mut()?;
        let (seq, durable) = (standing.seq, standing.tenure.durable());
        let found_room = slot.immediate.add_new(task_id, pending, seq, durable);
        let category = TaskCategory::Immediate;
        self.put_task(slot.id, TaskKey { category, fire_time: Time::UNSET, task_id }, &pending);
        Ok((task_id, found_room))
    }

    /// Writes a durable timer.
    pub(crate) fn add_timer(
        &mut self,
        slot: &mut Slot,
        due: Time,
        pending: PendingTask,
    ) -> Result<(), HistoryError> {
        let task_id = slot.take_task_id()?;
        let fire_time = slot.timers.row_time(due);
        let standing = slot.standing_mut()?;
        let (seq, durable) = (standing.seq, standing.tenure.durable());
        slot.timers.add_new((fire_time, task_id), pending, seq, durable);
        let key = TaskKey { category: TaskCategory::Timer, fire_time, task_id };
        self.put_task(slot.id, key, &pending);
        Ok(())
    }

    /// Writes a task of the outbox.
    pub(crate) fn add_outbox_task(
        &mut self,
        slot: &mut Slot,
        pending: PendingTask,
    ) -> Result<(), HistoryError> {
        if slot.immediate.find(&pending).is_some() {
            return Ok(());
        }
        let (_, found_room) = self.add_immediate(slot, pending)?;
        self.release.outbox.push((pending, found_room));
        Ok(())
    }

    /// Shows an entity's state once it is durable.
    pub(crate) fn publish_entity(&mut self, stored: StoredEntity) {
        self.release.entities.push(stored);
    }

    /// Hands a task of an entity to its worker once the batch is durable.
    pub(crate) fn hand_over(&mut self, taken: TakenAtOnce) {
        self.release.taken.push(taken);
    }

    /// Writes a task for workers that is new, and offers it after the commit.
    pub(crate) fn add_dispatch_task(
        &mut self,
        slot: &mut Slot,
        pending: PendingTask,
        offer: impl FnOnce(u64) -> Option<Offer>,
    ) -> Result<(), HistoryError> {
        let (task_id, _) = self.add_immediate(slot, pending)?;
        self.offer(offer(task_id));
        Ok(())
    }

    /// Offers a task after the commit; a later offer of the same task replaces it.
    fn offer(&mut self, offer: Option<Offer>) {
        let Some(offer) = offer else { return };
        self.release.offers.retain(|earlier| earlier.task.task_id != offer.task.task_id);
        self.release.offers.push(offer);
    }

    /// Tasks hold ids alone, and are written again by whoever keeps the cursor moving: they are of
    /// no namespace.
    fn put_task(&mut self, slot: SlotId, key: TaskKey, pending: &PendingTask) {
        let record = TaskRecord {
            run_id: Bytes::copy_from_slice(pending.run_id.as_bytes()),
            action: Some(pending.action),
        };
        self.writes.push(Write::Put {
            table: Table::Task,
            namespace: None,
            key: task_key(slot, key),
            value: record.encode_to_vec().into(),
        });
    }

    /// Writes a task for the visibility index.
    pub(crate) fn add_visibility(
        &mut self,
        slot: &mut Slot,
        run_id: RunId,
        change: ::visibility::Change,
    ) -> Result<(), HistoryError> {
        let task_id = slot.take_task_id()?;
        let key = TaskKey { category: TaskCategory::Visibility, fire_time: Time::UNSET, task_id };
        let record = VisibilityTask::of(run_id, &change);
        self.writes.push(Write::Put {
            table: Table::Task,
            namespace: None,
            key: task_key(slot.id, key),
            value: record.encode_to_vec().into(),
        });
        let place = slot.visibility.add(task_id);
        self.release.index.push(FeedIndex { slot: slot.id, task_id, change, place });
        Ok(())
    }

    /// Adds a write that belongs to no transition.
    pub(crate) fn write(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// Answers a query once the batch is durable.
    pub(crate) fn answer(&mut self, query: BufferedQuery, answer: crate::QueryAnswer) {
        self.release.answers.push((query, answer));
    }

    /// Submits the batch. From here on the step completes, or fails as a whole, even if nobody
    /// waits for it.
    pub(crate) fn submit(
        mut self,
        node: &Arc<Node>,
        slot: &mut Slot,
    ) -> Result<Outcome, HistoryError> {
        self.tell_the_clock(node);
        if self.writes.is_empty() {
            return Ok(self.release_after_earlier(node, slot));
        }
        self.unblock_cursor(slot)?;
        let now = node.now();
        let next_task_id = slot.standing_mut()?.next_task_id;
        let cursors = Cursors {
            immediate: slot.immediate.cursor(next_task_id),
            timer: slot.timers.cursor(now),
            visibility: slot
                .visibility
                .cursor(next_task_id, || node.visibility.flushed_through(slot.id)),
        };
        self.release.next_due = slot.next_due();
        let slot_id = slot.id;
        let standing = slot.standing_mut()?;
        let expected_seq = standing.seq;
        standing.seq += 1;
        let batch = SlotBatch {
            slot: slot_id,
            expect: Fence { epoch: standing.epoch, seq: expected_seq },
            cursors,
            next_task_id,
            writes: self.writes,
        };
        let outcome = Outcome(Arc::default());
        standing.latest = Some(outcome.clone());
        let pending = Pending {
            slot: slot_id,
            waits_for: WaitsFor::Batch {
                tenure: Arc::clone(&standing.tenure),
                expected_seq,
                receipt: node.store.submit(batch),
            },
            release: self.release,
            outcome: Settler(Arc::clone(&outcome.0)),
        };
        node.tracker.spawn(commit_and_release(Arc::clone(node), pending));
        if !slot.refilling && slot.immediate.wants_more().is_some() {
            slot.refilling = true;
            node.tracker.spawn(Arc::clone(node).refill_immediate(slot_id));
        }
        Ok(outcome)
    }

    /// There is nothing to store: what the step shows waits for what it was decided on.
    fn release_after_earlier(mut self, node: &Arc<Node>, slot: &Slot) -> Outcome {
        self.release.next_due = slot.next_due();
        let outcome = Outcome(Arc::default());
        let pending = Pending {
            slot: slot.id,
            waits_for: WaitsFor::Earlier(slot.barrier()),
            release: self.release,
            outcome: Settler(Arc::clone(&outcome.0)),
        };
        node.tracker.spawn(commit_and_release(Arc::clone(node), pending));
        outcome
    }

    /// Writes the tasks again that keep the cursor from passing many finished rows.
    fn unblock_cursor(&mut self, slot: &mut Slot) -> Result<(), HistoryError> {
        if !slot.immediate.is_blocked() {
            return Ok(());
        }
        let standing = slot.standing_mut()?;
        let (seq, durable) = (standing.seq, standing.tenure.durable());
        for (old_id, pending) in slot.immediate.take_blockers() {
            let task_id = slot.take_task_id()?;
            slot.unoffered.iter_mut().filter(|id| **id == old_id).for_each(|id| *id = task_id);
            slot.immediate.add_new(task_id, pending, seq, durable);
            let category = TaskCategory::Immediate;
            let key = TaskKey { category, fire_time: Time::UNSET, task_id };
            self.put_task(slot.id, key, &pending);
        }
        Ok(())
    }
}

/// What those who wait for an update are told.
fn news(run: &mut CachedRun, notice: UpdateNotice) -> Option<UpdateNews> {
    let UpdateNotice { update_id, progress } = notice;
    match Progress::last_word(progress) {
        Some(last) => {
            run.updates.remove(&update_id).map(|handle| UpdateNews::Settled(handle, last))
        }
        None => run.updates.get(&update_id).map(|handle| UpdateNews::Accepted(handle.share())),
    }
}

fn is_dispatch(action: &TaskAction) -> bool {
    matches!(action, TaskAction::DispatchWorkflowTask(_) | TaskAction::DispatchActivity(_))
}

/// Waits for the store, and acts on its acknowledgement. The only function that shows anything of
/// a decision: it publishes states, wakes those who wait, hands tasks to workers and to matching,
/// arms timers, feeds the visibility index and lets the caller have its answer.
async fn commit_and_release(node: Arc<Node>, pending: Pending) {
    let Pending { slot, waits_for, release, outcome } = pending;
    let committed = match waits_for {
        WaitsFor::Earlier(earlier) => earlier.wait().await,
        WaitsFor::Batch { tenure, expected_seq, receipt } => {
            let submitted = node.environment.clock.monotonic();
            let answer = receipt.await;
            let took = node.environment.clock.monotonic() - submitted;
            node.metrics.committed(took, answer.is_err());
            let stored = match answer {
                Ok(()) => Ok(()),
                // Aside: it is rare, and large in a task that is small.
                Err(error) => {
                    Box::pin(node.commit_failed(slot, &tenure, expected_seq, error)).await
                }
            };
            if stored.is_ok() {
                tenure.stored(expected_seq);
            }
            stored
        }
    };
    match committed {
        Ok(()) => {
            release.act(&node, slot).await;
            outcome.settle(Ok(()));
        }
        Err(error) => {
            // Reserved polls go back to their places, buffered queries ask again.
            drop(release);
            outcome.settle(Err(error));
        }
    }
}

impl Release {
    async fn act(self, node: &Arc<Node>, slot: SlotId) {
        for (live, state) in self.published {
            live.publish(state);
        }
        for stored in self.entities {
            stored.publish();
        }
        for started in self.started {
            node.hand_over(started);
        }
        for taken in self.taken {
            taken.hand_over();
        }
        for offer in self.offers {
            node.offer(offer);
        }
        for (task, is_known) in self.outbox {
            node.carry_out(slot, task, is_known);
        }
        if let Some(due) = self.next_due {
            node.timers.arm(slot, due);
        }
        for (query, answer) in self.answers {
            query.answer(answer);
        }
        drop(self.released_queries);
        for news in self.updates {
            news.tell();
        }
        for change in self.index {
            node.feed_index(change).await;
        }
    }
}

impl Node {
    /// Offers a task to matching, and finds another way when it is refused.
    pub(crate) fn offer(self: &Arc<Self>, offer: Offer) {
        let (slot, run_id, task) = (offer.task.slot, offer.task.run_id, offer.task.scheduled());
        // Matching may name the slot before its refusal is back: noted first, struck out later.
        let refused = &self.cell(slot).refused;
        refused.lock().add(task);
        match dispatch::make_offer(&self.matching, offer) {
            Err(OfferRefused::Full) => {}
            Ok(()) => {
                refused.lock().remove(&task);
            }
            Err(OfferRefused::StickyWorkerGone) => {
                refused.lock().remove(&task);
                self.tracker.spawn(Arc::clone(self).leave_sticky_queue(slot, run_id));
            }
        }
    }
}

impl Outcome {
    /// The outcome where there was nothing to commit.
    pub(crate) fn committed() -> Self {
        Self(Arc::new(Settled { result: OnceLock::from(Ok(())), done: Notify::new() }))
    }

    /// Waits for the commit.
    pub(crate) async fn wait(self) -> Result<(), HistoryError> {
        let done = self.0.done.notified();
        tokio::pin!(done);
        // Counts from here on, not from the first poll.
        done.as_mut().enable();
        if self.0.result.get().is_none() {
            done.await;
        }
        self.0.result.get().cloned().unwrap_or_else(|| Err(given_up()))
    }
}
