//! Inputs to start from: each is what a well-behaved client or store hands over, or nearly.

use std::sync::Arc;

use api::{
    History,
    history::v1::{
        HistoryEvent, WorkflowExecutionSignaledEventAttributes,
        WorkflowTaskScheduledEventAttributes, history_event::Attributes,
    },
};
use bytes::Bytes;
use engine::{State, TaskAction, TaskRecord, TransitionRecord, WorkflowTaskRef};
use fuzz_targets::CUSTOM_ATTRIBUTES;
use model::{SlotId, Time};
use prost::Message as _;
use storage::{Cursors, Epoch, MetaRecord, SlotRow, Table, envelope};

use super::runs;

/// A seed's name and its bytes.
pub(super) type Seed = (&'static str, Vec<u8>);

/// The seeds of every target.
pub(super) fn all() -> [(&'static str, Vec<Seed>); 5] {
    [
        ("engine_inputs", runs::seeds()),
        ("storage_envelope", envelopes()),
        ("task_token", tokens()),
        ("transition_record", records()),
        ("visibility_query", queries()),
    ]
}

fn envelopes() -> Vec<Seed> {
    let seed = |table: Table, key: &[u8], value: &[u8]| {
        let index = Table::ALL.iter().position(|found| *found == table).unwrap();
        let mut bytes = vec![u8::try_from(index).unwrap(), u8::try_from(key.len()).unwrap()];
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(&envelope::seal(table, key, value));
        bytes
    };
    let row = SlotRow {
        epoch: Epoch(7),
        seq: 42,
        cursors: Cursors { immediate: 10, timer: Time::from_nanos(1_700_000_000), visibility: 9 },
        next_task_id: 99,
    };
    let meta = MetaRecord { version: 3, value: Bytes::from_static(b"default") };
    let slot = storage::slot_prefix(SlotId::new(3).unwrap());
    let run = seed(Table::Run, &[0, 3, 1], b"a snapshot");
    let mut newer = run.clone();
    newer[5] = 2;
    vec![
        ("history", seed(Table::History, &[0, 3, 1, 0, 0, 0, 1], b"a record")),
        ("run", run.clone()),
        ("run-of-a-newer-format", newer),
        ("run-cut", run[..10].to_vec()),
        ("slot", seed(Table::Slot, &slot, &row.encode())),
        ("meta", seed(Table::Meta, b"namespace", &meta.encode())),
        ("empty-value", seed(Table::Task, b"", b"")),
    ]
}

/// Hand-made tokens: field numbers as in the frontend's wire forms.
fn tokens() -> Vec<Seed> {
    let bytes_field = |field: u8, value: &[u8]| {
        let mut encoded = vec![field << 3 | 2, u8::try_from(value.len()).unwrap()];
        encoded.extend_from_slice(value);
        encoded
    };
    let run = [bytes_field(1, &[1; 16]), bytes_field(2, b"order-1"), bytes_field(3, &[2; 16])];
    let task = |field: u8, task: &[u8]| [run.concat(), bytes_field(field, task)].concat();
    let history = [bytes_field(1, &[2; 16]), vec![0x10, 0x81, 0x02, 0x18, 0x90, 0x03]].concat();
    vec![
        ("workflow-task", task(4, &[0x08, 2, 0x10, 3, 0x18, 1])),
        ("activity", task(5, &[0x08, 5, 0x10, 2])),
        ("query", task(6, &[9; 16])),
        ("no-task", run.concat()),
        ("history", history.clone()),
        ("history-reverse", [history, vec![0x28, 1]].concat()),
    ]
}

fn records() -> Vec<Seed> {
    let seed = |snapshot: &[u8], record: &[u8]| {
        let mut bytes = u16::try_from(snapshot.len()).unwrap().to_le_bytes().to_vec();
        bytes.extend_from_slice(snapshot);
        bytes.extend_from_slice(record);
        bytes
    };
    let mut state = State::default();
    let mut seeds = Vec::new();
    let names = ["start", "workflow-task-started", "commands", "signal-buffered", "closed"];
    for (name, transition) in names.into_iter().zip(runs::transitions()) {
        let record = transition.record().encode_to_vec();
        seeds.push((name, seed(&state.encode_to_vec(), &record)));
        state = Arc::unwrap_or_clone(transition.state);
    }
    let workflow_task = WorkflowTaskRef { scheduled_event_id: 2, attempt: 1, started_event_id: 3 };
    let task = TaskRecord {
        run_id: Bytes::from_static(&[2; 16]),
        action: Some(TaskAction::WorkflowTaskStartToClose(workflow_task)),
    };
    let extremes = [i64::MAX, i64::MIN, -1].map(|event_id| HistoryEvent {
        event_id,
        event_time: Some(Time::from_nanos(event_id).to_proto().unwrap_or_default()),
        attributes: Some(Attributes::WorkflowExecutionSignaledEventAttributes(
            WorkflowExecutionSignaledEventAttributes::default(),
        )),
        ..HistoryEvent::default()
    });
    let scheduled = HistoryEvent {
        attributes: Some(Attributes::WorkflowTaskScheduledEventAttributes(
            WorkflowTaskScheduledEventAttributes { attempt: i32::MIN, ..Default::default() },
        )),
        ..HistoryEvent::default()
    };
    let events = extremes.into_iter().chain([scheduled]).collect();
    let history = History { events }.encode_to_vec().into();
    let record = TransitionRecord { batches: vec![history], mutations: Vec::new() };
    let mut last = state.clone();
    last.next_event_id = i64::MIN;
    last.signal_count = i64::MAX;
    last.workflow_task_failures = i32::MAX;
    seeds.push(("extremes", seed(&last.encode_to_vec(), &record.encode_to_vec())));
    seeds.push(("task", seed(&state.encode_to_vec(), &task.encode_to_vec())));
    seeds
}

fn queries() -> Vec<Seed> {
    let texts = [
        ("equal", "WorkflowType = 'order' AND ExecutionStatus = 'Running'"),
        ("ranges", "StartTime BETWEEN '2024-01-01T00:00:00Z' AND '2025-01-01T00:00:00Z'"),
        ("in", "WorkflowId in ('a', \"b\") or not (RunId = 'c')"),
        ("starts-with", "WorkflowId STARTS_WITH 'order-' and TaskQueue not starts_with 'x'"),
        ("null", "CloseTime is null AND HistoryLength is not null"),
        ("numbers", "CustomIntField >= -5 AND CustomDoubleField < 1.5e3 AND HistoryLength != 7"),
        ("bool", "CustomBoolField = true OR CustomBoolField = false"),
        ("text", "CustomTextField = 'two words' and CustomKeywordListField in ('a')"),
        ("duration", "ExecutionDuration > '1h30m' OR ExecutionDuration < 5000"),
        ("group-by", "WorkflowType = 'a' GROUP BY ExecutionStatus"),
        ("backquotes", "`CustomKeywordField` = 'it''s' and `Temporal` = 1"),
        ("order-by", "order by StartTime desc"),
        ("nested", "((((((WorkflowId = 'a'))))))"),
        ("open-quote", "WorkflowId = 'a"),
    ];
    let mut seeds: Vec<Seed> =
        texts.into_iter().map(|(name, text)| (name, text.as_bytes().to_vec())).collect();
    let every = CUSTOM_ATTRIBUTES.map(|(name, _)| format!("{name} is not null")).join(" or ");
    seeds.push(("every-attribute", every.into_bytes()));
    seeds
}
