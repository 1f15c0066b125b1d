//! Workers of a deployment: two versions, beside workers without one, at a task queue of their own.
//! Somebody decides again and again where workflows go, and stays with the last version in the end.

use std::sync::Arc;

use api::{
    deployment::v1::WorkerDeploymentVersion,
    enums::v1::{VersionDrainageStatus, VersioningBehavior},
};
use deployment::{Change, DRAINAGE_GRACE, Deployment, DeploymentError, Ramping};
use matching::{TaskQueueKey, WorkerVersion};
use model::Span;
use prost::Message as _;
use storage::Store as _;
use storage_memory::MemoryStore;
use visibility_query::{Schema, parse};

use crate::{
    broken::Broken,
    check::{ensure, snapshot::Snapshot, versions},
    cluster::{CallError, Life},
    dice::Dice,
    worker::{activity, workflow},
    world::World,
};

/// Its id among the entities of a simulation.
pub(crate) const ID: &str = "fleet";

/// The task queue of its workflows and activities.
pub(crate) const QUEUE: &str = "versioned";

/// Its versions. The last one is current in the end.
pub(crate) const BUILDS: [&str; 2] = ["1", "2"];
pub(crate) const LAST: &str = "2";

/// What the keys of deployments start with.
pub(crate) const DEPLOYMENTS: &[u8] = b"worker-deployment/";

/// How long lists may be behind when a life has just begun.
const LIST_LAG: Span = Span::from_secs(10);

/// The fleet of a seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fleet {
    /// How often workflows are sent elsewhere before they go to the last version for good.
    changes: u64,
}

/// Where workflows go.
#[derive(Debug, Clone)]
enum Routing {
    Current(Option<&'static str>),
    Ramping(Ramping, f32),
}

/// What a worker says of itself, and of the workflow that it answers for.
pub(crate) struct Answering {
    pub(crate) version: Option<WorkerDeploymentVersion>,
    pub(crate) behavior: VersioningBehavior,
    pub(crate) deployment: String,
}

impl Fleet {
    /// The fleet of a seed, if it has one.
    pub(crate) fn draw(seed: u64) -> Option<Self> {
        let dice = Dice::new(seed, ID);
        dice.chance(350).then(|| Self { changes: dice.between(1, 5) })
    }

    /// The store has the last word of whoever decides.
    pub(crate) async fn check(&self, memory: &MemoryStore) -> Result<(), String> {
        let stored = memory.scan_meta(DEPLOYMENTS.into()).await;
        let stored = stored.map_err(|error| error.to_string())?;
        let records = stored.into_iter().map(|(_, record)| Deployment::decode(record.value));
        let stored: Vec<Deployment> =
            records.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        let [fleet] = stored.as_slice() else {
            return Err(format!("the fleet's workflows go to {} deployments", stored.len()));
        };
        let current = fleet.routing.current_deployment_version.as_ref();
        let is_last = current == Some(&version(LAST)) && fleet.ramping() == Ramping::Unset;
        ensure!(is_last, "the fleet's workflows go to {current:?} in the store");
        Ok(())
    }
}

impl Routing {
    fn draw(dice: &Dice) -> Self {
        let build = dice.pick(&BUILDS).unwrap_or(LAST);
        match dice.below(8) {
            0 => Self::Current(None),
            1..=3 => Self::Current(Some(build)),
            4 => Self::Ramping(Ramping::Unset, 0.0),
            5 => Self::Ramping(Ramping::Unversioned, 50.0),
            _ => Self::Ramping(
                Ramping::Build(build.to_owned()),
                dice.pick(&[10.0, 50.0, 100.0]).unwrap_or(50.0),
            ),
        }
    }
}

impl Answering {
    /// What a worker of this version says of a workflow.
    pub(crate) fn of(world: &World, workflow_id: &str, worker: Option<&WorkerVersion>) -> Self {
        let Some(worker) = worker else {
            let behavior = VersioningBehavior::Unspecified;
            return Self { version: None, behavior, deployment: String::new() };
        };
        let build_id = worker.build_id.as_ref();
        let build_id = if world.breaks(Broken::MovesPinnedRuns) {
            BUILDS.into_iter().find(|other| *other != build_id).unwrap_or(LAST)
        } else {
            build_id
        };
        Self {
            version: Some(version(build_id)),
            behavior: world.behavior(workflow_id).unwrap_or(VersioningBehavior::AutoUpgrade),
            deployment: ID.to_owned(),
        }
    }
}

/// How a workflow chooses its version; none for those of workers without one.
pub(crate) fn behavior(seed: u64, workflow_id: &str) -> Option<VersioningBehavior> {
    match Dice::new(seed, &format!("version of {workflow_id}")).below(4) {
        0 => None,
        1 => Some(VersioningBehavior::AutoUpgrade),
        _ => Some(VersioningBehavior::Pinned),
    }
}

/// A version of the fleet.
pub(crate) fn version(build_id: &str) -> WorkerDeploymentVersion {
    let (deployment_name, build_id) = (ID.to_owned(), build_id.to_owned());
    WorkerDeploymentVersion { build_id, deployment_name }
}

/// Starts the workers of all versions, and those without one.
pub(crate) fn start_workers(world: &Arc<World>) {
    let versions = BUILDS.into_iter().map(|build_id| Some(WorkerVersion::new(ID, build_id)));
    for version in versions.chain([None]) {
        let name = version.as_ref().map_or("no version", |version| version.build_id.as_ref());
        let (workflows, activities) =
            (format!("workflow worker of {name}"), format!("activity worker of {name}"));
        workflow::start_as(world, workflows, QUEUE, version.clone());
        activity::start_as(world, activities, QUEUE, version);
    }
}

/// Decides where workflows go, and sees in the end that pinned runs are not forgotten.
pub(crate) async fn manage(world: Arc<World>, fleet: Fleet) {
    let dice = Dice::new(world.seed, "manager of the fleet");
    let turmoil = world.profile.turmoil.millis().unsigned_abs();
    for _ in 0..fleet.changes {
        world.sleep(dice.span(0, turmoil / fleet.changes)).await;
        route(&world, &dice, Routing::draw(&dice)).await;
    }
    if !world.breaks(Broken::KeepsOldRoutes) {
        route(&world, &dice, Routing::Ramping(Ramping::Unset, 0.0)).await;
        route(&world, &dice, Routing::Current(Some(LAST))).await;
    }
    while !is_served(&world, &dice).await {
        world.sleep(Span::from_millis(200)).await;
    }
    world.witness.routed(world.now());
    while !world.is_healed() {
        world.sleep(Span::from_millis(500)).await;
    }
    watch_drainage(&world, &dice).await;
    world.ended(ID);
}

/// Changes the routing; what it refuses stays as it is.
async fn route(world: &World, dice: &Dice, routing: Routing) {
    loop {
        let changed = change(world, dice, |deployment, change, pollers| match &routing {
            Routing::Current(build_id) => {
                deployment.set_current(*build_id, change, |_, _, _| false, pollers).map(drop)
            }
            Routing::Ramping(ramping, percentage) => {
                let never = |_: &Deployment, _: &str, _: &str| false;
                deployment.set_ramping(ramping, *percentage, change, never, pollers).map(drop)
            }
        });
        let changed = changed.await;
        world.trace.note(&format!("fleet: {routing:?}: {changed:?}"));
        match changed {
            Ok(Ok(()) | Err(DeploymentError::Precondition(_))) => return,
            Ok(Err(DeploymentError::Unavailable(_))) | Err(_) => {
                world.sleep(dice.span(5, 200)).await;
            }
            Ok(Err(error)) => {
                world.witness.accuse(format!("the routing of the fleet is refused: {error}"));
                return;
            }
        }
    }
}

/// Whether it is known that workers of the last version serve the queue: before, nothing is sent
/// there.
async fn is_served(world: &World, dice: &Dice) -> bool {
    let served = world.call(dice, |life| async move {
        let key = TaskQueueKey::workflow(life.namespace_id, QUEUE);
        Ok(life.deployments.is_registered(&WorkerVersion::new(ID, LAST), &key))
    });
    served.await.unwrap_or(false)
}

type HasPollers<'a> = &'a dyn Fn(&deployment::Version) -> bool;

async fn change(
    world: &World,
    dice: &Dice,
    apply: impl FnOnce(&mut Deployment, &Change, HasPollers<'_>) -> Result<(), DeploymentError> + Send,
) -> Result<Result<(), DeploymentError>, CallError> {
    let change = Change {
        identity: "manager".to_owned(),
        allow_no_pollers: true,
        now: world.now(),
        ..Change::default()
    };
    let changed = world.call(dice, |life| async move {
        let apply = |deployment: &mut Deployment, pollers: HasPollers<'_>| {
            apply(deployment, &change, pollers)
        };
        Ok(life.deployments.change_or_make(life.namespace_id, ID, apply).await)
    });
    changed.await
}

/// A version that is no longer in use drains as long as a run is pinned to it, and no longer than
/// the list takes to know of its end.
async fn watch_drainage(world: &World, dice: &Dice) {
    for build_id in BUILDS.into_iter().filter(|build_id| *build_id != LAST) {
        let before = match Snapshot::read(&world.cluster.memory).await {
            Ok(snapshot) => versions::pinned(&snapshot, build_id),
            Err(error) => return world.witness.accuse(error),
        };
        world.sleep(LIST_LAG).await;
        let listed =
            match world.call(dice, |life| async move { Ok(count(&life, build_id).await) }).await {
                Ok(Ok(listed)) => listed,
                Ok(Err(error)) => return world.witness.accuse(error),
                Err(_) => return,
            };
        let listed = if world.breaks(Broken::DrainsTooEarly) { 0 } else { listed };
        let after = match Snapshot::read(&world.cluster.memory).await {
            Ok(snapshot) => versions::pinned(&snapshot, build_id),
            Err(error) => return world.witness.accuse(error),
        };
        let stayed = before.intersection(&after).count();
        world.trace.note(&format!("fleet: {stayed} runs stay on {build_id}, {listed} are listed"));
        if listed < stayed {
            world.witness.accuse(format!(
                "version {build_id} has {listed} runs by the list, although {stayed} are pinned to it"
            ));
        }
    }
}

/// When all has ended nothing is pinned to a version, and each that is not in use is drained.
pub(crate) async fn check_drainage(world: &World, life: &Life) -> Result<(), String> {
    world.sleep(DRAINAGE_GRACE).await;
    let dice = Dice::new(world.seed, "end of the fleet");
    for build_id in BUILDS.into_iter().filter(|build_id| *build_id != LAST) {
        let listed = count(life, build_id).await?;
        ensure!(listed == 0, "{listed} runs are listed as pinned to version {build_id}");
        let noted = change(world, &dice, |deployment, change, _| {
            deployment.note_drainage(build_id, listed > 0, change.now);
            Ok(())
        });
        if !matches!(noted.await, Ok(Ok(()))) {
            return Err("the drainage of the fleet is refused".to_owned());
        }
        let fleet = life.deployments.find(life.namespace_id, ID).ok_or("the fleet is lost")?;
        let version = fleet.versions.get(build_id);
        let drainage = version.and_then(|version| version.drainage.as_ref());
        let is_over = drainage.is_none_or(|it| it.status() == VersionDrainageStatus::Drained);
        ensure!(is_over, "version {build_id} is never drained: {drainage:?}");
    }
    Ok(())
}

/// How many open runs are listed as pinned to a version.
async fn count(life: &Life, build_id: &str) -> Result<usize, String> {
    let query = format!(
        "TemporalWorkerDeploymentVersion = '{ID}:{build_id}' AND \
         TemporalWorkflowVersioningBehavior = 'Pinned' AND ExecutionStatus = 'Running'"
    );
    let now = life.now();
    let filter = parse(&query, &Schema::default(), now).map_err(|error| error.to_string())?.filter;
    let count = life.visibility.count(life.namespace_id, &filter).await;
    usize::try_from(count.map_err(|error| error.to_string())?).map_err(|error| error.to_string())
}
