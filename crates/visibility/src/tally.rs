//! Counts by sets.

use std::collections::BTreeMap;

use rusqlite::params_from_iter;
use visibility_query::{Predicate, Value};

use crate::{
    Error,
    compile::Sql,
    counters::COUNTED,
    id_set::{IdSet, Runs},
    plan::Plan,
};

/// The runs that a count is about.
enum Passing {
    /// These, if they pass the whole filter.
    Few(IdSet),
    /// Exactly these.
    Known(Runs),
}

impl Plan<'_> {
    /// The number of runs that pass; none if SQLite counts them as well.
    pub(crate) fn count(&self) -> Result<Option<u64>, Error> {
        if let [Predicate::Condition(condition)] = self.conjuncts.as_slice()
            && let Some(runs) = self.entries(condition)?
        {
            return Ok(Some(runs));
        }
        match self.passing()? {
            None => Ok(None),
            Some(Passing::Known(runs)) => self.known(&runs).map(Some),
            Some(Passing::Few(few)) => {
                self.few("SELECT count(*)", &few)?.count(self.connection).map(Some)
            }
        }
    }

    /// The number of runs that pass, by status; none if SQLite counts them as well.
    pub(crate) fn count_by_status(&self) -> Result<Option<Vec<(Value, u64)>>, Error> {
        match self.passing()? {
            None => Ok(None),
            Some(Passing::Known(runs)) => self.known_by_status(&runs).map(Some),
            Some(Passing::Few(few)) => {
                let mut sql = self.few("SELECT e.status, count(*)", &few)?;
                sql.text.push_str(" GROUP BY 1 ORDER BY 1");
                let mut statement = self.connection.prepare_cached(&sql.text)?;
                let groups = statement.query_map(params_from_iter(&sql.parameters), |row| {
                    Ok((Value::Int(row.get(0)?), row.get::<_, i64>(1)?.unsigned_abs()))
                })?;
                Ok(Some(groups.collect::<rusqlite::Result<_>>()?))
            }
        }
    }

    fn passing(&self) -> Result<Option<Passing>, Error> {
        let sized = self.sized()?;
        if sized.is_empty() {
            return Ok(None);
        }
        let (runs, all) = self.intersection(&sized)?;
        if all && sized.len() == self.conjuncts.len() {
            return Ok(Some(Passing::Known(runs)));
        }
        Ok(self.are_few(&runs).then_some(Passing::Few(runs.set)))
    }

    fn few(&self, select: &str, few: &IdSet) -> Result<Sql, Error> {
        let text = format!("{select} FROM execution e NOT INDEXED WHERE ");
        let mut sql = Sql { text, by_row: true, ..Sql::default() };
        sql.push_ids(few);
        sql.push_conditions(self.scope, &self.conjuncts)?;
        Ok(sql)
    }

    /// How many they are.
    pub(crate) fn known(&self, runs: &Runs) -> Result<u64, Error> {
        let mut set = runs.set.clone();
        self.remove_other_divisions(&mut set)?;
        let all: u64 = self.counters().map(|counter| counter.runs).sum();
        Ok(if runs.outside { all.saturating_sub(set.len()) } else { set.len() })
    }

    /// Looks through all statuses but the one with the most runs, which has the rest.
    fn known_by_status(&self, runs: &Runs) -> Result<Vec<(Value, u64)>, Error> {
        let counted: Vec<&Predicate> =
            self.conjuncts.iter().filter(|conjunct| conjunct.mentions_only(&COUNTED)).collect();
        let mut statuses: BTreeMap<i64, u64> = BTreeMap::new();
        for counter in self.counters() {
            if counted.iter().all(|conjunct| counter.matches(conjunct)) {
                *statuses.entry(counter.status).or_default() += counter.runs;
            }
        }
        let most = statuses.iter().max_by_key(|(_, runs)| **runs).map(|(status, _)| *status);
        let mut rest = self.known(runs)?;
        let mut groups = BTreeMap::new();
        let mut statement = self.connection.prepare_cached(
            "SELECT e.id FROM execution e INDEXED BY execution_status \
             WHERE e.scope = ?1 AND e.status = ?2",
        )?;
        for status in statuses.into_keys().filter(|status| Some(*status) != most) {
            let mut rows = statement.query((self.scope.id, status))?;
            let mut passing = 0;
            while let Some(row) = rows.next()? {
                passing += u64::from(runs.contains(row.get(0)?));
            }
            groups.insert(status, passing);
            rest = rest.saturating_sub(passing);
        }
        groups.extend(most.map(|status| (status, rest)));
        let groups = groups.into_iter().filter(|(_, runs)| *runs > 0);
        Ok(groups.map(|(status, runs)| (Value::Int(status), runs)).collect())
    }
}
