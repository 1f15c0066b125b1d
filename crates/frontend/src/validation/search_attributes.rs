//! Search attributes that a request brings along.

use api::common::v1::{Payload, SearchAttributes};
use bytes::Bytes;
use namespace::Namespace;
use prost::Message;
use serde_json::Value;
use visibility_query::{AttributeType, SystemAttribute, parse_datetime};

use crate::error::{ApiError, ApiResult};

/// Attributes that only the server sets, besides those of the system.
const SERVER_ONLY: [&str; 6] = [
    "TemporalExternalPayloadCount",
    "TemporalExternalPayloadSizeBytes",
    "TemporalUsedWorkerDeploymentVersions",
    "TemporalWorkerDeployment",
    "TemporalWorkerDeploymentVersion",
    "TemporalWorkflowVersioningBehavior",
];

/// Checks search attributes against the namespace's, and writes their types into the payloads that
/// name none. What a client calls them stays: histories are what was said.
pub(crate) fn typed_search_attributes(
    attributes: Option<SearchAttributes>,
    namespace: &Namespace,
) -> ApiResult<Option<SearchAttributes>> {
    let Some(mut attributes) = attributes else { return Ok(None) };
    check_search_attributes(&mut attributes, namespace)?;
    let limits = &namespace.limits;
    for (name, payload) in &attributes.indexed_fields {
        let (size, most) = (payload.data.len(), limits.search_attribute_value_bytes_max);
        if size > most {
            let text =
                format!("search attribute {name} value size {size} exceeds size limit {most}");
            return Err(ApiError::invalid(text));
        }
    }
    let (size, most) = (attributes.encoded_len(), limits.search_attributes_bytes_max);
    if size > most {
        let text = format!("total size of search attributes {size} exceeds size limit {most}");
        return Err(ApiError::invalid(text));
    }
    Ok(Some(attributes))
}

/// The same for what commands carry, of which the engine checks the size.
pub(super) fn check_search_attributes(
    attributes: &mut SearchAttributes,
    namespace: &Namespace,
) -> ApiResult<()> {
    let count = attributes.indexed_fields.len();
    let most = namespace.limits.search_attributes_max;
    if count > most {
        let text = format!("number of search attributes {count} exceeds limit {most}");
        return Err(ApiError::invalid(text));
    }
    for (name, payload) in &mut attributes.indexed_fields {
        let kind = attribute_type(name, namespace)?;
        check_value(name, kind, payload)?;
        let named = payload.metadata.entry("type".to_owned());
        named.or_insert_with(|| Bytes::from_static(kind.name().as_bytes()));
    }
    Ok(())
}

/// Every name must be one of the server's or of the namespace's.
pub(super) fn check_known(attributes: &SearchAttributes, namespace: &Namespace) -> ApiResult<()> {
    let mut names = attributes.indexed_fields.keys();
    let unknown =
        |name: &&String| !is_of_server(name) && namespace.search_attribute_type(name).is_none();
    names.find(unknown).map_or(Ok(()), |name| Err(unmapped(name, namespace)))
}

fn is_of_server(name: &str) -> bool {
    SystemAttribute::ALL.iter().any(|attribute| attribute.name() == name)
        || SERVER_ONLY.contains(&name)
}

fn unmapped(name: &str, namespace: &Namespace) -> ApiError {
    ApiError::invalid(format!(
        "Namespace {} has no mapping defined for search attribute {name}",
        namespace.name
    ))
}

fn attribute_type(name: &str, namespace: &Namespace) -> ApiResult<AttributeType> {
    // Schedules, batches and the like are told apart by the division, which their starters set.
    if name == SystemAttribute::TemporalNamespaceDivision.name() {
        return Ok(AttributeType::Keyword);
    }
    if is_of_server(name) {
        let text = format!("{name} attribute can't be set in SearchAttributes");
        return Err(ApiError::invalid(text));
    }
    namespace.search_attribute_type(name).ok_or_else(|| unmapped(name, namespace))
}

fn check_value(name: &str, kind: AttributeType, payload: &Payload) -> ApiResult<()> {
    let refused = |value: String| {
        ApiError::invalid(format!(
            "invalid value for search attribute {name} of type {kind}: {value}"
        ))
    };
    let encoding = payload.metadata.get("encoding").map_or(&b""[..], |encoding| encoding);
    let value = match encoding {
        b"json/plain" => serde_json::from_slice(&payload.data).ok(),
        b"binary/null" => Some(Value::Null),
        _ => None,
    };
    let Some(value) = value else {
        return Err(refused(format!("value from {payload:?}")));
    };
    if fits(kind, &value) { Ok(()) } else { Err(refused(shown(&value))) }
}

/// Null takes an attribute away; a list of one value stands for the value.
fn fits(kind: AttributeType, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) if kind == AttributeType::KeywordList => {
            values.iter().all(Value::is_string)
        }
        Value::Array(values) => match values.as_slice() {
            [] => true,
            [only] => fits_one(kind, only),
            _ => false,
        },
        one => fits_one(kind, one),
    }
}

fn fits_one(kind: AttributeType, value: &Value) -> bool {
    match kind {
        AttributeType::Text | AttributeType::Keyword => value.is_string(),
        AttributeType::Int => value.is_i64(),
        AttributeType::Double => value.is_number(),
        AttributeType::Bool => value.is_boolean(),
        AttributeType::Datetime => {
            value.as_str().is_some_and(|text| parse_datetime(text).is_some())
        }
        AttributeType::KeywordList => false,
    }
}

/// As the reference shows a value: strings bare, lists in brackets without commas.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(" "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(json: &str) -> Payload {
        let metadata = [("encoding".to_owned(), Bytes::from_static(b"json/plain"))];
        Payload { metadata: metadata.into(), data: json.to_owned().into(), ..Payload::default() }
    }

    fn refusal(kind: AttributeType, json: &str) -> Option<String> {
        check_value("A", kind, &payload(json))
            .err()
            .map(|error| error.into_status().message().to_owned())
    }

    #[test]
    fn values_have_to_fit_their_type() {
        use AttributeType::*;
        for (kind, json) in [
            (Keyword, r#""x""#),
            (Keyword, r#"["x"]"#),
            (Keyword, "null"),
            (Int, "-5"),
            (Double, "1.5"),
            (Double, "1"),
            (Bool, "true"),
            (Datetime, r#""2026-01-01T00:00:00Z""#),
            (KeywordList, r#"["x","y"]"#),
        ] {
            assert_eq!(refusal(kind, json), None, "{kind} {json}");
        }
        let text = "invalid value for search attribute A of type";
        for (kind, json, shown) in [
            (Keyword, "1", "1"),
            (Keyword, r#"["x","y"]"#, "[x y]"),
            (KeywordList, r#""x""#, "x"),
            (Int, "1.5", "1.5"),
            (Datetime, r#""yesterday""#, "yesterday"),
        ] {
            assert_eq!(refusal(kind, json), Some(format!("{text} {kind}: {shown}")));
        }
    }

    #[test]
    fn a_value_without_json_is_refused() {
        let payload = Payload { data: Bytes::from_static(b"\"x\""), ..Payload::default() };
        assert!(check_value("A", AttributeType::Keyword, &payload).is_err());
        assert!(refusal(AttributeType::Keyword, "{").is_some());
    }
}
