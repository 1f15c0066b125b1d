//! One seed, from the first workflow to the last deletion.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use environment::{Clock, SimulatedClock};
use model::{NamespaceId, SlotId, Span, Time, WorkflowKey};
use storage::Table;
use storage_memory::Faults;

use crate::{
    broken::Broken,
    check::{
        acknowledged, callbacks, entities, families, legality, outstanding, results,
        snapshot::Snapshot, versions, views, worker_commands,
    },
    client::Client,
    cluster::Cluster,
    dice::Dice,
    entities::{Entities, rule::InForce},
    fleet::{self, Fleet},
    mortal_store::Doom,
    panics,
    profile::{Profile, RETENTION},
    program::{BatchKind, End, Program},
    trace::{STEPS_MAX, Trace},
    witness::Witness,
    worker,
    world::World,
};

/// What virtual time starts with.
const BASE: Time = Time::from_nanos(1_700_000_000_000_000_000);

/// Workflows of a simulation, unless the caller says otherwise.
pub const WORKFLOWS: usize = 24;

/// Most workflows of a small simulation.
const FEW_WORKFLOWS: u64 = 6;

/// How many workflows a small simulation of this seed has.
pub fn few_workflows(seed: u64) -> usize {
    let few = Dice::new(seed, "size").between(1, FEW_WORKFLOWS);
    usize::try_from(few).unwrap_or(1)
}

/// Once nothing fails any more, everything has to end within this time. Long enough for the
/// longest pause of a workflow task that fails again and again.
const PATIENCE: Span = Span::from_secs(40 * 60);

/// How long lists may be behind.
const LIST_LAG: Span = Span::from_secs(2);

/// What a simulation is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Decides everything.
    pub seed: u64,
    /// How many workflows there are.
    pub workflows: usize,
    /// A promise that is broken on purpose.
    pub broken: Option<Broken>,
}

/// What came of a simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Every step, one a line.
    pub trace: String,
    /// How many steps there were.
    pub steps: usize,
    /// What was found wrong, first things first; empty when all is well.
    pub violations: Vec<String>,
}

/// Runs the simulation of a seed. The same settings give the same outcome, byte for byte.
///
/// # Errors
/// When there is no runtime to run it on.
pub fn simulate(settings: Settings) -> std::io::Result<Outcome> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    panics::watch();
    let outcome = runtime.block_on(run(settings));
    drop(runtime);
    Ok(outcome)
}

async fn run(Settings { seed, workflows, broken }: Settings) -> Outcome {
    let wall = SimulatedClock::starting_at(BASE);
    let clock: Arc<dyn Clock> = Arc::new(wall.clone());
    let trace = Arc::new(Trace::new(Arc::clone(&clock), BASE));
    let dice = Dice::new(seed, "simulation");
    let mut profile = Profile::draw(&dice);
    profile.add_deaths(&Dice::new(seed, "deaths"));
    trace.note(&format!("seed {seed}: {profile:?}"));
    let cluster =
        Cluster::new(seed, Arc::clone(&clock), Arc::clone(&trace), profile.clone(), broken);
    let cluster = match cluster.await {
        Ok(cluster) => cluster,
        Err(error) => {
            return Outcome { steps: 0, trace: trace.take(), violations: vec![error] };
        }
    };
    let programs = programs(seed, &dice, &profile, cluster.namespace_id, workflows);
    let batch = programs.values().any(|program| matches!(program.end, End::AwaitBatch(_)));
    let entities = Entities::draw(seed, batch, profile.clock_jumps);
    let world = Arc::new(World {
        seed,
        broken,
        clock,
        trace,
        witness: Witness::default(),
        cluster,
        profile,
        programs,
        entities,
        rule: InForce::default(),
        fleet: Fleet::draw(seed),
        healed: OnceLock::new(),
        done: AtomicBool::new(false),
        resets: AtomicUsize::new(0),
        ended: AtomicUsize::new(0),
    });
    let found = play(&world, &dice, &wall).await;
    let mut violations = world.witness.facts().violations;
    violations.extend(panics::take().map(|panic| format!("a task panicked: {panic}")));
    violations.extend(found.err());
    for violation in &violations {
        world.trace.note(&format!("VIOLATION: {violation}"));
    }
    Outcome { steps: world.trace.steps(), trace: world.trace.take(), violations }
}

/// What the workflows do, by their ids.
fn programs(
    seed: u64,
    dice: &Dice,
    profile: &Profile,
    namespace_id: NamespaceId,
    workflows: usize,
) -> BTreeMap<String, Program> {
    let mut names = names(dice, profile.slots, namespace_id, workflows);
    let batch = BatchKind::draw(&Dice::new(seed, "kind of batch"));
    let mut programs = BTreeMap::new();
    for number in 0..workflows {
        let Some(name) = names.next() else { break };
        let mut program = Program::draw(dice, profile.large && number == 0);
        program.add_children(&Dice::new(seed, &format!("children of {name}")));
        program.add_operations(&Dice::new(seed, &format!("operations of {name}")));
        program.add_cron(&Dice::new(seed, &format!("cron of {name}")));
        program.add_batch(&Dice::new(seed, &format!("batch of {name}")), batch);
        program.add_time_skipping(&Dice::new(seed, &format!("time of {name}")));
        programs.insert(name, program);
    }
    programs
}

/// Workflow ids, in a few slots only if so many are given.
fn names(
    dice: &Dice,
    slots: usize,
    namespace_id: NamespaceId,
    workflows: usize,
) -> impl Iterator<Item = String> + use<> {
    let slots: Vec<SlotId> = (0..slots)
        .filter_map(|_| SlotId::new(u16::try_from(dice.below(4096)).unwrap_or(0)))
        .collect();
    let is_in = move |name: &String| {
        let key = WorkflowKey { namespace_id, workflow_id: name.clone() };
        slots.is_empty() || slots.contains(&SlotId::of(&key))
    };
    (0..).map(|number: u64| format!("w{number}")).filter(is_in).take(workflows)
}

async fn play(world: &Arc<World>, dice: &Dice, wall: &SimulatedClock) -> Result<(), String> {
    world.cluster.open().await?;
    worker::start(world);
    tokio::spawn(Arc::clone(&world.cluster.outside).run(Arc::clone(world)));
    for (workflow_id, program) in &world.programs {
        tokio::spawn(Client::new(world, workflow_id, program).run());
    }
    world.entities.start(world);
    if let Some(fleet) = world.fleet {
        tokio::spawn(fleet::manage(Arc::clone(world), fleet));
    }
    tokio::select! {
        biased;
        turmoil = turmoil(world, dice) => turmoil?,
        () = clock_jumps(world, wall) => {}
    }
    heal(world);
    let is_sound = !world.breaks(Broken::Panics);
    tokio::spawn(async move { assert!(is_sound, "on purpose") });
    wait_for_the_end(world).await?;
    world.sleep(LIST_LAG).await;
    check_all(world).await?;
    check_deletion(world).await
}

/// The time of faults: the store's come and go, the node dies and comes back.
async fn turmoil(world: &World, dice: &Dice) -> Result<(), String> {
    let until = world.now() + world.profile.turmoil;
    let lifetime = world.profile.turmoil.millis().unsigned_abs() / (world.profile.deaths + 1);
    let doom = Dice::new(world.seed, "doom");
    let mut deaths = 0;
    while world.now() < until {
        let healthy = dice.chance(200);
        let faults = if healthy { Faults::default() } else { world.profile.faults.clone() };
        world.trace.note(if healthy { "store: healthy" } else { "store: failing" });
        world.cluster.set_faults(faults);
        let mortal = deaths < world.profile.deaths;
        if mortal && doom.chance(world.profile.deaths_at_commits_per_mille) {
            world.cluster.doom(Doom::draw(&doom));
        }
        tokio::select! {
            biased;
            () = world.cluster.death() => bury(world).await,
            () = world.sleep(dice.span(lifetime / 4, lifetime)) => {
                if !mortal {
                    continue;
                }
                if dice.chance(300) {
                    world.cluster.stop().await;
                } else {
                    let moment = if dice.chance(500) { dice.span(0, 30) } else { Span::ZERO };
                    world.cluster.kill(moment).await;
                }
            }
        }
        deaths += 1;
        reopen(world, dice).await?;
    }
    if !world.cluster.spare() {
        world.cluster.death().await;
        bury(world).await;
        reopen(world, dice).await?;
    }
    Ok(())
}

/// The node has died with a commit: the others hear of it.
async fn bury(world: &World) {
    world.trace.note("node: died with a commit");
    world.cluster.kill(Span::ZERO).await;
}

/// Looks at what a dead node has left, and lets it live again.
async fn reopen(world: &World, dice: &Dice) -> Result<(), String> {
    let snapshot = Snapshot::read(&world.cluster.memory).await?;
    outstanding::check(&snapshot)?;
    world.sleep(dice.span(0, 3_000)).await;
    world.cluster.open().await
}

/// Sets the clock forward and back, for ever.
async fn clock_jumps(world: &World, wall: &SimulatedClock) {
    let dice = Dice::new(world.seed, "clock");
    if !world.profile.clock_jumps {
        std::future::pending::<()>().await;
    }
    loop {
        world.sleep(dice.span(100, 20_000)).await;
        let longest = [50, 2_000, 60_000, 1_800_000];
        let span = dice.span(0, dice.pick(&longest).unwrap_or(50));
        let nanos = if dice.chance(500) { span.nanos() } else { -span.nanos() };
        world.trace.note(&format!("clock: jumps by {} ms", nanos / 1_000_000));
        wall.jump(nanos);
    }
}

/// From here on nothing fails.
fn heal(world: &World) {
    world.trace.note("healed");
    world.healed.get_or_init(|| world.clock.monotonic());
    world.cluster.set_faults(Faults::default());
}

async fn wait_for_the_end(world: &World) -> Result<(), String> {
    let until = world.now() + PATIENCE;
    let others = world.entity_ids().len();
    while world.ended.load(Ordering::Relaxed)
        < world.programs.len() + world.resets.load(Ordering::Relaxed) + others
    {
        if world.witness.has_violations() {
            return Ok(());
        }
        if world.trace.steps() >= STEPS_MAX {
            return Err("the simulation runs away".to_owned());
        }
        if world.now() >= until {
            return Err(unfinished(world).await);
        }
        world.sleep(Span::from_millis(500)).await;
    }
    world.trace.note("all has ended");
    while !families::are_settled(&Snapshot::read(&world.cluster.memory).await?) {
        if world.now() >= until {
            return Err("some children do not end, or somebody does not know of an end".to_owned());
        }
        world.sleep(Span::from_millis(500)).await;
    }
    Ok(())
}

async fn unfinished(world: &World) -> String {
    let snapshot = match Snapshot::read(&world.cluster.memory).await {
        Ok(snapshot) => snapshot,
        Err(error) => return error,
    };
    let facts = world.witness.facts();
    let mut text = "some workflows or entities do not end:".to_owned();
    for (workflow_id, program) in &world.programs {
        if facts.results.contains_key(workflow_id) {
            continue;
        }
        let runs = snapshot.runs_of(workflow_id);
        let state = runs.last().map(|(_, run)| &run.state);
        let pending = state.map(engine::outstanding_tasks);
        text.push_str(&format!("\n  `{workflow_id}` {program:?}, which waits for {pending:?}"));
    }
    for id in world.entity_ids() {
        if !facts.ended_entities.contains(&id) {
            text.push_str(&format!("\n  `{id}`"));
        }
    }
    text
}

async fn check_all(world: &World) -> Result<(), String> {
    if world.witness.has_violations() {
        return Ok(());
    }
    let snapshot = Snapshot::read(&world.cluster.memory).await?;
    world.trace.note(&format!("the store holds {:016x}", snapshot.digest));
    outstanding::check(&snapshot)?;
    for run in snapshot.runs.values() {
        legality::check(&run.events)
            .map_err(|what| format!("a history of `{}`: {what}", run.state.workflow_id))?;
    }
    families::check(&snapshot)?;
    let facts = world.witness.facts();
    acknowledged::check(&facts, &snapshot)?;
    for schedule in &world.entities.schedules {
        schedule.check(world, &snapshot)?;
    }
    callbacks::check(&world.cluster.outside.told(), &world.entities.ids(), &snapshot)?;
    worker_commands::check(&facts, &snapshot)?;
    if let Some(fleet) = &world.fleet {
        versions::check(world, &snapshot)?;
        fleet.check(&world.cluster.memory).await?;
    }
    for (workflow_id, program) in &world.programs {
        results::check(&facts, &snapshot, workflow_id, program)?;
    }
    let life = world.cluster.life().ok_or("the node is down")?;
    worker::heartbeat::check(world, &life)?;
    if let Some(broken) = world.broken {
        views::spoil(&life, &snapshot, broken).await?;
    }
    views::check(&life, &snapshot).await?;
    match &world.fleet {
        Some(_) => fleet::check_drainage(world, &life).await,
        None => Ok(()),
    }
}

/// When their retention is over nothing is left of the runs.
async fn check_deletion(world: &World) -> Result<(), String> {
    if world.witness.has_violations() {
        return Ok(());
    }
    world.done.store(true, Ordering::Relaxed);
    world.sleep(RETENTION + Span::from_secs(3600)).await;
    let snapshot = Snapshot::read(&world.cluster.memory).await?;
    for table in [Table::History, Table::Run, Table::Current, Table::Branch] {
        let left = snapshot.records.get(&table).copied().unwrap_or(0);
        if left > 0 {
            return Err(format!("{left} records of `{}` outlive their runs", table.name()));
        }
    }
    let deleted = world.entities.schedules.iter().filter(|schedule| schedule.is_deleted);
    let deleted: Vec<String> = deleted.map(|schedule| schedule.id.clone()).collect();
    entities::check_deletion(&snapshot, &deleted)?;
    let life = world.cluster.life().ok_or("the node is down")?;
    let listed = views::list(&life).await?;
    if !listed.is_empty() {
        return Err(format!("{} deleted runs are listed", listed.len()));
    }
    world.trace.note("all runs are deleted");
    Ok(())
}
