//! Histories that share their past.
//!
//! A run that a reset made keeps only its own events in its records; those before are in the
//! records of the runs it comes from, its *ancestors*. Every ancestor has a row for it in the
//! branch table. A deleted run whose records others still need leaves those behind, and in place
//! of its snapshot a mark; they go with the last of the others. All of it is in one slot, because
//! it is one workflow.

use std::{str::FromStr, sync::Arc};

use engine::{HistoryAncestor, State};
use model::{NamespaceId, RunId, SlotId};
use prost::Message;
use storage::{Record, Scan, Table, Write, branch_key, damage, prefix_end, run_key};

use crate::{HistoryError, commit::Commit, node::Node};

/// Most runs that share the records of one: so many rows are read at once.
const BRANCHES_MAX: usize = 10_000;

/// Bytes of those rows (1 MiB).
const BRANCHES_BYTES_MAX: usize = 1024 * 1024;

/// A row of the branch table. Tags are part of the stored format.
#[derive(Clone, Copy, PartialEq, Message)]
struct BranchRecord {
    /// The first event that the other run does not need.
    #[prost(int64, tag = "1")]
    end_event_id: i64,
}

/// Consecutive events in the records of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// Whose records.
    pub(crate) tree: RunId,
    /// The first event.
    pub(crate) from: i64,
    /// The first event after them.
    pub(crate) to: i64,
}

/// Where the events from `from` up to, not including, `to` of a run stand, in order.
pub(crate) fn parts(ancestors: &[HistoryAncestor], run_id: RunId, from: i64, to: i64) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut begin = 1;
    let trees = ancestors.iter().filter_map(|ancestor| {
        Some((RunId::from_str(&ancestor.run_id).ok()?, ancestor.end_event_id))
    });
    for (tree, end) in trees.chain([(run_id, i64::MAX)]) {
        let part = Part { tree, from: from.max(begin), to: to.min(end) };
        if part.from < part.to {
            parts.push(part);
        }
        begin = end;
    }
    parts
}

/// The ancestors of a run that a reset makes of `base` at an event.
pub(crate) fn ancestors_of_branch(base: &State, end_event_id: i64) -> Vec<HistoryAncestor> {
    let mut ancestors: Vec<HistoryAncestor> = Vec::new();
    let own = HistoryAncestor { run_id: base.run_id.clone(), end_event_id };
    for ancestor in base.history_ancestors.iter().chain([&own]) {
        let end_event_id = ancestor.end_event_id.min(end_event_id);
        ancestors.push(HistoryAncestor { end_event_id, ..ancestor.clone() });
        if end_event_id < ancestor.end_event_id {
            break;
        }
    }
    // A reset to where the base itself began needs nothing of the base's own.
    ancestors.dedup_by_key(|ancestor| ancestor.end_event_id);
    ancestors
}

/// The rows that keep the records of a run's ancestors.
pub(crate) fn branch_rows(slot: SlotId, run_id: RunId, state: &State) -> Vec<Write> {
    let rows = state.history_ancestors.iter().filter_map(|ancestor| {
        let tree = RunId::from_str(&ancestor.run_id).ok()?;
        let record = BranchRecord { end_event_id: ancestor.end_event_id };
        Some(Write::Put {
            table: Table::Branch,
            namespace: NamespaceId::from_str(&state.namespace_id).ok(),
            key: branch_key(slot, tree, run_id),
            value: record.encode_to_vec().into(),
        })
    });
    rows.collect()
}

/// What stands in place of the snapshot of a deleted run whose records others need, or that has
/// ancestors to let go of.
pub(crate) fn mark(slot: SlotId, run_id: RunId, state: &State) -> Write {
    let mark = State {
        deleted: true,
        history_ancestors: state.history_ancestors.clone(),
        ..State::default()
    };
    Write::Put {
        table: Table::Run,
        namespace: NamespaceId::from_str(&state.namespace_id).ok(),
        key: run_key(slot, run_id),
        value: mark.encode_to_vec().into(),
    }
}

impl Node {
    /// The first event of a run that no other needs: 0 when none needs any.
    pub(crate) async fn needed_before(
        &self,
        slot: SlotId,
        tree: RunId,
    ) -> Result<i64, HistoryError> {
        let prefix = run_key(slot, tree);
        let scan = Scan {
            table: Table::Branch,
            to: prefix_end(&prefix),
            from: prefix,
            reverse: false,
            records_max: BRANCHES_MAX,
            bytes_max: BRANCHES_BYTES_MAX,
        };
        let mut needed = 0;
        for Record { key, value } in self.store.scan(scan).await? {
            let record = BranchRecord::decode(value?)
                .map_err(|error| damage(Table::Branch, &key, &error.to_string()))?;
            needed = needed.max(record.end_event_id);
        }
        Ok(needed)
    }

    /// The mark that a deletion left of a run, if one did.
    pub(crate) async fn mark_of(
        &self,
        slot: SlotId,
        run_id: RunId,
    ) -> Result<Option<State>, HistoryError> {
        let key = run_key(slot, run_id);
        let Some(value) = self.store.read(Table::Run, key.clone()).await? else { return Ok(None) };
        let state =
            State::decode(value).map_err(|error| damage(Table::Run, &key, &error.to_string()))?;
        Ok(Some(state).filter(|state| state.deleted))
    }

    /// Lets go of the ancestors of a deleted run, the mark last: whatever stops half-way, the next
    /// attempt finds it. Ancestors that were kept for this run alone go too.
    pub(crate) async fn release_ancestors(
        self: &Arc<Self>,
        slot_id: SlotId,
        run_id: RunId,
    ) -> Result<(), HistoryError> {
        let Some(mark) = self.mark_of(slot_id, run_id).await? else { return Ok(()) };
        for ancestor in &mark.history_ancestors {
            let Ok(tree) = RunId::from_str(&ancestor.run_id) else { continue };
            let key = branch_key(slot_id, tree, run_id);
            self.write_alone(slot_id, Write::Delete { table: Table::Branch, key }).await?;
            if self.mark_of(slot_id, tree).await?.is_some() {
                Box::pin(self.delete_run(slot_id, tree)).await?;
            }
        }
        if self.needed_before(slot_id, run_id).await? > 0 {
            return Ok(());
        }
        let key = run_key(slot_id, run_id);
        self.write_alone(slot_id, Write::Delete { table: Table::Run, key }).await
    }

    async fn write_alone(
        self: &Arc<Self>,
        slot_id: SlotId,
        write: Write,
    ) -> Result<(), HistoryError> {
        let outcome = {
            let mut slot = self.lock(slot_id).await?;
            let mut commit = Commit::default();
            commit.write(write);
            commit.submit(self, &mut slot)?
        };
        outcome.wait().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: u8) -> RunId {
        RunId::from_bytes([number; 16])
    }

    fn ancestor(number: u8, end_event_id: i64) -> HistoryAncestor {
        HistoryAncestor { run_id: run(number).to_string(), end_event_id }
    }

    fn base(number: u8, history_ancestors: Vec<HistoryAncestor>) -> State {
        State { run_id: run(number).to_string(), history_ancestors, ..State::default() }
    }

    #[test]
    fn events_are_looked_for_where_they_were_written() {
        let ancestors = [ancestor(1, 5), ancestor(2, 9)];
        let part = |number, from, to| Part { tree: run(number), from, to };
        assert_eq!(
            parts(&ancestors, run(3), 1, 20),
            [part(1, 1, 5), part(2, 5, 9), part(3, 9, 20)]
        );
        assert_eq!(parts(&ancestors, run(3), 4, 6), [part(1, 4, 5), part(2, 5, 6)]);
        assert_eq!(parts(&ancestors, run(3), 9, 12), [part(3, 9, 12)]);
        assert_eq!(parts(&ancestors, run(3), 12, 12), []);
        assert_eq!(parts(&[], run(3), 0, 4), [part(3, 1, 4)]);
    }

    #[test]
    fn a_branch_of_a_branch_needs_what_comes_before_it_only() {
        let base = base(3, vec![ancestor(1, 5), ancestor(2, 9)]);
        assert_eq!(ancestors_of_branch(&base, 4), [ancestor(1, 4)]);
        assert_eq!(ancestors_of_branch(&base, 5), [ancestor(1, 5)]);
        assert_eq!(ancestors_of_branch(&base, 7), [ancestor(1, 5), ancestor(2, 7)]);
        assert_eq!(
            ancestors_of_branch(&base, 12),
            [ancestor(1, 5), ancestor(2, 9), ancestor(3, 12)]
        );
    }
}
