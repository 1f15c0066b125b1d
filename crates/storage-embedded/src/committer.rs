//! The committer: the one thread that writes.

use std::{sync::Arc, thread, time::Duration};

use bytes::Bytes;
use model::SlotId;
use storage::{Cipher, CommitError, Drained, Epoch, Fences, Scan, SlotRow, StoreError, Table};

use crate::{
    Settings,
    cursors::CommittedCursors,
    directory::DataDirectory,
    engine::Engine,
    explain::explain,
    group::{Group, Job, OWNER_KEY, Waiter},
    journal,
    reseal::{ResealPage, Resealed},
    stats::add,
    store::{Availability, Shared},
};

/// How long an idle committer waits before it looks at its queue again.
const IDLE_WAIT: Duration = Duration::from_secs(3600);

/// How often a store that refuses writes looks whether it can take them again.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// A store that has refused writes for lack of space takes them again with so many bytes more than
/// the least (16 MiB), so that it does not swing.
const FREE_BYTES_HYSTERESIS: u64 = 16 * 1024 * 1024;

/// How often somebody who waits for the buffers to be written looks again.
const FLUSH_POLL: Duration = Duration::from_millis(10);

/// How long a healed engine may take to write its buffers (30 s), in steps of [`FLUSH_POLL`].
const HEAL_POLLS_MAX: u32 = 3000;

/// How long a closing store may take to write its buffers (5 s), in steps of [`FLUSH_POLL`].
const CLOSE_POLLS_MAX: u32 = 500;

pub(crate) struct Committer {
    shared: Arc<Shared>,
    directory: DataDirectory,
    settings: Settings,
    cursors: CommittedCursors,
    fences: Fences,
    trouble: Option<Trouble>,
    cipher: Option<Arc<dyn Cipher>>,
}

/// Why no writes are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// The file system is nearly full; the engine is well.
    LowSpace,
    /// A write failed. The engine takes no more until it is opened again.
    Broken,
}

impl Committer {
    /// Opens the engine and reads the fences.
    pub(crate) fn open(
        shared: Arc<Shared>,
        directory: DataDirectory,
        settings: Settings,
        cipher: Option<Arc<dyn Cipher>>,
    ) -> Result<Self, StoreError> {
        let mut committer = Self {
            shared,
            directory,
            settings,
            cursors: CommittedCursors::new(),
            fences: Fences::default(),
            trouble: None,
            cipher,
        };
        committer.open_engine().map_err(|reason| {
            let path = committer.directory.path().display();
            StoreError::Unusable(format!("data directory `{path}`: {reason}"))
        })?;
        Ok(committer)
    }

    /// Commits until the queue is closed, then closes the files.
    pub(crate) fn run(mut self) {
        loop {
            if self.trouble.is_some() {
                self.shared.queue.pause(RETRY_INTERVAL);
                self.heal();
            }
            let wait = if self.trouble.is_some() { Duration::ZERO } else { IDLE_WAIT };
            match self.shared.queue.drain(wait) {
                Drained::Group(jobs) => self.carry_out(jobs),
                Drained::Nothing => {}
                Drained::Closed => break,
            }
        }
        self.close_engine();
        let Self { shared, directory, .. } = self;
        drop(directory);
        shared.finished.send_replace(true);
    }

    fn carry_out(&mut self, jobs: Vec<Job>) {
        let (pages, jobs): (Vec<Job>, Vec<Job>) =
            jobs.into_iter().partition(|job| matches!(job, Job::Reseal(..)));
        if !jobs.is_empty() {
            self.commit(jobs);
        }
        for job in pages {
            if let Job::Reseal(page, reply) = job {
                drop(reply.send(self.reseal(&page)));
            }
        }
    }

    /// Nobody else writes meanwhile.
    fn reseal(&mut self, page: &ResealPage) -> Result<Resealed, StoreError> {
        if self.trouble.is_some() {
            return Err(self.shared.unavailable());
        }
        let written = {
            let engine = self.shared.engine.read();
            let Some(engine) = engine.as_ref() else { return Err(self.shared.unavailable()) };
            let (done, batch) = engine.reseal(page)?;
            if batch.is_empty() {
                return Ok(done);
            }
            engine.wait_for_room().and_then(|()| batch.commit()).map(|()| done)
        };
        written.map_err(|error| {
            let reason = self.reason(&error);
            self.fail(Vec::new(), &error);
            StoreError::Unavailable(reason)
        })
    }

    fn commit(&mut self, jobs: Vec<Job>) {
        if self.trouble.is_none() && self.free_bytes() < self.settings.free_bytes_min {
            let reason = format!("the disk is nearly full: less than {} MiB are free", {
                self.settings.free_bytes_min / 1024 / 1024
            });
            self.refuse(Trouble::LowSpace, reason);
        }
        if self.trouble.is_some() {
            return self.answer_without_writing(jobs);
        }
        let (waiters, outcome) = {
            let engine = self.shared.engine.read();
            let Some(engine) = engine.as_ref() else {
                drop(engine);
                return self.answer_without_writing(jobs);
            };
            let mut group = Group::new(engine, &mut self.fences, &self.shared.counters);
            for job in jobs {
                group.add(job);
            }
            group.commit(&self.cursors)
        };
        match outcome {
            Ok(()) => self.acknowledge(waiters),
            Err(error) => self.fail(waiters, &error),
        }
    }

    fn acknowledge(&self, waiters: Vec<Waiter>) {
        let mut batches = 0;
        for waiter in waiters {
            match waiter {
                Waiter::Commit { responder, .. } => {
                    batches += 1;
                    responder.respond(Ok(()));
                }
                Waiter::Claim(claim, reply) => drop(reply.send(Ok(claim))),
                Waiter::Row(slot, reply) => drop(reply.send(Ok(self.fences.row(slot)))),
                Waiter::Meta(reply) => drop(reply.send(Ok(()))),
            }
        }
        add(&self.shared.counters.batches, batches);
    }

    /// After a failed write the engine refuses every later one, and what it had buffered may still
    /// reach the journal when it is dropped. So it is opened again at once: what the journal holds
    /// then is what counts.
    fn fail(&mut self, waiters: Vec<Waiter>, error: &fjall::Error) {
        let reason = self.reason(error);
        self.refuse(Trouble::Broken, reason.clone());
        let reopened = self.reopen();
        for waiter in waiters {
            match waiter {
                Waiter::Commit { slot, seq, responder } => {
                    let out = reopened.is_ok() && self.fences.row(slot).seq < seq;
                    let reason = reason.clone();
                    add(&self.shared.counters.refused, usize::from(out));
                    // A batch that is in after a failed sync may not be on the disk yet.
                    let outcome =
                        if out { CommitError::Refused { reason } } else { CommitError::Unknown };
                    responder.respond(Err(outcome));
                }
                Waiter::Claim(_, reply) => {
                    drop(reply.send(Err(StoreError::Unavailable(reason.clone()))));
                }
                Waiter::Row(slot, reply) => drop(reply.send(self.row(slot))),
                Waiter::Meta(reply) => drop(reply.send(Err(CommitError::Unknown.into()))),
            }
        }
    }

    fn answer_without_writing(&self, jobs: Vec<Job>) {
        let reason = self.shared.refusal().unwrap_or_else(|| "the store is closed".to_owned());
        for job in jobs {
            let reason = reason.clone();
            match job {
                Job::Commit(_, responder) => {
                    add(&self.shared.counters.refused, 1);
                    responder.respond(Err(CommitError::Refused { reason }));
                }
                Job::Claim(reply) => drop(reply.send(Err(StoreError::Unavailable(reason)))),
                Job::Row(slot, reply) => drop(reply.send(self.row(slot))),
                Job::Reseal(_, reply) => {
                    drop(reply.send(Err(StoreError::Unavailable(reason))));
                }
                Job::Meta(_, reply) => {
                    drop(reply.send(Err(CommitError::Refused { reason }.into())));
                }
            }
        }
    }

    /// The committed row; the fences are those of the engine that is open.
    fn row(&self, slot: SlotId) -> Result<SlotRow, StoreError> {
        if self.shared.engine.read().is_none() {
            return Err(self.shared.unavailable());
        }
        Ok(self.fences.row(slot))
    }

    fn refuse(&mut self, trouble: Trouble, reason: String) {
        self.trouble = Some(trouble);
        self.shared.refuse(Some(reason));
    }

    /// Takes writes again if nothing stands against it.
    fn heal(&mut self) {
        let enough = self.settings.free_bytes_min.saturating_add(FREE_BYTES_HYSTERESIS);
        if self.free_bytes() < enough {
            return;
        }
        if self.trouble == Some(Trouble::Broken) {
            let healed = self.reopen().and_then(|()| self.flush(HEAL_POLLS_MAX));
            if let Err(reason) = healed {
                return self.refuse(Trouble::Broken, reason);
            }
        }
        self.trouble = None;
        self.shared.refuse(None);
    }

    fn reopen(&mut self) -> Result<(), String> {
        self.shared.availability.send_replace(Availability::Opening);
        // The engine holds its files until the last handle is gone.
        let engine = self.shared.engine.write().take();
        drop(engine);
        self.open_engine().inspect_err(|_| {
            self.shared.availability.send_replace(Availability::Gone);
        })
    }

    /// Leaves nothing in the journal that the next start would have to read again.
    fn close_engine(&self) {
        let flushed =
            self.trouble.is_none() && self.flush(CLOSE_POLLS_MAX).is_ok() && self.is_flushed();
        let engine = self.shared.engine.write().take();
        drop(engine);
        self.shared.availability.send_replace(Availability::Gone);
        if flushed {
            // A journal that stays is read again; nothing else follows from a failure here.
            drop(journal::empty(&self.directory.engine_path()));
        }
    }

    fn is_flushed(&self) -> bool {
        self.shared.engine.read().as_ref().is_some_and(Engine::is_flushed)
    }

    fn open_engine(&mut self) -> Result<(), String> {
        let path = self.directory.engine_path();
        if let Some(note) = journal::check(&path)? {
            self.shared.note_recovery(note);
        }
        let engine = Engine::open(&path, &self.settings, &self.cursors, self.cipher.clone())
            .map_err(|error| self.reason(&error))?;
        self.fences = read_fences(&engine).map_err(|error| error.to_string())?;
        for slot in SlotId::all() {
            self.cursors.set(slot, self.fences.row(slot).cursors);
        }
        *self.shared.engine.write() = Some(engine);
        self.shared.availability.send_replace(Availability::Open);
        Ok(())
    }

    /// Writes every buffer to disk anew: what a failed sync left in doubt is durable afterwards.
    fn flush(&self, polls_max: u32) -> Result<(), String> {
        let engine = self.shared.engine.read();
        let Some(engine) = engine.as_ref() else { return Err("the engine is closed".to_owned()) };
        engine.start_flush().map_err(|error| self.reason(&error))?;
        for _ in 0..polls_max {
            engine.check().map_err(|error| self.reason(&error))?;
            if engine.unflushed() == 0 {
                return Ok(());
            }
            thread::park_timeout(FLUSH_POLL);
        }
        Err("the disk takes too long to write the buffers".to_owned())
    }

    fn free_bytes(&self) -> u64 {
        // A file system that does not tell is taken at the word of its writes.
        fs4::available_space(self.directory.path()).unwrap_or(u64::MAX)
    }

    /// The engine does not say why a background write failed; a full disk is the likeliest.
    fn reason(&self, error: &fjall::Error) -> String {
        let poisoned = matches!(error, fjall::Error::Poisoned);
        if poisoned && self.free_bytes() < FREE_BYTES_HYSTERESIS {
            "the disk is full".to_owned()
        } else {
            explain(error)
        }
    }
}

fn read_fences(engine: &Engine) -> Result<Fences, StoreError> {
    let records = engine.scan(&Scan {
        table: Table::Slot,
        from: Bytes::new(),
        to: Bytes::new(),
        reverse: false,
        records_max: usize::from(model::SLOT_COUNT) + 1,
        bytes_max: usize::MAX,
    })?;
    let mut epoch = Epoch::default();
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        let Ok(number) = <[u8; 2]>::try_from(record.key.as_ref()) else { continue };
        let value = record.value?;
        match SlotId::new(u16::from_be_bytes(number)) {
            Some(slot) => rows.push((slot, SlotRow::decode(slot, &value)?)),
            None if number == OWNER_KEY => {
                let Some(any) = SlotId::new(0) else { continue };
                epoch = SlotRow::decode(any, &value)?.epoch;
            }
            None => {}
        }
    }
    Ok(Fences::new(epoch, rows))
}
