//! Lists and counts of what is no workflow but stands in the index like one.

use std::collections::BTreeMap;

use api::common::v1::{Payload, SearchAttributes};
use visibility::Page;
use visibility_query::{
    Attribute, AttributeType, Comparison, Condition, Predicate, Query, SystemAttribute, Test,
    Value, parse,
};

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::visibility::{catch_up, failed, group_name, keyword_payload, shown},
    token::{open_page, seal_page},
};

/// Largest page of a list, as in the reference.
const PAGE_MAX: usize = 1000;

/// A kind of what is listed.
pub(crate) struct Kind {
    /// Its namespace division.
    pub(crate) division: &'static str,
    /// What it calls the attributes that runs have by themselves.
    pub(crate) names: &'static [(&'static str, SystemAttribute)],
    /// What it calls attributes that are stored under other names.
    pub(crate) stored: &'static [(&'static str, &'static str)],
}

impl Kind {
    /// A page of those that a query finds.
    pub(crate) async fn list(
        &self,
        frontend: &Frontend,
        call: &Call,
        query: &str,
        page_size: i32,
        page_token: &[u8],
    ) -> ApiResult<Page> {
        let namespace_id = call.namespace()?.id;
        let query = self.query(frontend, call, query)?;
        catch_up(frontend).await;
        let page_size = usize::try_from(page_size).unwrap_or(0);
        let page_size = if page_size == 0 { PAGE_MAX } else { page_size.min(PAGE_MAX) };
        let keys = frontend.token_keys();
        let page_token = open_page(keys, namespace_id, page_token)?;
        let page = frontend
            .visibility
            .list_sorted(namespace_id, &query.filter, &query.order_by, page_size, page_token)
            .await
            .map_err(failed)?;
        let next_page_token = seal_page(keys, namespace_id, &page.next_page_token).into();
        Ok(Page { next_page_token, ..page })
    }

    /// How many a query finds, in all and by group.
    pub(crate) async fn count(
        &self,
        frontend: &Frontend,
        call: &Call,
        query: &str,
    ) -> ApiResult<(i64, Vec<(Payload, i64)>)> {
        let namespace_id = call.namespace()?.id;
        let Query { filter, group_by, .. } = self.query(frontend, call, query)?;
        catch_up(frontend).await;
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let Some(group_by) = group_by else {
            let count = frontend.visibility.count(namespace_id, &filter).await.map_err(failed)?;
            return Ok((number(count), Vec::new()));
        };
        let counts =
            frontend.visibility.count_by(namespace_id, &filter, &group_by).await.map_err(failed)?;
        let group =
            |(value, count): (Value, u64)| (keyword_payload(&group_name(&value)), number(count));
        let groups: Vec<(Payload, i64)> = counts.into_iter().map(group).collect();
        Ok((groups.iter().map(|(_, count)| count).sum(), groups))
    }

    /// A text with the names of attributes that users know.
    fn in_its_words(&self, text: String) -> String {
        self.stored.iter().fold(text, |text, (name, stored)| text.replace(stored, name))
    }

    fn query(&self, frontend: &Frontend, call: &Call, query: &str) -> ApiResult<Query> {
        let mut schema = call.namespace()?.schema.clone();
        for (name, attribute) in self.names {
            schema = schema.with_alias(name, (*attribute).into());
        }
        for (name, stored) in self.stored {
            let attribute =
                Attribute::Stored { name: (*stored).to_owned(), kind: AttributeType::Keyword };
            schema = schema.with_alias(name, attribute);
        }
        let mut query = parse(query, &schema, frontend.now())
            .map_err(|error| ApiError::invalid(self.in_its_words(error.to_string())))?;
        let division = Condition {
            attribute: SystemAttribute::TemporalNamespaceDivision.into(),
            test: Test::Compare(Comparison::Equal, Value::String(self.division.to_owned())),
        };
        query.filter = Predicate::all(vec![query.filter, Predicate::Condition(division)]);
        Ok(query)
    }
}

/// The search attributes that lists show: the user's own and, as in the reference, the division.
pub(crate) fn attributes_of(
    mut attributes: BTreeMap<String, Payload>,
    kind: &Kind,
) -> SearchAttributes {
    for (_, stored) in kind.stored {
        attributes.remove(*stored);
    }
    SearchAttributes { indexed_fields: shown(attributes) }
}
