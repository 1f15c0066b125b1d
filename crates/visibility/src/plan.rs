//! How a filter with several conditions is answered: the runs that pass a condition are found in an
//! index as a set, the smallest first, and sets are intersected before a single row is read.

use model::NamespaceId;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};
use visibility_query::{Attribute, Comparison, Condition, Predicate, SystemAttribute, Test};

use crate::{
    Error,
    compile::{Sql, division_of, is_negative, only_division},
    counters::{self, COUNTED, Counter},
    id_set::{IdSet, Runs},
    run_index::RunIndex,
};

/// Conditions of a filter that is planned here; SQLite plans longer ones.
const CONDITIONS_MAX: usize = 64;

/// Types, queues or statuses of one search.
const VALUES_MAX: usize = 1_000;

/// Entries of an index that are read in the time of one row of the table.
pub(crate) const ENTRIES_PER_ROW: u64 = 20;

/// How much is tried before the next way is taken. Defaults are what large indexes want; tests with
/// a few runs want less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// So many runs are quicker fetched and sorted than looked for in the order of the list.
    pub few_runs: u64,
    /// Rows that a list may read in vain, and twice as many as those it finds, before it looks for
    /// the next set.
    pub rows_in_vain: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { few_runs: 5_000, rows_in_vain: 500 }
    }
}

/// The rows of a namespace with a division.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) namespace: i64,
    pub(crate) id: i64,
}

/// A search for rows, or for those that are not meant.
#[derive(Debug)]
struct Search {
    sql: Sql,
    outside: bool,
}

/// What is known before a filter is run.
pub(crate) struct Plan<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) scope: Scope,
    pub(crate) effort: Effort,
    /// Without the condition on the division, which the scope says.
    pub(crate) conjuncts: Vec<Predicate>,
    division: &'a str,
    /// Of all divisions.
    counters: Vec<Counter>,
}

impl<'a> Plan<'a> {
    /// None for filters that are better left to SQLite: about several divisions, or very long.
    pub(crate) fn new(
        connection: &'a Connection,
        namespace_id: NamespaceId,
        filter: &'a Predicate,
        effort: Effort,
    ) -> Result<Option<Self>, Error> {
        let division = match only_division(filter) {
            None if filter.mentions(SystemAttribute::TemporalNamespaceDivision) => return Ok(None),
            division => division.unwrap_or_default(),
        };
        let mut conditions = 0;
        filter.for_each(&mut |_| conditions += 1);
        if conditions > CONDITIONS_MAX {
            return Ok(None);
        }
        let mut statement = connection.prepare_cached(
            "SELECT n.id, s.id FROM namespace n JOIN scope s ON s.namespace = n.id \
             WHERE n.uuid = ?1 AND s.division = ?2",
        )?;
        let scope = statement
            .query_row((namespace_id.as_bytes(), division), |row| {
                Ok(Scope { namespace: row.get(0)?, id: row.get(1)? })
            })
            .optional()?;
        let Some(scope) = scope else { return Ok(None) };
        let counters = counters::of_namespace(connection, namespace_id, true)?;
        let mut conjuncts = filter.conjuncts().to_vec();
        conjuncts.retain(|conjunct| division_of(conjunct) != Some(division));
        Ok(Some(Self { connection, scope, effort, conjuncts, division, counters }))
    }

    /// The counters of the runs that lists are about.
    pub(crate) fn counters(&self) -> impl Iterator<Item = &Counter> {
        self.counters.iter().filter(|counter| counter.division == self.division)
    }

    /// About how many runs pass, counted no further than a few; none if no index knows.
    pub(crate) fn size(&self, predicate: &Predicate) -> Result<Option<u64>, Error> {
        if !is_searchable(predicate) {
            return Ok(None);
        }
        let size = match predicate {
            Predicate::And(members) => self.sizes(members)?.into_iter().min().unwrap_or(u64::MAX),
            Predicate::Or(members) => self.sizes(members)?.into_iter().fold(0, u64::saturating_add),
            Predicate::Condition(_) if predicate.mentions_only(&COUNTED) => {
                let passing = self.counters().filter(|counter| counter.matches(predicate));
                passing.map(|counter| counter.runs).sum()
            }
            Predicate::Condition(condition) => match self.search(condition) {
                Some(Search { sql, outside: false }) => {
                    let size = self.bounded(&sql, self.effort.few_runs + 1)?;
                    if size <= self.effort.few_runs { size } else { u64::MAX }
                }
                _ => u64::MAX,
            },
        };
        Ok(Some(size))
    }

    fn sizes(&self, members: &[Predicate]) -> Result<Vec<u64>, Error> {
        members.iter().map(|member| Ok(self.size(member)?.unwrap_or(u64::MAX))).collect()
    }

    /// The runs that pass. All that [`is_searchable`] says yes to has an answer.
    pub(crate) fn runs(&self, predicate: &Predicate) -> Result<Runs, Error> {
        match predicate {
            Predicate::And(members) => {
                let mut runs = Runs::everything();
                for member in members {
                    runs = runs.and(self.runs(member)?);
                }
                Ok(runs)
            }
            Predicate::Or(members) => {
                let mut runs = Runs { set: IdSet::default(), outside: false };
                for member in members {
                    runs = runs.or(self.runs(member)?);
                }
                Ok(runs)
            }
            Predicate::Condition(condition) => match self.cheaper_search(condition)? {
                Some(Search { sql, outside }) => Ok(Runs { set: self.found(&sql)?, outside }),
                None => Ok(Runs::everything()),
            },
        }
    }

    /// Takes the runs of other divisions out of a set: search attributes belong to a namespace.
    pub(crate) fn remove_other_divisions(&self, set: &mut IdSet) -> Result<(), Error> {
        if self.is_only_division() {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT e.id FROM scope s CROSS JOIN execution e INDEXED BY execution_order \
             WHERE s.namespace = ?1 AND s.id <> ?2 AND e.scope = s.id",
        )?;
        let mut rows = statement.query((self.scope.namespace, self.scope.id))?;
        while let Some(row) = rows.next()? {
            set.remove(row.get(0)?);
        }
        Ok(())
    }

    /// The runs that pass a condition, if they or all others are so few that a set of them is found
    /// in the time of a few rows.
    pub(crate) fn runs_if_cheap(&self, predicate: &Predicate) -> Result<Option<Runs>, Error> {
        let limit = self.effort.few_runs.saturating_mul(ENTRIES_PER_ROW);
        let Predicate::Condition(condition) = predicate else {
            let is_cheap = self.size(predicate)?.is_some_and(|size| size <= limit);
            return is_cheap.then(|| self.runs(predicate)).transpose();
        };
        let Some((search, other)) = self.searches(condition) else { return Ok(None) };
        for limit in [self.effort.few_runs, limit] {
            for Search { sql, outside } in std::iter::once(&search).chain(&other) {
                if let Some(set) = self.found_within(sql, limit)? {
                    return Ok(Some(Runs { set, outside: *outside }));
                }
            }
        }
        Ok(None)
    }

    /// The rows of a search.
    fn found(&self, sql: &Sql) -> Result<IdSet, Error> {
        Ok(self.found_within(sql, u64::MAX)?.unwrap_or_default())
    }

    /// The rows of a search, if there are no more.
    fn found_within(&self, sql: &Sql, mut limit: u64) -> Result<Option<IdSet>, Error> {
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        let mut rows = statement.query(params_from_iter(&sql.parameters))?;
        let mut set = IdSet::default();
        while let Some(row) = rows.next()? {
            let Some(rest) = limit.checked_sub(1) else { return Ok(None) };
            limit = rest;
            set.insert(row.get(0)?);
        }
        Ok(Some(set))
    }

    /// The entries of an index that pass a condition, where each is a run of the scope.
    pub(crate) fn entries(&self, condition: &Condition) -> Result<Option<u64>, Error> {
        let is_many =
            matches!(condition.attribute, Attribute::Stored { kind, .. } if kind.is_many());
        let search = self.search(condition).filter(|search| !search.outside);
        let Some(Search { sql, .. }) = search.filter(|_| !is_many && self.is_only_division())
        else {
            return Ok(None);
        };
        let text = format!("SELECT count(*) FROM ({})", sql.text);
        Sql { text, ..sql }.count(self.connection).map(Some)
    }

    /// Whether the namespace has no runs of other divisions.
    fn is_only_division(&self) -> bool {
        self.counters.iter().all(|counter| counter.division == self.division)
    }

    /// Counts no further than the limit.
    fn bounded(&self, sql: &Sql, limit: u64) -> Result<u64, Error> {
        let text = format!("SELECT count(*) FROM ({} LIMIT {limit})", sql.text);
        Sql { text, parameters: sql.parameters.clone(), by_row: sql.by_row }.count(self.connection)
    }

    /// The search for what passes, and for what does not where that is another.
    fn searches(&self, condition: &Condition) -> Option<(Search, Option<Search>)> {
        let search = self.search(condition)?;
        let other = opposite(condition).and_then(|other| self.search(&other));
        let other = other.filter(|other| !search.outside && !other.outside);
        Some((search, other.map(|other| Search { outside: true, ..other })))
    }

    /// The search for what passes, or for what does not where that is less.
    fn cheaper_search(&self, condition: &Condition) -> Result<Option<Search>, Error> {
        let (search, other) = match self.searches(condition) {
            Some((search, Some(other))) => (search, other),
            only => return Ok(only.map(|(search, _)| search)),
        };
        let mut limit = self.effort.few_runs + 1;
        loop {
            if self.bounded(&search.sql, limit)? < limit {
                return Ok(Some(search));
            }
            if self.bounded(&other.sql, limit)? < limit {
                return Ok(Some(other));
            }
            limit = limit.saturating_mul(4);
        }
    }

    fn search(&self, condition: &Condition) -> Option<Search> {
        if !has_search(condition) {
            return None;
        }
        let attribute = match &condition.attribute {
            Attribute::Stored { name, kind } => {
                let mut sql = Sql::default();
                let namespace = sql.bind(self.scope.namespace);
                let (text, outside) = sql.search_stored(&namespace, name, *kind, &condition.test);
                sql.text = text;
                return Some(Search { sql, outside });
            }
            Attribute::System(attribute) => *attribute,
        };
        let test = &condition.test;
        let Some(index) = RunIndex::of(attribute) else {
            let mut sql = Sql::default();
            let namespace = sql.bind(self.scope.namespace);
            let scope = sql.bind(self.scope.id);
            let passes = sql.predicate(&namespace, &Predicate::Condition(condition.clone()));
            // The plus keeps SQLite from looking at the whole scope.
            sql.text =
                format!("SELECT e.id FROM execution e WHERE +e.scope = {scope} AND {passes}");
            return Some(Search { sql, outside: false });
        };
        let column = format!("e.{}", index.column());
        let mut sql = Sql::default();
        let scope = sql.bind(self.scope.id);
        let (passes, outside) = if COUNTED.contains(&attribute) {
            self.counted(&mut sql, attribute, &column, condition)
        } else if attribute == SystemAttribute::CloseTime {
            (sql.close_time(test), false)
        } else if is_negative(test) {
            (sql.plain(&column, &test.clone().opposite()), true)
        } else {
            (sql.plain(&column, test), false)
        };
        sql.text = format!(
            "SELECT e.id FROM execution e INDEXED BY {} WHERE e.scope = {scope} AND {passes}",
            index.name()
        );
        Some(Search { sql, outside })
    }

    /// The types, queues or statuses that pass, or those that do not, whichever have fewer runs.
    fn counted(
        &self,
        sql: &mut Sql,
        attribute: SystemAttribute,
        column: &str,
        condition: &Condition,
    ) -> (String, bool) {
        let predicate = Predicate::Condition(condition.clone());
        let [mut inside, mut outside] = [(Vec::new(), 0), (Vec::new(), 0)];
        for counter in self.counters() {
            let (values, runs) =
                if counter.matches(&predicate) { &mut inside } else { &mut outside };
            values.extend(counter.values_of(attribute));
            *runs += counter.runs;
        }
        let is_outside = outside.1 < inside.1;
        let mut values = if is_outside { outside.0 } else { inside.0 };
        values.sort_by(|left, right| left.partial_cmp(right).unwrap_or(std::cmp::Ordering::Equal));
        values.dedup();
        if values.len() > VALUES_MAX {
            return (sql.plain(column, &condition.test), false);
        }
        let values: Vec<String> =
            values.into_iter().map(|value| sql.bind(crate::compile::parameter(&value))).collect();
        (format!("{column} IN ({})", values.join(", ")), is_outside)
    }
}

/// What passes exactly when the condition does not, of attributes that every run has.
fn opposite(condition: &Condition) -> Option<Condition> {
    let Attribute::System(attribute) = condition.attribute else { return None };
    let always = matches!(attribute, SystemAttribute::StartTime | SystemAttribute::WorkflowId);
    let null = matches!(condition.test, Test::Null { .. });
    (always != null && (always || attribute == SystemAttribute::CloseTime)).then(|| Condition {
        attribute: condition.attribute.clone(),
        test: condition.test.clone().opposite(),
    })
}

/// Whether indexes know the runs that pass.
pub(crate) fn is_searchable(predicate: &Predicate) -> bool {
    let mut all = true;
    predicate.for_each(&mut |condition| all &= has_search(condition));
    all
}

/// Whether a row alone tells if it passes.
pub(crate) fn is_on_row(predicate: &Predicate) -> bool {
    let mut all = true;
    predicate.for_each(&mut |condition| {
        all &= match &condition.attribute {
            Attribute::System(_) => true,
            Attribute::Stored { kind, .. } => !kind.is_many(),
        };
    });
    all
}

fn has_search(condition: &Condition) -> bool {
    use SystemAttribute as System;
    match &condition.attribute {
        Attribute::Stored { .. } => true,
        Attribute::System(attribute) => match attribute {
            // Their indexes have no scope, and are for those few that are named.
            System::RunId | System::ParentWorkflowId | System::RootWorkflowId => matches!(
                condition.test,
                Test::Compare(Comparison::Equal, _) | Test::In { negated: false, .. }
            ),
            _ => RunIndex::of(*attribute).is_some(),
        },
    }
}

#[cfg(test)]
mod tests {
    use visibility_query::{Schema, parse};

    use super::*;
    use crate::database::open_memory;

    /// What a plan finds conditions for, in the division of plain workflows.
    fn conjuncts(query: &str) -> usize {
        let connection = open_memory().unwrap();
        let namespace_id = NamespaceId::from_bytes([1; 16]);
        let namespace = "INSERT INTO namespace VALUES (1, ?1)";
        connection.execute(namespace, [namespace_id.as_bytes()]).unwrap();
        connection.execute("INSERT INTO scope VALUES (1, 1, '')", []).unwrap();
        let filter = parse(query, &Schema::default(), model::Time::from_nanos(0)).unwrap().filter;
        let plan = Plan::new(&connection, namespace_id, &filter, Effort::default()).unwrap();
        plan.unwrap().conjuncts.len()
    }

    /// The server adds one to every query, and no index knows it: lists and counts would look at
    /// every row for it.
    #[test]
    fn the_division_is_no_condition_of_a_plan() {
        assert_eq!(conjuncts(""), 0);
        assert_eq!(conjuncts("TemporalNamespaceDivision IS NULL"), 0);
        assert_eq!(conjuncts("WorkflowId > 'a' AND TemporalNamespaceDivision IS NULL"), 1);
        let another = "TemporalNamespaceDivision IS NULL AND TemporalNamespaceDivision = 'a'";
        assert_eq!(conjuncts(another), 1);
    }
}
