//! Lists and counts.

use model::NamespaceId;
use rusqlite::{Connection, params, params_from_iter};
use visibility_query::{Attribute, Predicate, SystemAttribute, Value};

use crate::{
    Error,
    compile::Sql,
    page::{Cursor, PAGE_SIZE_MAX, Page},
    rows::{COLUMNS, cursor, record},
};

/// The attributes by which runs are counted as they are written.
const COUNTED: [SystemAttribute; 2] =
    [SystemAttribute::ExecutionStatus, SystemAttribute::TemporalNamespaceDivision];

pub(crate) fn list(
    connection: &Connection,
    namespace_id: NamespaceId,
    filter: &Predicate,
    page_size: usize,
    page_token: &[u8],
) -> Result<Page, Error> {
    let from = Cursor::from_token(page_token)?;
    let page_size = if page_size == 0 { PAGE_SIZE_MAX } else { page_size.min(PAGE_SIZE_MAX) };
    let mut sql =
        Sql { text: format!("SELECT {COLUMNS} FROM execution e WHERE "), ..Sql::default() };
    sql.push_filter(namespace_id, filter)?;
    if let Some(from) = from {
        let close_time = sql.bind(from.close_time);
        let start_time = sql.bind(from.start_time);
        let run_id = sql.bind(from.run_id.as_bytes().to_vec());
        sql.text.push_str(&format!(
            " AND (e.close_time, e.start_time) <= ({close_time}, {start_time}) \
             AND (e.close_time <> {close_time} OR e.start_time <> {start_time} \
             OR e.run_id > {run_id})"
        ));
    }
    // One more than the page has tells whether another page follows.
    let limit = sql.bind(i64::try_from(page_size + 1).unwrap_or(i64::MAX));
    sql.text.push_str(&format!(
        " ORDER BY e.close_time DESC, e.start_time DESC, e.run_id LIMIT {limit}"
    ));
    let mut statement = connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.parameters))?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record(row, namespace_id)?);
    }
    let more = records.len() > page_size;
    records.truncate(page_size);
    let next_page_token = match records.last() {
        Some(last) if more => cursor(last).to_token(),
        _ => Vec::new(),
    };
    Ok(Page { records, next_page_token })
}

pub(crate) fn count(
    connection: &Connection,
    namespace_id: NamespaceId,
    filter: &Predicate,
) -> Result<u64, Error> {
    if filter.mentions_only(&COUNTED) {
        let counters = counters(connection, namespace_id, filter)?;
        return Ok(counters.iter().map(|counter| counter.runs).sum());
    }
    let mut sql =
        Sql { text: "SELECT count(*) FROM execution e WHERE ".to_owned(), ..Sql::default() };
    sql.push_filter(namespace_id, filter)?;
    let mut statement = connection.prepare_cached(&sql.text)?;
    let runs: i64 = statement.query_row(params_from_iter(&sql.parameters), |row| row.get(0))?;
    Ok(runs.unsigned_abs())
}

/// The number of runs by value of an attribute: the status as its number, or the division, which
/// is empty for plain workflows. Groups without runs are left out.
pub(crate) fn count_by(
    connection: &Connection,
    namespace_id: NamespaceId,
    filter: &Predicate,
    group_by: &Attribute,
) -> Result<Vec<(Value, u64)>, Error> {
    let by_division = *group_by == Attribute::System(SystemAttribute::TemporalNamespaceDivision);
    if filter.mentions_only(&COUNTED) {
        let mut groups: Vec<(Value, u64)> = Vec::new();
        for counter in counters(connection, namespace_id, filter)? {
            let value = if by_division {
                Value::String(counter.division)
            } else {
                Value::Int(counter.status)
            };
            match groups.iter_mut().find(|(known, _)| *known == value) {
                Some((_, runs)) => *runs += counter.runs,
                None => groups.push((value, counter.runs)),
            }
        }
        groups.sort_by(|(left, _), (right, _)| {
            left.partial_cmp(right).unwrap_or(std::cmp::Ordering::Equal)
        });
        return Ok(groups);
    }
    let text = if by_division {
        "SELECT s.division, count(*) FROM execution e JOIN scope s ON s.id = e.scope WHERE "
    } else {
        "SELECT e.status, count(*) FROM execution e WHERE "
    };
    let mut sql = Sql { text: text.to_owned(), ..Sql::default() };
    sql.push_filter(namespace_id, filter)?;
    sql.text.push_str(" GROUP BY 1 ORDER BY 1");
    let mut statement = connection.prepare_cached(&sql.text)?;
    let groups = statement.query_map(params_from_iter(&sql.parameters), |row| {
        let value = if by_division { Value::String(row.get(0)?) } else { Value::Int(row.get(0)?) };
        Ok((value, row.get::<_, i64>(1)?.unsigned_abs()))
    })?;
    Ok(groups.collect::<rusqlite::Result<_>>()?)
}

/// A maintained counter.
struct Counter {
    division: String,
    status: i64,
    runs: u64,
}

/// The counters that match a filter about [`COUNTED`] attributes, by status.
fn counters(
    connection: &Connection,
    namespace_id: NamespaceId,
    filter: &Predicate,
) -> Result<Vec<Counter>, Error> {
    let every_division = filter.mentions(SystemAttribute::TemporalNamespaceDivision);
    let mut statement = connection.prepare_cached(
        "SELECT s.division, c.status, c.runs FROM namespace n \
         JOIN scope s ON s.namespace = n.id JOIN status_count c ON c.scope = s.id \
         WHERE n.uuid = ?1 AND (?2 OR s.division = '') AND c.runs > 0",
    )?;
    let rows = statement.query_map(params![namespace_id.as_bytes(), every_division], |row| {
        Ok(Counter {
            division: row.get(0)?,
            status: row.get(1)?,
            runs: row.get::<_, i64>(2)?.unsigned_abs(),
        })
    })?;
    let mut counters = Vec::new();
    for counter in rows {
        let counter = counter?;
        let values = |attribute: &Attribute| match attribute {
            Attribute::System(SystemAttribute::ExecutionStatus) => vec![Value::Int(counter.status)],
            _ if counter.division.is_empty() => Vec::new(),
            _ => vec![Value::String(counter.division.clone())],
        };
        if filter.matches(&values) {
            counters.push(counter);
        }
    }
    Ok(counters)
}
