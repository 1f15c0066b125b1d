//! A whole query: a filter and, for counts, a grouping.

use crate::{
    Attribute, Predicate, QueryError, Schema, SystemAttribute,
    parser::parse_statement,
    typing::{column, predicate},
};

/// A parsed query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// Which runs.
    pub filter: Predicate,
    /// How counts are split. A list ignores it, as the reference does.
    pub group_by: Option<Attribute>,
}

/// Reads a query in the reference's grammar. The empty text matches every run.
pub fn parse(text: &str, schema: &Schema) -> Result<Query, QueryError> {
    let statement = parse_statement(text)?;
    for (found, clause) in [
        (statement.has_limit, "LIMIT"),
        (statement.has_order_by, "ORDER BY"),
        (statement.has_having, "HAVING"),
    ] {
        if found {
            return Err(QueryError::Unsupported(format!("'{clause}' clause")));
        }
    }
    let filter = match statement.filter {
        Some(expression) => predicate(expression, schema)?,
        None => Predicate::everything(),
    };
    let group_by = match statement.group_by.as_slice() {
        [] => None,
        [only] => Some(groupable(column(only, schema)?)?),
        _ => {
            return Err(QueryError::Unsupported(
                "'GROUP BY' clause supports only a single field".to_owned(),
            ));
        }
    };
    Ok(Query { filter, group_by })
}

fn groupable(attribute: Attribute) -> Result<Attribute, QueryError> {
    match attribute {
        Attribute::System(
            SystemAttribute::ExecutionStatus | SystemAttribute::TemporalNamespaceDivision,
        ) => Ok(attribute),
        other => Err(QueryError::Unsupported(format!(
            "'GROUP BY' clause is not supported for search attribute {}",
            other.name()
        ))),
    }
}
