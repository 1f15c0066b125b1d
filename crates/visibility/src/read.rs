//! Lists and counts.

use model::NamespaceId;
use rusqlite::{Connection, Row, params_from_iter};
use visibility_query::{Attribute, Comparison, Predicate, SortKey, SystemAttribute, Test, Value};

use crate::{
    Error, Record,
    compile::{Sql, only_division},
    counters,
    page::{Cursor, PAGE_SIZE_MAX, Page},
    rows::{COLUMN_COUNT, COLUMNS, cursor, record},
    sort::{Order, Place},
};

/// What a list is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) filter: Predicate,
    pub(crate) order_by: Vec<SortKey>,
    pub(crate) page_size: usize,
    pub(crate) page_token: Vec<u8>,
}

/// So many runs are quicker collected and sorted than looked for in the order of the list.
const FEW_RUNS: i64 = 5_000;

pub(crate) fn list(
    connection: &Connection,
    namespace_id: NamespaceId,
    asked: &Asked,
) -> Result<Page, Error> {
    let page_size =
        if asked.page_size == 0 { PAGE_SIZE_MAX } else { asked.page_size.min(PAGE_SIZE_MAX) };
    if asked.order_by.is_empty() {
        list_as_usual(connection, namespace_id, asked, page_size)
    } else {
        list_sorted(connection, namespace_id, asked, page_size)
    }
}

fn list_as_usual(
    connection: &Connection,
    namespace_id: NamespaceId,
    asked: &Asked,
    page_size: usize,
) -> Result<Page, Error> {
    let from = Cursor::from_token(&asked.page_token)?;
    let index = match is_common(connection, namespace_id, &asked.filter, page_size)? {
        true => " INDEXED BY execution_order",
        false => "",
    };
    let mut sql = Sql {
        text: format!("SELECT {COLUMNS} FROM execution e{index} WHERE "),
        walks: walks(connection, namespace_id, &asked.filter)?,
        ..Sql::default()
    };
    sql.push_filter(namespace_id, &asked.filter)?;
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
    sql.text.push_str(" ORDER BY e.close_time DESC, e.start_time DESC, e.run_id");
    page(connection, namespace_id, sql, page_size, |_, last| Ok(cursor(last).to_token()))
}

/// Whether a page of runs that pass a filter on counted attributes is sooner found by looking at run
/// after run in the order of the list than by collecting all that pass and sorting them. One value of
/// one attribute has an index in this order; several values, or all but one, have not.
fn is_common(
    connection: &Connection,
    namespace_id: NamespaceId,
    filter: &Predicate,
    page_size: usize,
) -> Result<bool, Error> {
    if filter.conjuncts().iter().all(is_one_value) {
        return Ok(false);
    }
    let division = match only_division(filter) {
        None if filter.mentions(SystemAttribute::TemporalNamespaceDivision) => return Ok(false),
        division => division.unwrap_or_default(),
    };
    let share = counters::share(connection, namespace_id, filter, division)?;
    Ok(share.is_some_and(|[matching, all]| {
        let looked_at = all.saturating_mul(page_size as u64) / matching.max(1);
        looked_at < matching
    }))
}

fn is_one_value(predicate: &Predicate) -> bool {
    let Predicate::Condition(condition) = predicate else { return false };
    matches!(condition.test, Test::Compare(Comparison::Equal, _) | Test::Null { negated: false })
}

/// Whether to look at run after run in the order of the list: when the conditions on search
/// attributes leave many runs, which else are all collected and sorted. SQLite cannot know: it has no
/// statistics of values.
fn walks(
    connection: &Connection,
    namespace_id: NamespaceId,
    filter: &Predicate,
) -> Result<bool, Error> {
    let mut found_many = false;
    for condition in filter.conjuncts() {
        let Predicate::Condition(condition) = condition else { continue };
        let Some(search) = Sql::runs_with(namespace_id, condition) else { continue };
        let text = format!("SELECT count(*) FROM ({} LIMIT {})", search.text, FEW_RUNS + 1);
        let mut statement = connection.prepare_cached(&text)?;
        let runs: i64 =
            statement.query_row(params_from_iter(&search.parameters), |row| row.get(0))?;
        if runs <= FEW_RUNS {
            return Ok(false);
        }
        found_many = true;
    }
    Ok(found_many)
}

fn list_sorted(
    connection: &Connection,
    namespace_id: NamespaceId,
    asked: &Asked,
    page_size: usize,
) -> Result<Page, Error> {
    let from = Place::from_token(&asked.page_token)?;
    let mut sql = Sql::default();
    let order = Order::new(&asked.order_by, &mut sql);
    sql.text = format!("SELECT {COLUMNS}{} FROM execution e WHERE ", order.columns());
    sql.push_filter(namespace_id, &asked.filter)?;
    if let Some(from) = from {
        let after = order.after(&from, &mut sql)?;
        sql.text.push_str(&format!(" AND {after}"));
    }
    sql.text.push_str(&order.clause());
    page(connection, namespace_id, sql, page_size, |row, last| {
        Ok(order.place(row, COLUMN_COUNT, last.run_id)?.to_token())
    })
}

/// Runs a list; `place` makes a page token of the last row of a page.
fn page(
    connection: &Connection,
    namespace_id: NamespaceId,
    mut sql: Sql,
    page_size: usize,
    place: impl Fn(&Row<'_>, &Record) -> Result<Vec<u8>, Error>,
) -> Result<Page, Error> {
    // One more than the page has tells whether another page follows.
    let limit = sql.bind(i64::try_from(page_size + 1).unwrap_or(i64::MAX));
    sql.text.push_str(&format!(" LIMIT {limit}"));
    let mut statement = connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.parameters))?;
    let mut records = Vec::new();
    let mut end = Vec::new();
    while let Some(row) = rows.next()? {
        if records.len() == page_size {
            return Ok(Page { records, next_page_token: end });
        }
        let record = record(row, namespace_id)?;
        if records.len() + 1 == page_size {
            end = place(row, &record)?;
        }
        records.push(record);
    }
    Ok(Page { records, next_page_token: Vec::new() })
}

pub(crate) fn count(
    connection: &Connection,
    namespace_id: NamespaceId,
    filter: &Predicate,
) -> Result<u64, Error> {
    if let Some(counters) = counters::matching(connection, namespace_id, filter)? {
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
    if let Some(counters) = counters::matching(connection, namespace_id, filter)? {
        let mut groups: Vec<(Value, u64)> = Vec::new();
        for counter in counters {
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
