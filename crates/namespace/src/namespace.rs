//! One namespace as requests see it.

use std::collections::BTreeMap;

use api::{enums::v1::NamespaceState, rules::v1::WorkflowRule};
use model::{Limits, NamespaceId, Span, Time};
use visibility_query::{AttributeType, Schema};

/// A namespace. Immutable: a change makes a new value and replaces the old one in the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Namespace {
    /// The permanent id.
    pub id: NamespaceId,
    /// The id as text, as messages and events carry it.
    pub id_text: String,
    /// The name; a deleted namespace gets another one.
    pub name: String,
    /// Registered, deprecated or deleted.
    pub state: NamespaceState,
    /// What people wrote about it.
    pub details: NamespaceDetails,
    /// How long closed runs are kept.
    pub retention: Span,
    /// The limits that its requests are held to.
    pub limits: Limits,
    /// The search attributes that its queries and runs may use.
    pub schema: Schema,
    /// Of a deleted one: when its record may go, at the earliest.
    pub delete_after: Time,
    /// Its rules, oldest first.
    pub rules: Vec<WorkflowRule>,
    /// The version of its stored record; rises by one with every change.
    pub version: u64,
}

/// What people wrote about a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamespaceDetails {
    /// What it is for.
    pub description: String,
    /// Whom to ask.
    pub owner_email: String,
    /// Free key-value pairs.
    pub data: BTreeMap<String, String>,
}

impl Namespace {
    /// True while new runs may start in it.
    pub fn accepts_starts(&self) -> bool {
        self.state == NamespaceState::Registered
    }

    /// The type of a search attribute that a run may carry, by its exact name.
    pub fn search_attribute_type(&self, name: &str) -> Option<AttributeType> {
        self.schema.custom().get(name).copied().or_else(|| {
            Schema::predefined()
                .find(|(predefined, _)| *predefined == name)
                .map(|(_, attribute_type)| attribute_type)
        })
    }
}
