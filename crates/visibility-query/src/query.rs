//! A whole query: a filter, an order for lists and a grouping for counts.

use model::Time;

use crate::{
    Attribute, AttributeType, Predicate, QueryError, Schema, SystemAttribute,
    expression::Expression,
    parser::parse_statement,
    typing::{Scope, column, predicate},
};

/// Attributes that one list may be sorted by.
const SORT_KEYS_MAX: usize = 8;

/// A parsed query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// Which runs.
    pub filter: Predicate,
    /// How a list is sorted; empty for the usual order. A count ignores it.
    pub order_by: Vec<SortKey>,
    /// How counts are split. A list ignores it, as the reference does.
    pub group_by: Option<Attribute>,
}

/// One attribute of an order. Runs without the attribute come last in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// Never a Text or a KeywordList.
    pub attribute: Attribute,
    /// The greatest first.
    pub descending: bool,
}

/// Reads a query in the reference's grammar, extended by `ORDER BY`, `CONTAINS` and `now()` with
/// durations. The empty text matches every run. `now` is what `now()` stands for.
pub fn parse(text: &str, schema: &Schema, now: Time) -> Result<Query, QueryError> {
    let statement = parse_statement(text)?;
    let unordered = statement.order_by.is_empty() || statement.group_by.is_empty();
    for (found, clause) in
        [(statement.has_limit, "LIMIT"), (!unordered, "ORDER BY"), (statement.has_having, "HAVING")]
    {
        if found {
            return Err(QueryError::Unsupported(format!("'{clause}' clause")));
        }
    }
    let filter = match statement.filter {
        Some(expression) => predicate(expression, Scope { schema, now })?,
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
    let order_by = sort_keys(&statement.order_by, schema)?;
    Ok(Query { filter, order_by, group_by })
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

fn sort_keys(keys: &[(Expression, bool)], schema: &Schema) -> Result<Vec<SortKey>, QueryError> {
    if keys.len() > SORT_KEYS_MAX {
        return Err(QueryError::Unsupported(format!(
            "'ORDER BY' clause supports at most {SORT_KEYS_MAX} fields"
        )));
    }
    let mut found = Vec::new();
    for (key, descending) in keys {
        let attribute = column(key, schema)?;
        if attribute.kind().is_many() {
            return Err(QueryError::Unsupported(format!(
                "unable to sort by field of {} type, use field of type {}",
                attribute.kind(),
                AttributeType::Keyword
            )));
        }
        found.push(SortKey { attribute, descending: *descending });
    }
    Ok(found)
}
