//! The SQLite file: its tables, its settings and how it is opened.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::{Error, sort};

/// Kept in the file's `user_version`. Raise it with every change of the tables or of what is
/// derived from search attributes: files of other formats are deleted and rebuilt.
pub(crate) const FORMAT: i32 = 4;

/// The file's `application_id` once the index holds all runs.
const COMPLETE: i32 = 0x4c54;

/// What `close_time` holds while a run is open, so that open runs come first in descending order.
pub(crate) const OPEN: i64 = i64::MAX;

/// The page cache of the writing connection, in KiB.
const WRITER_CACHE_KIB: i64 = 32 * 1024;

/// The page cache of each reading connection, in KiB.
const READER_CACHE_KIB: i64 = 8 * 1024;

/// How much of the write-ahead log is kept when it restarts, in bytes.
const LOG_BYTES_KEPT: i64 = 32 * 1024 * 1024;

/// Prepared statements per connection: the writer has about twenty, readers see many filters.
const STATEMENTS_CACHED: usize = 64;

/// `scope` is a namespace with a division: one small integer in front of every ordered index.
/// `execution.close_time` is [`OPEN`] for open runs. `attribute` has a row per value of a search
/// attribute; the members of a KeywordList have a row each. A Text has a row in `text` and its words
/// in `text_words`, under the same id.
const TABLES: &str = "
    CREATE TABLE namespace (id INTEGER PRIMARY KEY, uuid BLOB UNIQUE);
    CREATE TABLE scope (
        id INTEGER PRIMARY KEY,
        namespace INTEGER NOT NULL,
        division TEXT NOT NULL,
        UNIQUE (namespace, division)
    );
    CREATE TABLE run_count (
        scope INTEGER NOT NULL,
        workflow_type TEXT NOT NULL,
        task_queue TEXT NOT NULL,
        status INTEGER NOT NULL,
        runs INTEGER NOT NULL,
        PRIMARY KEY (scope, workflow_type, task_queue, status)
    ) WITHOUT ROWID;
    CREATE TABLE execution (
        id INTEGER PRIMARY KEY,
        namespace INTEGER NOT NULL,
        scope INTEGER NOT NULL,
        run_id BLOB NOT NULL,
        version INTEGER NOT NULL,
        status INTEGER NOT NULL,
        start_time INTEGER NOT NULL,
        execution_time INTEGER NOT NULL,
        close_time INTEGER NOT NULL,
        history_length INTEGER NOT NULL,
        history_size_bytes INTEGER NOT NULL,
        state_transition_count INTEGER NOT NULL,
        execution_duration INTEGER NOT NULL,
        workflow_id TEXT NOT NULL,
        workflow_type TEXT NOT NULL,
        task_queue TEXT NOT NULL,
        parent_workflow_id TEXT,
        parent_run_id BLOB,
        root_workflow_id TEXT,
        root_run_id BLOB,
        memo BLOB,
        search_attributes BLOB
    );
    CREATE UNIQUE INDEX execution_run ON execution (run_id, namespace);
    CREATE INDEX execution_order
        ON execution (scope, close_time DESC, start_time DESC, run_id, status);
    CREATE INDEX execution_status
        ON execution (scope, status, close_time DESC, start_time DESC, run_id);
    CREATE INDEX execution_type
        ON execution (scope, workflow_type, close_time DESC, start_time DESC, run_id, status);
    CREATE INDEX execution_queue
        ON execution (scope, task_queue, close_time DESC, start_time DESC, run_id, status);
    CREATE INDEX execution_start ON execution (scope, start_time DESC, run_id, status);
    CREATE INDEX execution_workflow ON execution (scope, workflow_id);
    CREATE INDEX execution_parent ON execution (parent_workflow_id)
        WHERE parent_workflow_id IS NOT NULL;
    CREATE INDEX execution_root ON execution (root_workflow_id)
        WHERE root_workflow_id IS NOT NULL;
    CREATE TABLE attribute_name (
        id INTEGER PRIMARY KEY,
        namespace INTEGER NOT NULL,
        name TEXT NOT NULL,
        UNIQUE (namespace, name)
    );
    CREATE TABLE attribute (
        name INTEGER NOT NULL,
        value NOT NULL,
        execution INTEGER NOT NULL,
        PRIMARY KEY (name, value, execution)
    ) WITHOUT ROWID;
    CREATE TABLE text (
        id INTEGER PRIMARY KEY,
        name INTEGER NOT NULL,
        execution INTEGER NOT NULL,
        UNIQUE (name, execution)
    );
    CREATE VIRTUAL TABLE text_words
        USING fts5(words, content = '', contentless_delete = 1, tokenize = 'unicode61');
";

/// What the query planner assumes, as `ANALYZE` would find it in a large index: rows, and rows per
/// value of the first columns. The order index is the one to walk when no other fits: its rows lie
/// in the table nearly as in the index. Without statistics it is walked for a workflow id, too.
/// Never analysed for real, so that plans stay what they are tested to be.
const STATISTICS: &str = "
    ANALYZE sqlite_schema;
    INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
        ('execution', 'execution_run', '1000000 1 1'),
        ('execution', 'execution_order', '1000000 190000 5 1 1 1'),
        ('execution', 'execution_status', '1000000 200000 40000 5 1 1'),
        ('execution', 'execution_type', '1000000 200000 20000 5 1 1 1'),
        ('execution', 'execution_queue', '1000000 200000 20000 5 1 1 1'),
        ('execution', 'execution_start', '1000000 200000 2 1 1'),
        ('execution', 'execution_workflow', '1000000 200000 2'),
        ('execution', 'execution_parent', '100000 10'),
        ('execution', 'execution_root', '100000 20'),
        ('attribute', 'sqlite_autoindex_attribute_1', '5000000 200000 200 1'),
        ('text', 'sqlite_autoindex_text_1', '1000000 200000 1'),
        ('namespace', 'sqlite_autoindex_namespace_1', '100 1'),
        ('scope', 'sqlite_autoindex_scope_1', '200 2 1'),
        ('attribute_name', 'sqlite_autoindex_attribute_name_1', '1000 10 1');
";

/// Opens the file for writing and makes the tables if it is new.
pub(crate) fn open_file(path: &Path) -> Result<Connection, Error> {
    let opened = Connection::open(path).map_err(Error::from).and_then(|connection| {
        // The order matters: auto_vacuum and page_size only take effect before the first table.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        // The writer checkpoints by itself, because only then it knows what is durable.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
        connection.pragma_update(None, "locking_mode", "NORMAL")?;
        prepare(&connection, WRITER_CACHE_KIB, path)?;
        Ok(connection)
    });
    opened.map_err(|error| damaged(error, path))
}

/// Opens the file for reading.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    settings(&connection, READER_CACHE_KIB)?;
    Ok(connection)
}

/// A database that lives as long as its connection.
pub(crate) fn open_memory() -> Result<Connection, Error> {
    let connection = Connection::open_in_memory()?;
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    prepare(&connection, WRITER_CACHE_KIB, Path::new(":memory:"))?;
    Ok(connection)
}

/// Notes that the index holds all runs; part of the transaction.
pub(crate) fn mark_complete(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", COMPLETE)
}

/// Whether the index ever held all runs.
pub(crate) fn is_complete(connection: &Connection) -> rusqlite::Result<bool> {
    let found: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok(found == COMPLETE)
}

fn settings(connection: &Connection, cache_kib: i64) -> Result<(), Error> {
    // A negative size is in KiB.
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    sort::add_functions(connection)?;
    Ok(())
}

fn prepare(connection: &Connection, cache_kib: i64, path: &Path) -> Result<(), Error> {
    settings(connection, cache_kib)?;
    let found: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        connection.execute_batch(&format!(
            "BEGIN; {TABLES} {STATISTICS} PRAGMA user_version = {FORMAT}; COMMIT;"
        ))?;
        // The planner reads them when it reads the tables.
        connection.execute_batch("ANALYZE sqlite_schema")?;
        return Ok(());
    }
    if found == FORMAT {
        return Ok(());
    }
    Err(Error::Format { path: path.to_owned(), found, expected: FORMAT })
}

fn damaged(error: Error, path: &Path) -> Error {
    match error {
        Error::Sqlite(source)
            if matches!(
                source.sqlite_error_code(),
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
            ) =>
        {
            Error::Damaged { path: path.to_owned(), source }
        }
        other => other,
    }
}
