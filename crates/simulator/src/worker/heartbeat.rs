//! What workers say of themselves now and then, and what the node knows of them then.

use std::{collections::BTreeSet, sync::Arc};

use api::{enums::v1::WorkerStatus, worker::v1::WorkerHeartbeat};
use model::Span;
use worker_registry::{ListRequest, WORKER_TTL};

use crate::{
    broken::Broken, check::ensure, cluster::Life, dice::Dice, script::QUEUE, world::World,
};

/// Workers that report themselves, in simulations where some do.
const WORKERS: u64 = 4;

/// Starts those of a simulation, if it has some.
pub(crate) fn start(world: &Arc<World>) {
    let dice = Dice::new(world.seed, "heartbeats");
    if dice.chance(250) {
        for number in 0..WORKERS {
            tokio::spawn(report(Arc::clone(world), format!("reporting worker {number}")));
        }
    }
}

async fn report(world: Arc<World>, key: String) {
    let dice = Dice::new(world.seed, &key);
    while !world.is_done() {
        // Some shut down, and begin again later.
        let is_last = dice.chance(200);
        let status = if is_last { WorkerStatus::Shutdown } else { WorkerStatus::Running };
        let heartbeat = WorkerHeartbeat {
            worker_instance_key: key.clone(),
            task_queue: QUEUE.to_owned(),
            status: status as i32,
            ..WorkerHeartbeat::default()
        };
        let is_lost = world.breaks(Broken::ForgetsWorkers);
        let told = world.call(&dice, |life| async move {
            if !is_lost {
                life.workers.record(life.namespace_id, vec![heartbeat]);
            }
            Ok(life.number)
        });
        if let Ok(life) = told.await {
            let at = world.clock.monotonic();
            world.witness.heard(&key, (!is_last).then_some((life, at)));
        }
        world.sleep(dice.span(2_000, 60_000)).await;
    }
}

/// The node knows those that it heard of lately in this life, and no others.
pub(crate) fn check(world: &World, life: &Life) -> Result<(), String> {
    if world.profile.clock_jumps {
        return Ok(());
    }
    let listed = life.workers.list(life.namespace_id, ListRequest::default());
    let listed = listed.map_err(|error| error.to_string())?.workers;
    let listed: BTreeSet<&str> =
        listed.iter().map(|worker| worker.worker_instance_key.as_str()).collect();
    let (now, heard) = (world.clock.monotonic(), world.witness.facts().heartbeats);
    let of_life = |(key, (number, at)): (&String, &(u64, Span))| {
        (*number == life.number).then(|| (key.clone(), *at))
    };
    for (key, at) in heard.iter().filter_map(of_life) {
        let is_fresh = now < at + WORKER_TTL - Span::from_secs(1);
        ensure!(!is_fresh || listed.contains(key.as_str()), "`{key}` is no worker of the list");
    }
    let known = |key: &&str| heard.get(*key).is_some_and(|(number, _)| *number == life.number);
    let strange = listed.iter().find(|key| !known(key));
    ensure!(strange.is_none(), "{strange:?} is listed as a worker");
    Ok(())
}
