//! Runs that go on from the rare places: what random runs reach once in a million steps, such as a
//! full buffer beside a started child of a paused run, is kept, and all that may follow is tried.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Input, Rejection, Transition, outstanding_tasks};
use model::Span;

use crate::{
    transitions,
    world::{BUFFERS_NOTHING, Step, World},
};

/// Runs that are kept of each kind of place.
const KEPT_MAX: usize = 4;

/// Steps of a run that goes on from a place.
const STEPS: usize = 10;

/// Steps of each kind that are tried, but not taken, in a place.
const TRIED: usize = 2;

/// As many more of the kinds that stand for several inputs each.
const TRIED_OF_MANY: usize = 10;

/// Numbers that are the same in every run of the tests.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next()).unwrap() % bound.max(1)
    }

    pub(crate) fn step(&mut self) -> Step {
        Step {
            kind: self.next() as u8,
            pick: self.next() as u8,
            wait_millis: (self.next() % 1500) as u16,
        }
    }
}

/// The places that are known, with runs that are there.
#[derive(Default)]
struct Places {
    runs: BTreeMap<String, Vec<World>>,
    visits: BTreeMap<String, usize>,
}

impl Places {
    /// Keeps a run, unless enough are kept of all the places where it is.
    fn note(&mut self, world: &World, random: &mut Random) {
        for place in places(world) {
            let kept = self.runs.entry(place).or_default();
            if kept.len() < KEPT_MAX {
                kept.push(world.without_past());
            } else if random.below(64) == 0 {
                let index = random.below(KEPT_MAX);
                kept[index] = world.without_past();
            }
        }
    }

    /// A run in the place that was gone on from least.
    fn rarest(&mut self, random: &mut Random) -> World {
        let visits = |place: &String| self.visits.get(place).copied().unwrap_or(0);
        let place = self.runs.keys().min_by_key(|place| visits(place)).unwrap().clone();
        *self.visits.entry(place.clone()).or_default() += 1;
        let kept = &self.runs[&place];
        kept[random.below(kept.len())].clone()
    }
}

/// Where a run is: its workflow task, its buffer, and each of the other machines.
fn places(world: &World) -> BTreeSet<String> {
    let state = &world.state;
    let task = transitions::workflow_task(state);
    let failures = state.workflow_task.as_ref().map_or(0, |task| task.attempt.min(2));
    let (run, buffered) = (transitions::run(state), state.buffered_events.len());
    // What a worker's task does not hold up ends it.
    let ends_task = world.buffers_nothing() && task.starts_with("started");
    let run = if ends_task { format!("{run}, no buffer") } else { run.to_owned() };
    let here = format!("{run}, {task} {failures}, {buffered} buffered");
    let mut places = BTreeSet::from([here.clone()]);
    for machine in transitions::machines(state) {
        places.insert(format!("{here}, {machine}"));
        places.insert(format!("{run}, {task}, {machine}"));
    }
    places
}

/// Goes on from the rarest places, so often, and shows every decision.
pub(crate) fn explore(
    rounds: usize,
    random: &mut Random,
    mut show: impl FnMut(&World, &Input, &Result<Transition, Rejection>),
) {
    let mut places = Places::default();
    for policy in 0..BUFFERS_NOTHING + 16 {
        places.note(&World::new(policy), random);
    }
    for _ in 0..rounds {
        let mut world = places.rarest(random);
        for task in outstanding_tasks(&world.state) {
            let mut later = world.clone();
            later.now = later.now.max(later.state.on_the_wall(task.due));
            let input = Input::TaskDue(task.action);
            let outcome = later.decide(input.clone());
            show(&later, &input, &outcome);
        }
        for input in candidates(&world, random) {
            let outcome = world.decide(input.clone());
            show(&world, &input, &outcome);
        }
        for _ in 0..STEPS {
            let step = random.step();
            world.now = world.now + Span::from_millis(i64::from(step.wait_millis));
            if step.kind == u8::MAX {
                world.crash();
            }
            let mut inputs = vec![world.input(step)];
            if step.pick.is_multiple_of(2) {
                inputs.extend(world.due_task().map(Input::TaskDue));
            }
            for input in inputs {
                let outcome = world.decide(input.clone());
                show(&world, &input, &outcome);
                if let Ok(transition) = outcome {
                    world.accept(&transition);
                    places.note(&world, random);
                }
            }
        }
    }
}

/// What may come next, of every kind.
fn candidates(world: &World, random: &mut Random) -> Vec<Input> {
    let mut inputs = Vec::new();
    for kind in 0..World::KINDS {
        let many = matches!(kind, 3 | 20..=26);
        for _ in 0..if many { TRIED_OF_MANY } else { TRIED } {
            inputs.push(world.input(Step { kind, ..random.step() }));
        }
    }
    inputs
}
