//! Other options for a run than it was started with: its version override and its priority.

use api::{
    enums::v1::VersioningBehavior,
    history::v1::{WorkflowExecutionOptionsUpdatedEventAttributes, history_event::Attributes},
    workflow::v1::{
        WorkflowExecutionOptions,
        versioning_override::{Override, PinnedOverrideBehavior},
    },
};

use crate::{
    Rejection, Reply, State, Task, TaskAction,
    draft::{Draft, EventExtras},
    input::UpdateOptions,
    state::WorkflowTask,
    time_skipping, versioning,
};

/// Changes the options that the paths name. What is already so leaves no event.
pub(crate) fn update(draft: &mut Draft<'_>, input: UpdateOptions) -> Result<Reply, Rejection> {
    let state = draft.state();
    if !state.is_started() {
        return Err(Rejection::WorkflowNotFound { workflow_id: state.workflow_id.clone() });
    }
    if !state.is_running() {
        return Err(Rejection::WorkflowClosed);
    }
    apply(draft, input).map(|options| Reply::WorkflowOptions(Box::new(options)))
}

/// Changes the options of a run that is open, and gives what is in force then.
pub(crate) fn apply(
    draft: &mut Draft<'_>,
    input: UpdateOptions,
) -> Result<WorkflowExecutionOptions, Rejection> {
    let UpdateOptions { mut options, paths, identity } = input;
    name_pinned_version(draft.state(), &mut options)?;
    let before = workflow_options(draft.state());
    let merged = merged(before.clone(), &options, &paths)?;
    // The same fast-forward again leads further.
    let time_skipping = paths.iter().any(|path| path == "time_skipping_config");
    let config = merged.time_skipping_config.as_ref().filter(|_| time_skipping);
    let time_skipping_config_updated = merged.time_skipping_config != before.time_skipping_config
        || config.is_some_and(|config| config.fast_forward_config.is_some());
    if merged == before && !time_skipping_config_updated {
        return Ok(merged);
    }
    let attributes = WorkflowExecutionOptionsUpdatedEventAttributes {
        unset_versioning_override: merged.versioning_override.is_none(),
        versioning_override: merged.versioning_override.clone(),
        priority: merged.priority.clone(),
        time_skipping_config: merged.time_skipping_config.clone(),
        time_skipping_config_updated,
        identity,
        ..Default::default()
    };
    write(draft, attributes, EventExtras::default());
    Ok(merged)
}

/// Writes the event. Tasks that wait go to where they belong now.
pub(crate) fn write(
    draft: &mut Draft<'_>,
    attributes: WorkflowExecutionOptionsUpdatedEventAttributes,
    extras: EventExtras,
) {
    let place = versioning::place(draft.state());
    let priority = draft.state().priority.clone();
    draft.bufferable_event(
        Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(attributes),
        extras,
    );
    time_skipping::emit_tasks(draft);
    let moved = versioning::move_to_override(draft, &place);
    let state = draft.state();
    let waiting = state.workflow_task.as_ref().filter(|task| !task.is_started());
    if let Some(reference) = waiting.map(WorkflowTask::reference)
        && (moved || state.priority != priority)
    {
        draft.task(Task::now(TaskAction::DispatchWorkflowTask(reference)));
    }
}

/// The options of a run that can be changed, as they stand.
fn workflow_options(state: &State) -> WorkflowExecutionOptions {
    WorkflowExecutionOptions {
        versioning_override: state
            .versioning_info
            .as_ref()
            .and_then(|info| info.versioning_override.clone()),
        priority: state.priority.clone(),
        time_skipping_config: state
            .time_skipping
            .as_ref()
            .and_then(|skipping| skipping.config.clone()),
    }
}

/// A pin without a version keeps the run where it is pinned.
fn name_pinned_version(
    state: &State,
    options: &mut WorkflowExecutionOptions,
) -> Result<(), Rejection> {
    let chosen = options.versioning_override.as_mut().and_then(|chosen| chosen.r#override.as_mut());
    let Some(Override::Pinned(pinned)) = chosen else { return Ok(()) };
    if pinned.version.is_some() || pinned.behavior() == PinnedOverrideBehavior::Unspecified {
        return Ok(());
    }
    let behavior = match state.effective_versioning_behavior() {
        VersioningBehavior::Pinned => {
            pinned.version = state.effective_version().cloned();
            return Ok(());
        }
        VersioningBehavior::Unspecified => "Unspecified",
        VersioningBehavior::AutoUpgrade => "AutoUpgrade",
    };
    Err(Rejection::FailedPrecondition(format!(
        "must specify a specific pinned override version because workflow with id {} has behavior \
         {behavior} and is not yet pinned to any version",
        state.workflow_id
    )))
}

/// The options with what the paths of a field mask name taken from others.
fn merged(
    mut to: WorkflowExecutionOptions,
    from: &WorkflowExecutionOptions,
    paths: &[String],
) -> Result<WorkflowExecutionOptions, Rejection> {
    let refuse =
        |text: &str| Err(Rejection::invalid(format!("error applying update_options: {text}")));
    let named = |path: &str| paths.iter().any(|named| named == path);
    let (behavior, deployment) =
        (named("versioning_override.behavior"), named("versioning_override.deployment"));
    if named("versioning_override") || (behavior && deployment) {
        to.versioning_override.clone_from(&from.versioning_override);
    }
    if behavior != deployment {
        return refuse("versioning_override fields must be updated together");
    }
    let is_part = |path: &String| {
        path.strip_prefix("versioning_override.")
            .is_some_and(|field| !matches!(field, "behavior" | "deployment"))
    };
    if paths.iter().any(is_part) {
        return refuse("versioning_override doesn't support partial updates");
    }
    if paths.iter().any(|path| path.starts_with("time_skipping_config.")) {
        return refuse("time_skipping_config doesn't support partial update");
    }
    if named("time_skipping_config") {
        to.time_skipping_config.clone_from(&from.time_skipping_config);
    }
    if named("priority") {
        to.priority.clone_from(&from.priority);
    }
    let given = from.priority.clone().unwrap_or_default();
    if named("priority.priority_key") {
        to.priority.get_or_insert_default().priority_key = given.priority_key;
    }
    if named("priority.fairness_key") {
        to.priority.get_or_insert_default().fairness_key = given.fairness_key;
    }
    if named("priority.fairness_weight") {
        to.priority.get_or_insert_default().fairness_weight = given.fairness_weight;
    }
    Ok(to)
}

pub(crate) fn apply_updated(
    state: &mut State,
    updated: &WorkflowExecutionOptionsUpdatedEventAttributes,
) {
    if let Some(priority) = &updated.priority {
        state.priority = Some(priority.clone());
    }
}
