//! Entities that are no runs: nothing that they wait for is forgotten, and they are gone in time.

use batch_operation::BatchOperation;
use engine::{EntityTaskRef, EntityTimerRef, EntityWorkRef, Task, TaskAction};
use entity::{EntityKind, Machine};
use prost::Message as _;
use schedule::Schedule;
use standalone_activity::StandaloneActivity;
use standalone_nexus_operation::StandaloneNexusOperation;

use crate::check::{
    ensure,
    snapshot::{Snapshot, StoredEntity},
};

/// Holds at any moment: the store has a row for everything that a stored state wants.
pub(crate) fn check(snapshot: &Snapshot) -> Result<(), String> {
    for (instance, entity) in &snapshot.entities {
        for task in wanted(entity)? {
            let (id, action) = (&entity.id, task.action);
            ensure!(
                snapshot.has_task(entity.slot, *instance, &task),
                "`{id}` waits for {action:?}, and the store has no row for it"
            );
        }
    }
    for pointer in &snapshot.entity_pointers {
        let is_there = snapshot.entities.contains_key(pointer);
        ensure!(is_there, "an id points to {pointer}: no such entity");
    }
    Ok(())
}

/// When their retention is over only those schedules are left that nobody has deleted.
pub(crate) fn check_deletion(snapshot: &Snapshot, deleted: &[String]) -> Result<(), String> {
    for entity in snapshot.entities.values() {
        let stays = EntityKind::from_number(entity.kind) == Some(EntityKind::Schedule)
            && !deleted.contains(&entity.id);
        ensure!(stays, "`{}` outlives its retention", entity.id);
    }
    Ok(())
}

fn wanted(entity: &StoredEntity) -> Result<Vec<Task>, String> {
    match EntityKind::from_number(entity.kind) {
        Some(EntityKind::Schedule) => wanted_of::<Schedule>(entity),
        Some(EntityKind::BatchOperation) => wanted_of::<BatchOperation>(entity),
        Some(EntityKind::Activity) => wanted_of::<StandaloneActivity>(entity),
        Some(EntityKind::NexusOperation) => wanted_of::<StandaloneNexusOperation>(entity),
        Some(EntityKind::WorkerDeployment) | None => {
            Err(format!("`{}` is of kind {}", entity.id, entity.kind))
        }
    }
}

fn wanted_of<M: Machine>(entity: &StoredEntity) -> Result<Vec<Task>, String> {
    let state = M::State::decode(entity.state.clone()).map_err(|error| error.to_string())?;
    let due =
        M::due(&state).map(|due| Task::at(due, TaskAction::EntityTimer(EntityTimerRef { due })));
    let work = M::outstanding(&state).into_iter();
    let work = work.map(|number| Task::now(TaskAction::EntityWork(EntityWorkRef { number })));
    let task = M::task(&state)
        .map(|task| Task::now(TaskAction::DispatchEntityTask(EntityTaskRef { stamp: task.stamp })));
    Ok(due.into_iter().chain(work).chain(task).collect())
}
