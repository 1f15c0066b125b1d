//! What must hold for a schedule, whatever happens to it.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};

use api::{
    common::v1::WorkflowExecution,
    enums::v1::{ScheduleOverlapPolicy, WorkflowExecutionStatus},
    schedule::v1::{
        BackfillRequest, IntervalSpec, Schedule as Plan, ScheduleAction, SchedulePatch,
        SchedulePolicies, ScheduleSpec, ScheduleState, TriggerImmediatelyRequest,
        schedule_action::Action,
    },
    workflow::v1::NewWorkflowExecutionInfo,
};
use entity::{ClosedWorkflow, Context, EntityKey, EntityKind, Event, Machine as _};
use model::{Limits, NamespaceId, RunId, Span, Time};
use proptest::prelude::*;
use schedule::{Create, Done, Input, Rejection, Schedule, State, Update, Work};

const BASE: i64 = 1_700_000_000;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    /// Time passes, and the timer fires if it is due.
    Wait(i64),
    Trigger(ScheduleOverlapPolicy),
    Backfill {
        minutes: i64,
        policy: ScheduleOverlapPolicy,
    },
    Pause,
    Unpause,
    Update(ScheduleOverlapPolicy),
    /// A piece of work is done; a start may fail.
    Work {
        place: usize,
        fails: bool,
    },
    /// A run closes.
    Close {
        place: usize,
        status: WorkflowExecutionStatus,
    },
    /// The last end is told again.
    CloseAgain,
}

fn policy() -> impl Strategy<Value = ScheduleOverlapPolicy> {
    prop::sample::select(&[
        ScheduleOverlapPolicy::Unspecified,
        ScheduleOverlapPolicy::Skip,
        ScheduleOverlapPolicy::BufferOne,
        ScheduleOverlapPolicy::BufferAll,
        ScheduleOverlapPolicy::CancelOther,
        ScheduleOverlapPolicy::TerminateOther,
        ScheduleOverlapPolicy::AllowAll,
    ])
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop::sample::select(&[
        WorkflowExecutionStatus::Completed,
        WorkflowExecutionStatus::Failed,
        WorkflowExecutionStatus::Canceled,
        WorkflowExecutionStatus::TimedOut,
    ]);
    prop_oneof![
        4 => (1_i64..400).prop_map(Step::Wait),
        2 => policy().prop_map(Step::Trigger),
        1 => (1_i64..60, policy())
            .prop_map(|(minutes, policy)| Step::Backfill { minutes, policy }),
        1 => Just(Step::Pause),
        1 => Just(Step::Unpause),
        1 => policy().prop_map(Step::Update),
        6 => (0_usize..5, prop::bool::weighted(0.1))
            .prop_map(|(place, fails)| Step::Work { place, fails }),
        4 => (0_usize..5, status).prop_map(|(place, status)| Step::Close { place, status }),
        1 => Just(Step::CloseAgain),
    ]
}

fn plan(every: i64, policy: ScheduleOverlapPolicy, pauses: bool, limit: Option<i64>) -> Plan {
    let workflow = NewWorkflowExecutionInfo { workflow_id: "w".to_owned(), ..Default::default() };
    let interval = IntervalSpec { interval: Some(Span::from_secs(every).to_proto()), phase: None };
    Plan {
        spec: Some(ScheduleSpec { interval: vec![interval], ..ScheduleSpec::default() }),
        action: Some(ScheduleAction { action: Some(Action::StartWorkflow(workflow)) }),
        policies: Some(SchedulePolicies {
            overlap_policy: policy as i32,
            pause_on_failure: pauses,
            ..SchedulePolicies::default()
        }),
        state: Some(ScheduleState {
            limited_actions: limit.is_some(),
            remaining_actions: limit.unwrap_or(0),
            ..ScheduleState::default()
        }),
    }
}

/// A schedule and the workflows it started.
struct World {
    now: Time,
    state: Option<State>,
    runs: u64,
    open: Vec<WorkflowExecution>,
    last_closed: Option<ClosedWorkflow>,
    /// The work that was ever seen.
    seen: BTreeSet<u64>,
    /// Starts by nominal time, without triggers and backfills.
    planned: BTreeMap<Time, u32>,
}

impl World {
    fn at(seconds: i64) -> Self {
        Self {
            now: Time::from_nanos(seconds * 1_000_000_000),
            state: None,
            runs: 0,
            open: Vec::new(),
            last_closed: None,
            seen: BTreeSet::new(),
            planned: BTreeMap::new(),
        }
    }

    fn decide(&mut self, event: impl Fn() -> Event<Schedule>) -> Result<(), Rejection> {
        let key = EntityKey {
            kind: EntityKind::Schedule,
            namespace_id: NamespaceId::from_bytes([1; 16]),
            id: "plan".to_owned(),
        };
        let limits = Limits::default();
        let context = Context {
            now: self.now,
            key: &key,
            instance: RunId::from_bytes([2; 16]),
            fresh_id: RunId::from_bytes([3; 16]),
            namespace: "default",
            limits: &limits,
            retention: Span::ZERO,
            principal: None,
        };
        let before = self.state.clone();
        let decided = Schedule::decide(before.as_ref(), event(), &context)?;
        let again = Schedule::decide(before.as_ref(), event(), &context)?;
        assert_eq!(decided.state, again.state, "a decision repeats");
        let Some(state) = &decided.state else {
            self.state = None;
            return Ok(());
        };
        let was = before.as_ref().map(Schedule::outstanding).unwrap_or_default();
        for number in Schedule::outstanding(state) {
            let is_new = !was.contains(&number);
            assert_eq!(self.seen.insert(number), is_new, "a number is used once");
            let work = Schedule::work(state, number, &key).expect("work that is wanted is there");
            if let (true, Work::Start(_)) = (is_new, work) {
                let start = state.pending[&number].start.as_ref().unwrap().start;
                if !start.manual {
                    *self.planned.entry(start.nominal_time).or_default() += 1;
                }
            }
        }
        assert!(state.buffered_starts.len() <= 1000);
        assert!(state.recent_actions.len() <= 10);
        let listed = Schedule::listing(state, &key).unwrap();
        assert_eq!(listed.workflow_id, "temporal-sys-scheduler:plan");
        self.state = decided.state;
        Ok(())
    }

    fn fire(&mut self) {
        while let Some(due) = self.state.as_ref().and_then(Schedule::due) {
            if due > self.now {
                return;
            }
            self.decide(|| Event::Due).unwrap();
            let next = self.state.as_ref().and_then(Schedule::due);
            assert_ne!(next, Some(due), "time goes on");
        }
    }

    fn patch(&mut self, patch: SchedulePatch) {
        let event = || {
            let patch = Box::new(patch.clone());
            Event::Request(Input::Patch { patch, request_id: String::new(), conflict_token: 0 })
        };
        self.decide(event).unwrap();
    }

    fn work(&mut self, place: usize, fails: bool) {
        let Some(state) = &self.state else { return };
        let outstanding = Schedule::outstanding(state);
        if outstanding.is_empty() {
            return;
        }
        let number = outstanding[place % outstanding.len()];
        let pending = state.pending[&number].clone();
        let done = match pending.start {
            Some(_) if fails => Done::NotStarted,
            Some(start) => {
                self.runs += 1;
                let run_id = format!("run {}", self.runs);
                let workflow_id = start.workflow_id;
                self.open.push(WorkflowExecution { workflow_id, run_id: run_id.clone() });
                Done::Started { run_id, start_time: self.now }
            }
            None if pending.look => Done::Looked,
            None => Done::Stopped,
        };
        self.decide(|| Event::Done { number, outcome: done.clone() }).unwrap();
        let state = self.state.as_ref();
        let left = state.map(Schedule::outstanding).unwrap_or_default();
        assert!(!left.contains(&number), "work ends");
    }

    fn close(&mut self, place: usize, status: WorkflowExecutionStatus) {
        if self.open.is_empty() {
            return;
        }
        let run = self.open.remove(place % self.open.len());
        let closed = ClosedWorkflow {
            workflow_id: run.workflow_id,
            run_id: run.run_id.clone(),
            first_execution_run_id: run.run_id,
            status,
            ..ClosedWorkflow::default()
        };
        self.last_closed = Some(closed);
        self.tell();
    }

    fn tell(&mut self) {
        let Some(closed) = self.last_closed.clone() else { return };
        if self.state.is_some() {
            self.decide(|| Event::WorkflowClosed(Box::new(closed.clone()))).unwrap();
        }
    }

    fn step(&mut self, step: &Step, every: i64) {
        match step {
            Step::Wait(seconds) => {
                self.now = self.now + Span::from_secs(*seconds);
                self.fire();
            }
            Step::Work { place, fails } => self.work(*place, *fails),
            Step::Close { place, status } => self.close(*place, *status),
            Step::CloseAgain => self.tell(),
            _ if self.state.is_none() => {}
            Step::Trigger(policy) => self.patch(SchedulePatch {
                trigger_immediately: Some(TriggerImmediatelyRequest {
                    overlap_policy: *policy as i32,
                    scheduled_time: None,
                }),
                ..SchedulePatch::default()
            }),
            Step::Backfill { minutes, policy } => {
                let start = self.now - Span::from_secs(100_000);
                self.patch(SchedulePatch {
                    backfill_request: vec![BackfillRequest {
                        start_time: start.to_proto(),
                        end_time: (start + Span::from_secs(60 * minutes)).to_proto(),
                        overlap_policy: *policy as i32,
                    }],
                    ..SchedulePatch::default()
                });
            }
            Step::Pause => {
                self.patch(SchedulePatch { pause: "why".to_owned(), ..Default::default() });
            }
            Step::Unpause => {
                self.patch(SchedulePatch { unpause: "on".to_owned(), ..Default::default() });
            }
            Step::Update(policy) => {
                let schedule = plan(every, *policy, false, None);
                let event = || {
                    let schedule = schedule.clone();
                    Event::Request(Input::Update(Box::new(Update {
                        schedule,
                        ..Update::default()
                    })))
                };
                self.decide(event).unwrap();
            }
        }
    }

    /// Everything that is under way comes to its end, and nothing new is begun.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            let Some(state) = &self.state else { return };
            if !state.settings().paused {
                self.patch(SchedulePatch { pause: "end".to_owned(), ..Default::default() });
                continue;
            }
            if !Schedule::outstanding(state).is_empty() {
                self.work(0, false);
            } else if !self.open.is_empty() {
                self.close(0, WorkflowExecutionStatus::Completed);
            } else if !state.backfills.is_empty() {
                self.now = self.now + Span::from_secs(1);
                self.fire();
            } else {
                assert_eq!(state.running_workflows, []);
                assert_eq!(state.buffered_starts, []);
                assert_eq!(state.closed_early, []);
                return;
            }
        }
        panic!("it does not settle: {:?}", self.state);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_schedule_keeps_its_laws(
        every in prop::sample::select(&[20_i64, 60, 300]),
        policy in policy(),
        pauses in any::<bool>(),
        limit in prop::option::of(0_i64..5),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut world = World::at(BASE);
        let schedule = plan(every, policy, pauses, limit);
        world.decide(|| {
            let create = Create { schedule: schedule.clone(), ..Create::default() };
            Event::Request(Input::Create(Box::new(create)))
        }).unwrap();
        for step in &steps {
            world.step(step, every);
        }
        prop_assert!(world.planned.values().all(|count| *count == 1), "{:?}", world.planned);
        world.settle();
    }
}

#[test]
fn an_idle_schedule_goes_after_a_week() {
    let spec = ScheduleSpec {
        end_time: Time::from_nanos((BASE + 100) * 1_000_000_000).to_proto(),
        ..plan(60, ScheduleOverlapPolicy::AllowAll, false, None).spec.unwrap()
    };
    let schedule =
        Plan { spec: Some(spec), ..plan(60, ScheduleOverlapPolicy::AllowAll, false, None) };
    let mut world = World::at(BASE);
    world
        .decide(|| {
            let create = Create { schedule: schedule.clone(), ..Create::default() };
            Event::Request(Input::Create(Box::new(create)))
        })
        .unwrap();
    world.step(&Step::Wait(200), 60);
    world.work(0, false);
    world.work(0, false);
    world.close(0, WorkflowExecutionStatus::Completed);
    assert!(world.state.is_some());
    world.step(&Step::Wait(6 * 24 * 3600), 60);
    assert!(world.state.is_some());
    world.step(&Step::Wait(2 * 24 * 3600), 60);
    assert!(world.state.is_none());
}

#[test]
fn an_end_that_is_found_by_looking_lets_the_next_start_go() {
    let schedule = plan(3600, ScheduleOverlapPolicy::Skip, false, None);
    let mut world = World::at(BASE);
    world
        .decide(|| {
            let create = Create { schedule: schedule.clone(), ..Create::default() };
            Event::Request(Input::Create(Box::new(create)))
        })
        .unwrap();
    world.step(&Step::Trigger(ScheduleOverlapPolicy::Unspecified), 3600);
    world.work(0, false);
    // The run closes while the schedule looks.
    world.step(&Step::Trigger(ScheduleOverlapPolicy::Unspecified), 3600);
    world.close(0, WorkflowExecutionStatus::Completed);
    world.work(0, false);
    world.work(0, false);
    let state = world.state.as_ref().unwrap();
    assert_eq!((state.action_count, state.overlap_skipped), (2, 0));
    // This one goes on.
    world.step(&Step::Trigger(ScheduleOverlapPolicy::Unspecified), 3600);
    world.work(0, false);
    let state = world.state.as_ref().unwrap();
    assert_eq!((state.action_count, state.overlap_skipped), (2, 1));
    assert_eq!(Schedule::outstanding(state), []);
}

#[test]
fn a_patch_of_who_knows_another_schedule_is_refused() {
    let schedule = plan(3600, ScheduleOverlapPolicy::AllowAll, false, None);
    let mut world = World::at(BASE);
    let create = || {
        let create = Create { schedule: schedule.clone(), ..Create::default() };
        Event::Request(Input::Create(Box::new(create)))
    };
    world.decide(create).unwrap();
    let known = world.state.as_ref().unwrap().conflict_token;
    let trigger = |conflict_token| {
        let patch = SchedulePatch {
            trigger_immediately: Some(TriggerImmediatelyRequest::default()),
            ..SchedulePatch::default()
        };
        let (patch, request_id) = (Box::new(patch), String::new());
        Event::Request(Input::Patch { patch, request_id, conflict_token })
    };
    world.decide(|| trigger(known)).unwrap();
    world.step(&Step::Update(ScheduleOverlapPolicy::AllowAll), 3600);
    let before = world.state.clone();
    assert_eq!(world.decide(|| trigger(known)), Err(Rejection::Conflict));
    assert_eq!(world.state, before);
    world.decide(|| trigger(0)).unwrap();
    assert_ne!(world.state, before);
}
