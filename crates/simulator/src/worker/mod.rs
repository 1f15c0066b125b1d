//! Workers. They outlive the node, as the processes of users do.

pub(crate) mod activity;
pub(crate) mod control;
pub(crate) mod heartbeat;
pub(crate) mod nexus;
pub(crate) mod poll;
pub(crate) mod workflow;

use std::sync::Arc;

use model::Span;

use crate::{dice::Dice, fleet, world::World};

/// Starts all workers.
pub(crate) fn start(world: &Arc<World>) {
    for number in 0..world.profile.workflow_workers {
        workflow::start(world, number);
    }
    for number in 0..world.profile.activity_workers {
        activity::start(world, number);
    }
    for number in 0..world.profile.nexus_workers {
        nexus::start(world, number);
    }
    heartbeat::start(world);
    if world.fleet.is_some() {
        fleet::start_workers(world);
    }
}

/// What a worker does between two tasks.
async fn rest(world: &World, dice: &Dice) {
    if !world.is_healed() && dice.chance(world.profile.worker_pauses_per_mille) {
        world.sleep(dice.span(0, 5_000)).await;
    }
}

/// Whether a worker dies with the task that it has just got.
pub(crate) fn dies(world: &World, dice: &Dice) -> bool {
    !world.is_healed() && dice.chance(world.profile.worker_deaths_per_mille)
}

/// The time that work takes: mostly none, sometimes more than there is.
pub(crate) async fn work(world: &World, dice: &Dice) {
    let span = match dice.below(100) {
        0 if !world.is_healed() => dice.span(5_000, 12_000),
        0..=9 => dice.span(50, 2_000),
        10..=59 => dice.span(0, 30),
        _ => Span::ZERO,
    };
    if !span.is_zero() {
        world.sleep(span).await;
    }
}
