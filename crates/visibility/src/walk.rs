//! Lists with several conditions.

use model::NamespaceId;
use rusqlite::{params_from_iter, types::Value as Parameter};
use visibility_query::{Attribute, Comparison, Condition, Predicate, Test};

use crate::{
    Error,
    id_set::{IdSet, Runs},
    listing::{Listing, Reading},
    page::Page,
    plan::{ENTRIES_PER_ROW, Plan, is_on_row, is_searchable},
    rows::record,
    run_index::RunIndex,
};

/// How a list goes through runs: along an index, past what the sets leave out.
struct Walk<'a> {
    /// What is known of the runs that pass.
    runs: Option<Runs>,
    /// What the runs that are known have not been checked for.
    rest: Vec<&'a Predicate>,
    /// Conditions that could be known, the last first.
    unknown: Vec<&'a Predicate>,
    /// Those of them that many runs pass, and many do not.
    large: Vec<&'a Predicate>,
    /// Conditions that the index along which it goes decides.
    along: Vec<&'a Predicate>,
    index: RunIndex,
}

impl Plan<'_> {
    /// A page; none if SQLite finds it as well.
    pub(crate) fn list(
        &self,
        namespace_id: NamespaceId,
        listing: &Listing<'_>,
    ) -> Result<Option<Page>, Error> {
        let sized = self.sized()?;
        if sized.first().is_some_and(|(smallest, _)| *smallest <= self.effort.few_runs) {
            let (runs, all) = self.intersection(&sized)?;
            if self.are_few(&runs) {
                let rest = self.rest(all && sized.len() == self.conjuncts.len());
                return self.fetch(namespace_id, listing, &runs.set, rest).map(Some);
            }
        }
        let Some(index) = listing.index() else {
            return self.list_by_value(namespace_id, listing, &sized);
        };
        let is_known = |conjunct: &Predicate| is_on_row(conjunct) || is_searchable(conjunct);
        if sized.is_empty() || !self.conjuncts.iter().all(is_known) {
            return Ok(None);
        }
        let index =
            if listing.is_usual() { self.narrowest(&sized).unwrap_or(index) } else { index };
        let is_along = |conjunct: &&Predicate| is_covered(conjunct, index);
        let along: Vec<&Predicate> = self.conjuncts.iter().filter(is_along).collect();
        if along.len() == self.conjuncts.len() {
            let mut reading = listing.select(&format!("execution e INDEXED BY {}", index.name()));
            reading.sql.push_conditions(self.scope, along)?;
            listing.finish(&mut reading)?;
            return reading.page(self.connection, namespace_id, listing.page_size).map(Some);
        }
        let (unknown, needed): (Vec<_>, Vec<_>) = sized
            .into_iter()
            .filter(|(_, conjunct)| !is_along(conjunct))
            .partition(|(_, conjunct)| is_on_row(conjunct));
        let mut runs = None;
        if !needed.is_empty() {
            let (found, _) = self.intersection(&needed)?;
            if self.are_few(&found) {
                return self.fetch(namespace_id, listing, &found.set, &self.conjuncts).map(Some);
            }
            runs = Some(found);
        }
        let rest = self.conjuncts.iter().filter(|conjunct| is_on_row(conjunct)).collect();
        let unknown = unknown.into_iter().rev().map(|(_, conjunct)| conjunct).collect();
        let walk = Walk { runs, rest, unknown, large: Vec::new(), along, index };
        self.go(namespace_id, listing, walk).map(Some)
    }

    /// The runs that pass these conditions, the smallest first; and false if so few are left before
    /// the last that they are sooner read than looked for.
    pub(crate) fn intersection(&self, sized: &[(u64, &Predicate)]) -> Result<(Runs, bool), Error> {
        let mut runs = Runs::everything();
        for (size, conjunct) in sized {
            if self.are_few(&runs) && runs.set.len().saturating_mul(ENTRIES_PER_ROW) < *size {
                return Ok((runs, false));
            }
            runs = runs.and(self.runs(conjunct)?);
        }
        Ok((runs, true))
    }

    /// Conditions that indexes know, with the size of what passes, the smallest first.
    pub(crate) fn sized(&self) -> Result<Vec<(u64, &Predicate)>, Error> {
        let mut sized = Vec::new();
        for conjunct in &self.conjuncts {
            if let Some(size) = self.size(conjunct)? {
                sized.push((size, conjunct));
            }
        }
        sized.sort_by_key(|(size, _)| *size);
        Ok(sized)
    }

    pub(crate) fn are_few(&self, runs: &Runs) -> bool {
        !runs.outside && runs.set.len() <= self.effort.few_runs
    }

    /// The index in the order of lists that has the fewest runs which pass one of the conditions.
    fn narrowest(&self, sized: &[(u64, &Predicate)]) -> Option<RunIndex> {
        let indexed = sized.iter().filter_map(|(size, conjunct)| {
            let Predicate::Condition(Condition { attribute: Attribute::System(attribute), test }) =
                conjunct
            else {
                return None;
            };
            let index = RunIndex::of(*attribute).filter(|index| index.has_usual_order())?;
            matches!(test, Test::Compare(Comparison::Equal, _)).then_some((*size, index))
        });
        // Where all runs are open, an index by status leaves none out.
        let all: u64 = self.counters().map(|counter| counter.runs).sum();
        indexed.filter(|(size, _)| *size < all).min().map(|(_, index)| index)
    }

    /// What is still to be checked of runs that passed all conditions, or not.
    pub(crate) fn rest(&self, passed: bool) -> &[Predicate] {
        if passed { &[] } else { &self.conjuncts }
    }

    /// The runs of a small set that pass the rest of the filter.
    pub(crate) fn fetch<'p>(
        &self,
        namespace_id: NamespaceId,
        listing: &Listing<'_>,
        few: &IdSet,
        rest: impl IntoIterator<Item = &'p Predicate>,
    ) -> Result<Page, Error> {
        let mut reading = listing.select("execution e NOT INDEXED");
        reading.sql.push_ids(few);
        reading.sql.by_row = true;
        reading.sql.push_conditions(self.scope, rest)?;
        listing.finish(&mut reading)?;
        reading.page(self.connection, namespace_id, listing.page_size)
    }

    /// The runs that pass one more condition, of those that are soon found if there are any.
    fn next_runs(&self, walk: &mut Walk<'_>) -> Result<Option<Runs>, Error> {
        let (conjunct, runs) = loop {
            if let Some(conjunct) = walk.unknown.pop() {
                match self.runs_if_cheap(conjunct)? {
                    Some(runs) => break (conjunct, runs),
                    None => walk.large.push(conjunct),
                }
            } else {
                let Some(conjunct) = walk.large.pop() else { return Ok(None) };
                break (conjunct, self.runs(conjunct)?);
            }
        };
        walk.rest.retain(|rest| !std::ptr::eq(*rest, conjunct));
        Ok(Some(runs))
    }

    fn go(
        &self,
        namespace_id: NamespaceId,
        listing: &Listing<'_>,
        mut walk: Walk<'_>,
    ) -> Result<Page, Error> {
        let mut path = listing.select_ids(&format!("execution e INDEXED BY {}", walk.index.name()));
        path.sql.push_conditions(self.scope, walk.along.iter().copied())?;
        listing.finish(&mut path)?;
        let mut path_statement = self.connection.prepare_cached(&path.sql.text)?;
        let mut ids = path_statement.query(params_from_iter(&path.sql.parameters))?;

        let mut reading: Reading = listing.select("execution e");
        reading.sql.by_row = true;
        reading.sql.push_conditions(self.scope, walk.rest.iter().copied())?;
        let id = reading.sql.bind(0);
        reading.sql.text.push_str(&format!(" AND e.id = {id}"));
        let mut row_statement = self.connection.prepare_cached(&reading.sql.text)?;
        let mut parameters = reading.sql.parameters.clone();

        let (mut records, mut end, mut in_vain) = (Vec::new(), Vec::new(), 0);
        while let Some(row) = ids.next()? {
            let id: i64 = row.get(0)?;
            if walk.runs.as_ref().is_some_and(|runs| !runs.contains(id)) {
                continue;
            }
            if let Some(last) = parameters.last_mut() {
                *last = Parameter::Integer(id);
            }
            let full = records.len() == listing.page_size;
            let found = row_statement
                .query_and_then(params_from_iter(&parameters), |row| {
                    let record = record(row, namespace_id)?;
                    let is_last = records.len() + 1 == listing.page_size;
                    let token = if is_last { reading.token(row, &record)? } else { Vec::new() };
                    Ok::<_, Error>((record, token))
                })?
                .next()
                .transpose()?;
            if let Some((record, token)) = found {
                if full {
                    return Ok(Page { records, next_page_token: end });
                }
                if !token.is_empty() {
                    end = token;
                }
                records.push(record);
                continue;
            }
            in_vain += 1;
            if in_vain < self.effort.rows_in_vain + 2 * records.len() as u64 {
                continue;
            }
            in_vain = 0;
            let Some(found) = self.next_runs(&mut walk)? else { continue };
            let runs = walk.runs.take().unwrap_or_else(Runs::everything).and(found);
            if self.are_few(&runs) {
                return self.fetch(namespace_id, listing, &runs.set, walk.rest);
            }
            if runs.outside && self.known(&runs)? == 0 {
                break;
            }
            walk.runs = Some(runs);
        }
        Ok(Page { records, next_page_token: Vec::new() })
    }
}

/// Whether an index alone tells if a run passes.
fn is_covered(predicate: &Predicate, index: RunIndex) -> bool {
    let mut all = true;
    predicate.for_each(&mut |condition| {
        all &= match condition.attribute {
            Attribute::System(attribute) => index.covers(attribute),
            Attribute::Stored { .. } => false,
        };
    });
    all
}
