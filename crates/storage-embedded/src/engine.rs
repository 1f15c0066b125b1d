//! The fjall database: how its tables are tuned, read and written.

use std::{ops::Bound, path::Path, sync::Arc, thread, time::Duration};

use bytes::Bytes;
use fjall::{
    Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode, Readable as _,
    Snapshot,
    compaction::{Leveled, filter::Factory},
    config::{BlockSizePolicy, FilterPolicy},
};
use model::NamespaceId;
use storage::{Cipher, Record, Scan, StoreError, Table, envelope};

use crate::{
    Settings,
    cursors::{CommittedCursors, DoneTaskFilters},
    explain::read_error,
};

/// Threads that write buffers to disk and rewrite tables: one each.
const WORKER_THREADS: usize = 2;

/// Full buffers of one table that may wait for the disk. fjall itself stops a writer at 4, until they
/// are written: for ever if that fails. So nobody writes beyond this.
const UNFLUSHED_MAX: usize = 2;

/// Tables of the first level that are merged into the next, which is rewritten then: half as often as
/// by fjall's own choice. While one thread merges, fjall's other does nothing but wait for it, with a
/// whole processor.
const MERGED_AT_ONCE: u8 = 8;

/// Size of a merged table, in bytes (32 MiB). The second level has as many bytes as with fjall's own
/// choice of both.
const TABLE_BYTES: u64 = 32 * 1024 * 1024;

/// Tables of the first level that may wait to be merged; fjall stops a writer at 30, likewise.
const UNMERGED_MAX: usize = 24;

/// How often a writer looks whether there is room again.
const ROOM_POLL: Duration = Duration::from_millis(5);

/// An open database.
pub(crate) struct Engine {
    database: Database,
    keyspaces: Keyspaces,
    cipher: Option<Arc<dyn Cipher>>,
}

struct Keyspaces {
    history: Keyspace,
    run: Keyspace,
    current: Keyspace,
    task: Keyspace,
    slot: Keyspace,
    meta: Keyspace,
    entity: Keyspace,
    branch: Keyspace,
}

/// Writes that become durable together.
pub(crate) struct EngineBatch {
    batch: OwnedWriteBatch,
    pub(crate) bytes: usize,
}

impl Engine {
    pub(crate) fn open(
        path: &Path,
        settings: &Settings,
        cursors: &CommittedCursors,
        cipher: Option<Arc<dyn Cipher>>,
    ) -> fjall::Result<Self> {
        let cursors = cursors.clone();
        let database = Database::builder(path)
            .cache_size(settings.cache_bytes)
            .max_journaling_size(settings.journal_bytes_max.max(64 * 1024 * 1024))
            .worker_threads(WORKER_THREADS)
            .manual_journal_persist(true)
            .with_compaction_filter_factories(Arc::new(move |table| {
                let filters: Arc<dyn Factory> = Arc::new(DoneTaskFilters(cursors.clone()));
                (table == Table::Task.name()).then_some(filters)
            }))
            .open()?;
        let open = |table: Table| database.keyspace(table.name(), || options(table, settings));
        let keyspaces = Keyspaces {
            history: open(Table::History)?,
            run: open(Table::Run)?,
            current: open(Table::Current)?,
            task: open(Table::Task)?,
            slot: open(Table::Slot)?,
            meta: open(Table::Meta)?,
            entity: open(Table::Entity)?,
            branch: open(Table::Branch)?,
        };
        Ok(Self { database, keyspaces, cipher })
    }

    pub(crate) fn cipher(&self) -> Option<&dyn Cipher> {
        self.cipher.as_deref()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.database.snapshot()
    }

    pub(crate) const fn keyspace(&self, table: Table) -> &Keyspace {
        match table {
            Table::History => &self.keyspaces.history,
            Table::Run => &self.keyspaces.run,
            Table::Current => &self.keyspaces.current,
            Table::Task => &self.keyspaces.task,
            Table::Slot => &self.keyspaces.slot,
            Table::Meta => &self.keyspaces.meta,
            Table::Entity => &self.keyspaces.entity,
            Table::Branch => &self.keyspaces.branch,
        }
    }

    pub(crate) fn read(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let found = self.keyspace(table).get(key);
        match found.map_err(|error| read_error(table, key, &error))? {
            None => Ok(None),
            Some(sealed) => {
                let sealed = Bytes::copy_from_slice(&sealed);
                Ok(envelope::open_with(self.cipher(), table, key, sealed)?)
            }
        }
    }

    pub(crate) fn scan(&self, scan: &Scan) -> Result<Vec<Record>, StoreError> {
        if scan.records_max == 0 || (!scan.to.is_empty() && scan.to <= scan.from) {
            return Ok(Vec::new());
        }
        let to = if scan.to.is_empty() { Bound::Unbounded } else { Bound::Excluded(&scan.to[..]) };
        // A snapshot sees a commit as a whole.
        let range = self
            .database
            .snapshot()
            .range::<&[u8], _>(self.keyspace(scan.table), (Bound::Included(&scan.from[..]), to));
        if scan.reverse {
            collect(scan, self.cipher(), range.rev())
        } else {
            collect(scan, self.cipher(), range)
        }
    }

    pub(crate) fn batch(&self) -> EngineBatch {
        let batch = self.database.batch().durability(Some(PersistMode::SyncData));
        EngineBatch { batch, bytes: 0 }
    }

    /// A value as it is stored.
    ///
    /// # Errors
    /// When there is no key to encrypt it with.
    pub(crate) fn sealed(
        &self,
        table: Table,
        namespace: Option<NamespaceId>,
        key: &[u8],
        value: &[u8],
    ) -> Result<Bytes, String> {
        envelope::seal_with(self.cipher(), table, namespace, key, value)
    }

    pub(crate) fn put_sealed(
        &self,
        batch: &mut EngineBatch,
        table: Table,
        key: Bytes,
        sealed: Bytes,
    ) {
        batch.bytes += key.len() + sealed.len();
        batch.batch.insert(self.keyspace(table), &key[..], &sealed[..]);
    }

    pub(crate) fn delete(&self, batch: &mut EngineBatch, table: Table, key: Bytes) {
        batch.bytes += key.len();
        batch.batch.remove(self.keyspace(table), &key[..]);
    }

    /// Waits until the engine's own threads have caught up, or fails when one of them has failed.
    pub(crate) fn wait_for_room(&self) -> fjall::Result<()> {
        let behind = |table: &Table| {
            let keyspace = self.keyspace(*table);
            keyspace.sealed_memtable_count() > UNFLUSHED_MAX
                || keyspace.l0_table_count() > UNMERGED_MAX
        };
        while Table::ALL.iter().any(behind) {
            self.check()?;
            thread::park_timeout(ROOM_POLL);
        }
        Ok(())
    }

    /// Fails once the engine has stopped taking writes because one of its own failed.
    pub(crate) fn check(&self) -> fjall::Result<()> {
        self.database.persist(PersistMode::SyncData)
    }

    /// Starts writing every buffer to disk.
    pub(crate) fn start_flush(&self) -> fjall::Result<()> {
        for table in Table::ALL {
            self.keyspace(table).rotate_memtable()?;
        }
        Ok(())
    }

    /// True if no write is in a buffer only. A buffer that can be rotated is not empty.
    pub(crate) fn is_flushed(&self) -> bool {
        let rotated = |table: &Table| self.keyspace(*table).rotate_memtable();
        Table::ALL.iter().all(|table| matches!(rotated(table), Ok(false)))
            && self.unflushed() == 0
            && self.check().is_ok()
    }

    /// Writes everything to disk and rewrites all tables, so that nothing older than what reads see
    /// is left in them. Takes as long as the data is large.
    pub(crate) fn compact(&self) -> fjall::Result<()> {
        for table in Table::ALL {
            self.keyspace(table).rotate_memtable_and_wait()?;
            self.keyspace(table).major_compact()?;
        }
        Ok(())
    }

    /// How many full buffers are not on disk yet.
    pub(crate) fn unflushed(&self) -> usize {
        Table::ALL.iter().map(|table| self.keyspace(*table).sealed_memtable_count()).sum()
    }
}

impl EngineBatch {
    pub(crate) fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Writes and syncs. After an error nothing is said about what is in the journal.
    pub(crate) fn commit(self) -> fjall::Result<()> {
        self.batch.commit()
    }
}

/// Stops at the first unreadable block: what was found before it is a page, and the next page
/// starts with the error.
fn collect(
    scan: &Scan,
    cipher: Option<&dyn Cipher>,
    range: impl Iterator<Item = fjall::Guard>,
) -> Result<Vec<Record>, StoreError> {
    let mut records: Vec<Record> = Vec::new();
    let mut bytes = 0;
    for guard in range {
        if records.len() >= scan.records_max {
            break;
        }
        let (key, sealed) = match guard.into_inner() {
            Ok((key, sealed)) => (Bytes::copy_from_slice(&key), Bytes::copy_from_slice(&sealed)),
            Err(_) if !records.is_empty() => break,
            Err(error) => {
                let key = if scan.reverse { &scan.to } else { &scan.from };
                return Err(read_error(scan.table, key, &error));
            }
        };
        let stored = sealed.len();
        let value = match envelope::open_with(cipher, scan.table, &key, sealed) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => continue,
            Err(damage) => Err(damage),
        };
        bytes += value.as_ref().map_or(stored, Bytes::len);
        records.push(Record { key, value });
        if bytes > scan.bytes_max {
            break;
        }
    }
    Ok(records)
}

/// Every commit writes to these two tables, most of it to rows that live for a moment: a small
/// buffer stays in the processor's caches, and there is little of it to write out.
fn write_buffer_bytes(table: Table, settings: &Settings) -> u64 {
    match table {
        Table::Slot => settings.write_buffer_bytes / 16,
        Table::Task => settings.write_buffer_bytes / 4,
        Table::History
        | Table::Run
        | Table::Current
        | Table::Meta
        | Table::Entity
        | Table::Branch => settings.write_buffer_bytes,
    }
}

/// Values may be encrypted, so that compression would only cost time. Tables that are scanned by
/// range have no use for filters; `current` is asked for many workflow ids that do not exist, and
/// keeps the engine's Bloom filters.
fn options(table: Table, settings: &Settings) -> KeyspaceCreateOptions {
    let merging =
        Leveled::default().with_l0_threshold(MERGED_AT_ONCE).with_table_target_size(TABLE_BYTES);
    let options = KeyspaceCreateOptions::default()
        .manual_journal_persist(true)
        .compaction_strategy(Arc::new(merging))
        .max_memtable_size(write_buffer_bytes(table, settings));
    match table {
        Table::History => options
            .filter_policy(FilterPolicy::disabled())
            .data_block_size_policy(BlockSizePolicy::all(8 * 1024)),
        Table::Task | Table::Slot | Table::Branch => {
            options.filter_policy(FilterPolicy::disabled())
        }
        Table::Run | Table::Meta => options.expect_point_read_hits(true),
        Table::Current | Table::Entity => options,
    }
}
