//! Entities that are no workflows, and those who wait for them. Each ends in one way only.

pub(crate) mod batch;
pub(crate) mod nexus_operation;
pub(crate) mod rule;
pub(crate) mod schedule;
pub(crate) mod standalone_activity;

use std::sync::Arc;

use history::{EntityError, EntityView, Perform};
use model::{RunId, Span};

use crate::{
    cluster::CallError,
    dice::Dice,
    outside::{Told, callback, path_of},
    world::World,
};

/// The entities of a seed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entities {
    pub(crate) activities: Vec<standalone_activity::Plan>,
    pub(crate) schedules: Vec<schedule::Plan>,
    pub(crate) operations: Vec<nexus_operation::Plan>,
    /// One ends the workflows that wait for a batch operation.
    pub(crate) batch: bool,
    /// There is a rule that pauses activities.
    pub(crate) rule: bool,
}

impl Entities {
    /// Draws those of a seed; a batch operation is there for workflows that wait for one.
    pub(crate) fn draw(seed: u64, batch: bool, clock_jumps: bool) -> Self {
        let dice = Dice::new(seed, "entities");
        let activities = if dice.chance(400) { dice.between(1, 3) } else { 0 };
        let schedules = u64::from(dice.chance(250));
        let others = Dice::new(seed, "nexus operations");
        let operations = if others.chance(400) { others.between(1, 2) } else { 0 };
        Self {
            activities: (0..activities)
                .map(|number| {
                    let operations = Dice::new(seed, &format!("operations on activity {number}"));
                    standalone_activity::Plan::draw(&dice, number).with_operations(&operations)
                })
                .collect(),
            schedules: (0..schedules)
                .map(|number| {
                    let operations = Dice::new(seed, &format!("operations on schedule {number}"));
                    schedule::Plan::draw(&dice, number).with_operations(&operations)
                })
                .collect(),
            operations: (0..operations)
                .map(|number| nexus_operation::Plan::draw(&others, number, clock_jumps))
                .collect(),
            batch,
            rule: Dice::new(seed, rule::ID).chance(250),
        }
    }

    /// Their ids, all of which have to end.
    pub(crate) fn ids(&self) -> Vec<String> {
        let activities = self.activities.iter().map(|plan| plan.id.clone());
        let schedules = self.schedules.iter().map(|plan| plan.id.clone());
        let operations = self.operations.iter().map(|plan| plan.id.clone());
        let batch = self.batch.then(|| batch::ID.to_owned());
        let rule = self.rule.then(|| rule::ID.to_owned());
        activities.chain(schedules).chain(operations).chain(batch).chain(rule).collect()
    }

    /// Starts those who wait for them.
    pub(crate) fn start(&self, world: &Arc<World>) {
        for plan in &self.activities {
            tokio::spawn(standalone_activity::see_through(Arc::clone(world), plan.clone()));
        }
        for plan in &self.schedules {
            tokio::spawn(schedule::see_through(Arc::clone(world), plan.clone()));
        }
        for plan in &self.operations {
            tokio::spawn(nexus_operation::see_through(Arc::clone(world), plan.clone()));
        }
        if self.batch {
            tokio::spawn(batch::see_through(Arc::clone(world)));
        }
        if self.rule {
            tokio::spawn(rule::see_through(Arc::clone(world)));
        }
    }
}

/// Waits until some time during the faults.
async fn begin(world: &World, dice: &Dice) {
    let turmoil = world.profile.turmoil.millis().unsigned_abs();
    world.sleep(dice.span(0, turmoil * 3 / 4)).await;
}

async fn pause(world: &World, dice: &Dice) {
    world.sleep(dice.span(5, 200)).await;
}

/// Whoever asked to be told how it ended, heard the truth. To be called when all were told.
fn check_told(world: &World, id: &str, truth: &Told) {
    let told = world.cluster.outside.told();
    let heard = path_of(&callback(id)).and_then(|path| told.get(path));
    if !heard.is_some_and(|heard| !heard.is_empty() && heard.iter().all(|it| it == truth)) {
        world.witness.accuse(format!("of `{id}` was told {heard:?} instead of {truth:?}"));
    }
}

/// Asks an entity once; what it refuses is an answer, too.
async fn ask<M: Perform>(
    world: &World,
    dice: &Dice,
    id: &str,
    input: M::Input,
) -> Result<Result<M::Reply, M::Rejection>, CallError> {
    ask_instance::<M>(world, dice, id, None, input).await
}

/// As [`ask`], for one that is known.
async fn ask_instance<M: Perform>(
    world: &World,
    dice: &Dice,
    id: &str,
    instance: Option<RunId>,
    input: M::Input,
) -> Result<Result<M::Reply, M::Rejection>, CallError> {
    let asked = world.call(dice, |life| async move {
        let (permit, namespace) = (&life.permit, &life.namespace());
        let asked = life.history.request_instance::<M>(permit, namespace, id, instance, input);
        match asked.await {
            Ok(reply) => Ok(Ok(reply)),
            Err(EntityError::Rejected(rejection)) => Ok(Err(rejection)),
            Err(EntityError::History(error)) => Err(error),
        }
    });
    asked.await
}

/// Looks at an entity until its state is as wanted; accuses when it has gone.
async fn wait_for<M: Perform>(
    world: &World,
    dice: &Dice,
    id: &str,
    is_reached: impl Fn(&M::State) -> bool + Copy + Send + Sync,
) -> Option<EntityView<M>> {
    loop {
        let found = world.call(dice, |life| async move {
            let (permit, namespace) = (&life.permit, &life.namespace());
            let waiting = life.history.await_instance::<M>(permit, namespace, id, None, is_reached);
            tokio::select! {
                biased;
                found = waiting => found.map(Some),
                () = life.sleep(Span::from_secs(30)) => Ok(None),
            }
        });
        match found.await {
            Ok(Some(Some(view))) if view.state().is_some_and(is_reached) => return Some(view),
            Ok(Some(None)) => {
                world.witness.accuse(format!("`{id}` is lost"));
                return None;
            }
            Ok(_) => {}
            Err(_) => pause(world, dice).await,
        }
    }
}
