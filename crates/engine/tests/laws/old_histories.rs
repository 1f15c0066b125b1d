//! Histories that the reference server wrote still fold. `tests/e2e/corpus` records them; beside
//! each history lies the server's own description of the run at that moment, and the folded state
//! has to say the same.

use std::{fs, path::PathBuf};

use api::{
    enums::v1::WorkflowExecutionStatus,
    history::v1::HistoryEvent,
    workflow::v1::{ResetPointInfo, ResetPoints},
    workflowservice::v1::DescribeWorkflowExecutionResponse,
};
use engine::{Change, Input, State, Terminate, evolve, is_current, outstanding_tasks};
use model::{Limits, Span, Time};
use prost::Message as _;

use crate::{legality, world::decide_at};

/// The slow reader of histories does not know the events of these runs.
const NOT_READ: [&str; 2] = ["children_and_external_signals", "updates"];

/// Temporal's message; the generated one keeps its events encoded.
#[derive(Clone, PartialEq, prost::Message)]
struct History {
    #[prost(message, repeated, tag = "1")]
    events: Vec<HistoryEvent>,
}

struct Recorded {
    name: String,
    history: History,
    description: DescribeWorkflowExecutionResponse,
}

fn corpus() -> Vec<Recorded> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut paths: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "history"))
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let history = History::decode(fs::read(&path).unwrap().as_slice()).unwrap();
        let description = fs::read(path.with_extension("description")).unwrap();
        Recorded {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            history,
            description: DescribeWorkflowExecutionResponse::decode(description.as_slice()).unwrap(),
        }
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn old_histories_still_fold() {
    let corpus = corpus();
    assert!(corpus.len() >= 30, "{} recorded histories", corpus.len());
    for recorded in corpus {
        let state = fold(&recorded);
        let Recorded { name, description, history } = &recorded;
        run_agrees(name, &state, description);
        pending_work_agrees(name, &state, description);
        if !NOT_READ.contains(&name.as_str()) {
            legality::check(&history.events);
        }
        assert_eq!(State::decode(state.encode_to_vec().as_slice()).unwrap(), state, "{name}");
        for task in outstanding_tasks(&state) {
            assert!(is_current(&state, &task.action), "{name}: {task:?}");
        }
        let now = state.start_time + Span::from_secs(3600);
        let terminate = Input::Terminate(Terminate::default());
        let accepted = decide_at(&state, now, &Limits::default(), terminate).is_ok();
        assert_eq!(accepted, name.starts_with("open_"), "{name}");
    }
}

/// The ids are not in the history: the shell gives them with the first change of a run.
fn fold(recorded: &Recorded) -> State {
    let info = recorded.description.workflow_execution_info.as_ref().unwrap();
    let execution = info.execution.clone().unwrap();
    let mut state =
        State { workflow_id: execution.workflow_id, run_id: execution.run_id, ..State::default() };
    for event in &recorded.history.events {
        evolve(&mut state, &Change::Event(Box::new(event.clone())));
    }
    state
}

fn run_agrees(name: &str, state: &State, description: &DescribeWorkflowExecutionResponse) {
    let info = description.workflow_execution_info.as_ref().unwrap();
    let extended = description.workflow_extended_info.as_ref().unwrap();
    let config = description.execution_config.as_ref().unwrap();
    // The reference says "never" with the year one.
    let time = |time: Option<&prost_types::Timestamp>| {
        Time::from_proto(time.filter(|time| time.seconds > 0))
    };
    assert_eq!(state.status, info.status, "{name}");
    let running = state.status == WorkflowExecutionStatus::Running as i32;
    assert_eq!(running, name.starts_with("open_"), "{name}");
    assert_eq!(state.last_event_id(), info.history_length, "{name}");
    // What it adds to search attributes when a history is read is not in its own count.
    let started = state.started.as_ref().unwrap();
    if started.search_attributes.is_none() && name != "markers" && name != "open_upserts" {
        assert_eq!(state.history_bytes, info.history_size_bytes, "{name}");
    }
    assert_eq!(state.workflow_type(), info.r#type.as_ref().unwrap().name, "{name}");
    assert_eq!(state.task_queue(), info.task_queue, "{name}");
    // A run that a reset made starts with the reset; its first event is a copy.
    if name != "open_after_reset" {
        assert_eq!(state.start_time, time(info.start_time.as_ref()), "{name}");
        assert_eq!(state.execution_time(), time(info.execution_time.as_ref()), "{name}");
    }
    assert_eq!(state.close_time, time(info.close_time.as_ref()), "{name}");
    assert_eq!(state.first_execution_run_id(), info.first_run_id, "{name}");
    assert_eq!(state.user_metadata.as_deref(), config.user_metadata.as_ref(), "{name}");
    let memo = state.memo.as_ref().map(|memo| memo.fields.clone()).unwrap_or_default();
    assert_eq!(memo, info.memo.clone().unwrap_or_default().fields, "{name}");
    let theirs = info.search_attributes.clone().unwrap_or_default().indexed_fields;
    let ours = state.search_attributes.as_ref().map(|own| own.indexed_fields.clone());
    assert_eq!(ours.unwrap_or_default(), theirs, "{name}");
    // It looks at the clock once more for the time of a reset point, and notes when one that the
    // next run takes over expires, in the run that has closed as well.
    let points = |points: Option<&ResetPoints>| {
        let points = points.map(|points| points.points.clone()).unwrap_or_default();
        points.into_iter().map(|point| ResetPointInfo {
            create_time: None,
            expire_time: None,
            ..point
        })
    };
    let (ours, theirs) = (state.reset_points.as_deref(), info.auto_reset_points.as_ref());
    assert!(points(ours).eq(points(theirs)), "{name}: {ours:?} but {theirs:?}");
    let expires = time(extended.execution_expiration_time.as_ref());
    assert_eq!(state.execution_expiration, expires, "{name}");
    let deadline =
        if state.run_expiration.is_set() { state.workflow_deadline() } else { Time::UNSET };
    assert_eq!(deadline, time(extended.run_expiration_time.as_ref()), "{name}");
}

fn pending_work_agrees(name: &str, state: &State, description: &DescribeWorkflowExecutionResponse) {
    if !state.is_running() {
        assert_eq!((state.workflow_task.is_some(), state.activities.len()), (false, 0), "{name}");
    }
    let mut theirs: Vec<_> =
        description.pending_activities.iter().map(|pending| pending.activity_id.clone()).collect();
    theirs.sort();
    let mut ours: Vec<_> =
        state.last_activities().values().map(|pending| pending.activity_id().to_owned()).collect();
    ours.sort();
    if state.is_running() {
        assert_eq!(ours, theirs, "{name}");
    } else {
        // The end of an activity that was on its way when the run closed is not in the history.
        assert!(theirs.iter().all(|activity| ours.contains(activity)), "{name}");
    }
    // The events of a task whose predecessors failed are not written before it completes.
    let written = description.pending_workflow_task.as_ref().filter(|task| task.attempt == 1);
    match (state.last_workflow_task(), written) {
        (None, None) => {}
        (Some(ours), Some(theirs)) => {
            assert_eq!(ours.attempt, theirs.attempt, "{name}");
            let scheduled = Time::from_proto(theirs.scheduled_time.as_ref());
            assert_eq!(ours.scheduled_time, scheduled, "{name}");
            let started = Time::from_proto(theirs.started_time.as_ref());
            assert_eq!(ours.started_time, started, "{name}");
        }
        (ours, theirs) => panic!("{name}: {ours:?} but {theirs:?}"),
    }
}
