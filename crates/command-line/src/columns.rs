//! Columns of tables: which part of a JSON value stands where, and how it looks.

use serde_json::Value;

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Its heading.
    pub(crate) title: &'static str,
    /// JSON pointer to its part of a row.
    pub(crate) path: &'static str,
    /// How the part looks.
    pub(crate) look: Look,
}

/// How a part of a row looks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Look {
    /// As it is.
    Plain,
    /// As a time.
    Time,
    /// As a value of an enumeration whose names begin like this.
    Enumeration(&'static str),
}

/// A column of plain text.
pub(crate) const fn plain(title: &'static str, path: &'static str) -> Column {
    Column { title, path, look: Look::Plain }
}

/// A column of times.
pub(crate) const fn time(title: &'static str, path: &'static str) -> Column {
    Column { title, path, look: Look::Time }
}

/// A column of values of an enumeration.
pub(crate) const fn enumeration(
    title: &'static str,
    path: &'static str,
    prefix: &'static str,
) -> Column {
    Column { title, path, look: Look::Enumeration(prefix) }
}

/// A value as text for people.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.iter().all(|value| !value.is_object()) => {
            values.iter().map(text).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
