//! How many runs there are, by what is often counted: kept as runs change, so that a count need not
//! look at them.

use std::collections::HashMap;

use model::NamespaceId;
use rusqlite::{Connection, params};
use visibility_query::{Attribute, Predicate, SystemAttribute, Value};

use crate::{Error, Record};

/// What runs are counted by. A filter about these alone is answered from the counters.
pub(crate) const COUNTED: [SystemAttribute; 4] = [
    SystemAttribute::ExecutionStatus,
    SystemAttribute::TaskQueue,
    SystemAttribute::TemporalNamespaceDivision,
    SystemAttribute::WorkflowType,
];

const ADD: &str = "INSERT INTO run_count (scope, workflow_type, task_queue, status, runs) \
    VALUES (?1, ?2, ?3, ?4, ?5) \
    ON CONFLICT (scope, workflow_type, task_queue, status) \
    DO UPDATE SET runs = runs + excluded.runs";

/// Queues may be named after processes: a counter that counts nothing does not stay.
const FORGET: &str = "DELETE FROM run_count WHERE scope = ?1 AND workflow_type = ?2 \
    AND task_queue = ?3 AND status = ?4 AND runs = 0";

/// Which counter a run belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Counted {
    pub(crate) scope: i64,
    pub(crate) workflow_type: String,
    pub(crate) task_queue: String,
    pub(crate) status: i32,
}

impl Counted {
    pub(crate) fn new(scope: i64, record: &Record) -> Self {
        Self {
            scope,
            workflow_type: record.workflow_type.clone(),
            task_queue: record.task_queue.clone(),
            status: record.status,
        }
    }
}

/// The changes of the counters in one transaction.
#[derive(Debug, Default)]
pub(crate) struct Counts(HashMap<Counted, i64>);

impl Counts {
    pub(crate) fn add(&mut self, counted: Counted) {
        *self.0.entry(counted).or_default() += 1;
    }

    pub(crate) fn remove(&mut self, counted: Counted) {
        *self.0.entry(counted).or_default() -= 1;
    }

    pub(crate) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut add = connection.prepare_cached(ADD)?;
        let mut forget = connection.prepare_cached(FORGET)?;
        for (counted, difference) in &self.0 {
            let Counted { scope, workflow_type, task_queue, status } = counted;
            if *difference != 0 {
                add.execute(params![scope, workflow_type, task_queue, status, difference])?;
            }
            if *difference < 0 {
                forget.execute(params![scope, workflow_type, task_queue, status])?;
            }
        }
        Ok(())
    }
}

/// A maintained counter.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) division: String,
    pub(crate) workflow_type: String,
    pub(crate) task_queue: String,
    pub(crate) status: i64,
    pub(crate) runs: u64,
}

impl Counter {
    pub(crate) fn matches(&self, filter: &Predicate) -> bool {
        filter.matches(&|attribute: &Attribute| self.values(attribute))
    }

    /// The type, queue or status.
    pub(crate) fn values_of(&self, attribute: SystemAttribute) -> Vec<Value> {
        self.values(&Attribute::System(attribute))
    }

    fn values(&self, attribute: &Attribute) -> Vec<Value> {
        match attribute {
            Attribute::System(SystemAttribute::ExecutionStatus) => vec![Value::Int(self.status)],
            Attribute::System(SystemAttribute::WorkflowType) => {
                vec![Value::String(self.workflow_type.clone())]
            }
            Attribute::System(SystemAttribute::TaskQueue) => {
                vec![Value::String(self.task_queue.clone())]
            }
            _ if self.division.is_empty() => Vec::new(),
            _ => vec![Value::String(self.division.clone())],
        }
    }
}

/// The counters that match a filter; none when the filter is about something else as well.
pub(crate) fn matching(
    connection: &Connection,
    namespace_id: NamespaceId,
    filter: &Predicate,
) -> Result<Option<Vec<Counter>>, Error> {
    if !filter.mentions_only(&COUNTED) {
        return Ok(None);
    }
    let every_division = filter.mentions(SystemAttribute::TemporalNamespaceDivision);
    let mut counters = of_namespace(connection, namespace_id, every_division)?;
    counters.retain(|counter| counter.matches(filter));
    Ok(Some(counters))
}

/// How many runs of a division match a filter, and how many it has; none when the filter is about
/// something else as well.
pub(crate) fn share(
    connection: &Connection,
    namespace_id: NamespaceId,
    filter: &Predicate,
    division: &str,
) -> Result<Option<[u64; 2]>, Error> {
    if !filter.mentions_only(&COUNTED) {
        return Ok(None);
    }
    let [mut matching, mut all] = [0, 0];
    for counter in of_namespace(connection, namespace_id, !division.is_empty())? {
        if counter.division == division {
            all += counter.runs;
            matching += if counter.matches(filter) { counter.runs } else { 0 };
        }
    }
    Ok(Some([matching, all]))
}

/// The counters of a namespace, of plain workflows or of all.
pub(crate) fn of_namespace(
    connection: &Connection,
    namespace_id: NamespaceId,
    every_division: bool,
) -> Result<Vec<Counter>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT s.division, c.workflow_type, c.task_queue, c.status, c.runs FROM namespace n \
         JOIN scope s ON s.namespace = n.id JOIN run_count c ON c.scope = s.id \
         WHERE n.uuid = ?1 AND (?2 OR s.division = '') AND c.runs > 0",
    )?;
    let rows = statement.query_map(params![namespace_id.as_bytes(), every_division], |row| {
        Ok(Counter {
            division: row.get(0)?,
            workflow_type: row.get(1)?,
            task_queue: row.get(2)?,
            status: row.get(3)?,
            runs: row.get::<_, i64>(4)?.unsigned_abs(),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
