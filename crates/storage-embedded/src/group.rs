//! One group commit: what goes into it, and who waits for it.

use std::{collections::BTreeMap, io};

use bytes::Bytes;
use model::SlotId;
use storage::{
    Claim, CommitError, CommitResponder, Fences, MetaError, MetaRecord, SlotBatch, SlotRow,
    StoreError, Table, Write, slot_prefix,
};
use tokio::sync::oneshot;

use crate::{
    cursors::CommittedCursors,
    engine::{Engine, EngineBatch},
    reseal::{ResealPage, Resealed},
    stats::{Counters, add},
};

/// The key of the record that holds the epoch of the last claim. No slot has this number.
pub(crate) const OWNER_KEY: [u8; 2] = [0xff, 0xff];

/// What the committer is asked to do.
#[derive(Debug)]
pub(crate) enum Job {
    Commit(SlotBatch, CommitResponder),
    Claim(oneshot::Sender<Result<Claim, StoreError>>),
    Row(SlotId, oneshot::Sender<Result<SlotRow, StoreError>>),
    Meta(MetaWrite, oneshot::Sender<Result<(), MetaError>>),
    Reseal(ResealPage, oneshot::Sender<Result<Resealed, StoreError>>),
}

/// A compare-and-set of a meta record.
#[derive(Debug)]
pub(crate) struct MetaWrite {
    pub(crate) key: Bytes,
    pub(crate) expect: u64,
    pub(crate) value: Option<Bytes>,
}

/// Who waits for the group, and for what.
#[derive(Debug)]
pub(crate) enum Waiter {
    Commit { slot: SlotId, seq: u64, responder: CommitResponder },
    Claim(Claim, oneshot::Sender<Result<Claim, StoreError>>),
    Row(SlotId, oneshot::Sender<Result<SlotRow, StoreError>>),
    Meta(oneshot::Sender<Result<(), MetaError>>),
}

/// The writes of a group and those who wait for them.
pub(crate) struct Group<'a> {
    engine: &'a Engine,
    fences: &'a mut Fences,
    counters: &'a Counters,
    batch: EngineBatch,
    rows: BTreeMap<SlotId, SlotRow>,
    meta: BTreeMap<Bytes, Option<MetaRecord>>,
    waiters: Vec<Waiter>,
}

impl<'a> Group<'a> {
    pub(crate) fn new(engine: &'a Engine, fences: &'a mut Fences, counters: &'a Counters) -> Self {
        Self {
            engine,
            fences,
            counters,
            batch: engine.batch(),
            rows: BTreeMap::new(),
            meta: BTreeMap::new(),
            waiters: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, job: Job) {
        match job {
            Job::Commit(batch, responder) => self.add_batch(batch, responder),
            Job::Claim(reply) => self.add_claim(reply),
            Job::Row(slot, reply) => self.waiters.push(Waiter::Row(slot, reply)),
            Job::Meta(write, reply) => match self.add_meta(write) {
                Ok(()) => self.waiters.push(Waiter::Meta(reply)),
                Err(error) => drop(reply.send(Err(error))),
            },
            // The committer keeps them out of groups.
            Job::Reseal(_, reply) => drop(reply),
        }
    }

    fn add_batch(&mut self, batch: SlotBatch, responder: CommitResponder) {
        let sealed = match self.sealed(&batch) {
            Ok(sealed) => sealed,
            Err(reason) => {
                add(&self.counters.refused, 1);
                return responder.respond(Err(CommitError::Refused { reason }));
            }
        };
        let row = match self.fences.admit(&batch) {
            Ok(row) => row,
            Err(error) => {
                let fenced = error == CommitError::Fenced;
                add(if fenced { &self.counters.fenced } else { &self.counters.refused }, 1);
                return responder.respond(Err(error));
            }
        };
        for (write, sealed) in batch.writes.into_iter().zip(sealed) {
            match write {
                Write::Put { table, key, .. } => {
                    self.engine.put_sealed(&mut self.batch, table, key, sealed);
                }
                Write::Delete { table, key } => self.engine.delete(&mut self.batch, table, key),
            }
        }
        self.rows.insert(batch.slot, row);
        self.waiters.push(Waiter::Commit { slot: batch.slot, seq: row.seq, responder });
    }

    /// The sealed values of a batch's writes, before anything of it is taken: all of them, or why
    /// not. A removal has an empty one.
    fn sealed(&self, batch: &SlotBatch) -> Result<Vec<Bytes>, String> {
        let seal = |write: &Write| match write {
            Write::Put { table, namespace, key, value } => {
                self.engine.sealed(*table, *namespace, key, value)
            }
            Write::Delete { .. } => Ok(Bytes::new()),
        };
        batch.writes.iter().map(seal).collect()
    }

    fn put(&mut self, table: Table, key: Bytes, value: &[u8]) -> Result<(), String> {
        let sealed = self.engine.sealed(table, None, &key, value)?;
        self.engine.put_sealed(&mut self.batch, table, key, sealed);
        Ok(())
    }

    fn add_claim(&mut self, reply: oneshot::Sender<Result<Claim, StoreError>>) {
        let claim = self.fences.claim(self.fences.next_epoch());
        let row = SlotRow { epoch: claim.epoch, ..SlotRow::default() };
        let key = Bytes::from_static(&OWNER_KEY);
        match self.put(Table::Slot, key, &row.encode()) {
            Ok(()) => self.waiters.push(Waiter::Claim(claim, reply)),
            Err(reason) => drop(reply.send(Err(StoreError::Unavailable(reason)))),
        }
    }

    fn add_meta(&mut self, write: MetaWrite) -> Result<(), MetaError> {
        let found = match self.meta.get(&write.key) {
            Some(written) => written.clone(),
            None => read_meta(self.engine, &write.key)?,
        };
        let next = MetaRecord::next(found.as_ref(), write.expect, write.value)?;
        match &next {
            Some(record) => {
                self.put(Table::Meta, write.key.clone(), &record.encode())
                    .map_err(|reason| CommitError::Refused { reason })?;
            }
            None => self.engine.delete(&mut self.batch, Table::Meta, write.key.clone()),
        }
        self.meta.insert(write.key, next);
        Ok(())
    }

    /// Writes and syncs the group. The waiters come back either way; after an error the fences are
    /// ahead of what is stored.
    pub(crate) fn commit(mut self, cursors: &CommittedCursors) -> (Vec<Waiter>, fjall::Result<()>) {
        let rows: Vec<_> =
            self.rows.iter().map(|(slot, row)| (slot_prefix(*slot), row.encode())).collect();
        for (key, row) in rows {
            if let Err(reason) = self.put(Table::Slot, key, &row) {
                add(&self.counters.failures, 1);
                return (self.waiters, Err(fjall::Error::Io(io::Error::other(reason))));
            }
        }
        if self.batch.is_empty() {
            return (self.waiters, Ok(()));
        }
        let bytes = self.batch.bytes;
        let outcome = self.engine.wait_for_room().and_then(|()| self.batch.commit());
        if outcome.is_ok() {
            add(&self.counters.commits, 1);
            add(&self.counters.fsyncs, 1);
            add(&self.counters.bytes_written, bytes);
            for (slot, row) in &self.rows {
                cursors.set(*slot, row.cursors);
            }
        } else {
            add(&self.counters.failures, 1);
        }
        (self.waiters, outcome)
    }
}

pub(crate) fn read_meta(engine: &Engine, key: &Bytes) -> Result<Option<MetaRecord>, StoreError> {
    let Some(value) = engine.read(Table::Meta, key)? else { return Ok(None) };
    Ok(Some(MetaRecord::decode(key, value)?))
}
