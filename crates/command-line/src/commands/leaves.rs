//! The leaves of a value as lines, each with its place.

use serde_json::Value;

use crate::{context::Context, error::Result};

/// All of them, in order.
pub(crate) fn of(value: &Value) -> Vec<String> {
    below("", value)
}

/// The same for a value that stands at a place.
pub(crate) fn below(place: &str, value: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    flatten(place, value, &mut lines);
    lines
}

/// Prints all of them for people.
pub(crate) fn print(context: &mut Context, value: &Value, indent: &str) -> Result {
    of(value).iter().try_for_each(|line| context.output.line(&format!("{indent}{line}")))
}

fn flatten(place: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let separator = if place.is_empty() { "" } else { "." };
                flatten(&format!("{place}{separator}{key}"), value, lines);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                flatten(&format!("{place}[{index}]"), value, lines);
            }
        }
        Value::String(text) => lines.push(format!("{place}: {text}")),
        leaf => lines.push(format!("{place}: {leaf}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::of;

    #[test]
    fn values_are_flattened_to_their_leaves() {
        let lines = of(&json!({"a": {"b": [1, {"c": "x"}]}, "d": null}));
        assert_eq!(lines, ["a.b[0]: 1", "a.b[1].c: x", "d: null"]);
    }
}
