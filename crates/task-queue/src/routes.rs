//! Which version of the workers gets a queue's tasks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::Time;

use crate::{TaskQueueKey, WorkerVersion};

/// The routes of all queues that workers with a version serve. The others have none: their tasks go
/// to workers without a version. Immutable: a change makes a new value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Routes {
    queues: BTreeMap<TaskQueueKey, Arc<QueueRoutes>>,
}

/// How one queue's tasks find their version, unless they are pinned to one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueueRoutes {
    /// The versions that serve the queue.
    pub versions: BTreeSet<WorkerVersion>,
    /// Where tasks go.
    pub current: Route,
    /// Where a part of them goes instead.
    pub ramping: Option<Ramp>,
    /// When the current or the ramping version last changed.
    pub update_time: Time,
}

/// A version, and the revision of the deployment's routing that chose it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// The version; none for workers without one.
    pub version: Option<WorkerVersion>,
    /// The revision.
    pub revision_number: i64,
}

/// A part of the workflows that goes to another version.
#[derive(Debug, Clone, PartialEq)]
pub struct Ramp {
    /// Where they go.
    pub route: Route,
    /// How many of a hundred.
    pub percentage: f32,
}

impl Routes {
    /// The routes of a queue. The key's own version does not count.
    pub fn queue(&self, key: &TaskQueueKey) -> Option<&Arc<QueueRoutes>> {
        if key.version.is_none() {
            return self.queues.get(key);
        }
        self.queues.get(&key.with_version(None))
    }

    /// Replaces the routes of a queue; none when no version serves it.
    pub fn set(&mut self, key: &TaskQueueKey, routes: Option<QueueRoutes>) {
        let key = key.with_version(None);
        match routes {
            Some(routes) => self.queues.insert(key, Arc::new(routes)),
            None => self.queues.remove(&key),
        };
    }

    /// Where a task of this workflow goes that is not pinned.
    pub fn route(&self, key: &TaskQueueKey, workflow_id: &str) -> Route {
        self.queue(key).map(|queue| queue.route(workflow_id).clone()).unwrap_or_default()
    }

    /// True when workers of this version serve the queue.
    pub fn serves(&self, version: &WorkerVersion, key: &TaskQueueKey) -> bool {
        self.queue(key).is_some_and(|queue| queue.versions.contains(version))
    }

    /// The queues whose tasks may go elsewhere after a change to these routes.
    pub fn changed(&self, after: &Self) -> Vec<TaskQueueKey> {
        let keys: BTreeSet<&TaskQueueKey> = self.queues.keys().chain(after.queues.keys()).collect();
        keys.into_iter()
            .filter(|key| self.queues.get(key) != after.queues.get(key))
            .cloned()
            .collect()
    }
}

impl QueueRoutes {
    /// Where a task of this workflow goes. All tasks of one workflow id go the same way.
    pub fn route(&self, workflow_id: &str) -> &Route {
        match &self.ramping {
            Some(ramp) if is_below(workflow_id, ramp.percentage) => &ramp.route,
            _ => &self.current,
        }
    }
}

/// Whether a workflow belongs to a percentage. The hash is the reference's, so that a workflow goes
/// the same way on both.
fn is_below(workflow_id: &str, percentage: f32) -> bool {
    if percentage <= 0.0 {
        return false;
    }
    let hash = farmhash::fingerprint32(workflow_id.as_bytes());
    let threshold = 100.0 * (f64::from(hash) / (f64::from(u32::MAX) + 1.0));
    percentage >= 100.0 || threshold <= f64::from(percentage)
}

#[cfg(test)]
mod tests {
    use model::NamespaceId;

    use super::*;

    fn version(build_id: &str) -> WorkerVersion {
        WorkerVersion::new("shop", build_id)
    }

    fn route(build_id: &str) -> Route {
        Route { version: Some(version(build_id)), revision_number: 1 }
    }

    fn key() -> TaskQueueKey {
        TaskQueueKey::workflow(NamespaceId::from_bytes([1; 16]), "orders")
    }

    fn ramp(percentage: f32) -> QueueRoutes {
        QueueRoutes {
            versions: [version("1"), version("2")].into(),
            current: route("1"),
            ramping: Some(Ramp { route: route("2"), percentage }),
            update_time: Time::UNSET,
        }
    }

    #[test]
    fn a_queue_without_versions_goes_to_workers_without_one() {
        assert_eq!(Routes::default().route(&key(), "workflow"), Route::default());
    }

    #[test]
    fn a_version_of_the_key_does_not_count() {
        let mut routes = Routes::default();
        routes.set(&key().with_version(Some(version("9"))), Some(ramp(0.0)));
        let asked = key().with_version(Some(version("1")));
        assert_eq!(routes.route(&asked, "workflow"), route("1"));
        assert!(routes.serves(&version("2"), &asked));
        assert!(!routes.serves(&version("9"), &asked));
        routes.set(&key(), None);
        assert_eq!(routes, Routes::default());
    }

    #[test]
    fn a_ramp_takes_its_part_of_the_workflows_and_keeps_them_as_it_grows() {
        let at = |percentage: f32| -> Vec<bool> {
            let queue = ramp(percentage);
            (0..1000)
                .map(|number| *queue.route(&format!("workflow-{number}")) == route("2"))
                .collect()
        };
        assert!(at(0.0).iter().all(|ramped| !ramped));
        assert!(at(100.0).iter().all(|ramped| *ramped));
        let (few, many) = (at(20.0), at(60.0));
        let count = few.iter().filter(|ramped| **ramped).count();
        assert!((150..250).contains(&count), "{count} of 1000 at 20 %");
        assert!(few.iter().zip(&many).all(|(few, many)| !few || *many));
    }

    #[test]
    fn only_queues_whose_routes_differ_have_changed() {
        let other = TaskQueueKey::activity(key().namespace_id, "orders");
        let mut before = Routes::default();
        before.set(&key(), Some(ramp(10.0)));
        before.set(&other, Some(ramp(10.0)));
        let mut after = before.clone();
        assert!(before.changed(&after).is_empty());
        after.set(&key(), Some(ramp(20.0)));
        assert_eq!(before.changed(&after), [key()]);
        after.set(&other, None);
        assert_eq!(before.changed(&after), [key(), other]);
    }
}
