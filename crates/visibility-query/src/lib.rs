//! Temporal's list filters (`WorkflowType = 'order' AND StartTime > '...'`): parsed, checked
//! against the search attributes of a namespace, and turned into a typed [`Predicate`] that each
//! visibility store compiles to its own language.
//!
//! [`parse`] takes time linear in the text and never recurses deeper than a constant. The grammar
//! and the error texts are those of the reference server, positions included, which is why the
//! parser is our own: a general SQL parser accepts far more and reports errors elsewhere.
//!
//! This crate does no I/O and reads no clock.

mod attribute;
mod error;
mod evaluate;
mod expression;
mod fields;
mod parser;
mod predicate;
mod query;
mod schema;
mod status;
mod token;
mod typing;
mod value;
mod words;

pub use attribute::{Attribute, AttributeType, SystemAttribute};
pub use error::QueryError;
pub use fields::{Field, FieldFilter, FieldFilterError};
pub use predicate::{Comparison, Condition, Predicate, Test};
pub use query::{Query, SortKey, parse};
pub use schema::Schema;
pub use status::{status_name, status_number};
pub use value::{Value, parse_datetime};
pub use words::words;
