//! Work of entities, and their timers.

use std::sync::Arc;

use ::entity::Event;
use engine::{EntityTimerRef, TaskAction};
use model::{RunId, SlotId};

use super::{
    EntityScope, Perform,
    held::{self, split, state_of},
};
use crate::{
    Destination, History, HistoryError, context::Caller, ledger::PendingTask, node::Node,
    recovery::report, slot::Slot, timer_ledger::TimerKey,
};

impl Node {
    /// Does a piece of an entity's work, or tells an entity of a closed run; true when whoever was
    /// asked for it answered. An error means that it must be tried again.
    pub(crate) async fn carry_out_for_entity(
        self: &Arc<Self>,
        slot: SlotId,
        task: &PendingTask,
    ) -> Result<bool, HistoryError> {
        let done = match task.action {
            TaskAction::EntityWork(work) => {
                self.try_entity_work(slot, task.run_id, work.number).await
            }
            _ => self.try_notify_closed(slot, task.run_id).await.map(|()| true),
        };
        let has_answered = match done {
            Err(HistoryError::Damaged(damage)) => {
                report(&damage);
                true
            }
            other => other?,
        };
        self.finish_outbound(slot, task).await?;
        Ok(has_answered)
    }

    /// Where a piece of an entity's work sends a request; none when it stays inside.
    pub(crate) async fn entity_destination(
        &self,
        slot_id: SlotId,
        instance: RunId,
        number: u64,
    ) -> Result<Option<Destination>, HistoryError> {
        let mut slot = self.lock(slot_id).await?;
        match self.load_entity(&mut slot, instance).await {
            // Told when the work is tried.
            Err(HistoryError::Damaged(_)) => return Ok(None),
            other => other?,
        };
        let cached = slot.entities.get(&instance);
        Ok(cached.and_then(|cached| cached.head.as_ref()?.destination(number, &cached.live.key)))
    }

    async fn try_entity_work(
        self: &Arc<Self>,
        slot_id: SlotId,
        instance: RunId,
        number: u64,
    ) -> Result<bool, HistoryError> {
        let work = {
            let mut slot = self.lock(slot_id).await?;
            if !self.load_entity(&mut slot, instance).await? {
                return Ok(true);
            }
            let Some(cached) = slot.entities.get(&instance) else { return Ok(true) };
            let key = cached.live.key.clone();
            let Some(namespace) = self.namespaces.by_id(key.namespace_id) else { return Ok(true) };
            let scope = EntityScope { namespace, key, instance };
            let head = cached.head.as_ref();
            head.and_then(|head| head.carry_out(Arc::clone(self), scope, number))
        };
        match work {
            Some(work) => work.await,
            None => Ok(true),
        }
    }

    /// Lets an entity go on whose time has come.
    pub(crate) async fn entity_due(
        self: &Arc<Self>,
        slot: &mut Slot,
        key: TimerKey,
        instance: RunId,
        timer: EntityTimerRef,
    ) -> Result<(), HistoryError> {
        let found = match self.load_entity(slot, instance).await {
            Err(HistoryError::Damaged(damage)) => {
                report(&damage);
                false
            }
            other => other?,
        };
        let cached = slot.entities.get(&instance).filter(|_| found);
        let head = cached.and_then(|cached| cached.head.clone());
        let Some((cached, head)) = cached.zip(head).filter(|(_, head)| {
            held::is_current(Some(head.as_ref()), &TaskAction::EntityTimer(timer))
        }) else {
            slot.timers.finish(key);
            return Ok(());
        };
        let live = Arc::clone(&cached.live);
        let Some(namespace) = self.namespaces.by_id(live.key.namespace_id) else {
            // Deleted with all that lives in it.
            slot.timers.finish(key);
            return Ok(());
        };
        let caller = Caller::server(&namespace);
        let decided = head.decide_due(&held::context(self, &caller, &live.key, instance));
        slot.timers.finish(key);
        match decided {
            Ok(next) => self.commit_entity(slot, instance, next).await.map(drop),
            Err(rejection) => {
                tracing::error!(%rejection, "the timer of an entity is refused");
                Ok(())
            }
        }
    }

    /// Finishes a task that has nothing left to do, unless its state's change did that already.
    async fn finish_outbound(
        &self,
        slot_id: SlotId,
        task: &PendingTask,
    ) -> Result<(), HistoryError> {
        let mut slot = self.lock(slot_id).await?;
        if let Some(task_id) = slot.immediate.find(task) {
            slot.immediate.finish(task_id);
        }
        Ok(())
    }
}

/// Does the work, and tells the entity what came of it; true when whoever was asked answered.
pub(super) async fn perform_and_tell<M: Perform>(
    node: Arc<Node>,
    scope: EntityScope,
    number: u64,
    work: M::Work,
) -> Result<bool, HistoryError> {
    let history = History { node: Arc::clone(&node) };
    let done = M::perform(&history, &scope, number, work).await?;
    let has_answered = M::has_answered(&done);
    let outcome = {
        let mut slot = node.lock(scope.key.slot()).await?;
        if !node.load_entity(&mut slot, scope.instance).await? {
            return Ok(has_answered);
        }
        let cached = slot.entities.get(&scope.instance);
        let Some(head) = cached.and_then(|cached| cached.head.clone()) else {
            return Ok(has_answered);
        };
        let Some(state) = state_of::<M>(head.as_ref()) else { return Ok(has_answered) };
        if !M::outstanding(state).contains(&number) {
            return Ok(has_answered);
        }
        let caller = Caller::server(&scope.namespace);
        let context = held::context(&node, &caller, &scope.key, scope.instance);
        match M::decide(Some(state), Event::Done { number, outcome: done }, &context) {
            Ok(decision) => {
                let (next, _, _) = split(Some(state), decision);
                node.commit_entity(&mut slot, scope.instance, next).await?
            }
            Err(rejection) => {
                tracing::error!(%rejection, "an entity refuses the outcome of its work");
                return Ok(has_answered);
            }
        }
    };
    outcome.wait().await?;
    Ok(has_answered)
}
