//! Servers that break a promise, so that the checkers can be seen to notice it.
//!
//! Nothing of the server is changed: the store, the network or somebody outside lies in its stead,
//! so that the world sees what a server would show that is broken in this way.

use api::history::v1::{HistoryEvent, history_event::Attributes};
use engine::{State, TaskAction, TaskRecord, TransitionRecord};
use model::{Span, Time};
use prost::Message as _;
use storage::{SlotBatch, Table, TaskCategory, Write};

use crate::payload::payloads;

/// A promise that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Broken {
    /// Some commits are acknowledged and not written.
    LosesCommits,
    /// Of some commits the first half is written.
    HalvesCommits,
    /// Tasks are not written that are due at once.
    ForgetsTasks,
    /// Timers are not written.
    ForgetsTimers,
    /// Work of entities that are no runs is not written.
    ForgetsWorkOfEntities,
    /// Which run is the current one is not written.
    ForgetsCurrentRuns,
    /// Some of what is deleted stays.
    KeepsDeletedRuns,
    /// Entities that are no runs are never deleted.
    KeepsDeletedEntities,
    /// Snapshots of runs are not what their records say.
    WritesOtherSnapshots,
    /// Timers fire an hour early.
    FiresTimersEarly,
    /// Some events of a history have other ids than their places.
    MisplacesEvents,
    /// Workflows have other results than they gave.
    ChangesResults,
    /// Children have other parents.
    MistakesParents,
    /// What was shown of a history is shown otherwise later.
    ChangesHistories,
    /// Some commits are never answered.
    AnswersNoCommits,
    /// Signals are acknowledged and lost.
    LosesSignals,
    /// Signals come twice.
    RepeatsSignals,
    /// Two starts under one id are both carried out.
    StartsTwice,
    /// Updates are answered and lost.
    LosesUpdates,
    /// Workflows start without the signal that comes with their start.
    StartsWithoutSignal,
    /// Workflows start without the update that comes with their start.
    StartsWithoutUpdate,
    /// Options of runs are acknowledged and lost.
    LosesOptions,
    /// Pauses of activities are acknowledged and lost.
    ForgetsPauses,
    /// Options of activities are acknowledged and lost.
    ForgetsActivityOptions,
    /// Runs whose time is to pass at once wait.
    SkipsNoTime,
    /// Pinned runs go to other versions.
    MovesPinnedRuns,
    /// Changes of a deployment's routing are acknowledged and not in force.
    KeepsOldRoutes,
    /// Workers are not heard.
    ForgetsWorkers,
    /// Rules are acknowledged and not in force.
    IgnoresRules,
    /// Batch operations leave out workflows.
    SkipsInBatches,
    /// Schedules act although they were paused.
    ActsWhilePaused,
    /// Versions are drained while runs are pinned to them.
    DrainsTooEarly,
    /// Deployments are not written.
    ForgetsDeployments,
    /// Completions of tasks are acknowledged twice.
    CompletesTwice,
    /// What activities report is lost.
    LosesProgress,
    /// Queries see an empty past.
    AnswersStaleQueries,
    /// Polls are answered long after their time.
    ForgetsPolls,
    /// Workers are told to stop what they are to do.
    StopsActivities,
    /// Those who wait for callbacks do not hear of them.
    LosesCallbacks,
    /// Those who wait for callbacks hear something else.
    TellsOtherNews,
    /// A run is in no list.
    ListsTooFew,
    /// A run is listed that there is not.
    ListsTooMany,
    /// A task of the server panics.
    Panics,
}

/// Where the world has to go on so many are left alone for each that is spoiled.
const SPARED: u64 = 3;

impl Broken {
    /// Whether it is spoiled what comes after so much else that could be.
    pub(crate) const fn hits(self, before: u64) -> bool {
        match self {
            Self::LosesCommits
            | Self::HalvesCommits
            | Self::ForgetsTasks
            | Self::ForgetsTimers
            | Self::ForgetsWorkOfEntities
            // Where nothing ever goes, whoever deletes goes on for ever.
            | Self::KeepsDeletedRuns
            | Self::AnswersNoCommits => before % (SPARED + 1) == SPARED,
            _ => true,
        }
    }

    /// A part of what the checkers say when they notice. Some notice sooner than others, as the
    /// seed has it.
    pub const fn accusations(self) -> &'static [&'static str] {
        match self {
            Self::LosesCommits | Self::HalvesCommits => &[
                "the store has no row for it",
                "is lost",
                "has a record for event",
                "no such run",
                "do not end",
                "a run begins in the middle",
                "not what its records say",
                "and no records",
                "not the workflow's current run",
                "is described as",
                "came with events",
            ],
            Self::ForgetsTasks | Self::ForgetsTimers | Self::ForgetsWorkOfEntities => {
                &["and the store has no row for it"]
            }
            Self::ForgetsCurrentRuns => &["is open and not the workflow's current run"],
            Self::KeepsDeletedRuns => &["outlive their runs", "and no records"],
            Self::KeepsDeletedEntities => &["outlives its retention"],
            Self::WritesOtherSnapshots => &["is not what its records say"],
            Self::FiresTimersEarly => &["it is early"],
            Self::MisplacesEvents => {
                &["stands where event", "came with events", "has a record for"]
            }
            Self::ChangesResults => &["the result of"],
            Self::MistakesParents => &["has another parent"],
            Self::ChangesHistories => &["has changed", "is not what is stored"],
            Self::AnswersNoCommits => &["do not end", "the node does not open"],
            Self::LosesSignals | Self::StartsWithoutSignal | Self::LosesOptions => {
                &["was acknowledged and is lost"]
            }
            Self::RepeatsSignals => &["is 2 times in run"],
            Self::StartsTwice => &["a second start of"],
            Self::LosesUpdates | Self::StartsWithoutUpdate => &["was answered and is lost"],
            Self::ForgetsPauses => &["although it is paused"],
            Self::ForgetsActivityOptions => &["that were set"],
            Self::SkipsNoTime => &["do not end"],
            Self::MovesPinnedRuns => &["is pinned to"],
            Self::ForgetsWorkers => &["is no worker of the list"],
            Self::IgnoresRules => &["although a rule pauses it"],
            Self::SkipsInBatches => &["has left out"],
            Self::ActsWhilePaused => &["while it was paused"],
            Self::DrainsTooEarly => &["are pinned to it"],
            Self::KeepsOldRoutes => &["although workflows go to", "the fleet's workflows go to"],
            Self::ForgetsDeployments => &["the fleet's workflows go to"],
            Self::CompletesTwice => &["two completions of"],
            Self::LosesProgress => &["had been acknowledged"],
            Self::AnswersStaleQueries => &["saw 0 signals although"],
            Self::ForgetsPolls => &["was forgotten"],
            Self::StopsActivities => &["was told to stop activity"],
            Self::LosesCallbacks | Self::TellsOtherNews => &["instead of"],
            Self::ListsTooFew => &["is in no list"],
            Self::ListsTooMany => &["are stored"],
            Self::Panics => &["a task panicked"],
        }
    }

    /// Spoils a commit, if it has something that can be spoiled.
    pub(crate) fn spoil(self, batch: &mut SlotBatch) {
        match self {
            Self::LosesCommits => batch.writes.clear(),
            Self::HalvesCommits => batch.writes.truncate(batch.writes.len() / 2),
            Self::ForgetsTasks => forget_tasks(batch, TaskCategory::Immediate, |_| true),
            Self::ForgetsTimers => forget_tasks(batch, TaskCategory::Timer, is_of_run),
            Self::ForgetsWorkOfEntities => {
                for category in [TaskCategory::Immediate, TaskCategory::Timer] {
                    forget_tasks(batch, category, |action| !is_of_run(action));
                }
            }
            Self::ForgetsCurrentRuns => batch
                .writes
                .retain(|write| !matches!(write, Write::Put { table: Table::Current, .. })),
            Self::KeepsDeletedRuns => batch.writes.retain(|write| {
                !matches!(write, Write::Delete { table: Table::History | Table::Run, .. })
            }),
            Self::KeepsDeletedEntities => batch
                .writes
                .retain(|write| !matches!(write, Write::Delete { table: Table::Entity, .. })),
            Self::WritesOtherSnapshots => change_snapshots(batch),
            Self::FiresTimersEarly => change_events(batch, |event| {
                if matches!(event.attributes, Some(Attributes::TimerFiredEventAttributes(_))) {
                    let time = Time::from_proto(event.event_time.as_ref());
                    let hour = Span::from_secs(3600).nanos();
                    event.event_time = Time::from_nanos(time.nanos() - hour).to_proto();
                }
            }),
            Self::MisplacesEvents => change_events(batch, |event| {
                if matches!(event.attributes, Some(Attributes::TimerStartedEventAttributes(_))) {
                    event.event_id += 1;
                }
            }),
            Self::ChangesResults => change_events(batch, |event| {
                if let Some(Attributes::WorkflowExecutionCompletedEventAttributes(completed)) =
                    &mut event.attributes
                {
                    completed.result = Some(payloads("another"));
                }
            }),
            Self::MistakesParents => change_events(batch, |event| {
                if let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) =
                    &mut event.attributes
                    && started.parent_initiated_event_id != 0
                {
                    started.parent_initiated_event_id += 1000;
                }
            }),
            _ => {}
        }
    }
}

fn is_of_run(action: TaskAction) -> bool {
    !matches!(
        action,
        TaskAction::EntityTimer(_) | TaskAction::EntityWork(_) | TaskAction::DispatchEntityTask(_)
    )
}

fn forget_tasks(
    batch: &mut SlotBatch,
    category: TaskCategory,
    is_meant: impl Fn(TaskAction) -> bool,
) {
    batch.writes.retain(|write| {
        let Write::Put { table: Table::Task, key, value, .. } = write else { return true };
        let task = TaskRecord::decode(value.clone()).ok().and_then(|record| record.action);
        key.get(2) != Some(&(category as u8)) || !task.is_some_and(&is_meant)
    });
}

fn change_snapshots(batch: &mut SlotBatch) {
    for write in &mut batch.writes {
        let Write::Put { table: Table::Run, value, .. } = write else { continue };
        let Ok(mut state) = State::decode(value.clone()) else { continue };
        state.signal_count += 1;
        *value = state.encode_to_vec().into();
    }
}

fn change_events(batch: &mut SlotBatch, change: impl Fn(&mut HistoryEvent)) {
    for write in &mut batch.writes {
        let Write::Put { table: Table::History, value, .. } = write else { continue };
        *value = changed_record(value.clone(), &change);
    }
}

/// A batch of events as it is stored.
#[derive(Clone, PartialEq, prost::Message)]
struct Events {
    #[prost(message, repeated, tag = "1")]
    events: Vec<HistoryEvent>,
}

/// A record with other events; what cannot be read stays as it is.
pub(crate) fn changed_record(
    value: bytes::Bytes,
    change: impl Fn(&mut HistoryEvent),
) -> bytes::Bytes {
    let Ok(mut record) = TransitionRecord::decode(value.clone()) else { return value };
    let mut is_changed = false;
    for encoded in &mut record.batches {
        let Ok(before) = Events::decode(encoded.clone()) else { continue };
        let mut after = before.clone();
        after.events.iter_mut().for_each(&change);
        if after != before {
            is_changed = true;
            *encoded = after.encode_to_vec().into();
        }
    }
    if is_changed { record.encode_to_vec().into() } else { value }
}
