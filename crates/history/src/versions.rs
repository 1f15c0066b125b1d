//! Where a run's tasks go, by the versions of its workers.

use api::{
    command::v1::{Command, command::Attributes},
    deployment::v1::WorkerDeploymentVersion,
    enums::v1::{ContinueAsNewVersioningBehavior, VersioningBehavior},
    workflow::v1::{VersioningOverride, versioning_override::Override},
};
use engine::{Dispatch, State, TargetVersion};
use matching::{Route, Routes, TaskQueueKey, WorkerVersion};
use model::NamespaceId;

/// A version as matching knows it.
pub(crate) fn worker_version(version: &WorkerDeploymentVersion) -> WorkerVersion {
    WorkerVersion::new(version.deployment_name.as_str(), version.build_id.as_str())
}

/// A version as events carry it.
pub(crate) fn deployment_version(version: &WorkerVersion) -> WorkerDeploymentVersion {
    WorkerDeploymentVersion {
        deployment_name: version.deployment_name.as_ref().to_owned(),
        build_id: version.build_id.as_ref().to_owned(),
    }
}

/// Why an override is refused, if it is: a run can be moved only to a version whose workers poll its
/// task queue.
pub fn override_refusal(
    chosen: &VersioningOverride,
    key: &TaskQueueKey,
    routes: &Routes,
) -> Option<String> {
    let version = match chosen.r#override.as_ref()? {
        Override::Pinned(pinned) => pinned.version.as_ref()?,
        Override::OneTime(one_time) => one_time.target_deployment_version.as_ref()?,
        Override::AutoUpgrade(_) => return None,
    };
    (!routes.serves(&worker_version(version), key)).then(|| {
        format!(
            "Pinned version '{}:{}' is not present in task queue '{}' of type 'Workflow'",
            version.deployment_name, version.build_id, key.name
        )
    })
}

/// The normal queue of the run's workflow tasks.
pub(crate) fn workflow_task_key(
    state: &State,
    namespace_id: NamespaceId,
    routes: &Routes,
) -> TaskQueueKey {
    let mut key = TaskQueueKey::workflow(namespace_id, state.task_queue());
    key.version = match state.pinned_version() {
        Some(pinned) => Some(worker_version(pinned)),
        None => route(state, &key, routes).version,
    };
    key
}

/// The queue of an activity's attempts. A pinned run's activities stay with it where its version
/// serves their queue; others find their own way.
pub(crate) fn activity_key(
    state: &State,
    namespace_id: NamespaceId,
    task_queue: &str,
    routes: &Routes,
) -> TaskQueueKey {
    let mut key = TaskQueueKey::activity(namespace_id, task_queue);
    let pinned = state.pinned_version().map(worker_version);
    key.version = match pinned.filter(|version| routes.serves(version, &key)) {
        Some(version) => Some(version),
        None => routes.route(&key, &state.workflow_id).version,
    };
    key
}

/// True when the worker that caches the run is no longer the one that its tasks go to.
pub(crate) fn leaves_sticky_worker(
    state: &State,
    namespace_id: NamespaceId,
    routes: &Routes,
) -> bool {
    if state.pinned_version().is_some() {
        return false;
    }
    let key = TaskQueueKey::workflow(namespace_id, state.task_queue());
    let target = route(state, &key, routes).version;
    target != state.effective_version().map(worker_version)
}

/// What the engine is told of a worker that gets a task of the run.
pub(crate) fn dispatch(
    state: &State,
    namespace_id: NamespaceId,
    routes: &Routes,
    worker: Option<&WorkerVersion>,
) -> Dispatch {
    let key = TaskQueueKey::workflow(namespace_id, state.task_queue());
    let Route { version, revision_number } = route(state, &key, routes);
    let version = version.as_ref().map(deployment_version);
    Dispatch {
        version: worker.map(deployment_version),
        target: Some(TargetVersion { version, revision_number }),
    }
}

/// The other task queues that commands start workflows on and that a version serves.
pub(crate) fn served_queues(
    commands: &[Command],
    namespace_id: NamespaceId,
    routes: &Routes,
    version: &WorkerDeploymentVersion,
) -> impl Iterator<Item = String> {
    let version = worker_version(version);
    let named = commands.iter().filter_map(|command| match &command.attributes {
        Some(Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(next)) => {
            next.task_queue.as_ref()
        }
        Some(Attributes::StartChildWorkflowExecutionCommandAttributes(child)) => {
            child.task_queue.as_ref()
        }
        _ => None,
    });
    named
        .map(|task_queue| &task_queue.name)
        .filter(move |name| {
            let key = TaskQueueKey::workflow(namespace_id, name.as_str());
            routes.serves(&version, &key)
        })
        .cloned()
}

/// Where a workflow task goes that is not pinned. A run whose predecessor asked for it begins on
/// the ramping version, whatever part of the workflows that gets.
fn route(state: &State, key: &TaskQueueKey, routes: &Routes) -> Route {
    let Some(queue) = routes.queue(key) else { return Route::default() };
    let wants_ramp = state.previous_started_event_id == 0
        && state.effective_versioning_behavior() == VersioningBehavior::AutoUpgrade
        && state.versioning_info.as_ref().is_some_and(|info| {
            info.continue_as_new_initial_versioning_behavior()
                == ContinueAsNewVersioningBehavior::UseRampingVersion
        });
    match &queue.ramping {
        Some(ramp) if wants_ramp && ramp.route.version.is_some() => ramp.route.clone(),
        _ => queue.route(&state.workflow_id).clone(),
    }
}
