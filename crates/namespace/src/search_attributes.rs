//! The custom search attributes of a namespace.

use api::enums::v1::IndexedValueType;
use visibility_query::{AttributeType, Schema, SystemAttribute};

/// Most custom search attributes of each type, as the reference with an SQL store (fact sheet
/// section 13): clients written for it see the same limit.
const fn most_of(kind: AttributeType) -> usize {
    match kind {
        AttributeType::Keyword => 10,
        _ => 3,
    }
}

/// Why a search attribute was not added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchAttributeError {
    /// The name is one of the server's own, or could become one.
    #[error("Search attribute {0} is reserved by system.")]
    Reserved(String),
    /// The name exists with another type.
    #[error("Search attribute {0} already exists.")]
    AlreadyExists(String),
    /// There are too many of its type.
    #[error(
        "Unable to create search attributes: cannot have more than {most} search attribute of type {kind}."
    )]
    TooMany {
        /// The limit.
        most: usize,
        /// The type.
        kind: AttributeType,
    },
}

/// The type with this number in the API.
pub fn attribute_type(number: i32) -> Option<AttributeType> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    AttributeType::ALL.get(index).copied()
}

/// The type's number in the API.
pub const fn indexed_value_type(kind: AttributeType) -> IndexedValueType {
    match kind {
        AttributeType::Text => IndexedValueType::Text,
        AttributeType::Keyword => IndexedValueType::Keyword,
        AttributeType::Int => IndexedValueType::Int,
        AttributeType::Double => IndexedValueType::Double,
        AttributeType::Bool => IndexedValueType::Bool,
        AttributeType::Datetime => IndexedValueType::Datetime,
        AttributeType::KeywordList => IndexedValueType::KeywordList,
    }
}

/// The schema with more attributes. Adding one that exists with the same type changes nothing.
pub(crate) fn with_added(
    schema: &Schema,
    added: impl IntoIterator<Item = (String, AttributeType)>,
) -> Result<Schema, SearchAttributeError> {
    let mut custom = schema.custom().clone();
    for (name, kind) in added {
        match custom.get(&name) {
            Some(found) if *found == kind => continue,
            Some(_) => return Err(SearchAttributeError::AlreadyExists(name)),
            None => check_name(&name)?,
        }
        let most = most_of(kind);
        if custom.values().filter(|found| **found == kind).count() >= most {
            return Err(SearchAttributeError::TooMany { most, kind });
        }
        custom.insert(name, kind);
    }
    Ok(Schema::new(custom))
}

/// The schema without some attributes. Removing one that does not exist changes nothing.
pub(crate) fn without(schema: &Schema, removed: &[String]) -> Schema {
    let mut custom = schema.custom().clone();
    custom.retain(|name, _| !removed.contains(name));
    Schema::new(custom)
}

/// Names that the reference keeps for itself though no query knows them.
const COLUMNS: [&str; 3] = ["Memo", "NamespaceId", "VisibilityTaskKey"];

fn check_name(name: &str) -> Result<(), SearchAttributeError> {
    let system = name.starts_with("Temporal")
        || COLUMNS.contains(&name)
        || SystemAttribute::ALL.iter().any(|attribute| attribute.name() == name);
    if system || Schema::predefined().any(|(predefined, _)| predefined == name) {
        return Err(SearchAttributeError::Reserved(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(
        schema: &Schema,
        name: &str,
        kind: AttributeType,
    ) -> Result<Schema, SearchAttributeError> {
        with_added(schema, [(name.to_owned(), kind)])
    }

    #[test]
    fn an_attribute_may_be_added_twice_but_not_with_two_types() {
        let schema = add(&Schema::default(), "City", AttributeType::Keyword).unwrap();
        assert_eq!(add(&schema, "City", AttributeType::Keyword), Ok(schema.clone()));
        assert_eq!(
            add(&schema, "City", AttributeType::Int),
            Err(SearchAttributeError::AlreadyExists("City".to_owned()))
        );
    }

    #[test]
    fn the_fourth_integer_is_one_too_many() {
        let mut schema = Schema::default();
        for name in ["A", "B", "C"] {
            schema = add(&schema, name, AttributeType::Int).unwrap();
        }
        let error = add(&schema, "D", AttributeType::Int).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Unable to create search attributes: cannot have more than 3 search attribute of type Int."
        );
        schema = without(&schema, &["A".to_owned(), "Unknown".to_owned()]);
        assert!(add(&schema, "D", AttributeType::Int).is_ok());
    }

    #[test]
    fn names_of_the_server_are_refused() {
        for name in ["TemporalFoo", "WorkflowId", "BuildIds", "Memo"] {
            assert!(add(&Schema::default(), name, AttributeType::Int).is_err(), "{name}");
        }
    }

    #[test]
    fn types_have_the_numbers_of_the_api() {
        for kind in AttributeType::ALL {
            assert_eq!(attribute_type(indexed_value_type(kind) as i32), Some(kind));
        }
        assert_eq!(attribute_type(0), None);
        assert_eq!(attribute_type(8), None);
    }
}
