//! What deleted namespaces leave behind.
//!
//! A namespace is marked first, and refuses requests from then on. Then its entities and runs are
//! deleted, page by page, and what else belongs to it; its record goes last, so that a server that
//! dies half-way goes on where it was: every step finds what is left.

use std::{fmt::Debug, sync::Arc};

use ::entity::EntityKind;
use ::visibility::Change;
use futures_util::{StreamExt as _, future::BoxFuture, stream};
use model::{NamespaceId, RunId, SlotId, Span, Time};
use namespace::{Namespace, NamespaceError};
use storage::{Scan, Table, current_prefix, entity_pointer_prefix, prefix_end};
use visibility_query::Predicate;

use crate::{
    Execution, History, HistoryError,
    context::Caller,
    current,
    entities::{Next, pointed_at},
    node::Node,
};

/// Runs that are deleted at the same time.
const AT_ONCE_MAX: usize = 8;

/// Runs and entities that are looked for at once, and the bytes that are read of them.
const PAGE_SIZE: usize = 100;
const PAGE_BYTES_MAX: usize = 1024 * 1024;

/// How long what failed waits.
const RETRY_DELAY: Span = Span::from_secs(5);

/// What else belongs to namespaces: everything but their entities and runs, their tasks and what
/// lists show of them.
pub trait NamespaceBelongings: Send + Sync + Debug {
    /// Forgets a namespace for good; asked again after a crash.
    fn forget(&self, namespace_id: NamespaceId) -> BoxFuture<'_, Result<(), String>>;
}

impl History {
    /// Reclaims what deleted namespaces hold: now, and whenever one is deleted. Spawns a task.
    pub fn reclaim_namespaces(&self, belongings: Arc<dyn NamespaceBelongings>) {
        let node = Arc::clone(&self.node);
        self.node.tracker.spawn(node.reclaim_deleted(belongings));
    }
}

impl Node {
    async fn reclaim_deleted(self: Arc<Self>, belongings: Arc<dyn NamespaceBelongings>) {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => return,
            // Before, lists may miss some.
            () = self.recovered.cancelled() => {}
        }
        loop {
            let mut next = Time::MAX;
            for namespace in self.namespaces.deleted() {
                let done = self.reclaim(&namespace, belongings.as_ref()).await;
                if self.stopping.is_cancelled() {
                    return;
                }
                match done {
                    Ok(after) => next = next.min(after),
                    Err(error) => {
                        let namespace = &namespace.id_text;
                        tracing::warn!(%error, namespace, "a namespace is reclaimed later");
                        next = next.min(self.now() + RETRY_DELAY);
                    }
                }
            }
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                () = self.namespaces.one_was_deleted() => {}
                () = self.environment.clock.sleep_until(next), if next != Time::MAX => {}
            }
        }
    }

    /// Deletes all that a namespace holds, and then its record; says when the record may go, if
    /// that is not now.
    async fn reclaim(
        self: &Arc<Self>,
        namespace: &Arc<Namespace>,
        belongings: &dyn NamespaceBelongings,
    ) -> Result<Time, HistoryError> {
        self.delete_entities_of(namespace.id).await?;
        // What a run started meanwhile is found the next time.
        while self.delete_runs_of(namespace).await? > 0 {}
        self.matching.forget_namespace(namespace.id);
        if let Some(any) = SlotId::new(0) {
            let change = Change::DeleteNamespace(namespace.id);
            self.visibility.submit(any, 0, change).await.map_err(unavailable)?;
        }
        belongings.forget(namespace.id).await.map_err(HistoryError::Unavailable)?;
        if self.now() < namespace.delete_after {
            return Ok(namespace.delete_after);
        }
        match self.namespaces.remove(namespace.id).await {
            Ok(()) | Err(NamespaceError::NotFound(_)) => Ok(Time::MAX),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Deletes schedules, batch operations and the like.
    async fn delete_entities_of(
        self: &Arc<Self>,
        namespace_id: NamespaceId,
    ) -> Result<(), HistoryError> {
        let kinds: Vec<EntityKind> =
            (0..=u8::MAX).filter_map(|number| EntityKind::from_number(number.into())).collect();
        for slot_id in SlotId::all() {
            for kind in &kinds {
                let prefix = entity_pointer_prefix(slot_id, kind.number(), namespace_id);
                loop {
                    self.check_serving()?;
                    let found = self.page_of(Table::Entity, &prefix).await?;
                    if found.is_empty() {
                        break;
                    }
                    for value in found {
                        let Some(instance) = pointed_at(&value) else { continue };
                        self.delete_entity(slot_id, instance).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn delete_entity(
        self: &Arc<Self>,
        slot_id: SlotId,
        instance: RunId,
    ) -> Result<(), HistoryError> {
        let outcome = {
            let mut slot = self.lock(slot_id).await?;
            if !self.load_entity(&mut slot, instance).await? {
                return Ok(());
            }
            self.commit_entity(&mut slot, instance, Next::Gone).await?
        };
        outcome.wait().await
    }

    async fn delete_runs_of(
        self: &Arc<Self>,
        namespace: &Arc<Namespace>,
    ) -> Result<usize, HistoryError> {
        let listed = self.delete_listed_runs(namespace).await?;
        Ok(listed + self.delete_current_runs(namespace).await?)
    }

    /// Deletes the runs that lists show, closed ones too; says how many there were.
    async fn delete_listed_runs(
        self: &Arc<Self>,
        namespace: &Arc<Namespace>,
    ) -> Result<usize, HistoryError> {
        let mut deleted = 0;
        let mut token = Vec::new();
        loop {
            self.visibility.wait_for(self.visibility.submitted()).await.map_err(unavailable)?;
            let everything = Predicate::everything();
            let page = self
                .visibility
                .list(namespace.id, &everything, PAGE_SIZE, &token)
                .await
                .map_err(unavailable)?;
            let runs: Vec<Execution> = page
                .records
                .iter()
                .map(|record| Execution::run(record.workflow_id.clone(), record.run_id))
                .collect();
            deleted += self.delete_runs(namespace, runs).await?;
            token = page.next_page_token;
            if token.is_empty() {
                return Ok(deleted);
            }
        }
    }

    /// Deletes the latest runs of workflows that no list shows yet; says how many there were.
    async fn delete_current_runs(
        self: &Arc<Self>,
        namespace: &Arc<Namespace>,
    ) -> Result<usize, HistoryError> {
        let mut deleted = 0;
        for slot_id in SlotId::all() {
            let prefix = current_prefix(slot_id, namespace.id);
            loop {
                let found = self.page_of(Table::Current, &prefix).await?;
                let runs: Vec<Execution> =
                    found.into_iter().filter_map(current::execution).collect();
                let count = self.delete_runs(namespace, runs).await?;
                if count == 0 {
                    break;
                }
                deleted += count;
            }
        }
        Ok(deleted)
    }

    async fn delete_runs(
        self: &Arc<Self>,
        namespace: &Arc<Namespace>,
        runs: Vec<Execution>,
    ) -> Result<usize, HistoryError> {
        let deletions = stream::iter(runs).map(|execution| {
            let (history, namespace) = (History { node: Arc::clone(self) }, Arc::clone(namespace));
            async move { history.delete_for(&Caller::server(&namespace), &execution).await }
        });
        let mut deletions = deletions.buffer_unordered(AT_ONCE_MAX);
        let mut deleted = 0;
        while let Some(done) = deletions.next().await {
            match done {
                Ok(_) => deleted += 1,
                // It is gone, or is none: lists also show entities.
                Err(HistoryError::Rejected(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(deleted)
    }

    /// A few records with a prefix.
    async fn page_of(
        &self,
        table: Table,
        prefix: &[u8],
    ) -> Result<Vec<bytes::Bytes>, HistoryError> {
        let scan = Scan {
            table,
            from: bytes::Bytes::copy_from_slice(prefix),
            to: prefix_end(prefix),
            reverse: false,
            records_max: PAGE_SIZE,
            bytes_max: PAGE_BYTES_MAX,
        };
        let records = self.store.scan(scan).await?;
        Ok(records.into_iter().filter_map(|record| record.value.ok()).collect())
    }
}

fn unavailable(error: impl std::fmt::Display) -> HistoryError {
    HistoryError::Unavailable(error.to_string())
}
