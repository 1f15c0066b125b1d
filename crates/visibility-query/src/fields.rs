//! Filters over records that are no runs: named texts and times, as the list of workers takes them.
//!
//! The grammar is that of list filters; what may be done with a field is less. As in the reference
//! a filter is checked only where it is read: a record for which it makes no sense, because a field
//! is unknown or a value is none of its kind, does not match.

use model::Time;

use crate::{
    QueryError,
    expression::{Expression, Operator},
    parse_datetime,
    parser::parse_statement,
};

/// The text that the reference puts before a filter; positions in errors include it.
const BEFORE: &str = "select * from table1 where ";

/// What a record has of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a> {
    /// A text; an empty one is null.
    Text(&'a str),
    /// A time, unless it is null.
    Time(Option<Time>),
}

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldFilter(Expression);

/// Why a text is no filter, in the reference's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldFilterError {
    /// The text is not a filter. `position` counts bytes from one, over the text with the
    /// `select * from table1 where ` that the reference puts before it.
    #[error("malformed query: syntax error at position {position}{}", shown(near))]
    Malformed {
        /// One past the end of the offending token.
        position: usize,
        /// The offending token; empty for punctuation and for the end of the text.
        near: String,
    },
    /// A clause that such a filter does not have.
    #[error("operation is not supported: {0}")]
    Unsupported(String),
    /// The text starts like a whole statement.
    #[error("invalid filter: {0}")]
    Statement(String),
}

fn shown(token: &str) -> String {
    if token.is_empty() { String::new() } else { format!(" near '{token}'") }
}

impl FieldFilter {
    /// Reads a filter.
    ///
    /// # Errors
    /// When the text is none. That a field is unknown is not found out here.
    pub fn parse(text: &str) -> Result<Self, FieldFilterError> {
        let text = text.trim();
        for clause in ["where ", "select "] {
            if text.get(..clause.len()).is_some_and(|start| start.eq_ignore_ascii_case(clause)) {
                return Err(FieldFilterError::Statement(text.to_owned()));
            }
        }
        let statement = parse_statement(text)?;
        if statement.has_limit {
            return Err(FieldFilterError::Unsupported("'limit' clause".to_owned()));
        }
        // What has no condition starts with the name of a clause, or is empty.
        let Some(expression) = statement.filter else {
            let near: String =
                text.chars().take_while(|letter| letter.is_ascii_alphabetic()).collect();
            let before = if text.is_empty() { 0 } else { BEFORE.len() };
            let position = before + near.len() + 1;
            return Err(FieldFilterError::Malformed { position, near: near.to_lowercase() });
        };
        Ok(Self(expression))
    }

    /// Whether a record matches. `field` yields what it has of a field, and nothing for a name that
    /// is no field.
    pub fn matches<'a>(&self, field: &impl Fn(&str) -> Option<Field<'a>>) -> bool {
        holds(&self.0, field).unwrap_or(false)
    }
}

impl From<QueryError> for FieldFilterError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Malformed { position, near } => Self::Malformed { position, near },
            QueryError::Unsupported(text)
            | QueryError::Expression(text)
            | QueryError::UnknownAttribute(text) => Self::Unsupported(text),
        }
    }
}

/// Whether an expression holds; none when it makes no sense for the record. What the left side
/// settles, the right side cannot spoil.
fn holds<'a>(expression: &Expression, field: &impl Fn(&str) -> Option<Field<'a>>) -> Option<bool> {
    match expression {
        Expression::And(members) => {
            for member in members {
                if !holds(member, field)? {
                    return Some(false);
                }
            }
            Some(true)
        }
        Expression::Or(members) => {
            for member in members {
                if holds(member, field)? {
                    return Some(true);
                }
            }
            Some(false)
        }
        Expression::Parentheses(inner) => holds(inner, field),
        Expression::Comparison { left, operator, right } => match named(left, field)? {
            Field::Text(text) => compare_text(text, *operator, string(right)?),
            Field::Time(time) => compare_time(time.unwrap_or(Time::UNSET), *operator, at(right)?),
        },
        Expression::Between { left, low, high, negated } => {
            let Field::Time(time) = named(left, field)? else { return None };
            let (low, high) = (at(low)?, at(high)?);
            // Neither inside nor outside.
            let Some(time) = time else { return Some(false) };
            Some((low <= time && time <= high) != *negated)
        }
        Expression::Is { left, what: "null", negated } => {
            let is_null = match named(left, field)? {
                Field::Text(text) => text.is_empty(),
                Field::Time(time) => time.is_none(),
            };
            Some(is_null != *negated)
        }
        _ => None,
    }
}

fn named<'a>(
    expression: &Expression,
    field: &impl Fn(&str) -> Option<Field<'a>>,
) -> Option<Field<'a>> {
    let Expression::Name(name) = expression else { return None };
    field(name)
}

fn compare_text(found: &str, operator: Operator, wanted: &str) -> Option<bool> {
    if wanted.is_empty() {
        return None;
    }
    match operator {
        Operator::Equal => Some(found == wanted),
        Operator::NotEqual => Some(found != wanted),
        Operator::StartsWith => Some(found.starts_with(wanted)),
        Operator::NotStartsWith => Some(!found.starts_with(wanted)),
        _ => None,
    }
}

fn compare_time(found: Time, operator: Operator, wanted: Time) -> Option<bool> {
    match operator {
        Operator::Equal => Some(found == wanted),
        Operator::NotEqual => Some(found != wanted),
        Operator::Less => Some(found < wanted),
        Operator::LessOrEqual => Some(found <= wanted),
        Operator::Greater => Some(found > wanted),
        Operator::GreaterOrEqual => Some(found >= wanted),
        _ => None,
    }
}

fn string(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::String(text) => Some(text),
        _ => None,
    }
}

/// A time as RFC 3339 or in nanoseconds.
fn at(expression: &Expression) -> Option<Time> {
    match expression {
        Expression::String(text) => parse_datetime(text),
        Expression::Int(nanos) => nanos.parse().ok().map(Time::from_nanos),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(seconds: i64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    fn matches(text: &str) -> bool {
        let field = |name: &str| match name {
            "Name" => Some(Field::Text("worker-1")),
            "Version" => Some(Field::Text("")),
            "Start" => Some(Field::Time(Some(second(10)))),
            "Stop" => Some(Field::Time(None)),
            _ => None,
        };
        FieldFilter::parse(text).unwrap().matches(&field)
    }

    #[test]
    fn texts_are_compared_as_a_whole_or_by_their_start() {
        assert!(matches("Name = 'worker-1'"));
        assert!(matches("`Name` != \"worker-2\" AND Name STARTS_WITH 'worker'"));
        assert!(!matches("Name NOT STARTS_WITH 'worker'"));
        assert!(matches("Version IS NULL AND Name IS NOT NULL"));
        assert!(matches("(Name = 'x' OR Name = 'y') OR Name = 'worker-1'"));
    }

    #[test]
    fn times_are_compared_by_order() {
        assert!(matches("Start >= '1970-01-01T00:00:10Z' AND Start < 11000000000"));
        assert!(matches("Start BETWEEN '1970-01-01T00:00:10Z' AND '1970-01-01T00:00:10Z'"));
        assert!(!matches("Start NOT BETWEEN 0 AND 10000000000"));
        assert!(matches("Stop IS NULL AND Start IS NOT NULL"));
        assert!(!matches("Stop BETWEEN 0 AND 1") && !matches("Stop NOT BETWEEN 0 AND 1"));
    }

    #[test]
    fn what_makes_no_sense_matches_nothing_unless_the_left_side_settles_it() {
        for text in [
            "Unknown = 'x'",
            "Name > 'worker-0'",
            "Name = ''",
            "Name = 5",
            "Start = 'soon'",
            "Start STARTS_WITH '1970'",
            "NOT Name = 'x'",
            "Name IN ('worker-1')",
            "Name BETWEEN 'a' AND 'z'",
            "Name IS TRUE",
            "Name",
            "'a' = 'a'",
            "Unknown = 'x' OR Name = 'worker-1'",
        ] {
            assert!(!matches(text), "{text}");
        }
        assert!(matches("Name = 'worker-1' OR Unknown = 'x'"));
    }

    #[test]
    fn a_text_that_is_no_filter_is_refused_where_it_goes_wrong() {
        let refused = |text: &str| FieldFilter::parse(text).unwrap_err().to_string();
        assert_eq!(refused("Name ="), "malformed query: syntax error at position 34");
        assert_eq!(
            refused(" order by Name"),
            "malformed query: syntax error at position 33 near 'order'"
        );
        assert_eq!(refused(" "), "malformed query: syntax error at position 1");
        assert_eq!(refused("Name = 'a' limit 1"), "operation is not supported: 'limit' clause");
        assert_eq!(refused("WHERE Name = 'a'"), "invalid filter: WHERE Name = 'a'");
    }
}
