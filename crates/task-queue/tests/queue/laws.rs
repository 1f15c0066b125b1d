//! The queue against a naive model: random histories, the same matches.
//!
//! The model keeps plain lists and looks through all of them each time. After every step both must
//! name the same matches in the same order, so that no task is delivered twice, none is lost, no
//! poller is forgotten, and the order is what the rules say.

use std::collections::BTreeSet;

use crate::support::{START, TestPoller, TestQueue, at, poller, task};
use model::{SlotId, Span, Time};
use proptest::prelude::*;
use task_queue::{
    GaveUp, Match, PollEnd, PollerId, PriorityKey, QueueLimits, QueuedTask, ReadyId, Reserved,
};

const LIMITS: (usize, usize) = (6, 3);

#[derive(Debug, Clone)]
enum Step {
    Poll { seconds: i64 },
    Offer { priority: i32, age_millis: i64 },
    OfferReady { seconds: i64 },
    Withdraw { which: usize },
    Reserve { priority: i32 },
    Fulfil { which: usize },
    Release { which: usize },
    GiveUp { which: usize },
    Cancel { which: usize },
    PutBack { which: usize },
    AskSlots,
    Advance { millis: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..8_usize;
    prop_oneof![
        4 => (1..60_i64).prop_map(|seconds| Step::Poll { seconds }),
        5 => (0..6_i32, 0..5_i64)
            .prop_map(|(priority, age_millis)| Step::Offer { priority, age_millis }),
        1 => (1..20_i64).prop_map(|seconds| Step::OfferReady { seconds }),
        1 => which.clone().prop_map(|which| Step::Withdraw { which }),
        3 => (0..6_i32).prop_map(|priority| Step::Reserve { priority }),
        2 => which.clone().prop_map(|which| Step::Fulfil { which }),
        1 => which.clone().prop_map(|which| Step::Release { which }),
        1 => which.clone().prop_map(|which| Step::GiveUp { which }),
        1 => which.clone().prop_map(|which| Step::Cancel { which }),
        1 => which.prop_map(|which| Step::PutBack { which }),
        1 => Just(Step::AskSlots),
        1 => (1..30_000_i64).prop_map(|millis| Step::Advance { millis }),
    ]
}

#[derive(Debug, Clone)]
struct WaitingTask {
    task: QueuedTask,
    arrival: usize,
}

#[derive(Debug, Default)]
struct Naive {
    waiting: Vec<TestPoller>,
    reserved: Vec<TestPoller>,
    tasks: Vec<WaitingTask>,
    ready: Vec<(u64, Time)>,
    refused: Vec<(PriorityKey, SlotId)>,
    arrivals: usize,
}

impl Naive {
    fn at_priority(&self, priority: PriorityKey) -> usize {
        self.tasks.iter().filter(|waiting| waiting.task.order.priority == priority).count()
    }

    fn has_refused(&self, priority: PriorityKey) -> bool {
        self.refused.iter().any(|(refused, _)| *refused == priority)
    }

    fn insert(&mut self, task: QueuedTask) {
        self.arrivals += 1;
        self.tasks.push(WaitingTask { task, arrival: self.arrivals });
    }

    fn offer(&mut self, task: QueuedTask) -> bool {
        let priority = task.order.priority;
        let waiting = self.at_priority(priority);
        if waiting >= LIMITS.0 || (self.has_refused(priority) && waiting > LIMITS.1) {
            if !self.refused.contains(&(priority, task.slot)) {
                self.refused.push((priority, task.slot));
            }
            return false;
        }
        self.insert(task);
        true
    }

    fn reserve(&mut self, priority: PriorityKey) -> Option<u64> {
        let blocked = self.tasks.iter().any(|waiting| waiting.task.order.priority <= priority)
            || self.refused.iter().any(|(refused, _)| *refused <= priority);
        if blocked || self.waiting.is_empty() {
            return None;
        }
        let poller = self.waiting.remove(0);
        self.reserved.push(poller.clone());
        Some(poller.number)
    }

    fn release(&mut self, number: u64, now: Time) -> bool {
        let Some(place) = self.reserved.iter().position(|poller| poller.number == number) else {
            return false;
        };
        let poller = self.reserved.remove(place);
        if poller.deadline <= now {
            return false;
        }
        self.waiting.push(poller);
        self.waiting.sort_by_key(|poller| poller.number);
        true
    }

    fn remove(&mut self, number: u64) {
        self.waiting.retain(|poller| poller.number != number);
        self.reserved.retain(|poller| poller.number != number);
    }

    fn ask_slots(&mut self) -> Vec<(PriorityKey, SlotId)> {
        let room: BTreeSet<PriorityKey> = self
            .refused
            .iter()
            .map(|(priority, _)| *priority)
            .filter(|priority| self.at_priority(*priority) <= LIMITS.1)
            .collect();
        let (asked, kept) =
            self.refused.iter().copied().partition(|(priority, _)| room.contains(priority));
        self.refused = kept;
        asked
    }

    /// The matches that are due: (poller, task or item).
    fn matches(&mut self, now: Time) -> Vec<(u64, u64)> {
        let mut matches = Vec::new();
        while !self.waiting.is_empty() {
            self.ready.retain(|(_, deadline)| *deadline > now);
            let item = if self.ready.is_empty() {
                let first = self
                    .tasks
                    .iter()
                    .enumerate()
                    .min_by_key(|(_, waiting)| {
                        let order = &waiting.task.order;
                        (order.priority, order.created, waiting.arrival)
                    })
                    .map(|(place, _)| place);
                let Some(first) = first else { break };
                self.tasks.remove(first).task.task_id
            } else {
                self.ready.remove(0).0
            };
            matches.push((self.waiting.remove(0).number, item));
        }
        matches
    }
}

/// Both, side by side.
struct Pair {
    queue: TestQueue,
    naive: Naive,
    now: Time,
    ids: Vec<PollerId>,
    next_task: u64,
    ready: Vec<(ReadyId, u64)>,
    reservations: Vec<Reserved<TestPoller>>,
    /// Tasks in the hands of polls.
    delivered: Vec<QueuedTask>,
    /// Tasks that matching took and that no poll has.
    held: BTreeSet<u64>,
}

impl Pair {
    fn new() -> Self {
        let limits = QueueLimits {
            backlog_max: LIMITS.0,
            backlog_low_water: LIMITS.1,
            ..QueueLimits::default()
        };
        Self {
            queue: TestQueue::new(limits, START),
            naive: Naive::default(),
            now: START,
            ids: Vec::new(),
            next_task: 0,
            ready: Vec::new(),
            reservations: Vec::new(),
            delivered: Vec::new(),
            held: BTreeSet::new(),
        }
    }

    fn take_reservation(&mut self, which: usize) -> Option<Reserved<TestPoller>> {
        (!self.reservations.is_empty())
            .then(|| self.reservations.remove(which % self.reservations.len()))
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let now = self.now;
        match step {
            Step::Poll { seconds } => {
                let number = self.ids.len() as u64;
                let deadline = now + Span::from_secs(seconds);
                let poller = TestPoller { deadline, ..poller(number) };
                self.ids.push(self.queue.poll(poller.clone(), now).unwrap());
                self.naive.waiting.push(poller);
            }
            Step::Offer { priority, age_millis } => {
                let created = now - Span::from_millis(age_millis);
                let task = task(self.next_task, priority, created);
                self.next_task += 1;
                let taken = self.queue.offer(task.clone(), now).is_ok();
                prop_assert_eq!(taken, self.naive.offer(task.clone()));
                if taken {
                    self.held.insert(task.task_id);
                }
            }
            Step::OfferReady { seconds } => {
                let item = 1_000_000 + self.next_task;
                self.next_task += 1;
                let deadline = now + Span::from_secs(seconds);
                let id = self.queue.offer_ready(item, deadline, now).unwrap();
                self.ready.push((id, item));
                self.naive.ready.push((item, deadline));
            }
            Step::Withdraw { which } if !self.ready.is_empty() => {
                let (id, item) = self.ready.remove(which % self.ready.len());
                let withdrawn = self.queue.withdraw(id);
                self.naive.ready.retain(|(ready, _)| *ready != item);
                prop_assert!(withdrawn.is_none_or(|withdrawn| withdrawn == item));
            }
            Step::Reserve { priority } => {
                let priority = PriorityKey::from_proto(priority);
                let reserved = self.queue.reserve(priority, now);
                let number = reserved.as_ref().map(|reserved| reserved.poller.number);
                prop_assert_eq!(number, self.naive.reserve(priority));
                self.reservations.extend(reserved);
            }
            Step::Fulfil { which } => {
                if let Some(reserved) = self.take_reservation(which) {
                    self.queue.end_poll(reserved.id, PollEnd::Fulfilled, now);
                    self.naive.remove(reserved.poller.number);
                }
            }
            Step::Release { which } => {
                if let Some(reserved) = self.take_reservation(which) {
                    let number = reserved.poller.number;
                    let back = self.queue.release(reserved, now).is_ok();
                    prop_assert_eq!(back, self.naive.release(number, now));
                }
            }
            Step::GiveUp { which } if !self.ids.is_empty() => {
                let number = which % self.ids.len();
                let gave_up = self.queue.give_up(self.ids[number]);
                let number = number as u64;
                let waits = self.naive.waiting.iter().any(|poller| poller.number == number);
                let is_reserved = self.naive.reserved.iter().any(|poller| poller.number == number);
                let expected = match (waits, is_reserved) {
                    (true, _) => GaveUp::Yes,
                    (false, true) => GaveUp::Reserved,
                    (false, false) => GaveUp::HandedOver,
                };
                prop_assert_eq!(gave_up, expected);
                self.naive.waiting.retain(|poller| poller.number != number);
            }
            Step::Cancel { which } if !self.ids.is_empty() => {
                let number = which % self.ids.len();
                self.queue.end_poll(self.ids[number], PollEnd::Cancelled, now);
                self.naive.remove(number as u64);
            }
            Step::PutBack { which } if !self.delivered.is_empty() => {
                let task = self.delivered.remove(which % self.delivered.len());
                self.held.insert(task.task_id);
                self.queue.put_back(task.clone(), now);
                self.naive.insert(task);
            }
            Step::AskSlots => {
                let asked = self.naive.ask_slots();
                let slots = self.queue.take_overflow(usize::MAX);
                prop_assert_eq!(slots.len(), asked.len());
                let asked: BTreeSet<SlotId> = asked.into_iter().map(|(_, slot)| slot).collect();
                prop_assert_eq!(slots.into_iter().collect::<BTreeSet<_>>(), asked);
            }
            Step::Advance { millis } => self.now = now + Span::from_millis(millis),
            Step::Withdraw { .. }
            | Step::GiveUp { .. }
            | Step::Cancel { .. }
            | Step::PutBack { .. } => {}
        }
        self.settle()
    }

    /// Both match, and agree.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        let mut matches = Vec::new();
        loop {
            match self.queue.next_match(self.now) {
                Match::Task(poller, task) => {
                    prop_assert!(self.held.remove(&task.task_id), "delivered twice");
                    matches.push((poller.number, task.task_id));
                    self.delivered.push(task);
                }
                Match::Ready(poller, _, deadline, item) => {
                    prop_assert!(deadline > self.now);
                    matches.push((poller.number, item));
                }
                Match::Limited(_) => prop_assert!(false, "no limit was set"),
                Match::Nothing => break,
            }
        }
        prop_assert_eq!(matches, self.naive.matches(self.now));
        prop_assert_eq!(self.queue.backlog_len(), self.held.len());
        let polls = self.naive.waiting.len() + self.naive.reserved.len();
        prop_assert_eq!(self.queue.poller_count(), polls);
        prop_assert!(self.naive.waiting.is_empty() || self.held.is_empty(), "work and a poller");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_queue_does_what_the_naive_model_does(
        steps in proptest::collection::vec(step(), 1..80)
    ) {
        let mut pair = Pair::new();
        for step in steps {
            pair.step(step)?;
        }
        // In the end enough polls come, and get everything.
        for _ in 0..pair.held.len() + pair.naive.ready.len() {
            pair.step(Step::Poll { seconds: 60 })?;
        }
        prop_assert!(pair.held.is_empty());
    }

    #[test]
    fn a_rate_limit_is_never_exceeded_and_always_used_up(
        rate in 1..20_i64,
        gaps in proptest::collection::vec(0..400_i64, 1..100),
    ) {
        let mut queue = TestQueue::new(QueueLimits::default(), START);
        #[expect(clippy::cast_precision_loss, reason = "below 20")]
        queue.set_rate_limit(Some(rate as f64));
        let mut now = START;
        let mut dispatched = 0;
        let deadline = at(i64::from(i32::MAX));
        for (number, gap) in gaps.iter().enumerate() {
            now = now + Span::from_millis(*gap);
            let number = number as u64;
            queue.poll(TestPoller { deadline, ..poller(number) }, now).unwrap();
            queue.offer(task(number, 0, now), now).unwrap();
            loop {
                match queue.next_match(now) {
                    Match::Task(..) => dispatched += 1,
                    Match::Limited(until) => {
                        prop_assert!(until > now && until.since(now) <= Span::from_secs(1));
                        break;
                    }
                    Match::Nothing | Match::Ready(..) => break,
                }
            }
            let most = rate + rate * now.since(START).millis() / 1000 + 1;
            prop_assert!(dispatched <= most, "{dispatched} > {most}");
        }
        // Whoever comes back at the named times gets everything.
        while let Match::Limited(until) = queue.next_match(now) {
            now = until;
            prop_assert!(matches!(queue.next_match(now), Match::Task(..)));
        }
        prop_assert_eq!(queue.backlog_len(), 0);
    }
}
