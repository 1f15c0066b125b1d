//! Records for tests, and the plain list that the index must agree with.

use std::{cmp::Reverse, collections::BTreeMap};

use api::common::v1::Payload;
use model::{NamespaceId, RunId, SlotId, Span, Time};
use visibility::{Change, Execution, Index, Location, NAMESPACE_DIVISION, Record};
use visibility_query::{
    Attribute, AttributeType, Predicate, Schema, SystemAttribute, Value, parse,
};

pub(crate) fn namespace(number: u8) -> NamespaceId {
    NamespaceId::from_bytes([number; 16])
}

pub(crate) fn run(number: u64) -> RunId {
    RunId::from_bytes(u128::from(number).to_be_bytes())
}

pub(crate) fn slot() -> SlotId {
    SlotId::new(7).unwrap()
}

pub(crate) fn record(number: u64, version: u64) -> Record {
    Record {
        namespace_id: namespace(1),
        run_id: run(number),
        version,
        workflow_id: format!("workflow-{number}"),
        workflow_type: "order".to_owned(),
        task_queue: "queue".to_owned(),
        status: 1,
        start_time: Time::from_nanos(1_000_000_000 + number.cast_signed()),
        execution_time: Time::from_nanos(1_000_000_000 + number.cast_signed()),
        close_time: Time::UNSET,
        history_length: 3,
        history_size_bytes: 300,
        state_transition_count: 2,
        execution_duration: Span::ZERO,
        parent: None,
        root: None,
        memo: None,
        search_attributes: BTreeMap::new(),
    }
}

pub(crate) fn closed(mut record: Record, status: i32, close_time: i64) -> Record {
    record.status = status;
    record.close_time = Time::from_nanos(close_time);
    record.execution_duration = record.close_time.since(record.execution_time);
    record
}

pub(crate) fn payload(kind: AttributeType, json: &str) -> Payload {
    let metadata = [("encoding", "json/plain"), ("type", kind.name())];
    Payload {
        metadata: metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec().into()))
            .collect(),
        data: json.as_bytes().to_vec().into(),
        ..Payload::default()
    }
}

pub(crate) const CUSTOM: [(&str, AttributeType); 7] = [
    ("Kw", AttributeType::Keyword),
    ("Kl", AttributeType::KeywordList),
    ("Txt", AttributeType::Text),
    ("Num", AttributeType::Int),
    ("Dbl", AttributeType::Double),
    ("Yes", AttributeType::Bool),
    ("At", AttributeType::Datetime),
];

pub(crate) fn schema() -> Schema {
    Schema::new(CUSTOM.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect())
}

/// What `now()` is.
pub(crate) const NOW: Time = Time::from_nanos(1_700_000_000_000_000_000);

pub(crate) fn filter(text: &str) -> Predicate {
    parse(text, &schema(), NOW).unwrap().filter
}

pub(crate) fn open() -> Index {
    Index::open(&Location::Memory).unwrap()
}

pub(crate) async fn submit(index: &Index, change: Change) {
    index.submit(slot(), index_seq(index), change).await.unwrap();
}

fn index_seq(index: &Index) -> u64 {
    index.flushed_through(slot()) + 1
}

pub(crate) async fn upsert(index: &Index, record: Record) {
    submit(index, Change::Upsert(Box::new(record))).await;
}

pub(crate) async fn settle(index: &Index) {
    index.wait_for(index.submitted()).await.unwrap();
}

/// The numbers of the runs that match, in the order of the list.
pub(crate) async fn listed(index: &Index, text: &str) -> Vec<u64> {
    settle(index).await;
    let page = index.list(namespace(1), &filter(text), 0, &[]).await.unwrap();
    assert!(page.next_page_token.is_empty());
    page.records.iter().map(|record| number(record.run_id)).collect()
}

pub(crate) fn number(run_id: RunId) -> u64 {
    u64::from_be_bytes(run_id.as_bytes()[8..].try_into().unwrap())
}

/// What list answers, without an index.
pub(crate) fn expected<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    namespace_id: NamespaceId,
    filter: &Predicate,
) -> Vec<Record> {
    let every_division = filter.mentions(SystemAttribute::TemporalNamespaceDivision);
    let mut found: Vec<Record> = records
        .into_iter()
        .filter(|record| record.namespace_id == namespace_id)
        .filter(|record| {
            every_division || !record.search_attributes.contains_key(NAMESPACE_DIVISION)
        })
        .filter(|record| filter.matches(&|attribute: &Attribute| values(record, attribute)))
        .cloned()
        .map(|mut record| {
            record.root.get_or_insert(Execution {
                workflow_id: record.workflow_id.clone(),
                run_id: record.run_id,
            });
            record
        })
        .collect();
    found.sort_by_key(|record| {
        let close = if record.close_time.is_set() { record.close_time } else { Time::MAX };
        (Reverse(close), Reverse(record.start_time), record.run_id)
    });
    found
}

/// What a run has of an attribute, as [`Predicate::matches`] wants it.
pub(crate) fn values(record: &Record, attribute: &Attribute) -> Vec<Value> {
    use SystemAttribute as System;
    let text = |text: &str| vec![Value::String(text.to_owned())];
    let closed = |value: Value| if record.close_time.is_set() { vec![value] } else { Vec::new() };
    let root = record.root.as_ref();
    match attribute {
        Attribute::Stored { name, kind } => record
            .search_attributes
            .get(name)
            .map(|payload| stored(*kind, payload))
            .unwrap_or_default(),
        Attribute::System(system) => match system {
            System::WorkflowId => text(&record.workflow_id),
            System::RunId => text(&record.run_id.to_string()),
            System::WorkflowType => text(&record.workflow_type),
            System::TaskQueue => text(&record.task_queue),
            System::StartTime => vec![Value::Time(record.start_time)],
            System::ExecutionTime => vec![Value::Time(record.execution_time)],
            System::CloseTime => closed(Value::Time(record.close_time)),
            System::ExecutionStatus => vec![Value::Int(record.status.into())],
            System::HistoryLength => closed(Value::Int(record.history_length)),
            System::HistorySizeBytes => closed(Value::Int(record.history_size_bytes)),
            System::ExecutionDuration => closed(Value::Int(record.execution_duration.nanos())),
            System::StateTransitionCount => closed(Value::Int(record.state_transition_count)),
            System::ParentWorkflowId => {
                record.parent.iter().flat_map(|parent| text(&parent.workflow_id)).collect()
            }
            System::ParentRunId => {
                record.parent.iter().flat_map(|parent| text(&parent.run_id.to_string())).collect()
            }
            System::RootWorkflowId => {
                text(root.map_or(&record.workflow_id, |root| &root.workflow_id))
            }
            System::RootRunId => text(&root.map_or(record.run_id, |root| root.run_id).to_string()),
            System::TemporalNamespaceDivision => record
                .search_attributes
                .get(NAMESPACE_DIVISION)
                .map(|payload| stored(AttributeType::Keyword, payload))
                .unwrap_or_default(),
        },
    }
}

fn stored(kind: AttributeType, payload: &Payload) -> Vec<Value> {
    let json: serde_json::Value = serde_json::from_slice(&payload.data).unwrap();
    match kind {
        AttributeType::Keyword | AttributeType::Text => {
            vec![Value::String(json.as_str().unwrap().to_owned())]
        }
        AttributeType::KeywordList => json
            .as_array()
            .unwrap()
            .iter()
            .map(|member| Value::String(member.as_str().unwrap().to_owned()))
            .collect(),
        AttributeType::Int => vec![Value::Int(json.as_i64().unwrap())],
        AttributeType::Double => vec![Value::Double(json.as_f64().unwrap())],
        AttributeType::Bool => vec![Value::Bool(json.as_bool().unwrap())],
        AttributeType::Datetime => {
            vec![Value::Time(visibility_query::parse_datetime(json.as_str().unwrap()).unwrap())]
        }
    }
}
