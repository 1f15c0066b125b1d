//! What the store holds, read without the server: every run folded from its first record on.

use std::collections::BTreeMap;

use api::{RawHistory, history::v1::HistoryEvent};
use bytes::Bytes;
use engine::{State, TaskRecord, TransitionRecord};
use model::{RunId, SlotId, Time};
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
    pub(crate) fire_time: Time,
    pub(crate) task_id: u64,
    pub(crate) record: TaskRecord,
}

/// Everything in the store at one moment.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) runs: BTreeMap<RunId, StoredRun>,
    pub(crate) tasks: Vec<StoredTask>,
    /// Which runs the workflows point to.
    pub(crate) currents: Vec<RunId>,
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

impl Snapshot {
    /// Reads a store. Snapshots of runs must agree with their records.
    pub(crate) async fn read(memory: &MemoryStore) -> Result<Self, String> {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};

        let mut snapshot = Self::default();
        let mut digest = DefaultHasher::new();
        let mut states: BTreeMap<(RunId, u64), State> = BTreeMap::new();
        let mut saved = Vec::new();
        for table in Table::ALL {
            let mut count = 0;
            for Record { key, value } in scan(memory, table).await? {
                let value = value.map_err(|damage| damage.to_string())?;
                count += 1;
                (table, &key, &value).hash(&mut digest);
                match table {
                    Table::History => {
                        let (run_id, state) = snapshot.fold(&key, value)?;
                        states.insert((run_id, state.version), state);
                    }
                    Table::Run => saved.push((key, value)),
                    Table::Task => snapshot.tasks.extend(task(&key, value)?),
                    Table::Current => {
                        let current = Current::decode(value).map_err(|error| error.to_string())?;
                        snapshot.currents.extend(run_id(&current.run_id));
                    }
                    Table::Slot | Table::Meta | Table::Entity | Table::Branch => {}
                }
            }
            snapshot.records.insert(table, count);
        }
        for (key, value) in saved {
            let run_id = key.get(2..).and_then(run_id).ok_or("a run's key is too short")?;
            let state = State::decode(value).map_err(|error| error.to_string())?;
            if states.get(&(run_id, state.version)) != Some(&state) {
                return Err(format!("the snapshot of run {run_id} is not what its records say"));
            }
        }
        snapshot.digest = digest.finish();
        Ok(snapshot)
    }

    fn fold(&mut self, key: &[u8], value: Bytes) -> Result<(RunId, State), String> {
        let field = |range: std::ops::Range<usize>| key.get(range).ok_or("a key is too short");
        let run_id = run_id(field(2..18)?).ok_or("a key has no run")?;
        let number =
            |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let first_event_id = i64::try_from(number(field(22..30)?)).unwrap_or(0);
        let version = number(field(30..38)?);
        let run = self.runs.entry(run_id).or_default();
        run.slot = u16::try_from(number(field(0..2)?)).unwrap_or(0);
        let expected = run.state.next_event_id.max(1);
        if first_event_id != expected || version <= run.state.version {
            return Err(format!(
                "run {run_id} has a record for event {first_event_id} and version {version} after \
                 event {expected} and version {}",
                run.state.version
            ));
        }
        let record = TransitionRecord::decode(value.clone()).map_err(|error| error.to_string())?;
        for batch in record.batches {
            let events = RawHistory::from_encoded(batch).decode_events();
            run.events.extend(events.map_err(|error| error.to_string())?);
        }
        TransitionRecord::fold(value, version, &mut run.state)
            .map_err(|error| error.to_string())?;
        Ok((run_id, run.state.clone()))
    }

    /// The runs of a workflow in the order of their start.
    pub(crate) fn runs_of(&self, workflow_id: &str) -> Vec<(&RunId, &StoredRun)> {
        let mut runs: Vec<_> =
            self.runs.iter().filter(|(_, run)| run.state.workflow_id == workflow_id).collect();
        runs.sort_by_key(|(_, run)| run.state.start_time);
        runs
    }
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
    let fire_time = Time::from_nanos(number(3..11).cast_signed());
    Ok(Some(StoredTask { slot, category, fire_time, task_id: number(11..19), record }))
}
