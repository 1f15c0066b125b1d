//! Deployments and versions as the API shows them.

use api::{
    deployment::v1::{
        RoutingConfig, VersionDrainageInfo, WorkerDeploymentVersionInfo,
        worker_deployment_info::WorkerDeploymentVersionSummary,
        worker_deployment_version_info::VersionTaskQueueInfo,
    },
    enums::v1::{VersionDrainageStatus, WorkerDeploymentVersionStatus},
};
use model::{Span, Time};

use crate::{Deployment, Ramping, Version, names::legacy_text};

/// A version drains at least so long, as in the reference: starts that are under way may still pin
/// runs to it.
pub const DRAINAGE_GRACE: Span = Span::from_secs(3 * 60);

/// True when it is worth asking whether open runs are still pinned to the version.
pub fn drainage_is_due(version: &Version, now: Time) -> bool {
    version.drainage.as_ref().is_some_and(|drainage| {
        let since = Time::from_proto(drainage.last_changed_time.as_ref());
        drainage.status() == VersionDrainageStatus::Draining && now.since(since) >= DRAINAGE_GRACE
    })
}

/// What state a version is in.
pub fn status(deployment: &Deployment, build_id: &str) -> WorkerDeploymentVersionStatus {
    let version = deployment.versions.get(build_id);
    let drainage = version.and_then(|version| version.drainage.as_ref());
    if deployment.is_current(build_id) {
        WorkerDeploymentVersionStatus::Current
    } else if deployment.is_ramping(build_id) {
        WorkerDeploymentVersionStatus::Ramping
    } else {
        match drainage.map(VersionDrainageInfo::status) {
            Some(VersionDrainageStatus::Draining) => WorkerDeploymentVersionStatus::Draining,
            Some(VersionDrainageStatus::Drained) => WorkerDeploymentVersionStatus::Drained,
            _ if version.is_some_and(|version| version.awaits_poll) => {
                WorkerDeploymentVersionStatus::Created
            }
            _ => WorkerDeploymentVersionStatus::Inactive,
        }
    }
}

/// The routing, with the texts for older clients.
pub fn routing_config(deployment: &Deployment) -> RoutingConfig {
    let routing = deployment.routing.clone();
    RoutingConfig {
        current_version: legacy_text(routing.current_deployment_version.as_ref()),
        ramping_version: deployment.ramping_text(&deployment.ramping()),
        ..routing
    }
}

/// A version in the list of its deployment.
pub fn summary(deployment: &Deployment, build_id: &str) -> Option<WorkerDeploymentVersionSummary> {
    let version = deployment.versions.get(build_id)?;
    let name = deployment.version_of(build_id);
    Some(WorkerDeploymentVersionSummary {
        version: legacy_text(Some(&name)),
        deployment_version: Some(name),
        status: status(deployment, build_id) as i32,
        create_time: version.create_time.to_proto(),
        drainage_status: version.drainage.as_ref().map_or(0, |drainage| drainage.status),
        drainage_info: version.drainage,
        current_since_time: version.current_since.to_proto(),
        ramping_since_time: version.ramping_since.to_proto(),
        routing_update_time: version.routing_change_time.to_proto(),
        first_activation_time: version.first_activation_time.to_proto(),
        last_current_time: version.last_current_time.to_proto(),
        last_deactivation_time: version.last_deactivation_time.to_proto(),
        ..WorkerDeploymentVersionSummary::default()
    })
}

/// A version in full.
pub fn version_info(
    deployment: &Deployment,
    build_id: &str,
) -> Option<WorkerDeploymentVersionInfo> {
    let version = deployment.versions.get(build_id)?;
    let name = deployment.version_of(build_id);
    let ramps = deployment.ramping() == Ramping::Build(build_id.to_owned());
    let queues = version.queues.iter();
    Some(WorkerDeploymentVersionInfo {
        version: legacy_text(Some(&name)),
        deployment_version: Some(name),
        status: status(deployment, build_id) as i32,
        create_time: version.create_time.to_proto(),
        routing_changed_time: version.routing_change_time.to_proto(),
        current_since_time: version.current_since.to_proto(),
        ramping_since_time: version.ramping_since.to_proto(),
        ramp_percentage: if ramps { deployment.routing.ramping_version_percentage } else { 0.0 },
        task_queue_infos: queues
            .map(|queue| VersionTaskQueueInfo { name: queue.name.clone(), r#type: queue.task_type })
            .collect(),
        drainage_info: version.drainage,
        metadata: version.metadata.clone(),
        last_modifier_identity: version.last_modifier_identity.clone(),
        ..WorkerDeploymentVersionInfo::default()
    })
}
