//! Null values: a run does not start with them.

use std::collections::BTreeMap;

use api::{
    command::v1::{Command, command::Attributes},
    common::v1::{Memo, Payload, SearchAttributes},
};

/// Leaves the null values out of the memos and search attributes of runs that commands start.
pub(crate) fn drop_nulls(commands: &mut [Command]) {
    for command in commands {
        let (memo, attributes) = match &mut command.attributes {
            Some(Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(next)) => {
                (&mut next.memo, &mut next.search_attributes)
            }
            Some(Attributes::StartChildWorkflowExecutionCommandAttributes(child)) => {
                (&mut child.memo, &mut child.search_attributes)
            }
            _ => continue,
        };
        *memo = memo_without_nulls(memo.take());
        *attributes = search_attributes_without_nulls(attributes.take());
    }
}

/// The memo without its null values; none when nothing is left.
pub(crate) fn memo_without_nulls(memo: Option<Memo>) -> Option<Memo> {
    let fields = without_nulls(memo?.fields);
    (!fields.is_empty()).then_some(Memo { fields })
}

/// The search attributes without null values; none when nothing is left.
pub(crate) fn search_attributes_without_nulls(
    attributes: Option<SearchAttributes>,
) -> Option<SearchAttributes> {
    let indexed_fields = without_nulls(attributes?.indexed_fields);
    (!indexed_fields.is_empty()).then_some(SearchAttributes { indexed_fields })
}

fn without_nulls(mut fields: BTreeMap<String, Payload>) -> BTreeMap<String, Payload> {
    fields.retain(|_, value| !engine::is_null(value));
    fields
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn null_values_are_left_out_and_others_stay() {
        let json = |text: &'static str| Payload {
            metadata: [("encoding".to_owned(), Bytes::from_static(b"json/plain"))].into(),
            data: Bytes::from_static(text.as_bytes()),
            ..Payload::default()
        };
        let memo = Memo {
            fields: [("gone".to_owned(), json("null")), ("kept".to_owned(), json("0"))].into(),
        };
        let kept = memo_without_nulls(Some(memo)).unwrap();
        assert_eq!(kept.fields.into_keys().collect::<Vec<_>>(), ["kept"]);
        let attributes =
            SearchAttributes { indexed_fields: [("gone".to_owned(), json("[]"))].into() };
        assert_eq!(search_attributes_without_nulls(Some(attributes)), None);
    }
}
