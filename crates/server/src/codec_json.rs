//! Payloads in a JSON text, wherever they stand: objects with `metadata` that name an `encoding`, as
//! protobuf's JSON has them.

use anyhow::Context;
use longtide_codec::{CommonAttributes, Payload, read_body, write_body};
use serde_json::{Map, Value, json};

/// Read by the server, and therefore never encoded.
const LEFT_OUT: [&str; 2] = ["searchAttributes", "search_attributes"];

/// The payloads of a text, in the order in which they stand.
pub(crate) fn payloads(json: &Value) -> anyhow::Result<Vec<Payload>> {
    let mut found = Vec::new();
    let mut json = json.clone();
    walk(&mut json, &mut |payload| found.push(payload.clone()));
    let body = serde_json::to_vec(&json!({ "payloads": found }))?;
    Ok(read_body(&body)?)
}

/// Puts others in their places.
pub(crate) fn replace(json: &mut Value, payloads: Vec<Payload>) -> anyhow::Result<()> {
    let body: Value = serde_json::from_slice(&write_body(&payloads))?;
    let written = body.get("payloads").and_then(Value::as_array).context("no payloads")?.clone();
    let mut written = written.into_iter();
    walk(json, &mut |payload| {
        if let Some(new) = written.next() {
            *payload = new;
        }
    });
    Ok(())
}

fn walk(json: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    if is_payload(json) {
        return visit(json);
    }
    match json {
        Value::Array(values) => values.iter_mut().for_each(|value| walk(value, visit)),
        Value::Object(fields) => {
            let fields = fields.iter_mut().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
            fields.for_each(|(_, value)| walk(value, visit));
        }
        _ => {}
    }
}

fn is_payload(json: &Value) -> bool {
    json.get("metadata").and_then(|metadata| metadata.get("encoding")).is_some_and(Value::is_string)
}

/// Puts what failures say back to where it was before somebody encoded it.
pub(crate) fn tell_failures(json: &mut Value) {
    match json {
        Value::Array(values) => values.iter_mut().for_each(tell_failures),
        Value::Object(fields) => {
            tell(fields);
            fields.values_mut().for_each(tell_failures);
        }
        _ => {}
    }
}

fn tell(failure: &mut Map<String, Value>) {
    for name in ["encodedAttributes", "encoded_attributes"] {
        let Some(attributes) = failure.get(name).and_then(attributes) else { continue };
        failure.remove(name);
        failure.insert("message".to_owned(), attributes.message.into());
        if !attributes.stack_trace.is_empty() {
            failure.insert("stackTrace".to_owned(), attributes.stack_trace.into());
        }
    }
}

fn attributes(payload: &Value) -> Option<CommonAttributes> {
    let body = serde_json::to_vec(&json!({ "payloads": [payload] })).ok()?;
    CommonAttributes::of_payload(read_body(&body).ok()?.first()?)
}

/// Puts the values of payloads in their places, where they are JSON.
pub(crate) fn show_values(json: &mut Value) {
    walk(json, &mut |payload| {
        let body = serde_json::to_vec(&json!({ "payloads": [payload] })).unwrap_or_default();
        let Some(read) = read_body(&body).ok().and_then(|mut payloads| payloads.pop()) else {
            return;
        };
        match read.encoding() {
            b"json/plain" | b"json/protobuf" => {
                if let Ok(value) = serde_json::from_slice(&read.data) {
                    *payload = value;
                }
            }
            b"binary/null" => *payload = Value::Null,
            _ => {}
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> Value {
        let payload = json!({ "metadata": { "encoding": "anNvbi9wbGFpbg==" }, "data": "MQ==" });
        json!({ "events": [{ "input": { "payloads": [payload, payload] },
            "searchAttributes": { "indexedFields": { "A": payload } } }] })
    }

    #[test]
    fn payloads_are_found_and_search_attributes_are_not() {
        let mut json = history();
        assert_eq!(payloads(&json).unwrap(), vec![Payload::new("json/plain", "1"); 2]);
        replace(&mut json, vec![Payload::new("json/plain", "2"), Payload::new("binary/null", "")])
            .unwrap();
        show_values(&mut json);
        let event = &json["events"][0];
        assert_eq!(event["input"]["payloads"], json!([2, null]));
        assert_eq!(event["searchAttributes"], history()["events"][0]["searchAttributes"]);
    }

    #[test]
    fn what_a_failure_says_is_put_back() {
        let attributes = CommonAttributes { message: "no".into(), stack_trace: "here".into() };
        let payload: Value =
            serde_json::from_slice(&write_body(&[attributes.to_payload()])).unwrap();
        let mut json = json!({ "failure": { "message": "Encoded failure",
            "encodedAttributes": payload["payloads"][0], "cause": { "message": "why" } } });
        tell_failures(&mut json);
        let told = json!({ "message": "no", "stackTrace": "here", "cause": { "message": "why" } });
        assert_eq!(json["failure"], told);
    }
}
