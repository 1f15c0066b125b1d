//! What commands carry that has to fit the namespace.
//!
//! What does not fit fails the workflow task, in the order in which the engine handles the commands:
//! so it goes to the engine as texts, by the commands' places.

use std::collections::BTreeMap;

use api::{
    command::v1::{Command, command::Attributes},
    common::v1::SearchAttributes,
};
use engine::SearchAttributesRefusal;
use namespace::Namespace;

use super::{
    search_attributes::{check_known, check_search_attributes},
    shaped_override,
};
use crate::error::ApiError;

/// Writes types into the search attributes of commands; gives what is wrong with those that do not
/// fit, by the command's place.
pub(crate) fn type_search_attributes(
    commands: &mut [Command],
    namespace: &Namespace,
) -> BTreeMap<usize, SearchAttributesRefusal> {
    let carried = commands.iter_mut().enumerate().filter_map(|(place, command)| {
        Some((place, search_attributes(command.attributes.as_mut()?)?))
    });
    let refused = carried.filter_map(|(place, attributes)| {
        if let Err(error) = check_known(attributes, namespace) {
            return Some((place, SearchAttributesRefusal::Unknown(text(error))));
        }
        let error = check_search_attributes(attributes, namespace).err()?;
        Some((place, SearchAttributesRefusal::Unfit(text(error))))
    });
    refused.collect()
}

/// The search attributes that a command carries, if it does.
fn search_attributes(command: &mut Attributes) -> Option<&mut SearchAttributes> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others carry none")]
    let attributes = match command {
        Attributes::UpsertWorkflowSearchAttributesCommandAttributes(command) => {
            &mut command.search_attributes
        }
        Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(command) => {
            &mut command.search_attributes
        }
        Attributes::StartChildWorkflowExecutionCommandAttributes(command) => {
            &mut command.search_attributes
        }
        _ => return None,
    };
    attributes.as_mut()
}

/// Writes the versioning overrides of children the newest way; gives what is wrong with the others,
/// by the command's place.
pub(crate) fn shape_versioning_overrides(commands: &mut [Command]) -> BTreeMap<usize, String> {
    let mut refused = BTreeMap::new();
    for (place, command) in commands.iter_mut().enumerate() {
        let Some(Attributes::StartChildWorkflowExecutionCommandAttributes(child)) =
            &mut command.attributes
        else {
            continue;
        };
        let Some(chosen) = child.versioning_override.take() else { continue };
        match shaped_override(chosen) {
            Ok(shaped) => child.versioning_override = Some(shaped),
            Err(error) => {
                refused.insert(place, text(error));
            }
        }
    }
    refused
}

fn text(error: ApiError) -> String {
    error.into_status().message().to_owned()
}
