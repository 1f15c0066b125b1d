//! Lists in an order that the query asks for.

use model::RunId;
use rusqlite::{
    Connection, Row,
    functions::{Context, FunctionFlags},
    types::{Value, ValueRef},
};
use visibility_query::{Attribute, SortKey, SystemAttribute};

use crate::{
    Error,
    attributes::{self, Indexed},
    compile::Sql,
    database::OPEN,
};

/// The SQL function that reads the value of a search attribute from its stored form.
const READ: &str = "search_attribute";

/// As [`READ`], of strings only: an attribute may have had another type.
pub(crate) const READ_STRING: &str = "search_attribute_string";

/// As [`READ`], of numbers, times and truth values only.
pub(crate) const READ_NUMBER: &str = "search_attribute_number";

/// First byte of a page token of a sorted list.
const FORMAT: u8 = 2;

/// Makes [`READ`] and its kin known to a connection.
pub(crate) fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(READ, 2, flags, |context| Ok(read(context)))?;
    let is_string = |value: &Value| matches!(value, Value::Text(_));
    connection.create_scalar_function(READ_STRING, 2, flags, move |context| {
        Ok(read(context).filter(is_string))
    })?;
    connection.create_scalar_function(READ_NUMBER, 2, flags, move |context| {
        Ok(read(context).filter(|value| !is_string(value)))
    })
}

fn read(context: &Context<'_>) -> Option<Value> {
    let (Ok(stored), Ok(name)) = (context.get_raw(0).as_blob(), context.get_raw(1).as_str()) else {
        return None;
    };
    let mut found = attributes::decode(Some(stored)).ok()?;
    match attributes::read(&found.remove(name)?)? {
        Indexed::Values(values) => values.into_iter().next(),
        Indexed::Text(_) => None,
    }
}

/// An order as SQL. The run id comes last and makes it total.
#[derive(Debug)]
pub(crate) struct Order {
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    expression: String,
    descending: bool,
    /// Nulls come last in either direction.
    nullable: bool,
}

impl Order {
    pub(crate) fn new(keys: &[SortKey], sql: &mut Sql) -> Self {
        let keys = keys.iter().map(|key| Key {
            expression: expression(&key.attribute, sql),
            descending: key.descending,
            nullable: is_nullable(&key.attribute),
        });
        Self { keys: keys.collect() }
    }

    /// The values to sort by, to be read with each row.
    pub(crate) fn columns(&self) -> String {
        self.keys.iter().map(|key| format!(", {}", key.expression)).collect()
    }

    pub(crate) fn clause(&self) -> String {
        let mut terms = Vec::new();
        for key in &self.keys {
            if key.nullable {
                terms.push(format!("{} IS NULL", key.expression));
            }
            terms.push(format!("{}{}", key.expression, direction(key.descending)));
        }
        terms.push(format!("e.run_id{}", direction(self.run_id_descends())));
        format!(" ORDER BY {}", terms.join(", "))
    }

    /// Against the last key, so that an index of it can be walked.
    fn run_id_descends(&self) -> bool {
        self.keys.last().is_some_and(|key| !key.descending)
    }

    /// The condition that a row comes after a place.
    pub(crate) fn after(&self, place: &Place, sql: &mut Sql) -> Result<String, Error> {
        if place.values.len() != self.keys.len() {
            return Err(Error::PageToken);
        }
        let run_id = sql.bind(place.run_id.as_bytes().to_vec());
        let comparison = if self.run_id_descends() { "<" } else { ">" };
        let mut condition = format!("e.run_id {comparison} {run_id}");
        let mut bound = None;
        for (key, value) in self.keys.iter().zip(&place.values).rev() {
            let Key { expression, descending, nullable } = key;
            if *value == Value::Null {
                condition = format!("({expression} IS NULL AND {condition})");
                bound = None;
                continue;
            }
            let value = sql.bind(value.clone());
            let comparison = if *descending { "<" } else { ">" };
            let nulls = if *nullable { format!(" OR {expression} IS NULL") } else { String::new() };
            condition = format!(
                "({expression} {comparison} {value}{nulls} OR ({expression} = {value} AND {condition}))"
            );
            // Says the same again in a form that an index understands.
            bound = (!nullable).then(|| format!("{expression} {comparison}= {value} AND "));
        }
        Ok(format!("{}{condition}", bound.unwrap_or_default()))
    }

    /// The place of a row whose sort values start at a column.
    pub(crate) fn place(
        &self,
        row: &Row<'_>,
        first: usize,
        run_id: RunId,
    ) -> rusqlite::Result<Place> {
        let values =
            (0..self.keys.len()).map(|index| row.get(first + index)).collect::<Result<_, _>>()?;
        Ok(Place { values, run_id })
    }
}

const fn direction(descending: bool) -> &'static str {
    if descending { " DESC" } else { "" }
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    values: Vec<Value>,
    run_id: RunId,
}

impl Place {
    /// The value of the first key, and the run.
    pub(crate) fn first(&self) -> Option<(&Value, RunId)> {
        Some((self.values.first()?, self.run_id))
    }

    pub(crate) fn to_token(&self) -> Vec<u8> {
        let mut token = vec![FORMAT];
        token.extend_from_slice(self.run_id.as_bytes());
        for value in &self.values {
            let (tag, bytes) = match ValueRef::from(value) {
                ValueRef::Null => (0, Vec::new()),
                ValueRef::Integer(number) => (1, number.to_be_bytes().to_vec()),
                ValueRef::Real(number) => (2, number.to_bits().to_be_bytes().to_vec()),
                ValueRef::Text(text) => (3, text.to_vec()),
                ValueRef::Blob(bytes) => (4, bytes.to_vec()),
            };
            token.push(tag);
            token.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
            token.extend_from_slice(&bytes);
        }
        token
    }

    /// `None` for the empty token, which starts at the first page.
    pub(crate) fn from_token(token: &[u8]) -> Result<Option<Self>, Error> {
        if token.is_empty() {
            return Ok(None);
        }
        Self::read(token).map(Some).ok_or(Error::PageToken)
    }

    fn read(token: &[u8]) -> Option<Self> {
        let (format, rest) = token.split_first()?;
        let (run_id, mut rest) = rest.split_first_chunk::<16>()?;
        let mut values = Vec::new();
        while let Some((tag, tail)) = rest.split_first() {
            let (length, tail) = tail.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (bytes, tail) = tail.split_at_checked(length)?;
            values.push(match tag {
                0 if bytes.is_empty() => Value::Null,
                1 => Value::Integer(i64::from_be_bytes(bytes.try_into().ok()?)),
                2 => Value::Real(f64::from_bits(u64::from_be_bytes(bytes.try_into().ok()?))),
                3 => Value::Text(String::from_utf8(bytes.to_vec()).ok()?),
                4 => Value::Blob(bytes.to_vec()),
                _ => return None,
            });
            rest = tail;
        }
        (*format == FORMAT).then(|| Self { values, run_id: RunId::from_bytes(*run_id) })
    }
}

fn expression(attribute: &Attribute, sql: &mut Sql) -> String {
    use SystemAttribute as System;
    let closed = |column: &str| format!("CASE WHEN e.close_time < {OPEN} THEN e.{column} END");
    let root = |root: &str, own: &str| {
        format!("CASE WHEN e.root_run_id IS NULL THEN e.{own} ELSE e.{root} END")
    };
    match attribute {
        Attribute::Stored { name, .. } => {
            format!("{READ}(e.search_attributes, {})", sql.bind(name.clone()))
        }
        Attribute::System(attribute) => match attribute {
            System::WorkflowId => "e.workflow_id".to_owned(),
            System::RunId => "e.run_id".to_owned(),
            System::WorkflowType => "e.workflow_type".to_owned(),
            System::StartTime => "e.start_time".to_owned(),
            System::ExecutionTime => "e.execution_time".to_owned(),
            System::ExecutionStatus => "e.status".to_owned(),
            System::TaskQueue => "e.task_queue".to_owned(),
            System::ParentWorkflowId => "e.parent_workflow_id".to_owned(),
            System::ParentRunId => "e.parent_run_id".to_owned(),
            System::CloseTime => closed("close_time"),
            System::HistoryLength => closed("history_length"),
            System::HistorySizeBytes => closed("history_size_bytes"),
            System::ExecutionDuration => closed("execution_duration"),
            System::StateTransitionCount => closed("state_transition_count"),
            System::RootWorkflowId => root("root_workflow_id", "workflow_id"),
            System::RootRunId => root("root_run_id", "run_id"),
            System::TemporalNamespaceDivision => {
                "(SELECT nullif(division, '') FROM scope WHERE id = e.scope)".to_owned()
            }
        },
    }
}

const fn is_nullable(attribute: &Attribute) -> bool {
    use SystemAttribute as System;
    !matches!(
        attribute,
        Attribute::System(
            System::WorkflowId
                | System::RunId
                | System::WorkflowType
                | System::StartTime
                | System::ExecutionTime
                | System::ExecutionStatus
                | System::TaskQueue
                | System::RootWorkflowId
                | System::RootRunId
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_token_and_nothing_else_is_one() {
        let values = vec![
            Value::Null,
            Value::Integer(-5),
            Value::Real(1.5),
            Value::Text("é".to_owned()),
            Value::Blob(vec![1, 2]),
        ];
        let place = Place { values, run_id: RunId::from_bytes([9; 16]) };
        let token = place.to_token();
        assert_eq!(Place::from_token(&token).unwrap(), Some(place.clone()));
        assert_eq!(Place::from_token(&[]).unwrap(), None);
        for length in 1..token.len() {
            assert_ne!(Place::from_token(&token[..length]).ok(), Some(Some(place.clone())));
        }
        assert!(Place::from_token(b"somebody else's page token........").is_err());
    }
}
