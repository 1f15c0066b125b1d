//! What a schedule does outside of itself.

use api::{
    common::v1::{Payload, Payloads, WorkflowExecution},
    enums::v1::ScheduleOverlapPolicy,
    failure::v1::Failure,
    workflow::v1::NewWorkflowExecutionInfo,
};
use entity::EntityKey;
use model::Time;

use crate::{State, state::BufferedStart};

/// A piece of work.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Start a workflow.
    Start(Box<StartWork>),
    /// Ask a run to cancel.
    Cancel(WorkflowExecution),
    /// Terminate a run.
    Terminate(WorkflowExecution),
    /// Make sure that the schedule knows which of these have closed.
    Look(Vec<WorkflowExecution>),
}

/// See [`Work::Start`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StartWork {
    /// The workflow, its id and search attributes as they are to be.
    pub workflow: NewWorkflowExecutionInfo,
    /// Whether a closed workflow of this id is no obstacle.
    pub allow_duplicate: bool,
    /// What the last run left.
    pub last_completion_result: Option<Payloads>,
    /// How the last run failed.
    pub continued_failure: Option<Failure>,
}

/// What came of a piece of work.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// The workflow runs.
    Started {
        /// Its run.
        run_id: String,
        /// When it was started.
        start_time: Time,
    },
    /// The workflow could not be started, now or later.
    NotStarted,
    /// The run was told, or is gone.
    Stopped,
    /// Whatever had closed before the work began has told the schedule.
    Looked,
}

/// What stands behind the id of a workflow that was started for this time.
pub fn appended_time(nominal: Time) -> String {
    format!("-{}", rfc3339(nominal))
}

/// In UTC and to the second.
fn rfc3339(time: Time) -> String {
    schedule_spec::rfc3339_seconds(time)
}

fn keeps_workflow_id(state: &State, start: &BufferedStart) -> bool {
    state.policies().keep_original_workflow_id
        && state.overlap_policy(start.overlap_policy) != ScheduleOverlapPolicy::AllowAll
}

/// The id of the workflow of a start.
pub(crate) fn workflow_id(state: &State, start: &BufferedStart) -> String {
    let base = state.workflow().map_or("", |workflow| &workflow.workflow_id);
    if keeps_workflow_id(state, start) {
        return base.to_owned();
    }
    format!("{base}{}", appended_time(start.nominal_time))
}

/// A piece of work that is under way.
pub(crate) fn work(state: &State, number: u64, key: &EntityKey) -> Option<Work> {
    let pending = state.pending.get(&number)?;
    if let Some(run) = &pending.cancel {
        return Some(Work::Cancel(run.clone()));
    }
    if let Some(run) = &pending.terminate {
        return Some(Work::Terminate(run.clone()));
    }
    if pending.look {
        return Some(Work::Look(state.running_workflows.clone()));
    }
    let pending = pending.start.as_ref()?;
    let mut workflow = state.workflow()?.clone();
    let allow_duplicate = pending.start.manual || pending.workflow_id == workflow.workflow_id;
    workflow.workflow_id.clone_from(&pending.workflow_id);
    let attributes = &mut workflow.search_attributes.get_or_insert_default().indexed_fields;
    let nominal = rfc3339(pending.start.nominal_time);
    attributes.insert("TemporalScheduledStartTime".to_owned(), attribute(&nominal, "Datetime"));
    attributes.insert("TemporalScheduledById".to_owned(), attribute(&key.id, "Keyword"));
    // Runs that may overlap have no last run.
    let own = ScheduleOverlapPolicy::try_from(pending.start.overlap_policy);
    let overlaps = own == Ok(ScheduleOverlapPolicy::AllowAll) || !pending.tracked;
    let (last_completion_result, continued_failure) = if overlaps {
        (None, None)
    } else {
        (state.last_completion_result.clone(), state.continued_failure.clone())
    };
    Some(Work::Start(Box::new(StartWork {
        workflow,
        allow_duplicate,
        last_completion_result,
        continued_failure,
    })))
}

fn attribute(text: &str, kind: &'static str) -> Payload {
    Payload {
        metadata: [("encoding".to_owned(), "json/plain".into()), ("type".to_owned(), kind.into())]
            .into(),
        data: json_string(text).into(),
        ..Payload::default()
    }
}

/// A text as JSON.
fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => json.extend(['\\', letter]),
            control if control < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_json() {
        assert_eq!(json_string("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000a\"");
    }

    #[test]
    fn a_time_stands_behind_the_workflow_id() {
        let time = Time::from_nanos(1_700_000_000_999_000_000);
        assert_eq!(appended_time(time), "-2023-11-14T22:13:20Z");
    }
}
