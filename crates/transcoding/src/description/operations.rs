//! Rules as operations.

use std::collections::BTreeMap;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::{
    Version,
    schemas::{self, STATUS},
};
use crate::{Rule, field, rules};

/// How deep a query's names may go.
const DEPTH_MAX: usize = 3;

/// The statuses that an error may have, and what they mean.
const ERRORS: &[(&str, &str)] = &[
    ("400", "The request is not valid, or the state of what it names does not allow it."),
    ("401", "The credentials are not taken."),
    ("403", "The caller may not do this."),
    ("404", "There is no such thing."),
    ("409", "It exists already, or somebody else was faster."),
    ("413", "The body is too large."),
    ("429", "Too many requests."),
    ("499", "The caller has given up."),
    ("500", "The server failed."),
    ("501", "This server does not do that."),
    ("503", "The server cannot do this now."),
    ("504", "It took too long."),
];

/// Every path with its operations, and the messages in them.
pub(super) fn paths(version: Version) -> (Value, Vec<MessageDescriptor>) {
    let mut paths: Map<String, Value> = Map::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut used = Vec::new();
    for rule in rules() {
        let count = counts.entry(rule.method.name().to_owned()).or_default();
        *count += 1;
        let path = paths.entry(rule.template).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            let verb = rule.verb.as_str().to_lowercase();
            path.insert(verb, operation(version, rule, *count));
        }
        used.extend([rule.method.input(), rule.method.output()]);
    }
    (paths.into(), used)
}

fn operation(version: Version, rule: &Rule, count: usize) -> Value {
    let name = rule.method.name();
    let id = if count == 1 { name.to_owned() } else { format!("{name}{count}") };
    let input = rule.method.input();
    let mut parameters: Vec<Value> =
        rule.path_fields().map(|path| in_path(version, &input, path)).collect();
    if rule.has_body {
        if version == Version::Two {
            let schema = schemas::of_message(version, &input);
            let body = json!({ "name": "body", "in": "body", "required": true, "schema": schema });
            parameters.push(body);
        }
    } else {
        let taken: Vec<&str> = rule.path_fields().collect();
        in_query(version, &input, &mut Vec::new(), &taken, &mut parameters);
    }
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), id.into());
    operation.insert("tags".to_owned(), json!([rule.method.parent_service().name()]));
    if let Some(text) = comment(rule) {
        operation.insert("description".to_owned(), text.into());
    }
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), parameters.into());
    }
    if rule.has_body && version == Version::Three {
        let content = content(schemas::of_message(version, &input));
        let body = json!({ "required": true, "content": content });
        operation.insert("requestBody".to_owned(), body);
    }
    operation.insert("responses".to_owned(), responses(version, rule));
    operation.into()
}

fn content(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn responses(version: Version, rule: &Rule) -> Value {
    let response = |text: &str, schema: Value| match version {
        Version::Two => json!({ "description": text, "schema": schema }),
        Version::Three => json!({ "description": text, "content": content(schema) }),
    };
    let mut responses = Map::new();
    let done = response("Done.", schemas::of_message(version, &rule.method.output()));
    responses.insert("200".to_owned(), done);
    for (status, text) in ERRORS {
        let error = response(text, schemas::reference(version, STATUS));
        responses.insert((*status).to_owned(), error);
    }
    responses.into()
}

fn in_path(version: Version, input: &MessageDescriptor, path: &str) -> Value {
    let mut message = Some(input.clone());
    let mut found = None;
    for name in path.split('.') {
        found = message.as_ref().and_then(|message| field::named(message, name));
        message = found.as_ref().and_then(|field| field.kind().as_message().cloned());
    }
    let kind = found.map_or(Kind::String, |field| field.kind());
    let schema = schemas::of_kind(version, &kind);
    parameter(version, path, "path", true, schema)
}

/// The fields that a query may set: those that are one value or a list of them.
fn in_query(
    version: Version,
    message: &MessageDescriptor,
    above: &mut Vec<FieldDescriptor>,
    taken: &[&str],
    parameters: &mut Vec<Value>,
) {
    for field in message.fields() {
        above.push(field.clone());
        let path = names(above, FieldDescriptor::name);
        let schema = schemas::of_field(version, &field);
        if taken.contains(&path.as_str()) || field.is_map() {
            above.pop();
            continue;
        }
        match field.kind() {
            // Lists of messages have no place in a query.
            Kind::Message(inner) if schema.get("$ref").is_some() => {
                if above.len() < DEPTH_MAX {
                    in_query(version, &inner, above, taken, parameters);
                }
            }
            Kind::Message(_) if field.is_list() || schema.get("type") != Some(&"string".into()) => {
            }
            _ => {
                let name = names(above, FieldDescriptor::json_name);
                parameters.push(parameter(version, &name, "query", false, schema));
            }
        }
        above.pop();
    }
}

fn names(fields: &[FieldDescriptor], name: fn(&FieldDescriptor) -> &str) -> String {
    fields.iter().map(name).collect::<Vec<_>>().join(".")
}

fn parameter(version: Version, name: &str, place: &str, required: bool, schema: Value) -> Value {
    let mut parameter = match (version, schema) {
        (Version::Two, Value::Object(mut schema)) => {
            if schema.get("type") == Some(&"array".into()) {
                schema.insert("collectionFormat".to_owned(), "multi".into());
            }
            schema
        }
        (_, schema) => Map::from_iter([("schema".to_owned(), schema)]),
    };
    parameter.insert("name".to_owned(), name.into());
    parameter.insert("in".to_owned(), place.into());
    parameter.insert("required".to_owned(), required.into());
    parameter.into()
}

/// What the API's authors say of a method.
fn comment(rule: &Rule) -> Option<String> {
    let file = rule.method.parent_file();
    let source = file.file_descriptor_proto().source_code_info.as_ref()?;
    let path = rule.method.path();
    let location = source.location.iter().find(|location| location.path == path)?;
    let text = location.leading_comments.as_deref()?;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    Some(lines.join("\n").trim().to_owned()).filter(|text| !text.is_empty())
}
