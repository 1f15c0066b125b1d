//! The search attributes of a namespace.

use std::collections::BTreeMap;

use crate::{Attribute, AttributeType, SystemAttribute, attribute::PREDEFINED};

const TEMPORAL: &str = "Temporal";
const SCHEDULE_ID: &str = "ScheduleId";

/// The names that a query in one namespace may use: those of the system, those that the server
/// predefines, and the namespace's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    custom: BTreeMap<String, AttributeType>,
    aliases: BTreeMap<String, Attribute>,
}

impl Schema {
    /// A schema with these custom attributes.
    pub const fn new(custom: BTreeMap<String, AttributeType>) -> Self {
        Self { custom, aliases: BTreeMap::new() }
    }

    /// The same schema with another name for an attribute, which hides what has it otherwise.
    #[must_use]
    pub fn with_alias(mut self, name: &str, attribute: Attribute) -> Self {
        self.aliases.insert(name.to_owned(), attribute);
        self
    }

    /// The custom attributes.
    pub const fn custom(&self) -> &BTreeMap<String, AttributeType> {
        &self.custom
    }

    /// The predefined attributes with their types.
    pub fn predefined() -> impl Iterator<Item = (&'static str, AttributeType)> {
        PREDEFINED.into_iter()
    }

    /// The attribute that a name in a query means. Names are case-sensitive; for attributes of the
    /// server the prefix `Temporal` may be added or dropped; `ScheduleId` is the workflow id.
    pub fn resolve(&self, name: &str) -> Option<Attribute> {
        self.aliases
            .get(name)
            .cloned()
            .or_else(|| self.exact(name))
            .or_else(|| match name.strip_prefix(TEMPORAL) {
                Some(rest) => server_attribute(rest),
                None => server_attribute(&format!("{TEMPORAL}{name}")),
            })
            .or_else(|| (name == SCHEDULE_ID).then_some(SystemAttribute::WorkflowId.into()))
    }

    fn exact(&self, name: &str) -> Option<Attribute> {
        server_attribute(name).or_else(|| {
            let kind = *self.custom.get(name)?;
            Some(Attribute::Stored { name: name.to_owned(), kind })
        })
    }
}

fn server_attribute(name: &str) -> Option<Attribute> {
    let system = SystemAttribute::ALL.iter().find(|attribute| attribute.name() == name);
    if let Some(attribute) = system {
        return Some((*attribute).into());
    }
    let (name, kind) = PREDEFINED.into_iter().find(|(predefined, _)| *predefined == name)?;
    Some(Attribute::Stored { name: name.to_owned(), kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_temporal_may_be_added_or_dropped_for_attributes_of_the_server() {
        let schema = Schema::new(BTreeMap::from([("City".to_owned(), AttributeType::Keyword)]));
        let name = |text: &str| schema.resolve(text).map(|found| found.name().to_owned());
        assert_eq!(name("TemporalWorkflowId").as_deref(), Some("WorkflowId"));
        assert_eq!(name("ScheduledById").as_deref(), Some("TemporalScheduledById"));
        assert_eq!(name("NamespaceDivision").as_deref(), Some("TemporalNamespaceDivision"));
        assert_eq!(name("ScheduleId").as_deref(), Some("WorkflowId"));
        assert_eq!(name("City").as_deref(), Some("City"));
        assert_eq!(name("TemporalCity"), None);
        assert_eq!(name("workflowid"), None);
    }
}
