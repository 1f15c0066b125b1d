//! The routes and settings in force, and what happens when they change.

use std::collections::BTreeMap;

use task_queue::{QueueSettings, Routes, TaskQueueKey};

use crate::{Matching, QueueDescription};

/// The routes in force. Later ones have higher numbers.
#[derive(Debug, Default)]
pub struct PublishedRoutes {
    /// The number.
    pub number: u64,
    /// The routes.
    pub routes: Routes,
}

impl<D: Send + 'static> Matching<D> {
    /// The routes in force.
    pub fn routes(&self) -> arc_swap::Guard<std::sync::Arc<PublishedRoutes>> {
        self.routes.load()
    }

    /// Puts routes in force. Tasks that wait at queues whose routes change go back to their slots,
    /// which offer them where they now belong. Whoever placed a task by older routes asks for
    /// [`reroute`](Self::reroute) once it is offered.
    pub fn set_routes(&self, routes: Routes) {
        let changed = {
            let _one_at_a_time = self.changing_routes.lock();
            let before = self.routes.load_full();
            let changed = before.routes.changed(&routes);
            self.routes.store(PublishedRoutes { number: before.number + 1, routes }.into());
            changed
        };
        for key in changed {
            self.reroute(&key);
        }
    }

    /// Gives the tasks that wait at a queue of any version back to their slots.
    pub fn reroute(&self, key: &TaskQueueKey) {
        for queue in self.registry.family(key) {
            let mut queue = queue.lock();
            let core = queue.core();
            self.hub.add_homeless(core.take_all_overflow());
            self.hub.add_dropped(core.drain_backlog());
        }
        self.hub.queues_changed();
    }

    /// Puts settings in force for all versions of a queue, those that come later included. They are
    /// kept as long as the node runs; storing them is the caller's business.
    pub fn configure(&self, key: &TaskQueueKey, settings: QueueSettings) {
        let now = self.hub.now();
        self.registry.keep_settings(key, &settings);
        for queue in self.registry.family(key) {
            let mut queue = queue.lock();
            queue.core().configure(settings.clone());
            queue.settle(now);
        }
    }

    /// Describes the queues of all versions of a name, by key; none that nobody has used lately.
    pub fn describe_versions(
        &self,
        key: &TaskQueueKey,
    ) -> BTreeMap<TaskQueueKey, QueueDescription> {
        let family = self.registry.family(key);
        let described = |key: &TaskQueueKey| Some((key.clone(), self.describe(key)?));
        family.iter().filter_map(|queue| described(&queue.key)).collect()
    }
}
