//! Forms, and the queries of addresses.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but what never has to be encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Pairs as a form, or as the query of an address.
pub fn form(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// An address with these pairs added to its query.
pub fn address_with(address: &str, fields: &[(&str, &str)]) -> String {
    let separator = if address.contains('?') { '&' } else { '?' };
    format!("{address}{separator}{}", form(fields))
}

/// The pairs of a form or a query; of several with one name, the first.
pub fn read_form(text: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let mut pairs = BTreeMap::new();
    for (name, value) in text.split('&').filter_map(|pair| pair.split_once('=')) {
        pairs.entry(decoded(name)).or_insert_with(|| decoded(value));
    }
    pairs
}

pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_encoded_and_read() {
        assert_eq!(form(&[("a_b", "c&d=e"), ("f", "ä")]), "a_b=c%26d%3De&f=%C3%A4");
        let pairs = read_form("code=a%2Fb&state=x+y&state=z&odd");
        assert_eq!((pairs["code"].as_str(), pairs["state"].as_str()), ("a/b", "x y"));
        assert_eq!(pairs.len(), 2);
        assert_eq!(address_with("https://a/b?c=d", &[("e", "f")]), "https://a/b?c=d&e=f");
    }
}
