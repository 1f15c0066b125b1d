//! Values of options: lengths of time, pairs, names of enumerations.

use std::time::Duration;

use api::common::v1::Payload;
use bytes::Bytes;
use serde_json::Value;

/// A length of time. A type of its own, so that clap does not take it for a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Length(pub(crate) Duration);

impl Length {
    pub(crate) fn proto(self) -> Option<prost_types::Duration> {
        prost_types::Duration::try_from(self.0).ok().filter(|_| !self.0.is_zero())
    }
}

/// A length as SDKs send it: none is a length of nothing.
pub(crate) fn or_zero(length: Option<Length>) -> Option<prost_types::Duration> {
    Some(length.and_then(Length::proto).unwrap_or_default())
}

/// Units of a length, in nanoseconds.
const UNITS: &[(&str, f64)] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3_600e9),
    ("d", 86_400e9),
];

/// Reads `1h30m`, `1.5s`, `3d`, `0`.
pub(crate) fn length(text: &str) -> Result<Length, String> {
    let wrong = || format!("`{text}` is no length of time such as `90s`, `1h30m` or `3d`");
    if text == "0" {
        return Ok(Length::default());
    }
    let mut rest = text;
    let mut nanos = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        nanos += number * factor;
        rest = tail;
    }
    let length = Duration::try_from_secs_f64(nanos / 1e9).map_err(|_| wrong())?;
    if text.is_empty() { Err(wrong()) } else { Ok(Length(length)) }
}

/// Reads `KEY=VALUE`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("`{text}` is not of the form KEY=VALUE"))
}

/// Reads `KEY=VALUE` where the value is JSON, as a payload.
pub(crate) fn json_pair(text: &str) -> Result<(String, Payload), String> {
    let (key, value) = pair(text)?;
    let value: Value = serde_json::from_str(&value)
        .map_err(|error| format!("the value of `{key}` is no JSON: {error}"))?;
    Ok((key, json_payload(&value)))
}

/// A value as a payload, as SDKs make it.
pub(crate) fn json_payload(value: &Value) -> Payload {
    match value {
        Value::Null => Payload {
            metadata: [("encoding".to_owned(), Bytes::from_static(b"binary/null"))].into(),
            ..Payload::default()
        },
        value => Payload {
            metadata: [("encoding".to_owned(), Bytes::from_static(b"json/plain"))].into(),
            data: Bytes::from(value.to_string()),
            ..Payload::default()
        },
    }
}

/// Reads RFC 3339.
pub(crate) fn timestamp(text: &str) -> Result<prost_types::Timestamp, String> {
    let time: jiff::Timestamp =
        text.parse().map_err(|_| format!("`{text}` is no time such as 2026-01-31T12:00:00Z"))?;
    Ok(prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() })
}

/// How many numbers an enumeration of the API may have.
const ENUMERATION_MAX: i32 = 128;

/// Reads a value of an enumeration of the API: `AllowDuplicate`, or its whole name.
pub(crate) fn named<E: TryFrom<i32>>(
    text: &str,
    prefix: &str,
    name: fn(&E) -> &'static str,
) -> Result<i32, String> {
    let plain = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    let wanted = plain(text);
    let mut known = Vec::new();
    for number in 0..ENUMERATION_MAX {
        let Ok(value) = E::try_from(number) else { continue };
        let full = name(&value);
        let short = full.strip_prefix(prefix).unwrap_or(full);
        if plain(short) == wanted || plain(full) == wanted {
            return Ok(number);
        }
        if short != "UNSPECIFIED" {
            known.push(camel(short));
        }
    }
    Err(format!("`{text}` is none of {}", known.join(", ")))
}

/// `ALLOW_DUPLICATE` as `AllowDuplicate`.
pub(crate) fn camel(screaming: &str) -> String {
    let mut out = String::new();
    for word in screaming.split('_') {
        let mut characters = word.chars();
        out.extend(characters.next());
        out.push_str(&characters.as_str().to_lowercase());
    }
    out
}

/// Makes a value parser of an enumeration of the API.
macro_rules! enumeration {
    ($function:ident, $type:ty, $prefix:literal) => {
        /// Reads a value of the enumeration.
        pub(crate) fn $function(text: &str) -> ::std::result::Result<i32, String> {
            $crate::values::named::<$type>(text, $prefix, <$type>::as_str_name)
        }
    };
}
pub(crate) use enumeration;

enumeration!(id_reuse_policy, api::enums::v1::WorkflowIdReusePolicy, "WORKFLOW_ID_REUSE_POLICY_");
enumeration!(
    id_conflict_policy,
    api::enums::v1::WorkflowIdConflictPolicy,
    "WORKFLOW_ID_CONFLICT_POLICY_"
);
enumeration!(reject_condition, api::enums::v1::QueryRejectCondition, "QUERY_REJECT_CONDITION_");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_units() {
        let seconds = |text| length(text).unwrap().0.as_secs_f64();
        assert_eq!(seconds("90s"), 90.0);
        assert_eq!(seconds("1h30m"), 5_400.0);
        assert_eq!(seconds("1.5s"), 1.5);
        assert_eq!(seconds("2d"), 172_800.0);
        assert_eq!(seconds("0"), 0.0);
        assert_eq!(seconds("100ms"), 0.1);
        for wrong in ["", "5", "s", "1x", "-1s", "1h30"] {
            assert!(length(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn enumerations_are_read_by_short_and_whole_name() {
        for name in ["RejectDuplicate", "rejectduplicate", "reject_duplicate"] {
            assert_eq!(id_reuse_policy(name), Ok(3), "{name}");
        }
        assert_eq!(id_reuse_policy("WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE"), Ok(3));
        let error = id_reuse_policy("x").unwrap_err();
        assert!(error.contains("AllowDuplicateFailedOnly"), "{error}");
    }

    #[test]
    fn pairs_hold_json() {
        let (key, payload) = json_pair("a={\"b\":1}").unwrap();
        assert_eq!((key.as_str(), &payload.data[..]), ("a", &b"{\"b\":1}"[..]));
        assert!(json_pair("a=x").is_err());
        assert!(json_pair("a").is_err());
    }
}
