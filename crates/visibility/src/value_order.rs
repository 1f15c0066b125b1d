//! Lists in the order of one attribute that an index has by value: run after run is taken from the
//! index until a page is full, instead of sorting all that pass.

use model::{NamespaceId, RunId};
use rusqlite::{params_from_iter, types::Value};
use visibility_query::{Attribute, AttributeType, Condition, Predicate, SortKey, Test};

use crate::{
    Error,
    compile::Sql,
    database::OPEN,
    id_set::{IdSet, Runs},
    listing::Listing,
    page::Page,
    plan::{Plan, is_searchable},
    run_index::RunIndex,
};

/// Where the values of an attribute are in their order.
struct ByValue {
    /// Finds value and row, up to the conditions.
    select: String,
    column: &'static str,
    /// Further conditions.
    only: String,
    is_nullable: bool,
}

impl Plan<'_> {
    /// A page; none where no index has the order, or none knows the runs that pass.
    pub(crate) fn list_by_value(
        &self,
        namespace_id: NamespaceId,
        listing: &Listing<'_>,
        sized: &[(u64, &Predicate)],
    ) -> Result<Option<Page>, Error> {
        let Some(key) = listing.only_key() else { return Ok(None) };
        if by_value(&key.attribute, &mut Sql::default(), self).is_none()
            || !self.conjuncts.iter().all(is_searchable)
        {
            return Ok(None);
        }
        let along: Vec<_> =
            self.conjuncts.iter().filter_map(|conjunct| on_value_of(key, conjunct)).collect();
        let sized: Vec<_> = sized
            .iter()
            .copied()
            .filter(|(_, conjunct)| on_value_of(key, conjunct).is_none())
            .collect();
        let (runs, all) = self.intersection(&sized)?;
        if self.are_few(&runs) {
            let rest = self.rest(all && along.is_empty());
            return self.fetch(namespace_id, listing, &runs.set, rest).map(Some);
        }
        let rest = self.rest(all);
        let mut wanted = listing.page_size as u64 + 1;
        loop {
            let (candidates, are_all) = self.candidates(key, &along, &runs, listing, wanted)?;
            let page = self.fetch(namespace_id, listing, &candidates, rest)?;
            if are_all || !page.next_page_token.is_empty() {
                return Ok(Some(page));
            }
            // Some were of another division, or of the page before.
            wanted = wanted.saturating_mul(4);
        }
    }

    /// At least so many runs that come next, as a whole those of one value or the first of them; and
    /// whether there are no others.
    fn candidates(
        &self,
        key: &SortKey,
        along: &[(AttributeType, &Test)],
        runs: &Runs,
        listing: &Listing<'_>,
        wanted: u64,
    ) -> Result<(IdSet, bool), Error> {
        let mut found = IdSet::default();
        let place = listing.place();
        let mut sql = Sql::default();
        let Some(path) = by_value(&key.attribute, &mut sql, self) else { return Ok((found, true)) };
        let from = place.map(|(value, run_id)| (value.clone(), run_id));
        if from.as_ref().is_none_or(|(value, _)| *value != Value::Null) {
            let ByValue { select, column, only, .. } = &path;
            let start = from.as_ref().map_or_else(String::new, |(value, _)| {
                let comparison = if key.descending { "<=" } else { ">=" };
                format!(" AND {column} {comparison} {}", sql.bind(value.clone()))
            });
            let descending = if key.descending { " DESC" } else { "" };
            let passes =
                along.iter().map(|(kind, test)| format!(" AND {}", sql.passes(*kind, test)));
            let passes: String = passes.collect();
            sql.text = format!("{select}{passes}{start}{only} ORDER BY {column}{descending}");
            let mut statement = self.connection.prepare_cached(&sql.text)?;
            let mut rows = statement.query(params_from_iter(&sql.parameters))?;
            let mut group: Option<(Value, IdSet, u64)> = None;
            loop {
                let row = rows.next()?;
                let same = row.zip(group.as_ref()).map(|(row, (value, ..))| {
                    Ok::<_, rusqlite::Error>(row.get_ref(0)? == value.into())
                });
                if !same.transpose()?.unwrap_or(false)
                    && let Some((value, ids, size)) = group.take()
                {
                    let after = from.as_ref().filter(|(from, _)| *from == value);
                    let after = after.map(|(_, run_id)| *run_id);
                    if size <= self.effort.few_runs {
                        ids.iter().for_each(|id| found.insert(id));
                    } else {
                        let first = Runs { set: ids, outside: false };
                        self.first_by_run_id(key, &first, after, wanted, &mut found)?;
                    }
                    if found.len() >= wanted {
                        return Ok((found, false));
                    }
                }
                let Some(row) = row else { break };
                let id = row.get(1)?;
                let (_, ids, size) = match &mut group {
                    Some(group) => group,
                    None => group.insert((row.get(0)?, IdSet::default(), 0)),
                };
                if runs.contains(id) {
                    ids.insert(id);
                    *size += 1;
                }
            }
        }
        if !path.is_nullable || !along.is_empty() {
            return Ok((found, true));
        }
        let null =
            Condition { attribute: key.attribute.clone(), test: Test::Null { negated: false } };
        let without = self.runs(&Predicate::Condition(null))?.and(runs.clone());
        let after = from.filter(|(value, _)| *value == Value::Null).map(|(_, run_id)| run_id);
        let are_all = self.first_by_run_id(key, &without, after, wanted, &mut found)?;
        Ok((found, are_all))
    }

    /// Adds the first of some runs in the order of run ids; true if these are all.
    fn first_by_run_id(
        &self,
        key: &SortKey,
        runs: &Runs,
        after: Option<RunId>,
        wanted: u64,
        found: &mut IdSet,
    ) -> Result<bool, Error> {
        let mut sql = Sql::default();
        let namespace = sql.bind(self.scope.namespace);
        // Among equals the run id decides, against the direction of the key.
        let (comparison, direction) = if key.descending { (">", "") } else { ("<", " DESC") };
        let after = after.map_or_else(String::new, |run_id| {
            format!(" AND run_id {comparison} {}", sql.bind(run_id.as_bytes().to_vec()))
        });
        sql.text = format!(
            "SELECT id FROM execution INDEXED BY execution_run \
             WHERE namespace = {namespace}{after} ORDER BY run_id{direction}"
        );
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        let mut rows = statement.query(params_from_iter(&sql.parameters))?;
        let mut missing = wanted.saturating_sub(found.len());
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            if missing == 0 {
                return Ok(false);
            }
            if runs.contains(id) {
                found.insert(id);
                missing -= 1;
            }
        }
        Ok(true)
    }
}

/// A test of the value by which a list is ordered: what passes is found on the way.
fn on_value_of<'p>(key: &SortKey, predicate: &'p Predicate) -> Option<(AttributeType, &'p Test)> {
    let Predicate::Condition(Condition { attribute, test }) = predicate else { return None };
    let Attribute::Stored { kind, .. } = attribute else { return None };
    let is_on_value = *attribute == key.attribute && !matches!(test, Test::Null { .. });
    is_on_value.then_some((*kind, test))
}

fn by_value(attribute: &Attribute, sql: &mut Sql, plan: &Plan<'_>) -> Option<ByValue> {
    let index = match attribute {
        Attribute::Stored { kind, .. } if kind.is_many() => return None,
        Attribute::Stored { name, .. } => {
            let namespace = sql.bind(plan.scope.namespace);
            let name = sql.bind(name.clone());
            let select = format!(
                "SELECT value, execution FROM attribute WHERE name = \
                 (SELECT id FROM attribute_name WHERE namespace = {namespace} AND name = {name})"
            );
            return Some(ByValue {
                select,
                column: "value",
                only: String::new(),
                is_nullable: true,
            });
        }
        Attribute::System(attribute) => RunIndex::of(*attribute)?,
    };
    let scope = sql.bind(plan.scope.id);
    let (name, column) = (index.name(), index.column());
    let select =
        format!("SELECT {column}, id FROM execution INDEXED BY {name} WHERE scope = {scope}");
    let is_nullable = index == RunIndex::Order;
    let only = if is_nullable { format!(" AND close_time < {OPEN}") } else { String::new() };
    Some(ByValue { select, column, only, is_nullable })
}
