//! Search attributes as the index wants them: by the types that the namespace gives them, whatever
//! the client called them.

use std::collections::BTreeMap;

use api::common::v1::Payload;
use bytes::Bytes;
use visibility_query::AttributeType;

/// The metadata entry of a search attribute's payload that names its type.
const TYPE: &str = "type";

/// Puts the known types in the place of those that clients wrote, and the one value of a list in
/// the place of the list where the type is not that of lists. What has no known type stays.
pub(crate) fn write_types(
    attributes: &mut BTreeMap<String, Payload>,
    known: impl Fn(&str) -> Option<AttributeType>,
) {
    for (name, payload) in attributes {
        let Some(kind) = known(name) else { continue };
        let written = payload.metadata.get(TYPE).map(Bytes::as_ref);
        if written != Some(kind.name().as_bytes()) {
            payload.metadata.insert(TYPE.to_owned(), Bytes::from_static(kind.name().as_bytes()));
        }
        if kind != AttributeType::KeywordList
            && let Some(only) = only_member(&payload.data)
        {
            payload.data = only;
        }
    }
}

/// The one member of a JSON list of one.
fn only_member(json: &[u8]) -> Option<Bytes> {
    if !json.starts_with(b"[") {
        return None;
    }
    let [only] = serde_json::from_slice::<[serde_json::Value; 1]>(json).ok()?;
    Some(Bytes::from(only.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(json: &'static str, kind: Option<&'static str>) -> Payload {
        let metadata = kind.map(|kind| (TYPE.to_owned(), Bytes::from_static(kind.as_bytes())));
        Payload {
            metadata: metadata.into_iter().collect(),
            data: Bytes::from_static(json.as_bytes()),
            ..Payload::default()
        }
    }

    #[test]
    fn the_index_goes_by_the_namespaces_types() {
        let mut attributes = BTreeMap::from([
            ("absent".to_owned(), payload("\"a\"", None)),
            ("wrong".to_owned(), payload("\"a\"", Some("Text"))),
            ("list".to_owned(), payload("[\"a\"]", Some("KeywordList"))),
            ("unknown".to_owned(), payload("[\"a\"]", Some("Nonsense"))),
        ]);
        write_types(&mut attributes, |name| (name != "unknown").then_some(AttributeType::Keyword));
        let expected = BTreeMap::from([
            ("absent".to_owned(), payload("\"a\"", Some("Keyword"))),
            ("wrong".to_owned(), payload("\"a\"", Some("Keyword"))),
            ("list".to_owned(), payload("\"a\"", Some("Keyword"))),
            ("unknown".to_owned(), payload("[\"a\"]", Some("Nonsense"))),
        ]);
        assert_eq!(attributes, expected);
    }

    #[test]
    fn lists_of_keywords_stay_lists() {
        let mut attributes = BTreeMap::from([("list".to_owned(), payload("[\"a\"]", None))]);
        write_types(&mut attributes, |_| Some(AttributeType::KeywordList));
        assert_eq!(attributes["list"], payload("[\"a\"]", Some("KeywordList")));
    }
}
