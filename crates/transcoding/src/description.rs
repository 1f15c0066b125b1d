//! The HTTP form of the API described for tools: OpenAPI 3, and its older form 2.

mod operations;
mod schemas;

use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::{Map, Value, json};

/// Which form of OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Two,
    Three,
}

static YAML: LazyLock<Bytes> = LazyLock::new(|| {
    let text = serde_norway::to_string(&document(Version::Three));
    text.unwrap_or_default().into()
});

static JSON: LazyLock<Bytes> = LazyLock::new(|| document(Version::Two).to_string().into());

/// The description in OpenAPI 3.
pub fn openapi_yaml() -> Bytes {
    YAML.clone()
}

/// The description in OpenAPI 2, which is also called Swagger.
pub fn swagger_json() -> Bytes {
    JSON.clone()
}

fn document(version: Version) -> Value {
    let (paths, used) = operations::paths(version);
    let schemas = schemas::all(version, used);
    let info = json!({
        "title": "Temporal API over HTTP",
        "description": "Each method of the API that has a rule for HTTP. Payloads of JSON may be \
                        written as the values in them; ask for `noPayloadShorthand` to read them \
                        in full.",
        "version": "v1",
    });
    let mut document = Map::new();
    document.insert("info".to_owned(), info);
    document.insert("paths".to_owned(), paths);
    match version {
        Version::Two => {
            document.insert("swagger".to_owned(), "2.0".into());
            for name in ["consumes", "produces"] {
                document.insert(name.to_owned(), json!(["application/json"]));
            }
            document.insert("definitions".to_owned(), schemas);
        }
        Version::Three => {
            document.insert("openapi".to_owned(), "3.0.3".into());
            document.insert("components".to_owned(), json!({ "schemas": schemas }));
        }
    }
    document.into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rules;

    /// Every reference in a document.
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(name)) = fields.get("$ref") {
                    found.insert(name);
                }
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_rule_is_described_once_and_every_reference_leads_somewhere() {
        for (version, prefix) in
            [(Version::Two, "/definitions/"), (Version::Three, "/components/schemas/")]
        {
            let document = document(version);
            let paths = document["paths"].as_object().unwrap();
            let operations: Vec<&Value> =
                paths.values().flat_map(|path| path.as_object().unwrap().values()).collect();
            assert_eq!(operations.len(), rules().len());
            let ids: BTreeSet<&str> =
                operations.iter().map(|one| one["operationId"].as_str().unwrap()).collect();
            assert_eq!(ids.len(), rules().len());
            let mut found = BTreeSet::new();
            references(&document, &mut found);
            assert!(found.len() > 100);
            for name in found {
                let pointer = name.strip_prefix('#').unwrap();
                assert!(pointer.starts_with(prefix) && document.pointer(pointer).is_some());
            }
        }
    }

    #[test]
    fn the_description_is_yaml_and_json() {
        let yaml: Value = serde_norway::from_slice(&openapi_yaml()).unwrap();
        assert_eq!(yaml["openapi"], "3.0.3");
        let json: Value = serde_json::from_slice(&swagger_json()).unwrap();
        assert_eq!(json["swagger"], "2.0");
    }
}
