//! What a node does by itself after it has opened a store.

use std::sync::Arc;

use ::visibility::Change;
use api::enums::v1::WorkflowExecutionStatus;
use model::{SlotId, Span};
use storage::{Scan, Table, prefix_end, slot_prefix};
use visibility_query::{Condition, Predicate, SystemAttribute, Test, Value};

use crate::{HistoryError, current, node::Node, recovery::report, visibility};

/// How long the filling of the visibility index waits for a store that does not answer.
const RETRY_DELAY: Span = Span::from_millis(200);

impl Node {
    /// Picks up what an earlier server left; fills the visibility index when it is new.
    pub(crate) async fn recover(self: Arc<Self>, slots: Vec<SlotId>) {
        Arc::clone(&self).pick_up(slots).await;
        self.recovered.cancel();
    }

    async fn pick_up(self: Arc<Self>, slots: Vec<SlotId>) {
        let fill_index = !self.visibility.was_complete();
        let mut filled = true;
        let was_empty = slots.is_empty();
        for slot in slots {
            if self.stopping.is_cancelled() {
                return;
            }
            Arc::clone(&self).restore(slot).await;
            filled &= !fill_index || self.fill_index_patiently(slot).await;
        }
        let Some(any) = SlotId::new(0).filter(|_| fill_index && filled) else { return };
        if let Err(error) = self.visibility.submit(any, 0, Change::Complete).await {
            tracing::warn!(%error, "the visibility index takes no changes");
        }
        if !was_empty {
            self.count_open_runs().await;
        }
    }

    /// Tells the metrics how many runs are open. From there on each start and close counts.
    pub(crate) async fn count_open_runs(&self) {
        let open = Predicate::Condition(Condition {
            attribute: SystemAttribute::ExecutionStatus.into(),
            test: Test::In {
                values: [WorkflowExecutionStatus::Running, WorkflowExecutionStatus::Paused]
                    .map(|status| Value::Int(i64::from(status as i32)))
                    .into(),
                negated: false,
            },
        });
        let mut count = 0;
        for namespace in self.namespaces.all() {
            match self.visibility.count(namespace.id, &open).await {
                Ok(runs) => count += runs,
                Err(error) => tracing::warn!(%error, "open runs cannot be counted"),
            }
        }
        self.metrics.open_runs(count);
    }

    /// Gives the visibility index every run of a slot, however long it takes the store to answer.
    /// False when lists miss some of them all the same.
    async fn fill_index_patiently(self: &Arc<Self>, slot: SlotId) -> bool {
        loop {
            match self.fill_index(slot).await {
                Ok(()) => return true,
                Err(HistoryError::Damaged(damage)) => {
                    report(&damage);
                    return false;
                }
                Err(error) => {
                    tracing::warn!(slot = slot.number(), %error, "lists wait for the store");
                }
            }
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return false,
                () = self.environment.clock.sleep_until(self.now() + RETRY_DELAY) => {}
            }
        }
    }

    /// Gives the visibility index every run of a slot.
    async fn fill_index(self: &Arc<Self>, slot_id: SlotId) -> Result<(), HistoryError> {
        let to = prefix_end(&slot_prefix(slot_id));
        let mut from = slot_prefix(slot_id);
        loop {
            let scan = Scan {
                table: Table::History,
                from,
                to: to.clone(),
                reverse: false,
                records_max: 1,
                bytes_max: 1,
            };
            let first = self.store.scan(scan).await?.into_iter().next();
            let Some(key) = first.map(|record| record.key) else { break };
            let Some(run_prefix) = key.get(..18) else { break };
            from = prefix_end(run_prefix);
            let Some(run_id) = run_prefix.get(2..).and_then(current::run_id) else { continue };
            let change = {
                let mut slot = self.lock(slot_id).await?;
                match self.load_run(&mut slot, run_id).await {
                    Err(HistoryError::Damaged(damage)) => report(&damage),
                    other => drop(other?),
                }
                slot.runs.get(&run_id).and_then(|run| {
                    let state = run.live.durable()?;
                    Some(visibility::upsert(&run.live.key, &state))
                })
            };
            let Some(change) = change else { continue };
            self.fill_in(slot_id, change).await?;
        }
        self.fill_index_with_entities(slot_id).await
    }

    /// Gives the index a change behind which no task row stands: it moves no cursor.
    async fn fill_in(&self, slot_id: SlotId, change: Change) -> Result<(), HistoryError> {
        let change = self.typed(change);
        self.visibility.submit(slot_id, 0, change).await.map_err(|error| {
            HistoryError::Unavailable(format!("the visibility index takes no changes: {error}"))
        })?;
        Ok(())
    }

    async fn fill_index_with_entities(&self, slot_id: SlotId) -> Result<(), HistoryError> {
        let mut last = None;
        loop {
            let instances = self.scan_entities(slot_id, last).await?;
            if instances.is_empty() {
                return Ok(());
            }
            for instance in instances {
                last = Some(instance);
                let change = {
                    let mut slot = self.lock(slot_id).await?;
                    match self.load_entity(&mut slot, instance).await {
                        Err(HistoryError::Damaged(damage)) => report(&damage),
                        other => drop(other?),
                    }
                    slot.entity_listing(instance)
                };
                let Some(change) = change else { continue };
                self.fill_in(slot_id, change).await?;
            }
        }
    }
}
