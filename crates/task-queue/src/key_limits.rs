//! Rate limits of single fairness keys.

use std::{collections::BTreeMap, sync::Arc};

use model::Time;

use crate::{QueueSettings, TaskOrder, TokenBucket};

/// One bucket per fairness key that was used lately; no limit at all without a setting.
#[derive(Debug, Default)]
pub(crate) struct KeyLimits {
    per_key: Option<f64>,
    buckets: BTreeMap<Arc<str>, TokenBucket>,
}

impl KeyLimits {
    /// Takes over changed settings. What keys have used up stays used up.
    pub(crate) fn configure(&mut self, settings: &QueueSettings) {
        self.per_key = settings.tasks_per_second_per_key.filter(|rate| *rate >= 0.0);
        if self.per_key.is_none() {
            self.buckets.clear();
        }
    }

    /// True when there is a limit to keep.
    pub(crate) const fn are_set(&self) -> bool {
        self.per_key.is_some()
    }

    /// Takes the right to dispatch one task of this weight. Where there is no room for another key's
    /// bucket, the key is not limited.
    ///
    /// # Errors
    /// When to ask again; [`Time::MAX`] for when something changes.
    pub(crate) fn take(
        &mut self,
        order: &TaskOrder,
        weight: f32,
        keys_max: usize,
        now: Time,
    ) -> Result<(), Time> {
        let Some(per_key) = self.per_key else { return Ok(()) };
        let rate = if weight > 0.0 { per_key * f64::from(weight) } else { per_key };
        let key = order.fairness_key.as_deref().unwrap_or("");
        if !self.buckets.contains_key(key) {
            if self.buckets.len() >= keys_max {
                self.buckets.retain(|_, bucket| !bucket.is_full(now));
            }
            if self.buckets.len() >= keys_max {
                return Ok(());
            }
            self.buckets.insert(key.into(), TokenBucket::new(rate, now));
        }
        let Some(bucket) = self.buckets.get_mut(key) else { return Ok(()) };
        bucket.set_rate(rate, now);
        bucket.take(now)
    }

    /// The task was not dispatched after all.
    pub(crate) fn refund(&mut self, order: &TaskOrder) {
        let key = order.fairness_key.as_deref().unwrap_or("");
        if let Some(bucket) = self.buckets.get_mut(key) {
            bucket.refund();
        }
    }
}
