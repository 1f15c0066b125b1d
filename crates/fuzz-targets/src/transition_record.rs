//! Stored records of a run, as an older program or a damaged disk gives them back.

use bytes::Bytes;
use engine::{State, TaskRecord, TransitionRecord, is_current, outstanding_tasks};
use prost::Message as _;

/// Reads bytes as the stored forms of a run: a snapshot, a transition and a task. They start with
/// the length of a snapshot that the transition is folded into, as a little-endian `u16`.
pub fn transition_record(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return };
    let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
    let (snapshot, record) = rest.split_at(length);
    let mut state = State::decode(snapshot).unwrap_or_default();
    read_back(&state);
    let encoded = Bytes::copy_from_slice(record);
    if TransitionRecord::fold(encoded, state.version.wrapping_add(1), &mut state).is_ok() {
        read_back(&state);
    }
    let tasks = outstanding_tasks(&state);
    let stored = TaskRecord::decode(record).ok().and_then(|task| task.action);
    for action in tasks.iter().map(|task| &task.action).chain(&stored) {
        is_current(&state, action);
    }
}

/// A state survives its stored form, and can be looked at.
fn read_back(state: &State) {
    let encoded = state.encode_to_vec();
    let decoded = State::decode(encoded.as_slice()).map(|state| state.encode_to_vec());
    assert_eq!(decoded.as_ref(), Ok(&encoded), "a state changes in its stored form");
    // Every question a reader may ask of a state has an answer.
    let _answers = (
        state.last_event_id(),
        state.execution_time(),
        state.task_queue(),
        state.workflow_type(),
        state.first_execution_run_id(),
        state.activity_by_id("activity").is_some(),
    );
}
