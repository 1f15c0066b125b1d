//! List filters, as clients write them.

use model::Time;
use visibility_query::{AttributeType, Schema, parse};

/// The custom search attributes that a query of this target may name.
pub const CUSTOM_ATTRIBUTES: [(&str, AttributeType); 7] = [
    ("CustomKeywordField", AttributeType::Keyword),
    ("CustomKeywordListField", AttributeType::KeywordList),
    ("CustomTextField", AttributeType::Text),
    ("CustomIntField", AttributeType::Int),
    ("CustomDoubleField", AttributeType::Double),
    ("CustomBoolField", AttributeType::Bool),
    ("CustomDatetimeField", AttributeType::Datetime),
];

/// What `now()` is.
const NOW: Time = Time::from_nanos(1_700_000_000_000_000_000);

/// Parses a query. One that parses is written out as a query with the same meaning.
pub fn visibility_query(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let schema = Schema::new(
        CUSTOM_ATTRIBUTES.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect(),
    );
    let Ok(query) = parse(&text, &schema, NOW) else { return };
    let written = query.filter.to_string();
    match parse(&written, &schema, NOW) {
        Ok(again) => assert_eq!(again.filter, query.filter, "`{text}` became `{written}`"),
        Err(error) => assert_eq!(error.to_string(), "", "`{text}` became `{written}`"),
    }
    // Runs without any attribute are the ones that a careless reading trips over.
    assert_eq!(
        query.filter.matches(&|_| Vec::new()),
        query.filter.matches(&|_| Vec::new()),
        "`{text}` is answered in two ways"
    );
}
