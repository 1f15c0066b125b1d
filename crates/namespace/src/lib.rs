//! The namespaces of a cell.
//!
//! They are few, read by every request and rarely changed: all of them are in memory, behind one
//! pointer that a change replaces. The stored record is a meta record of the store.

mod error;
mod namespace;
mod record;
mod registry;
mod rules;
mod search_attributes;

pub use error::NamespaceError;
pub use namespace::{Namespace, NamespaceDetails};
pub use registry::{Namespaces, Registration};
pub use rules::{RULES_MAX, RuleError};
pub use search_attributes::{SearchAttributeError, attribute_type, indexed_value_type};

/// The namespace of the server's own workflows. It always exists and cannot be deleted.
pub const SYSTEM_NAMESPACE: &str = "temporal-system";
