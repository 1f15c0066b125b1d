//! Tasks of entities, from the state that has one to the worker that takes it.
//!
//! As a run's: where a worker waits when the state comes up, the task is taken in the same commit;
//! otherwise matching gets a reference after it.

use std::sync::Arc;

use ::entity::{EntityKey, Taken, WorkerTask};
use authz::Permit;
use engine::{EntityTaskRef, Rejection, TaskAction};
use matching::{PublishedRoutes, QueuedTask, Reservation, TaskQueueKey, TaskQueueKind};
use model::{RunId, SlotId};
use namespace::Namespace;

use super::{
    Held, Next,
    held::{self, is_current},
};
use crate::{
    Delivery, History, HistoryError, WorkerPoll,
    commit::Outcome,
    context::Caller,
    dispatch::{self, Offer, Place},
    ledger::PendingTask,
    node::{Node, SlotGuard},
    recovery::report,
    slot::Slot,
    versions,
};

/// A task that was taken in the commit that made it, for a worker that waits.
#[derive(Debug)]
pub(crate) struct TakenAtOnce {
    reservation: Reservation<Delivery>,
    delivery: Delivery,
}

impl TakenAtOnce {
    /// Hands it to its worker. Only after the commit.
    pub(crate) fn hand_over(self) {
        if self.reservation.fulfil(self.delivery).is_err() {
            tracing::debug!("a worker went away while its task was committed");
        }
    }
}

/// True when a state has a task that the one before did not have.
pub(super) fn has_new_task(before: Option<&dyn Held>, next: &dyn Held) -> bool {
    let stamp = |held: &dyn Held| held.task().map(|task| task.stamp);
    let now = stamp(next);
    now.is_some() && before.and_then(stamp) != now
}

/// Where a task waits: workers without a version of their own, or the version that its queue's
/// tasks go to.
fn place(task: &WorkerTask<'_>, key: &EntityKey, published: &PublishedRoutes) -> Place {
    let PublishedRoutes { number, routes } = published;
    let mut queue = TaskQueueKey::activity(key.namespace_id, task.task_queue);
    queue.version = routes.route(&queue, &key.id).version;
    Place {
        key: queue,
        kind: TaskQueueKind::Normal,
        order: dispatch::order(task.priority, None, task.created),
        routes: *number,
    }
}

impl Node {
    /// Lets a worker that waits take the task of a state that is about to be committed. Gives the
    /// state that is to be committed instead.
    pub(super) fn take_at_once(
        &self,
        key: &EntityKey,
        instance: RunId,
        state: &dyn Held,
    ) -> Option<(Arc<dyn Held>, TakenAtOnce)> {
        let task = state.task()?;
        let namespace = self.namespaces.by_id(key.namespace_id)?;
        let reservation = {
            let place = place(&task, key, &self.matching.routes());
            self.matching.reserve_for(&place.key, &place.order)?
        };
        let taken = Taken {
            stamp: task.stamp,
            request_id: reservation.request_id().to_owned(),
            identity: reservation.identity().to_owned(),
            deployment_version: reservation.version().map(versions::deployment_version),
        };
        let caller = Caller::server(&namespace);
        let context = held::context(self, &caller, key, instance);
        // Refused only when there is nothing to take after all; the poll goes back to its place.
        let Ok(Next::Changed(next)) = state.decide_taken(taken, &context) else { return None };
        let delivery = next.delivery(key, instance)?;
        Some((next, TakenAtOnce { reservation, delivery }))
    }

    /// The reference to an entity's task that matching gets.
    pub(super) fn entity_offer(
        &self,
        key: &EntityKey,
        instance: RunId,
        state: &dyn Held,
        slot: SlotId,
        task_id: u64,
    ) -> Option<Offer> {
        let task = state.task()?;
        let place = place(&task, key, &self.matching.routes());
        let order = place.order.clone();
        let task = QueuedTask {
            slot,
            run_id: instance,
            task_id,
            scheduled_event_id: 0,
            attempt: 0,
            stamp: task.stamp,
            order,
        };
        Some(Offer { place, task })
    }

    /// Offers an unfinished task of an entity to matching again.
    pub(crate) async fn reoffer_entity_task(
        self: &Arc<Self>,
        slot: &mut Slot,
        task_id: u64,
        task: PendingTask,
    ) -> Result<(), HistoryError> {
        let found = match self.load_entity(slot, task.run_id).await {
            Err(HistoryError::Damaged(damage)) => {
                report(&damage);
                false
            }
            other => other?,
        };
        let cached = slot.entities.get(&task.run_id).filter(|_| found);
        let head = cached.and_then(|cached| Some((cached.live.key.clone(), cached.head.clone()?)));
        match head.filter(|(_, head)| is_current(Some(head.as_ref()), &task.action)) {
            Some((key, head)) => {
                let offer = self.entity_offer(&key, task.run_id, head.as_ref(), slot.id, task_id);
                if let Some(offer) = offer {
                    self.offer(offer);
                }
            }
            None => slot.immediate.finish(task_id),
        }
        Ok(())
    }
}

impl History {
    /// True for a task in matching's backlog that belongs to an entity which is no run.
    pub fn is_of_entity(task: &QueuedTask) -> bool {
        task.scheduled_event_id == 0
    }

    /// Lets the worker that polled take an entity's task that matching had in its backlog.
    ///
    /// # Errors
    /// [`Rejection::TaskObsolete`] when the task needs no worker any more: poll on.
    pub async fn take_entity_task(
        &self,
        _permit: &Permit,
        namespace: &Arc<Namespace>,
        task: &QueuedTask,
        poll: WorkerPoll,
    ) -> Result<Delivery, HistoryError> {
        let mut guard = self.take_queued(task);
        let (delivery, outcome) = {
            let mut slot = self.lock(task.slot).await?;
            let decided = self.decide_taken(&mut slot, namespace, task, poll).await;
            guard.decided(&decided);
            decided?
        };
        outcome.wait().await?;
        Ok(delivery)
    }

    async fn decide_taken(
        &self,
        slot: &mut SlotGuard<'_>,
        namespace: &Arc<Namespace>,
        task: &QueuedTask,
        poll: WorkerPoll,
    ) -> Result<(Delivery, Outcome), HistoryError> {
        let instance = task.run_id;
        let found = self.node.load_entity(slot, instance).await?;
        let cached = slot.entities.get(&instance).filter(|_| found);
        let head = cached.and_then(|cached| Some((cached.live.key.clone(), cached.head.clone()?)));
        let Some((key, head)) = head else {
            slot.immediate.finish_dispatches(&task.scheduled());
            return Err(Rejection::TaskObsolete.into());
        };
        let taken = Taken {
            stamp: task.stamp,
            request_id: poll.request_id,
            identity: poll.identity,
            deployment_version: poll.version.as_ref().map(versions::deployment_version),
        };
        let caller = Caller::server(namespace);
        let context = held::context(&self.node, &caller, &key, instance);
        let Ok(next) = head.decide_taken(taken, &context) else {
            let action = TaskAction::DispatchEntityTask(EntityTaskRef { stamp: task.stamp });
            let stale = PendingTask { run_id: instance, action };
            // Only this one: a task with a later stamp still waits.
            if !is_current(Some(head.as_ref()), &action)
                && let Some(task_id) = slot.immediate.find(&stale)
            {
                slot.immediate.finish(task_id);
            }
            return Err(Rejection::TaskObsolete.into());
        };
        let state = match &next {
            Next::Changed(state) => state,
            Next::Unchanged => &head,
            Next::Gone => return Err(Rejection::TaskObsolete.into()),
        };
        let delivery = state.delivery(&key, instance).ok_or(Rejection::TaskObsolete)?;
        let outcome = self.node.commit_entity(slot, instance, next).await?;
        Ok((delivery, outcome))
    }
}
