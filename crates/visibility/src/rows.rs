//! Records as rows of the table `execution`.

use api::common::v1::Memo;
use model::{NamespaceId, RunId, Span, Time};
use prost::Message as _;
use rusqlite::{Connection, Row, params};

use crate::{Error, Execution, Record, attributes, database::OPEN, page::Cursor};

/// What [`record`] reads, in its order.
pub(crate) const COLUMNS: &str = "e.run_id, e.version, e.status, e.start_time, \
    e.execution_time, e.close_time, e.history_length, e.history_size_bytes, \
    e.state_transition_count, e.execution_duration, e.workflow_id, e.workflow_type, \
    e.task_queue, e.parent_workflow_id, e.parent_run_id, e.root_workflow_id, e.root_run_id, \
    e.memo, e.search_attributes";

/// How many they are.
pub(crate) const COLUMN_COUNT: usize = 19;

const INSERT: &str = "INSERT INTO execution (namespace, scope, run_id, version, status, \
    start_time, execution_time, close_time, history_length, history_size_bytes, \
    state_transition_count, execution_duration, workflow_id, workflow_type, task_queue, \
    parent_workflow_id, parent_run_id, root_workflow_id, root_run_id, memo, search_attributes) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
    ?19, ?20, ?21)";

/// Leaves out what never changes in a run and is indexed: its ids.
const UPDATE: &str = "UPDATE execution SET scope = ?2, version = ?3, status = ?4, \
    start_time = ?5, execution_time = ?6, close_time = ?7, history_length = ?8, \
    history_size_bytes = ?9, state_transition_count = ?10, execution_duration = ?11, \
    workflow_type = ?12, task_queue = ?13, memo = ?14, search_attributes = ?15 WHERE id = ?1";

/// Leaves out every indexed column, so that SQLite leaves the indexes alone.
const UPDATE_IN_PLACE: &str = "UPDATE execution SET version = ?2, execution_time = ?3, \
    history_length = ?4, history_size_bytes = ?5, state_transition_count = ?6, \
    execution_duration = ?7, memo = ?8, search_attributes = ?9 WHERE id = ?1";

/// Where a record belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) namespace: i64,
    pub(crate) scope: i64,
}

/// Inserts a row and returns its id.
pub(crate) fn insert(
    connection: &Connection,
    place: Place,
    record: &Record,
    search_attributes: Option<&[u8]>,
) -> rusqlite::Result<i64> {
    let root = record.root.as_ref().filter(|_| !record.is_root());
    connection.prepare_cached(INSERT)?.insert(params![
        place.namespace,
        place.scope,
        record.run_id.as_bytes(),
        to_i64(record.version),
        record.status,
        record.start_time.nanos(),
        record.execution_time.nanos(),
        stored_close_time(record.close_time),
        record.history_length,
        record.history_size_bytes,
        record.state_transition_count,
        record.execution_duration.nanos(),
        record.workflow_id,
        record.workflow_type,
        record.task_queue,
        record.parent.as_ref().map(|parent| parent.workflow_id.as_str()),
        record.parent.as_ref().map(|parent| parent.run_id.as_bytes().as_slice()),
        root.map(|root| root.workflow_id.as_str()),
        root.map(|root| root.run_id.as_bytes().as_slice()),
        record.memo.as_ref().map(prost::Message::encode_to_vec),
        search_attributes,
    ])
}

/// Replaces a row, indexes included.
pub(crate) fn update(
    connection: &Connection,
    id: i64,
    scope: i64,
    record: &Record,
    search_attributes: Option<&[u8]>,
) -> rusqlite::Result<()> {
    connection.prepare_cached(UPDATE)?.execute(params![
        id,
        scope,
        to_i64(record.version),
        record.status,
        record.start_time.nanos(),
        record.execution_time.nanos(),
        stored_close_time(record.close_time),
        record.history_length,
        record.history_size_bytes,
        record.state_transition_count,
        record.execution_duration.nanos(),
        record.workflow_type,
        record.task_queue,
        record.memo.as_ref().map(prost::Message::encode_to_vec),
        search_attributes,
    ])?;
    Ok(())
}

/// Replaces a row of which scope, status, close time, type and queue stay as they are.
pub(crate) fn update_in_place(
    connection: &Connection,
    id: i64,
    record: &Record,
    search_attributes: Option<&[u8]>,
) -> rusqlite::Result<()> {
    connection.prepare_cached(UPDATE_IN_PLACE)?.execute(params![
        id,
        to_i64(record.version),
        record.execution_time.nanos(),
        record.history_length,
        record.history_size_bytes,
        record.state_transition_count,
        record.execution_duration.nanos(),
        record.memo.as_ref().map(prost::Message::encode_to_vec),
        search_attributes,
    ])?;
    Ok(())
}

/// Reads a row with [`COLUMNS`].
pub(crate) fn record(row: &Row<'_>, namespace_id: NamespaceId) -> Result<Record, Error> {
    let run_id = RunId::from_bytes(row.get(0)?);
    let workflow_id: String = row.get(10)?;
    let root = match execution(row, 15)? {
        Some(root) => root,
        None => Execution { workflow_id: workflow_id.clone(), run_id },
    };
    let memo: Option<&[u8]> = row.get_ref(17)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
    let memo = memo.map(Memo::decode).transpose()?;
    let encoded = row.get_ref(18)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
    Ok(Record {
        namespace_id,
        run_id,
        version: row.get::<_, i64>(1)?.unsigned_abs(),
        status: row.get(2)?,
        start_time: Time::from_nanos(row.get(3)?),
        execution_time: Time::from_nanos(row.get(4)?),
        close_time: close_time(row.get(5)?),
        history_length: row.get(6)?,
        history_size_bytes: row.get(7)?,
        state_transition_count: row.get(8)?,
        execution_duration: Span::from_nanos(row.get(9)?),
        workflow_id,
        workflow_type: row.get(11)?,
        task_queue: row.get(12)?,
        parent: execution(row, 13)?,
        root: Some(root),
        memo,
        search_attributes: attributes::decode(encoded)?,
    })
}

fn execution(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Execution>> {
    let workflow_id: Option<String> = row.get(first)?;
    let run_id: Option<[u8; 16]> = row.get(first + 1)?;
    Ok(workflow_id
        .zip(run_id)
        .map(|(workflow_id, run_id)| Execution { workflow_id, run_id: RunId::from_bytes(run_id) }))
}

/// The place after a record in the order of lists.
pub(crate) fn cursor(record: &Record) -> Cursor {
    Cursor {
        close_time: stored_close_time(record.close_time),
        start_time: record.start_time.nanos(),
        run_id: record.run_id,
    }
}

/// Versions beyond 63 bits do not occur; they count as the largest.
pub(crate) fn to_i64(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

pub(crate) const fn stored_close_time(time: Time) -> i64 {
    if time.is_set() { time.nanos() } else { OPEN }
}

const fn close_time(stored: i64) -> Time {
    if stored == OPEN { Time::UNSET } else { Time::from_nanos(stored) }
}
