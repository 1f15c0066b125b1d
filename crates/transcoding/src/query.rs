//! The query of a request.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::{BadRequest, field};

/// Whether a query has this name, with or without a value.
pub(crate) fn has(query: &str, name: &str) -> bool {
    query.split('&').any(|pair| pair.split('=').next() == Some(name))
}

/// The first value of a name in a query.
///
/// # Errors
/// When it is no text.
pub fn value(query: &str, name: &str) -> Result<Option<String>, BadRequest> {
    let found = pairs(query)?.into_iter().find(|(known, _)| known == name);
    Ok(found.and_then(|(_, values)| values.into_iter().next()))
}

/// The same as bytes, which are written in base64.
///
/// # Errors
/// When they are not.
pub fn bytes(query: &str, name: &str) -> Result<Vec<u8>, BadRequest> {
    let text = value(query, name)?.unwrap_or_default();
    let decoded = field::bytes(&text.replace(' ', "+"));
    decoded.ok_or_else(|| BadRequest(format!("{name}: no base64")))
}

/// The names of a query, each with its values, in the order of their first appearance.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, Vec<String>)>, BadRequest> {
    let mut pairs: Vec<(String, Vec<String>)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name)?, decoded(value)?);
        match pairs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => pairs.push((name, vec![value])),
        }
    }
    Ok(pairs)
}

fn decoded(text: &str) -> Result<String, BadRequest> {
    let text: Cow<'_, str> =
        if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
    let decoded = percent_decode_str(&text).decode_utf8();
    let decoded = decoded.map_err(|_| BadRequest("the query is not text".to_owned()))?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_name_come_together() {
        let read = pairs("a=1&b=x+y%20z&a=2&c&=").unwrap();
        let expected =
            [("a", vec!["1", "2"]), ("b", vec!["x y z"]), ("c", vec![""]), ("", vec![""])];
        let read: Vec<_> = read
            .iter()
            .map(|(name, values)| (name.as_str(), values.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(read, expected);
        assert!(pairs("a=%ff").is_err());
    }
}
