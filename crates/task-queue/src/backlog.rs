//! Tasks that wait for a poller.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{RunId, SlotId, Span, Time};

use crate::{
    PriorityKey, QueueLimits, QueueStats, QueuedTask, TaskOrder, fairness::Fairness,
    overflow::Overflow, rate_window::RateWindow,
};

/// A place inside a priority: by fairness, then by age, then by arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    pass: u64,
    created: Time,
    arrival: u64,
}

/// Which reference a task is: the same one may be offered again and again.
type Reference = (RunId, i64, i32, u32);

fn reference(task: &QueuedTask) -> Reference {
    (task.run_id, task.scheduled_event_id, task.attempt, task.stamp)
}

/// The tasks of one priority.
#[derive(Debug)]
struct Level {
    tasks: BTreeMap<Place, QueuedTask>,
    places: BTreeMap<Reference, Place>,
    fairness: Fairness,
    overflow: Overflow,
    added: RateWindow,
    dispatched: RateWindow,
}

impl Level {
    fn new(now: Time) -> Self {
        Self {
            tasks: BTreeMap::new(),
            places: BTreeMap::new(),
            fairness: Fairness::default(),
            overflow: Overflow::default(),
            added: RateWindow::new(now),
            dispatched: RateWindow::new(now),
        }
    }

    /// Full, or was full and has not drained enough: the tasks that were refused come first.
    fn is_full(&self, limits: &QueueLimits) -> bool {
        let len = self.tasks.len();
        len >= limits.backlog_max || (len > limits.backlog_low_water && !self.overflow.is_empty())
    }

    fn insert(&mut self, place: Place, task: QueuedTask) {
        if let Some(before) = self.places.insert(reference(&task), place) {
            self.tasks.remove(&before);
        }
        self.tasks.insert(place, task);
    }

    fn remove(&mut self, place: &Place) -> Option<QueuedTask> {
        let task = self.tasks.remove(place)?;
        self.places.remove(&reference(&task));
        Some(task)
    }

    /// Whether the very task waits already, in its place.
    fn has(&self, task: &QueuedTask) -> bool {
        let place = self.places.get(&reference(task));
        place.and_then(|place| self.tasks.get(place)).is_some_and(|held| held.order == task.order)
    }

    fn stats(&self, now: Time) -> QueueStats {
        let waiting = (self.tasks.len() as u64).saturating_add(self.overflow.task_count());
        let age =
            self.tasks.first_key_value().map_or(Span::ZERO, |(place, _)| now.since(place.created));
        QueueStats {
            approximate_backlog_count: i64::try_from(waiting).unwrap_or(i64::MAX),
            approximate_backlog_age: age,
            tasks_add_rate: self.added.per_second(now),
            tasks_dispatch_rate: self.dispatched.per_second(now),
        }
    }
}

/// The backlog of a queue: one bounded level per priority key (at most five).
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// Boxed: few queues use more than one, and a map's node has room for eleven.
    levels: BTreeMap<PriorityKey, Box<Level>>,
    next_arrival: u64,
}

impl Backlog {
    /// Tasks in memory.
    pub(crate) fn len(&self) -> usize {
        self.levels.values().map(|level| level.tasks.len()).sum()
    }

    /// Nothing in memory.
    pub(crate) fn is_empty(&self) -> bool {
        self.levels.values().all(|level| level.tasks.is_empty())
    }

    /// True when a task of this priority would have to wait behind others, in memory or refused.
    pub(crate) fn precedes(&self, priority: PriorityKey) -> bool {
        let mut levels = self.levels.range(..=priority);
        levels.any(|(_, level)| !level.tasks.is_empty() || !level.overflow.is_empty())
    }

    /// Adds a task; one that waits already stays where it is.
    ///
    /// # Errors
    /// The task, when its priority is full.
    pub(crate) fn add(
        &mut self,
        task: QueuedTask,
        weight: f32,
        fairness: bool,
        limits: &QueueLimits,
        now: Time,
    ) -> Result<(), QueuedTask> {
        let level = self.level(task.order.priority, now);
        if level.has(&task) {
            return Ok(());
        }
        if level.is_full(limits) {
            level.overflow.add(task.slot);
            return Err(task);
        }
        level.added.record(now);
        let pass = if fairness {
            level.fairness.pass(&task.order, weight, limits.fairness_keys_max)
        } else {
            0
        };
        self.insert(pass, task);
        Ok(())
    }

    /// Puts a task back that was handed out for nothing. It is never refused: there are at most as
    /// many as polls.
    pub(crate) fn put_back(&mut self, task: QueuedTask, now: Time) {
        let pass = self.level(task.order.priority, now).fairness.floor();
        self.insert(pass, task);
    }

    /// Takes the first task.
    pub(crate) fn take(&mut self, now: Time) -> Option<QueuedTask> {
        let mut levels = self.levels.values_mut();
        let level = levels.find(|level| !level.tasks.is_empty())?;
        let place = *level.tasks.first_key_value()?.0;
        let task = level.remove(&place)?;
        level.fairness.dispatched(place.pass);
        level.dispatched.record(now);
        Some(task)
    }

    /// Takes the first task that `ready` lets through; it is asked once per fairness key.
    ///
    /// # Errors
    /// The earliest time that it named.
    pub(crate) fn take_ready(
        &mut self,
        now: Time,
        mut ready: impl FnMut(&TaskOrder) -> Result<(), Time>,
    ) -> Result<QueuedTask, Time> {
        let mut earliest = Time::MAX;
        let mut held_back: BTreeSet<Option<Arc<str>>> = BTreeSet::new();
        for level in self.levels.values_mut() {
            let mut found = None;
            for (place, task) in &level.tasks {
                if held_back.contains(&task.order.fairness_key) {
                    continue;
                }
                match ready(&task.order) {
                    Ok(()) => {
                        found = Some(*place);
                        break;
                    }
                    Err(at) => {
                        earliest = earliest.min(at);
                        held_back.insert(task.order.fairness_key.clone());
                    }
                }
            }
            if let Some(place) = found
                && let Some(task) = level.remove(&place)
            {
                level.fairness.dispatched(place.pass);
                level.dispatched.record(now);
                return Ok(task);
            }
        }
        Err(earliest)
    }

    /// Takes everything, in order.
    pub(crate) fn drain(&mut self) -> Vec<QueuedTask> {
        let levels = self.levels.values_mut();
        let tasks = levels.flat_map(|level| {
            level.places.clear();
            std::mem::take(&mut level.tasks).into_values()
        });
        tasks.collect()
    }

    /// Counts a task that went straight to a poller.
    pub(crate) fn passed_through(&mut self, priority: PriorityKey, now: Time) {
        let level = self.level(priority, now);
        level.added.record(now);
        level.dispatched.record(now);
    }

    /// True when tasks were refused and there is room for them.
    pub(crate) fn wants_more(&self, limits: &QueueLimits) -> bool {
        self.levels.values().any(|level| wants_more(level, limits))
    }

    /// True when tasks of any priority are with their slots.
    pub(crate) fn has_overflow(&self) -> bool {
        self.levels.values().any(|level| !level.overflow.is_empty())
    }

    /// Takes slots whose tasks were refused and would find room, at most `most`.
    pub(crate) fn take_overflow(&mut self, most: usize, limits: &QueueLimits) -> Vec<SlotId> {
        let mut slots = Vec::new();
        for level in self.levels.values_mut().filter(|level| wants_more(level, limits)) {
            level.overflow.take(most.saturating_sub(slots.len()), &mut slots);
        }
        slots
    }

    /// Takes all slots whose tasks were refused.
    pub(crate) fn take_all_overflow(&mut self) -> BTreeSet<SlotId> {
        let mut slots = Vec::new();
        for level in self.levels.values_mut() {
            level.overflow.take(usize::MAX, &mut slots);
        }
        slots.into_iter().collect()
    }

    /// Statistics per priority.
    pub(crate) fn stats(&self, now: Time) -> BTreeMap<PriorityKey, QueueStats> {
        self.levels.iter().map(|(priority, level)| (*priority, level.stats(now))).collect()
    }

    /// Statistics in all.
    pub(crate) fn total_stats(&self, now: Time) -> QueueStats {
        let mut total = QueueStats::default();
        self.levels.values().for_each(|level| total.merge(level.stats(now)));
        total
    }

    fn insert(&mut self, pass: u64, task: QueuedTask) {
        let place = Place { pass, created: task.order.created, arrival: self.next_arrival };
        self.next_arrival += 1;
        if let Some(level) = self.levels.get_mut(&task.order.priority) {
            level.insert(place, task);
        }
    }

    fn level(&mut self, priority: PriorityKey, now: Time) -> &mut Level {
        self.levels.entry(priority).or_insert_with(|| Box::new(Level::new(now)))
    }
}

fn wants_more(level: &Level, limits: &QueueLimits) -> bool {
    !level.overflow.is_empty() && level.tasks.len() <= limits.backlog_low_water
}
