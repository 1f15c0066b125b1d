//! Applies a batch of changes in one transaction.

use std::collections::HashMap;

use model::{NamespaceId, RunId};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::{
    Change, Error, Record, attributes,
    change::Submission,
    counters::{Counted, Counts},
    database,
    ids::Ids,
    purge,
    rows::{self, Place, stored_close_time, to_i64},
    tombstones::Tombstones,
};

const FIND: &str = "SELECT id, version, scope, status, close_time, workflow_type, \
    search_attributes, task_queue FROM execution WHERE run_id = ?1 AND namespace = ?2";

/// What the writer remembers between batches.
#[derive(Debug, Default)]
pub(crate) struct Applier {
    ids: Ids,
    tombstones: Tombstones,
    /// Some namespace was deleted and still has rows.
    pub(crate) purges: bool,
}

impl Applier {
    pub(crate) fn new(purges: bool) -> Self {
        Self { purges, ..Self::default() }
    }

    /// Applies all changes or none. Those that a later change of the batch makes pointless are
    /// left out: a run that starts and ends within a batch is written once.
    pub(crate) fn apply(
        &mut self,
        connection: &mut Connection,
        batch: &[Submission],
    ) -> Result<(), Error> {
        let result = self.transaction(connection, batch);
        if result.is_err() {
            self.ids.clear();
        }
        result
    }

    /// Removes some rows of deleted namespaces, whose numbers may be given out again after that.
    pub(crate) fn purge(&mut self, connection: &mut Connection) -> Result<(), Error> {
        self.ids.clear();
        self.purges = purge::step(connection)?;
        Ok(())
    }

    fn transaction(
        &mut self,
        connection: &mut Connection,
        batch: &[Submission],
    ) -> Result<(), Error> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut counts = Counts::default();
        for change in latest(batch) {
            match change {
                Change::Upsert(record) => self.upsert(&transaction, &mut counts, record)?,
                Change::Delete { namespace_id, run_id, version } => {
                    self.delete(&transaction, &mut counts, (*namespace_id, *run_id), *version)?;
                }
                Change::DeleteNamespace(namespace_id) => {
                    purge::detach(&transaction, *namespace_id)?;
                    self.ids.forget(*namespace_id);
                    self.purges = true;
                }
                Change::Complete => database::mark_complete(&transaction)?,
            }
        }
        counts.write(&transaction)?;
        transaction.commit()?;
        Ok(())
    }

    fn upsert(
        &mut self,
        transaction: &Transaction<'_>,
        counts: &mut Counts,
        record: &Record,
    ) -> Result<(), Error> {
        let namespace = self.ids.namespace(transaction, record.namespace_id)?;
        let division = attributes::division(&record.search_attributes);
        let scope = self.ids.scope(transaction, namespace, division)?;
        let encoded = attributes::encode(&record.search_attributes);
        let encoded = encoded.as_deref();
        let Some(found) = find(transaction, namespace, record.run_id)? else {
            if self.tombstones.cover(record.namespace_id, record.run_id, record.version) {
                return Ok(());
            }
            let place = Place { namespace, scope };
            let id = rows::insert(transaction, place, record, encoded)?;
            counts.add(Counted::new(scope, record));
            return self.insert_attributes(transaction, namespace, id, record);
        };
        if found.version >= to_i64(record.version) {
            return Ok(());
        }
        if found.search_attributes.as_deref() != encoded {
            delete_attributes(transaction, namespace, found.id, &found, &mut self.ids)?;
            self.insert_attributes(transaction, namespace, found.id, record)?;
        }
        let in_place = found.scope == scope
            && found.status == record.status
            && found.close_time == stored_close_time(record.close_time)
            && found.workflow_type == record.workflow_type
            && found.task_queue == record.task_queue;
        if in_place {
            rows::update_in_place(transaction, found.id, record, encoded)?;
            return Ok(());
        }
        rows::update(transaction, found.id, scope, record, encoded)?;
        counts.remove(found.counted());
        counts.add(Counted::new(scope, record));
        Ok(())
    }

    fn delete(
        &mut self,
        transaction: &Transaction<'_>,
        counts: &mut Counts,
        (namespace_id, run_id): (NamespaceId, RunId),
        version: u64,
    ) -> Result<(), Error> {
        self.tombstones.insert(namespace_id, run_id, version);
        let namespace = self.ids.namespace(transaction, namespace_id)?;
        let Some(found) = find(transaction, namespace, run_id)? else { return Ok(()) };
        if found.version > to_i64(version) {
            return Ok(());
        }
        delete_attributes(transaction, namespace, found.id, &found, &mut self.ids)?;
        transaction.prepare_cached("DELETE FROM execution WHERE id = ?1")?.execute([found.id])?;
        counts.remove(found.counted());
        Ok(())
    }

    fn insert_attributes(
        &mut self,
        transaction: &Transaction<'_>,
        namespace: i64,
        id: i64,
        record: &Record,
    ) -> Result<(), Error> {
        for (name, indexed) in attributes::indexed(&record.search_attributes) {
            let name = self.ids.name(transaction, namespace, name)?;
            indexed.insert(transaction, name, id)?;
        }
        Ok(())
    }
}

/// What the index has of a run.
struct Found {
    id: i64,
    version: i64,
    scope: i64,
    status: i32,
    close_time: i64,
    workflow_type: String,
    search_attributes: Option<Vec<u8>>,
    task_queue: String,
}

impl Found {
    fn counted(self) -> Counted {
        Counted {
            scope: self.scope,
            workflow_type: self.workflow_type,
            task_queue: self.task_queue,
            status: self.status,
        }
    }
}

fn find(
    transaction: &Transaction<'_>,
    namespace: i64,
    run_id: RunId,
) -> rusqlite::Result<Option<Found>> {
    transaction
        .prepare_cached(FIND)?
        .query_row(params![run_id.as_bytes(), namespace], |row| {
            Ok(Found {
                id: row.get(0)?,
                version: row.get(1)?,
                scope: row.get(2)?,
                status: row.get(3)?,
                close_time: row.get(4)?,
                workflow_type: row.get(5)?,
                search_attributes: row.get(6)?,
                task_queue: row.get(7)?,
            })
        })
        .optional()
}

fn delete_attributes(
    transaction: &Transaction<'_>,
    namespace: i64,
    id: i64,
    found: &Found,
    ids: &mut Ids,
) -> Result<(), Error> {
    let stored = attributes::decode(found.search_attributes.as_deref())?;
    for (name, indexed) in attributes::indexed(&stored) {
        let name = ids.name(transaction, namespace, name)?;
        indexed.delete(transaction, name, id)?;
    }
    Ok(())
}

/// The changes of a batch that no other one of the batch supersedes, in order.
fn latest(batch: &[Submission]) -> Vec<&Change> {
    let mut winners: HashMap<(NamespaceId, RunId), ((u64, bool), usize)> = HashMap::new();
    for (index, submission) in batch.iter().enumerate() {
        if let Some((key, version)) = key(&submission.change) {
            // A record as old as its run's deletion loses, in either order.
            let rank = (version, matches!(submission.change, Change::Delete { .. }));
            let winner = winners.entry(key).or_insert((rank, index));
            if rank >= winner.0 {
                *winner = (rank, index);
            }
        }
    }
    batch
        .iter()
        .enumerate()
        .filter(|(index, submission)| match key(&submission.change) {
            Some((key, _)) => winners.get(&key).is_some_and(|(_, winner)| winner == index),
            None => true,
        })
        .map(|(_, submission)| &submission.change)
        .collect()
}

const fn key(change: &Change) -> Option<((NamespaceId, RunId), u64)> {
    match change {
        Change::Upsert(record) => Some(((record.namespace_id, record.run_id), record.version)),
        Change::Delete { namespace_id, run_id, version } => {
            Some(((*namespace_id, *run_id), *version))
        }
        Change::DeleteNamespace(_) | Change::Complete => None,
    }
}
