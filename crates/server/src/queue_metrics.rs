//! What the metrics see of task queues.

use std::{sync::Arc, time::Duration};

use history::Delivery;
use matching::{Matching, TaskQueueType};
use namespace::Namespaces;
use parking_lot::Mutex;
use telemetry::{Metrics, TaskQueueMetrics, TaskType};

/// Shows what waits at the task queues whenever somebody reads the metrics.
pub(crate) fn watch_queues(
    metrics: &Metrics,
    matching: &Arc<Matching<Delivery>>,
    namespaces: &Arc<Namespaces>,
) {
    let (matching, namespaces) = (Arc::downgrade(matching), Arc::downgrade(namespaces));
    let shown = Mutex::new(Vec::<Arc<TaskQueueMetrics>>::new());
    metrics.watch_queues(move |metrics| {
        let mut shown = shown.lock();
        // A queue that is gone holds nothing.
        for queue in shown.drain(..) {
            queue.backlog_count.set(0);
            queue.backlog_age(Duration::ZERO);
        }
        let Some((matching, namespaces)) = matching.upgrade().zip(namespaces.upgrade()) else {
            return;
        };
        for (key, stats) in matching.backlogs() {
            let Some(namespace) = namespaces.by_id(key.namespace_id) else { continue };
            let task_type = match key.task_type {
                TaskQueueType::Workflow => TaskType::Workflow,
                TaskQueueType::Activity => TaskType::Activity,
                TaskQueueType::Nexus => TaskType::Nexus,
            };
            let queue = metrics.task_queue(&namespace.name, &key.name, task_type);
            queue.backlog_count.set(stats.approximate_backlog_count);
            queue.backlog_age(stats.approximate_backlog_age.to_std());
            shown.push(queue);
        }
    });
}
