//! Fair shares inside a priority.

use std::{collections::BTreeMap, sync::Arc};

use crate::TaskOrder;

/// The distance between two tasks of a key with weight 1.
const STRIDE: f64 = 1_000_000.0;
/// Weights outside this range are moved into it (fact sheet section 16).
const WEIGHTS: (f64, f64) = (0.001, 1000.0);

/// Stride scheduling: each key advances by `STRIDE / weight` per task, and the lowest pass goes
/// first, so that a key with a long backlog does not hold up the others.
#[derive(Debug, Default)]
pub(crate) struct Fairness {
    /// The pass of the task that was dispatched last. Nobody starts below it: a key that was
    /// absent has saved nothing up.
    floor: u64,
    /// The pass of each key's latest task.
    latest: BTreeMap<Arc<str>, u64>,
}

impl Fairness {
    /// The pass of a new task.
    pub(crate) fn pass(&mut self, order: &TaskOrder, weight: f32, keys_max: usize) -> u64 {
        let key = order.fairness_key.clone().unwrap_or_else(|| Arc::from(""));
        let stride = stride(weight);
        if let Some(latest) = self.latest.get_mut(&key) {
            *latest = latest.saturating_add(stride).max(self.floor);
            return *latest;
        }
        if self.latest.len() >= keys_max {
            let floor = self.floor;
            self.latest.retain(|_, latest| *latest > floor);
        }
        let pass = self.floor.saturating_add(stride);
        if self.latest.len() < keys_max {
            self.latest.insert(key, pass);
        }
        pass
    }

    /// A task was dispatched.
    pub(crate) fn dispatched(&mut self, pass: u64) {
        self.floor = self.floor.max(pass);
    }

    /// Where a task that comes back is put: before everything that waits.
    pub(crate) const fn floor(&self) -> u64 {
        self.floor
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped first")]
fn stride(weight: f32) -> u64 {
    let weight = if weight > 0.0 { f64::from(weight) } else { 1.0 };
    (STRIDE / weight.clamp(WEIGHTS.0, WEIGHTS.1)) as u64
}

#[cfg(test)]
mod tests {
    use model::Time;

    use super::*;

    fn order(key: &str) -> TaskOrder {
        TaskOrder { fairness_key: Some(key.into()), ..TaskOrder::created_at(Time::UNSET) }
    }

    #[test]
    fn a_key_with_twice_the_weight_gets_twice_the_share() {
        let mut fairness = Fairness::default();
        let mut passes: Vec<(u64, &str)> = Vec::new();
        for _ in 0..100 {
            passes.push((fairness.pass(&order("light"), 1.0, 10), "light"));
            passes.push((fairness.pass(&order("heavy"), 2.0, 10), "heavy"));
        }
        passes.sort_unstable();
        let heavy = passes.iter().take(60).filter(|(_, key)| *key == "heavy").count();
        assert_eq!(heavy, 40);
    }

    #[test]
    fn an_absent_key_saves_nothing_up() {
        let mut fairness = Fairness::default();
        let passes = [0; 10].map(|_| fairness.pass(&order("busy"), 1.0, 10));
        fairness.dispatched(passes[4]);
        let late = fairness.pass(&order("late"), 1.0, 10);
        assert!(late > passes[4] && late <= passes[5]);
    }

    #[test]
    fn the_number_of_remembered_keys_is_bounded() {
        let mut fairness = Fairness::default();
        for number in 0..100 {
            let pass = fairness.pass(&order(&number.to_string()), 1.0, 10);
            assert!(pass > 0);
        }
        assert_eq!(fairness.latest.len(), 10);
    }
}
