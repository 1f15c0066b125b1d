//! From an entity's next state to a part of a batch.

use std::sync::Arc;

use ::entity::{EntityKey, Listing};
use ::visibility::{Change, NAMESPACE_DIVISION, Record};
use api::common::v1::Payload;
use engine::{EntityTaskRef, EntityTimerRef, EntityWorkRef, Task, TaskAction};
use model::{RunId, Span, Time};
use storage::{Table, Write, entity_key};

use super::{CachedEntity, Held, LiveEntity, Next, held, records, tasks};
use crate::{
    HistoryError,
    commit::{Commit, Outcome},
    ledger::PendingTask,
    node::Node,
    slot::Slot,
};

/// A state that is about to become durable.
#[derive(Debug)]
pub(crate) struct StoredEntity {
    live: Arc<LiveEntity>,
    version: u64,
    state: Option<Arc<dyn Held>>,
}

impl StoredEntity {
    /// Shows it, once it is durable.
    pub(crate) fn publish(self) {
        self.live.publish(self.version, self.state);
    }
}

impl Node {
    /// Commits what becomes of an entity that is in memory.
    pub(crate) async fn commit_entity(
        self: &Arc<Self>,
        slot: &mut Slot,
        instance: RunId,
        next: Next,
    ) -> Result<Outcome, HistoryError> {
        let next = match next {
            Next::Unchanged => return Ok(slot.barrier()),
            Next::Changed(state) => Some(state),
            Next::Gone => None,
        };
        let mut commit = Commit::default();
        if next.is_none()
            && let Some(key) = slot.entities.get(&instance).map(|cached| cached.live.key.clone())
            && self.has_id(slot, &key, instance).await?
        {
            let key = records::pointer_key(slot.id, &key);
            commit.write(Write::Delete { table: Table::Entity, key });
        }
        commit.record_entity(self, slot, instance, next)?;
        commit.submit(self, slot)
    }

    /// Commits the first state of an entity.
    pub(crate) fn commit_new_entity(
        self: &Arc<Self>,
        slot: &mut Slot,
        key: &EntityKey,
        instance: RunId,
        state: Arc<dyn Held>,
    ) -> Result<Outcome, HistoryError> {
        let mut commit = Commit::default();
        commit.write(records::write_pointer(slot.id, key, instance));
        slot.entity_ids.insert(key.clone(), instance);
        slot.entities.insert(instance, CachedEntity::new(key.clone(), 0, None));
        commit.record_entity(self, slot, instance, Some(state))?;
        commit.submit(self, slot)
    }
}

impl Commit {
    /// Takes an entity's next state into the batch, with the timer, the work and the listing that
    /// follow from it, and makes it the state that the next decision is made on.
    pub(crate) fn record_entity(
        &mut self,
        node: &Node,
        slot: &mut Slot,
        instance: RunId,
        next: Option<Arc<dyn Held>>,
    ) -> Result<(), HistoryError> {
        let slot_id = slot.id;
        let Some(cached) = slot.entities.get_mut(&instance) else {
            return Err(HistoryError::Unavailable("an entity left the cache".to_owned()));
        };
        let before = cached.head.take();
        let next = next.map(|state| {
            if !tasks::has_new_task(before.as_deref(), state.as_ref()) {
                return state;
            }
            let taken = node.take_at_once(&cached.live.key, instance, state.as_ref());
            taken.map_or(state, |(state, taken)| {
                self.hand_over(taken);
                state
            })
        });
        cached.head.clone_from(&next);
        cached.version += 1;
        let version = cached.version;
        let live = Arc::clone(&cached.live);
        let weight = cached.weight();
        match &next {
            Some(state) => {
                let state = state.as_ref();
                self.write(records::write_state(slot_id, &live.key, instance, version, state));
            }
            None => {
                let key = entity_key(slot_id, instance);
                self.write(Write::Delete { table: Table::Entity, key });
            }
        }
        slot.immediate.settle(instance, |action| held::is_current(next.as_deref(), action));
        slot.timers.settle(instance, |action| held::is_current(next.as_deref(), action));
        for task in new_tasks(before.as_deref(), next.as_deref()) {
            self.add_entity_task(slot, instance, &task)?;
        }
        if let Some(state) = &next
            && tasks::has_new_task(before.as_deref(), state.as_ref())
        {
            self.add_worker_task(node, slot, &live.key, instance, state.as_ref())?;
        }
        let listing = |state: &Option<Arc<dyn Held>>| state.as_ref()?.listing(&live.key);
        let (was, is) = (listing(&before), listing(&next));
        if was != is {
            let change = match is {
                Some(listing) => listed(&live.key, instance, version, listing),
                None => {
                    let namespace_id = live.key.namespace_id;
                    Change::Delete { namespace_id, run_id: instance, version }
                }
            };
            self.add_visibility(slot, instance, change)?;
        }
        node.note_use(slot, instance, weight, next.is_none());
        self.plan_entity(node, instance, next.as_deref());
        self.publish_entity(StoredEntity { live, version, state: next });
        Ok(())
    }

    fn add_entity_task(
        &mut self,
        slot: &mut Slot,
        instance: RunId,
        task: &Task,
    ) -> Result<(), HistoryError> {
        let pending = PendingTask { run_id: instance, action: task.action };
        if task.due.is_set() {
            self.add_timer(slot, task.due, pending)
        } else {
            self.add_outbox_task(slot, pending)
        }
    }

    /// Writes the task that a worker is to take, and offers it after the commit.
    fn add_worker_task(
        &mut self,
        node: &Node,
        slot: &mut Slot,
        key: &EntityKey,
        instance: RunId,
        state: &dyn Held,
    ) -> Result<(), HistoryError> {
        let Some(task) = state.task() else { return Ok(()) };
        let action = TaskAction::DispatchEntityTask(EntityTaskRef { stamp: task.stamp });
        let pending = PendingTask { run_id: instance, action };
        let slot_id = slot.id;
        let offer = |task_id| node.entity_offer(key, instance, state, slot_id, task_id);
        self.add_dispatch_task(slot, pending, offer)
    }
}

/// The tasks that a state wants and the one before did not.
fn new_tasks(before: Option<&dyn Held>, next: Option<&dyn Held>) -> Vec<Task> {
    let Some(next) = next else { return Vec::new() };
    let mut tasks = Vec::new();
    let due = next.due();
    if let Some(due) = due.filter(|_| before.and_then(Held::due) != due) {
        tasks.push(Task::at(due, TaskAction::EntityTimer(EntityTimerRef { due })));
    }
    let known = before.map(Held::outstanding).unwrap_or_default();
    for number in next.outstanding() {
        if !known.contains(&number) {
            tasks.push(Task::now(TaskAction::EntityWork(EntityWorkRef { number })));
        }
    }
    tasks
}

/// What the visibility index is told.
pub(crate) fn listed(
    key: &EntityKey,
    instance: RunId,
    version: u64,
    mut listing: Listing,
) -> Change {
    let division = Payload {
        metadata: [
            ("encoding".to_owned(), "json/plain".into()),
            ("type".to_owned(), "Keyword".into()),
        ]
        .into(),
        data: format!("\"{}\"", listing.division).into(),
        ..Payload::default()
    };
    listing.search_attributes.insert(NAMESPACE_DIVISION.to_owned(), division);
    let execution_duration = match listing.close_time {
        Time::UNSET => Span::ZERO,
        closed => closed.since(listing.start_time),
    };
    let execution_time = match listing.execution_time {
        Time::UNSET => listing.start_time,
        set => set,
    };
    Change::Upsert(Box::new(Record {
        namespace_id: key.namespace_id,
        run_id: instance,
        version,
        workflow_id: listing.workflow_id,
        workflow_type: listing.workflow_type,
        task_queue: listing.task_queue,
        status: listing.status,
        start_time: listing.start_time,
        execution_time,
        close_time: listing.close_time,
        history_length: 0,
        history_size_bytes: listing.size_bytes,
        state_transition_count: match listing.transitions {
            0 => i64::try_from(version).unwrap_or(i64::MAX),
            counted => counted,
        },
        execution_duration,
        parent: None,
        root: None,
        memo: listing.memo,
        search_attributes: listing.search_attributes,
    }))
}

impl Slot {
    /// What the visibility index is told of an entity in memory.
    pub(crate) fn entity_listing(&self, instance: RunId) -> Option<Change> {
        let cached = self.entities.get(&instance)?;
        let listing = cached.head.as_ref()?.listing(&cached.live.key)?;
        Some(listed(&cached.live.key, instance, cached.version, listing))
    }
}
