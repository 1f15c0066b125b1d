//! Runs whose workers have versions.

use api::{
    command::v1::{ContinueAsNewWorkflowExecutionCommandAttributes, command::Attributes},
    common::v1::RetryPolicy,
    deployment::v1::WorkerDeploymentVersion,
    enums::v1::VersioningBehavior,
    taskqueue::v1::TaskQueue,
    workflow::v1::{
        VersioningOverride, WorkflowExecutionOptions,
        versioning_override::{Override, PinnedOverride, PinnedOverrideBehavior},
    },
};
use engine::{Dispatch, Input, TargetVersion, TaskAction, UpdateOptions};

use crate::{
    golden,
    script::{Script, activity, complete_workflow, sticky, timer},
};

fn version(build_id: &str) -> Option<WorkerDeploymentVersion> {
    let (deployment_name, build_id) = ("shop".to_owned(), build_id.to_owned());
    (!build_id.is_empty()).then_some(WorkerDeploymentVersion { build_id, deployment_name })
}

/// A worker of one version, while the queue's routing points to another.
fn worker(build_id: &str, target: &str, revision_number: i64) -> Dispatch {
    let target = Some(TargetVersion { version: version(target), revision_number });
    Dispatch { version: version(build_id), target }
}

fn complete_as(
    script: &mut Script,
    build_id: &str,
    behavior: VersioningBehavior,
    commands: Vec<Attributes>,
) {
    script.complete_with(commands, |complete| {
        complete.deployment_version = version(build_id);
        complete.versioning_behavior = behavior;
        complete.worker_deployment_name = "shop".to_owned();
    });
}

fn fire(script: &mut Script) {
    script.due(|action| matches!(action, TaskAction::UserTimer(_)));
}

fn continue_as_new(queue: &str) -> Attributes {
    let task_queue = Some(TaskQueue { name: queue.to_owned(), ..Default::default() });
    Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(
        ContinueAsNewWorkflowExecutionCommandAttributes { task_queue, ..Default::default() },
    )
}

fn pinned_override(build_id: &str) -> VersioningOverride {
    let pinned = PinnedOverride {
        behavior: PinnedOverrideBehavior::Pinned as i32,
        version: version(build_id),
    };
    VersioningOverride { r#override: Some(Override::Pinned(pinned)), ..Default::default() }
}

#[test]
fn versioning__a_pinned_run_stays_and_its_worker_is_told_of_a_newer_version() {
    let mut script = Script::start(|_| ());
    script.dispatch = worker("1", "1", 1);
    script.start_task();
    complete_as(&mut script, "1", VersioningBehavior::Pinned, vec![timer("a", 1)]);
    fire(&mut script);
    script.dispatch = worker("2", "2", 2);
    script.start_task();
    script.dispatch = worker("1", "2", 2);
    script.start_task();
    complete_as(&mut script, "1", VersioningBehavior::Pinned, vec![continue_as_new("queue")]);
    golden!(script);
}

#[test]
fn versioning__an_auto_upgrade_run_moves_with_its_workflow_task() {
    let mut script = Script::start(|_| ());
    script.dispatch = worker("1", "1", 1);
    script.start_task().complete_with(vec![timer("a", 1)], |complete| {
        complete.deployment_version = version("1");
        complete.versioning_behavior = VersioningBehavior::AutoUpgrade;
        complete.sticky = sticky();
    });
    fire(&mut script);
    script.input("leave sticky queue", Input::LeaveStickyQueue);
    script.dispatch = worker("2", "2", 2);
    script.start_task();
    complete_as(&mut script, "2", VersioningBehavior::AutoUpgrade, vec![complete_workflow()]);
    golden!(script);
}

#[test]
fn versioning__an_activity_of_a_moving_run_waits_for_its_workflow() {
    let mut script = Script::start(|_| ());
    script.dispatch = worker("1", "1", 1);
    script.start_task();
    let command = vec![activity("one", |_| ())];
    complete_as(&mut script, "1", VersioningBehavior::AutoUpgrade, command);
    script.dispatch = worker("2", "2", 2);
    script.start_activity(5).start_activity(5).start_task();
    complete_as(&mut script, "2", VersioningBehavior::AutoUpgrade, vec![]);
    script.start_activity(5);
    golden!(script);
}

#[test]
fn versioning__a_worker_that_a_run_moves_away_from_gets_no_more_of_it() {
    let mut script = Script::start(|_| ());
    script.dispatch = worker("1", "1", 1);
    script.start_task();
    let commands = vec![activity("one", |_| ()), timer("a", 1)];
    complete_as(&mut script, "1", VersioningBehavior::AutoUpgrade, commands);
    fire(&mut script);
    script.start_task();
    script.dispatch = worker("2", "2", 2);
    script.start_activity(5);
    script.complete_with(vec![], |complete| {
        complete.deployment_version = version("1");
        complete.versioning_behavior = VersioningBehavior::AutoUpgrade;
        complete.sticky = sticky();
        complete.return_new_workflow_task = true;
    });
    assert!(script.state.sticky.is_none());
    script.start_task();
    complete_as(&mut script, "2", VersioningBehavior::AutoUpgrade, vec![]);
    script.start_activity(5);
    golden!(script);
}

#[test]
fn versioning__an_activity_of_its_own_deployment_moves_nothing() {
    let mut script = Script::start(|_| ());
    script.dispatch = worker("1", "1", 1);
    script.start_task();
    let command = vec![activity("one", |_| ())];
    complete_as(&mut script, "1", VersioningBehavior::AutoUpgrade, command);
    script.dispatch = worker("9", "1", 1);
    script.start_activity(5);
    golden!(script);
}

#[test]
fn versioning__a_task_that_completes_elsewhere_is_followed_by_another() {
    let mut script = Script::start(|_| ());
    script.dispatch = worker("1", "1", 1);
    script.start_task();
    complete_as(&mut script, "2", VersioningBehavior::AutoUpgrade, vec![timer("a", 1)]);
    golden!(script);
}

#[test]
fn versioning__an_override_pins_a_run_and_those_that_follow() {
    let mut script = Script::start(|start| {
        start.attributes.versioning_override = Some(pinned_override("1"));
        start.attributes.retry_policy =
            Some(RetryPolicy { maximum_attempts: 3, ..Default::default() });
    });
    script.dispatch = worker("2", "2", 1);
    script.start_task();
    script.dispatch = worker("1", "2", 1);
    script.start_task();
    complete_as(&mut script, "1", VersioningBehavior::AutoUpgrade, vec![continue_as_new("queue")]);
    golden!(script);
}

#[test]
fn versioning__an_override_during_a_task_moves_what_follows_it() {
    let mut script = Script::start(|_| ());
    script.dispatch = worker("1", "1", 1);
    script.start_task();
    let command = vec![activity("one", |_| ())];
    complete_as(&mut script, "1", VersioningBehavior::Pinned, command);
    script.signal("first").start_task();
    let options = WorkflowExecutionOptions {
        versioning_override: Some(pinned_override("2")),
        ..Default::default()
    };
    let paths = vec!["versioning_override".to_owned()];
    let update = UpdateOptions { options, paths, identity: "somebody".to_owned() };
    script.input("pin to 2", Input::UpdateOptions(Box::new(update)));
    script.complete_with(vec![], |complete| {
        complete.deployment_version = version("1");
        complete.versioning_behavior = VersioningBehavior::Pinned;
        complete.worker_deployment_name = "shop".to_owned();
        complete.sticky = sticky();
        complete.return_new_workflow_task = true;
    });
    assert_eq!(script.state.sticky, None);
    script.start_task();
    script.dispatch = worker("2", "1", 1);
    script.start_task();
    complete_as(&mut script, "2", VersioningBehavior::Pinned, vec![complete_workflow()]);
    golden!(script);
}

#[test]
fn versioning__a_run_on_a_queue_that_its_version_does_not_serve_is_not_pinned() {
    let mut script = Script::start(|_| ());
    script.dispatch = worker("1", "1", 1);
    script.start_task();
    complete_as(&mut script, "1", VersioningBehavior::Pinned, vec![continue_as_new("other")]);
    golden!(script);
}

#[test]
fn versioning__a_run_returns_to_workers_without_a_version() {
    let mut script = Script::start(|_| ());
    script.dispatch = worker("1", "1", 1);
    script.start_task();
    complete_as(&mut script, "1", VersioningBehavior::AutoUpgrade, vec![timer("a", 1)]);
    fire(&mut script);
    script.dispatch = worker("", "", 2);
    script.start_task();
    complete_as(&mut script, "", VersioningBehavior::Unspecified, vec![timer("b", 1)]);
    assert_eq!(script.state.effective_version(), None);
    let attributes = &script.state.search_attributes.as_ref().unwrap().indexed_fields;
    let names: Vec<&str> = attributes.keys().map(String::as_str).collect();
    let expected = ["BuildIds", "TemporalUsedWorkerDeploymentVersions", "TemporalWorkerDeployment"];
    assert_eq!(names, expected);
    golden!(script);
}
