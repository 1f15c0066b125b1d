//! Lists and counts.

use model::NamespaceId;
use rusqlite::{Connection, params_from_iter};
use visibility_query::{Attribute, Comparison, Predicate, SystemAttribute, Test, Value};

use crate::{
    Error,
    compile::{Sql, only_division},
    counters,
    listing::{Asked, Listing},
    page::Page,
    plan::{Effort, Plan},
};

pub(crate) fn list(
    connection: &Connection,
    namespace_id: NamespaceId,
    asked: &Asked,
    effort: Effort,
) -> Result<Page, Error> {
    // All statements of a list see the same state.
    let _snapshot = connection.unchecked_transaction()?;
    let listing = Listing::new(asked)?;
    let common = listing.is_usual()
        && is_common(connection, namespace_id, &asked.filter, listing.page_size)?;
    let plain = listing.is_usual() && asked.filter.is_everything();
    if !common
        && !plain
        && let Some(plan) = Plan::new(connection, namespace_id, &asked.filter, effort)?
        && let Some(page) = plan.list(namespace_id, &listing)?
    {
        return Ok(page);
    }
    let index = if common { " INDEXED BY execution_order" } else { "" };
    let mut reading = listing.select(&format!("execution e{index}"));
    reading.sql.push_filter(namespace_id, &asked.filter)?;
    listing.finish(&mut reading)?;
    reading.page(connection, namespace_id, listing.page_size)
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

pub(crate) fn count(
    connection: &Connection,
    namespace_id: NamespaceId,
    filter: &Predicate,
    effort: Effort,
) -> Result<u64, Error> {
    let _snapshot = connection.unchecked_transaction()?;
    if let Some(counters) = counters::matching(connection, namespace_id, filter)? {
        return Ok(counters.iter().map(|counter| counter.runs).sum());
    }
    if let Some(plan) = Plan::new(connection, namespace_id, filter, effort)?
        && let Some(runs) = plan.count()?
    {
        return Ok(runs);
    }
    let mut sql =
        Sql { text: "SELECT count(*) FROM execution e WHERE ".to_owned(), ..Sql::default() };
    sql.push_filter(namespace_id, filter)?;
    sql.count(connection)
}

/// The number of runs by value of an attribute: the status as its number, or the division, which
/// is empty for plain workflows. Groups without runs are left out.
pub(crate) fn count_by(
    connection: &Connection,
    namespace_id: NamespaceId,
    filter: &Predicate,
    group_by: &Attribute,
    effort: Effort,
) -> Result<Vec<(Value, u64)>, Error> {
    let _snapshot = connection.unchecked_transaction()?;
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
    if !by_division
        && let Some(plan) = Plan::new(connection, namespace_id, filter, effort)?
        && let Some(groups) = plan.count_by_status()?
    {
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
