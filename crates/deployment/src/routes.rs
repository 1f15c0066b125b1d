//! From deployments to the routes of a task queue.

use std::collections::BTreeSet;

use api::deployment::v1::WorkerDeploymentVersion;
use matching::{QueueRoutes, Ramp, Route, TaskQueueKey, WorkerVersion};
use model::Time;

use crate::Deployment;

/// The routes of a queue that these deployments of its namespace make; none when none of their
/// versions serves it.
///
/// A queue may have moved from one deployment to another: the latest word of those counts whose
/// version serves the queue, and only without any the latest that chooses workers without a version.
pub(crate) fn queue_routes<'a>(
    deployments: impl Iterator<Item = &'a Deployment>,
    key: &TaskQueueKey,
) -> Option<QueueRoutes> {
    let mut versions = BTreeSet::new();
    let mut current = Latest::default();
    let mut ramping = Latest::default();
    for deployment in deployments {
        let serving = deployment.versions.iter().filter(|(_, version)| version.serves(key));
        let before = versions.len();
        versions.extend(
            serving.map(|(build_id, _)| {
                WorkerVersion::new(deployment.name.as_str(), build_id.as_str())
            }),
        );
        if versions.len() == before {
            continue;
        }
        let routing = &deployment.routing;
        let changed = Time::from_proto(routing.current_version_changed_time.as_ref());
        let version = routing.current_deployment_version.as_ref();
        current.hear(version, changed, routing.revision_number, 0.0, &versions);
        let changed = Time::from_proto(routing.ramping_version_percentage_changed_time.as_ref());
        let version = routing.ramping_deployment_version.as_ref();
        let percentage = routing.ramping_version_percentage;
        ramping.hear(version, changed, routing.revision_number, percentage, &versions);
    }
    if versions.is_empty() {
        return None;
    }
    let update_time = current.word().time.max(ramping.word().time);
    let ramp = ramping.word().clone();
    Some(QueueRoutes {
        versions,
        current: current.word().route.clone(),
        ramping: (ramp.route.version.is_some() || ramp.percentage > 0.0)
            .then_some(Ramp { route: ramp.route, percentage: ramp.percentage }),
        update_time,
    })
}

/// What one deployment says.
#[derive(Debug, Clone, Default)]
struct Word {
    time: Time,
    route: Route,
    percentage: f32,
}

/// The latest words.
#[derive(Debug, Default)]
struct Latest {
    versioned: Option<Word>,
    unversioned: Word,
}

impl Latest {
    fn hear(
        &mut self,
        version: Option<&WorkerDeploymentVersion>,
        time: Time,
        revision_number: i64,
        percentage: f32,
        serving: &BTreeSet<WorkerVersion>,
    ) {
        let version = version.map(|version| {
            WorkerVersion::new(version.deployment_name.as_str(), version.build_id.as_str())
        });
        let word = |version| Word { time, route: Route { version, revision_number }, percentage };
        match version {
            None if time > self.unversioned.time => self.unversioned = word(None),
            Some(version)
                if serving.contains(&version)
                    && self.versioned.as_ref().is_none_or(|latest| time > latest.time) =>
            {
                self.versioned = Some(word(Some(version)));
            }
            _ => {}
        }
    }

    fn word(&self) -> &Word {
        self.versioned.as_ref().unwrap_or(&self.unversioned)
    }
}
