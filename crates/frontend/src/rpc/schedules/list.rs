//! Lists and counts of schedules.

use api::{
    common::v1::{Memo, SearchAttributes},
    schedule::v1::{ScheduleListEntry, ScheduleListInfo},
    workflowservice::v1::{
        CountSchedulesRequest, CountSchedulesResponse, ListSchedulesRequest, ListSchedulesResponse,
    },
};
use namespace::Namespace;
use prost::Message as _;
use schedule::{DIVISION, INFO_FIELD, WORKFLOW_ID_PREFIX};
use visibility::Record;
use visibility_query::{
    Attribute, AttributeType, Comparison, Condition, Predicate, Schema, SystemAttribute, Test,
    Value, parse,
};

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::visibility::{catch_up, failed},
    token::{open_page, seal_page},
};

/// The one name for the id of a schedule.
const SCHEDULE_ID: &str = "ScheduleId";

/// What the server itself notes of a schedule in its search attributes.
const OWN_ATTRIBUTES: [&str; 2] = ["TemporalSchedulePaused", "TemporalNamespaceDivision"];

pub(crate) async fn list_schedules(
    frontend: &Frontend,
    call: &Call,
    request: ListSchedulesRequest,
) -> ApiResult<ListSchedulesResponse> {
    let namespace = call.namespace()?;
    let filter = filter(frontend, &request.query, namespace)?;
    catch_up(frontend).await;
    let page_size = usize::try_from(request.maximum_page_size).unwrap_or(0);
    let keys = frontend.token_keys();
    let token = open_page(keys, namespace.id, &request.next_page_token)?;
    let page =
        frontend.visibility.list(namespace.id, &filter, page_size, token).await.map_err(failed)?;
    Ok(ListSchedulesResponse {
        next_page_token: seal_page(keys, namespace.id, &page.next_page_token),
        schedules: page.records.into_iter().map(entry).collect(),
    })
}

pub(crate) async fn count_schedules(
    frontend: &Frontend,
    call: &Call,
    request: CountSchedulesRequest,
) -> ApiResult<CountSchedulesResponse> {
    let namespace = call.namespace()?;
    let filter = filter(frontend, &request.query, namespace)?;
    catch_up(frontend).await;
    let count = frontend.visibility.count(namespace.id, &filter).await.map_err(failed)?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(CountSchedulesResponse { count, groups: Vec::new() })
}

fn entry(record: Record) -> ScheduleListEntry {
    let mut fields = record.memo.unwrap_or_default().fields;
    let info = fields.remove(INFO_FIELD).map(|info| info.data).unwrap_or_default();
    let mut info = ScheduleListInfo::decode(info).unwrap_or_default();
    schedule_spec::clean(info.spec.get_or_insert_default());
    let mut indexed_fields = record.search_attributes;
    indexed_fields.retain(|name, _| !OWN_ATTRIBUTES.contains(&name.as_str()));
    let search_attributes =
        Some(SearchAttributes { indexed_fields }).filter(|found| !found.indexed_fields.is_empty());
    let id = record.workflow_id.strip_prefix(WORKFLOW_ID_PREFIX).unwrap_or(&record.workflow_id);
    ScheduleListEntry {
        schedule_id: id.to_owned(),
        memo: Some(Memo { fields }),
        search_attributes,
        info: Some(info),
    }
}

/// A filter over schedules: their id, whether they are paused, and the user's search attributes.
fn filter(frontend: &Frontend, query: &str, namespace: &Namespace) -> ApiResult<Predicate> {
    let mut names = namespace.schema.custom().clone();
    names.insert(SCHEDULE_ID.to_owned(), AttributeType::Keyword);
    let query = parse(query, &Schema::new(names), frontend.now())
        .map_err(|error| ApiError::invalid(error.to_string()))?;
    if !query.order_by.is_empty() {
        let text = "invalid query: operation is not supported: 'ORDER BY' clause";
        return Err(ApiError::invalid(text));
    }
    if let Some(group_by) = &query.group_by {
        return Err(refused(group_by.name()));
    }
    let division = Condition {
        attribute: SystemAttribute::TemporalNamespaceDivision.into(),
        test: Test::Compare(Comparison::Equal, Value::String(DIVISION.to_owned())),
    };
    let filter = of_schedules(query.filter)?;
    Ok(Predicate::all(vec![filter, Predicate::Condition(division)]))
}

fn refused(name: &str) -> ApiError {
    ApiError::invalid(format!("invalid query filter for schedules: cannot filter on {name:?}"))
}

fn of_schedules(predicate: Predicate) -> ApiResult<Predicate> {
    let all = |members: Vec<Predicate>| -> ApiResult<Vec<Predicate>> {
        members.into_iter().map(of_schedules).collect()
    };
    Ok(match predicate {
        Predicate::And(members) => Predicate::And(all(members)?),
        Predicate::Or(members) => Predicate::Or(all(members)?),
        Predicate::Condition(Condition { attribute, test }) => match attribute {
            Attribute::System(attribute) => return Err(refused(attribute.name())),
            Attribute::Stored { name, .. } if name == SCHEDULE_ID => {
                let attribute = SystemAttribute::WorkflowId.into();
                Predicate::Condition(Condition { attribute, test: with_prefix(test) })
            }
            Attribute::Stored { name, .. } if is_of_workflows(&name) => return Err(refused(&name)),
            attribute @ Attribute::Stored { .. } => {
                Predicate::Condition(Condition { attribute, test })
            }
        },
    })
}

/// Attributes that the server predefines for runs.
fn is_of_workflows(name: &str) -> bool {
    name != "TemporalSchedulePaused"
        && Schema::predefined().any(|(predefined, _)| predefined == name)
}

/// A test of a schedule's id as a test of what stands for the workflow id.
fn with_prefix(test: Test) -> Test {
    let long = |value: Value| match value {
        Value::String(text) => Value::String(format!("{WORKFLOW_ID_PREFIX}{text}")),
        other => other,
    };
    match test {
        Test::Compare(comparison, value) => Test::Compare(comparison, long(value)),
        Test::In { values, negated } => {
            Test::In { values: values.into_iter().map(long).collect(), negated }
        }
        Test::Between { low, high, negated } => {
            Test::Between { low: long(low), high: long(high), negated }
        }
        Test::StartsWith { prefix, negated } => {
            Test::StartsWith { prefix: format!("{WORKFLOW_ID_PREFIX}{prefix}"), negated }
        }
        other @ (Test::Contains { .. } | Test::Null { .. }) => other,
    }
}
