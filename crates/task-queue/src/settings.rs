//! What the API sets for a queue.

use std::{collections::BTreeMap, sync::Arc};

/// A queue's settings. Whoever stores them hands them to the queue when it is made, and again when
/// they change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueueSettings {
    /// Tasks per second of the whole queue, over what workers ask for; 0 stops it.
    pub tasks_per_second: Option<f64>,
    /// Tasks per second of each fairness key of weight 1; others get a multiple.
    pub tasks_per_second_per_key: Option<f64>,
    /// Weights of fairness keys, over what tasks say. Where there are any, fairness is on.
    pub fairness_weights: BTreeMap<Arc<str>, f32>,
}
