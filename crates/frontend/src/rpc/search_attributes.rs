//! Search attributes.

use std::{collections::BTreeMap, sync::Arc};

use api::{
    operatorservice::v1::{
        AddSearchAttributesRequest, AddSearchAttributesResponse, ListSearchAttributesRequest,
        ListSearchAttributesResponse, RemoveSearchAttributesRequest,
        RemoveSearchAttributesResponse,
    },
    workflowservice::v1::{GetSearchAttributesRequest, GetSearchAttributesResponse},
};
use namespace::{Namespace, attribute_type, indexed_value_type};
use visibility_query::{AttributeType, Schema, SystemAttribute};

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
};

pub(crate) async fn add_search_attributes(
    frontend: &Frontend,
    _call: &Call,
    request: AddSearchAttributesRequest,
) -> ApiResult<AddSearchAttributesResponse> {
    let namespace = named(frontend, &request.namespace)?;
    if request.search_attributes.is_empty() {
        return Err(ApiError::invalid("SearchAttributes are not set on request."));
    }
    let mut added = BTreeMap::new();
    for (name, number) in request.search_attributes {
        let kind = attribute_type(number).ok_or_else(|| unknown_type(number))?;
        added.insert(name, kind);
    }
    frontend
        .namespaces
        .add_search_attributes(namespace.id, added)
        .await?
        .map_err(|refused| ApiError::invalid(refused.to_string()))?;
    Ok(AddSearchAttributesResponse {})
}

pub(crate) async fn remove_search_attributes(
    frontend: &Frontend,
    _call: &Call,
    request: RemoveSearchAttributesRequest,
) -> ApiResult<RemoveSearchAttributesResponse> {
    let namespace = named(frontend, &request.namespace)?;
    let removed = request.search_attributes;
    if removed.is_empty() {
        return Err(ApiError::invalid("SearchAttributes are not set on request."));
    }
    let of_server = system_attributes();
    if let Some(name) = removed.iter().find(|name| of_server.contains_key(*name)) {
        let text = format!("Unable to remove non-custom search attributes: {name}.");
        return Err(ApiError::invalid(text));
    }
    frontend.namespaces.remove_search_attributes(namespace.id, &removed).await?;
    Ok(RemoveSearchAttributesResponse {})
}

pub(crate) async fn list_search_attributes(
    frontend: &Frontend,
    _call: &Call,
    request: ListSearchAttributesRequest,
) -> ApiResult<ListSearchAttributesResponse> {
    let namespace = named(frontend, &request.namespace)?;
    Ok(ListSearchAttributesResponse {
        custom_attributes: numbered(namespace.schema.custom()),
        system_attributes: system_attributes(),
        storage_schema: BTreeMap::new(),
    })
}

/// The old form of the list, without a namespace: what every namespace has.
pub(crate) async fn get_search_attributes(
    _frontend: &Frontend,
    _call: &Call,
    _request: GetSearchAttributesRequest,
) -> ApiResult<GetSearchAttributesResponse> {
    Ok(GetSearchAttributesResponse { keys: system_attributes() })
}

fn unknown_type(number: i32) -> ApiError {
    ApiError::invalid(match number {
        0 => "Unable to create search attributes: cannot have more than 0 search attribute of \
              type Unspecified."
            .to_owned(),
        _ => format!("Unknown search attribute type: {number}."),
    })
}

fn named(frontend: &Frontend, name: &str) -> ApiResult<Arc<Namespace>> {
    if name.is_empty() {
        return Err(ApiError::invalid("Namespace is not set on request."));
    }
    frontend.namespace(name)
}

fn numbered(attributes: &BTreeMap<String, AttributeType>) -> BTreeMap<String, i32> {
    let number =
        |(name, kind): (&String, &AttributeType)| (name.clone(), indexed_value_type(*kind) as i32);
    attributes.iter().map(number).collect()
}

fn system_attributes() -> BTreeMap<String, i32> {
    let system = SystemAttribute::ALL.iter().map(|attribute| (attribute.name(), attribute.kind()));
    system
        .chain(Schema::predefined())
        .map(|(name, kind)| (name.to_owned(), indexed_value_type(kind) as i32))
        .collect()
}
