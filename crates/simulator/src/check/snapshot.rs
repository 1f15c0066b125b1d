//! What the store holds, read without the server: every run folded from its first record on.

use std::collections::BTreeMap;

use api::history::v1::HistoryEvent;
use bytes::Bytes;
use engine::{Change, Mutation, State, Task, TaskRecord, TransitionRecord, evolve};
use model::{RunId, SlotId};
use prost::Message as _;
use storage::{Record, Scan, Store as _, Table, TaskCategory};
use storage_memory::MemoryStore;

/// A run as its records tell it.
#[derive(Debug, Default)]
pub(crate) struct StoredRun {
    pub(crate) slot: u16,
    pub(crate) state: State,
    pub(crate) events: Vec<HistoryEvent>,
}

/// A task row.
#[derive(Debug)]
pub(crate) struct StoredTask {
    pub(crate) slot: u16,
    pub(crate) category: u8,
    pub(crate) record: TaskRecord,
}

/// An entity as its record tells it.
#[derive(Debug)]
pub(crate) struct StoredEntity {
    pub(crate) slot: u16,
    pub(crate) kind: u32,
    pub(crate) id: String,
    pub(crate) state: Bytes,
}

/// Everything in the store at one moment.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) runs: BTreeMap<RunId, StoredRun>,
    pub(crate) tasks: Vec<StoredTask>,
    /// Which runs the workflows point to.
    pub(crate) currents: Vec<RunId>,
    /// Entities that are no runs.
    pub(crate) entities: BTreeMap<RunId, StoredEntity>,
    /// Which of them the ids of entities point to.
    pub(crate) entity_pointers: Vec<RunId>,
    /// Records by table.
    pub(crate) records: BTreeMap<Table, usize>,
    /// All keys and values, for comparing runs of the simulator.
    pub(crate) digest: u64,
}

/// Of the stored pointer from a workflow to its run only the run matters here.
#[derive(Clone, PartialEq, prost::Message)]
struct Current {
    #[prost(bytes = "bytes", tag = "2")]
    run_id: Bytes,
}

/// Of a pointer to an entity only that matters here.
#[derive(Clone, PartialEq, prost::Message)]
struct EntityPointer {
    #[prost(bytes = "bytes", tag = "2")]
    instance: Bytes,
}

/// The record of an entity, as far as it matters here.
#[derive(Clone, PartialEq, prost::Message)]
struct EntityRecord {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(string, tag = "3")]
    id: String,
    #[prost(bytes = "bytes", tag = "5")]
    state: Bytes,
}

impl Snapshot {
    /// Reads a store. Snapshots of runs must agree with their records.
    pub(crate) async fn read(memory: &MemoryStore) -> Result<Self, String> {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};

        let mut snapshot = Self::default();
        let mut digest = DefaultHasher::new();
        let mut histories: BTreeMap<RunId, Vec<Transition>> = BTreeMap::new();
        let mut saved = BTreeMap::new();
        for table in Table::ALL {
            let mut count = 0;
            for Record { key, value } in scan(memory, table).await? {
                let value = value.map_err(|damage| damage.to_string())?;
                count += 1;
                (table, &key, &value).hash(&mut digest);
                match table {
                    Table::History => {
                        let (run_id, transition) = transition(&key, value)?;
                        histories.entry(run_id).or_default().push(transition);
                    }
                    Table::Run => {
                        let run_id =
                            key.get(2..).and_then(run_id).ok_or("a run's key is too short")?;
                        saved.insert(run_id, value);
                    }
                    Table::Task => snapshot.tasks.extend(task(&key, value)?),
                    Table::Current => {
                        let current = Current::decode(value).map_err(|error| error.to_string())?;
                        snapshot.currents.extend(run_id(&current.run_id));
                    }
                    Table::Entity => snapshot.entity(&key, value)?,
                    Table::Slot | Table::Meta | Table::Branch => {}
                }
            }
            snapshot.records.insert(table, count);
        }
        // A run that a reset made comes after the one whose past it shares.
        while !histories.is_empty() {
            let before = histories.len();
            for (run_id, transitions) in std::mem::take(&mut histories) {
                let Some(past) = snapshot.past(&transitions)? else {
                    histories.insert(run_id, transitions);
                    continue;
                };
                let saved = saved.remove(&run_id);
                let run = fold(run_id, past, transitions, saved)?;
                snapshot.runs.insert(run_id, run);
            }
            if histories.len() == before {
                return Err("a run has a past that is not in the store".to_owned());
            }
        }
        if let Some(run_id) = saved.keys().next() {
            return Err(format!("run {run_id} has a snapshot and no records"));
        }
        snapshot.digest = digest.finish();
        Ok(snapshot)
    }

    /// Whether there is a row for a task of a run, or of another entity.
    pub(crate) fn has_task(&self, slot: u16, owner: RunId, task: &Task) -> bool {
        self.tasks.iter().any(|row| {
            row.slot == slot
                && row.record.run_id == owner.as_bytes().as_slice()
                && row.record.action == Some(task.action)
                && (row.category == TaskCategory::Timer as u8) == task.due.is_set()
        })
    }

    /// Takes a record of an entity, or a pointer to one.
    fn entity(&mut self, key: &[u8], value: Bytes) -> Result<(), String> {
        if key.get(2) != Some(&1) {
            let pointer = EntityPointer::decode(value).map_err(|error| error.to_string())?;
            self.entity_pointers.extend(run_id(&pointer.instance));
            return Ok(());
        }
        let instance = key.get(3..).and_then(run_id).ok_or("an entity's key is too short")?;
        let slot = key.iter().take(2).fold(0, |slot, byte| slot << 8 | u16::from(*byte));
        let record = EntityRecord::decode(value).map_err(|error| error.to_string())?;
        let EntityRecord { kind, id, state } = record;
        self.entities.insert(instance, StoredEntity { slot, kind, id, state });
        Ok(())
    }

    /// What a run begins with: nothing, or the events of others; none while those are not known.
    fn past(&self, transitions: &[Transition]) -> Result<Option<Vec<HistoryEvent>>, String> {
        let first = transitions.first().filter(|first| first.first_event_id > 1);
        let Some(first) = first else { return Ok(Some(Vec::new())) };
        let changes = first.record.clone().changes().map_err(|error| error.to_string())?;
        let ancestors = changes.iter().find_map(|change| match change {
            Change::Mutation(mutation) => match &**mutation {
                Mutation::RunReset(reset) => Some(&reset.history_ancestors),
                _ => None,
            },
            Change::Event(_) => None,
        });
        let ancestors = ancestors.ok_or("a run begins in the middle without a reset")?;
        let mut past = Vec::new();
        for ancestor in ancestors {
            let run_id: RunId = ancestor.run_id.parse().map_err(|_| "an ancestor has no id")?;
            let Some(run) = self.runs.get(&run_id) else { return Ok(None) };
            let known = i64::try_from(past.len()).unwrap_or(0);
            let shared = run
                .events
                .iter()
                .filter(|event| event.event_id > known && event.event_id < ancestor.end_event_id);
            past.extend(shared.cloned());
        }
        Ok(Some(past))
    }

    /// The runs of a workflow in the order of their start.
    pub(crate) fn runs_of(&self, workflow_id: &str) -> Vec<(&RunId, &StoredRun)> {
        let mut runs: Vec<_> =
            self.runs.iter().filter(|(_, run)| run.state.workflow_id == workflow_id).collect();
        runs.sort_by_key(|(_, run)| run.state.start_time);
        runs
    }
}

/// One record of a run.
#[derive(Debug)]
struct Transition {
    slot: u16,
    first_event_id: i64,
    version: u64,
    record: TransitionRecord,
}

fn transition(key: &[u8], value: Bytes) -> Result<(RunId, Transition), String> {
    let field = |range: std::ops::Range<usize>| key.get(range).ok_or("a key is too short");
    let run_id = run_id(field(2..18)?).ok_or("a key has no run")?;
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let transition = Transition {
        slot: u16::try_from(number(field(0..2)?)).unwrap_or(0),
        first_event_id: i64::try_from(number(field(22..30)?)).unwrap_or(0),
        version: number(field(30..38)?),
        record: TransitionRecord::decode(value).map_err(|error| error.to_string())?,
    };
    Ok((run_id, transition))
}

/// Folds the records of a run. Its snapshot must be what they say up to its version.
fn fold(
    run_id: RunId,
    past: Vec<HistoryEvent>,
    transitions: Vec<Transition>,
    saved: Option<Bytes>,
) -> Result<StoredRun, String> {
    let mut run = StoredRun::default();
    for event in past {
        let change = Change::Event(Box::new(event));
        evolve(&mut run.state, &change);
        if let Change::Event(event) = change {
            run.events.push(*event);
        }
    }
    let saved = saved.map(State::decode).transpose().map_err(|error| error.to_string())?;
    let mut agrees = saved.is_none();
    for Transition { slot, first_event_id, version, record } in transitions {
        run.slot = slot;
        let expected = run.state.next_event_id.max(1);
        if first_event_id != expected || version <= run.state.version {
            return Err(format!(
                "run {run_id} has a record for event {first_event_id} and version {version} after \
                 event {expected} and version {}",
                run.state.version
            ));
        }
        for change in record.changes().map_err(|error| error.to_string())? {
            evolve(&mut run.state, &change);
            if let Change::Event(event) = change {
                run.events.push(*event);
            }
        }
        run.state.version = version;
        agrees |= saved.as_ref().is_some_and(|saved| *saved == run.state);
    }
    if !agrees {
        return Err(format!("the snapshot of run {run_id} is not what its records say"));
    }
    Ok(run)
}

async fn scan(memory: &MemoryStore, table: Table) -> Result<Vec<Record>, String> {
    let scan = Scan {
        table,
        from: Bytes::new(),
        to: Bytes::new(),
        reverse: false,
        records_max: usize::MAX,
        bytes_max: usize::MAX,
    };
    memory.scan(scan).await.map_err(|error| error.to_string())
}

fn run_id(bytes: &[u8]) -> Option<RunId> {
    <[u8; 16]>::try_from(bytes).ok().map(RunId::from_bytes)
}

/// A task that is not for the visibility index.
fn task(key: &[u8], value: Bytes) -> Result<Option<StoredTask>, String> {
    let number = |range: std::ops::Range<usize>| {
        let bytes = key.get(range).unwrap_or_default();
        bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let category = u8::try_from(number(2..3)).unwrap_or(0);
    if category == TaskCategory::Visibility as u8 {
        return Ok(None);
    }
    let record = TaskRecord::decode(value).map_err(|error| error.to_string())?;
    let slot = u16::try_from(number(0..2)).unwrap_or(0);
    if SlotId::new(slot).is_none() {
        return Err(format!("there is no slot {slot}"));
    }
    Ok(Some(StoredTask { slot, category, record }))
}
