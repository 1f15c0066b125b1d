//! Other options for a run than it was started with.

use api::{
    common::v1::Priority,
    workflow::v1::{
        VersioningOverride, WorkflowExecutionOptions,
        versioning_override::{Override, PinnedOverride, PinnedOverrideBehavior},
    },
};
use engine::UpdateOptions;

use super::*;

fn update(script: &mut Script, path: &str, chosen: Option<Override>, priority_key: i32) {
    let options = WorkflowExecutionOptions {
        versioning_override: chosen
            .map(|chosen| VersioningOverride { r#override: Some(chosen), ..Default::default() }),
        priority: Some(Priority { priority_key, ..Default::default() }),
        ..Default::default()
    };
    let update =
        UpdateOptions { options, paths: vec![path.to_owned()], identity: "somebody".to_owned() };
    script.input(&format!("update {path}"), Input::UpdateOptions(Box::new(update)));
}

fn pin() -> Option<Override> {
    Some(Override::Pinned(PinnedOverride {
        behavior: PinnedOverrideBehavior::Pinned as i32,
        version: None,
    }))
}

#[test]
fn a_waiting_task_moves_with_the_priority() {
    let mut script = Script::start(|_| ());
    update(&mut script, "priority", None, 2);
    update(&mut script, "priority.priority_key", None, 2);
    update(&mut script, "priority.priority_key", None, 3);
    golden!(script);
}

#[test]
fn an_override_moves_what_waits_and_can_be_taken_back() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![activity("a", |_| ())]);
    update(&mut script, "versioning_override", Some(Override::AutoUpgrade(true)), 0);
    update(&mut script, "versioning_override", None, 0);
    update(&mut script, "versioning_override", None, 0);
    golden!(script);
}

#[test]
fn options_wait_for_the_end_of_a_workflow_task() {
    let mut script = Script::start(|_| ());
    script.start_task();
    update(&mut script, "priority", None, 2);
    script.complete(vec![]);
    golden!(script);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut script = Script::start(|_| ());
    update(&mut script, "versioning_override", pin(), 0);
    update(&mut script, "versioning_override.behavior", None, 0);
    update(&mut script, "versioning_override.auto_upgrade", Some(Override::AutoUpgrade(true)), 0);
    script.input("terminate", Input::Terminate(Terminate::default()));
    update(&mut script, "priority", None, 2);
    golden!(script);
}
