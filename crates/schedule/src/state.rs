//! The state of a schedule. Tags are part of the stored format: never reuse one.

use api::{
    common::v1::{Memo, Payloads, SearchAttributes, WorkflowExecution},
    enums::v1::{ScheduleOverlapPolicy, WorkflowExecutionStatus},
    failure::v1::Failure,
    schedule::v1::{
        BackfillRequest, Schedule, ScheduleActionResult, SchedulePolicies, ScheduleSpec,
        ScheduleState, schedule_action::Action,
    },
    workflow::v1::NewWorkflowExecutionInfo,
};
use entity::EntityKey;
use model::{Span, Time};

use crate::limits::{CATCHUP_WINDOW, CATCHUP_WINDOW_MIN};

/// One schedule.
#[derive(Clone, PartialEq, prost::Message)]
pub struct State {
    /// What the user wants, the specification in canonical form.
    #[prost(message, optional, tag = "1")]
    pub schedule: Option<Schedule>,
    /// When it was made.
    #[prost(message, required, tag = "2")]
    pub create_time: Time,
    /// When it was last updated.
    #[prost(message, required, tag = "3")]
    pub update_time: Time,
    /// Times up to this one are done.
    #[prost(message, required, tag = "4")]
    pub processed_through: Time,
    /// Rises with each change that a concurrent update must not overwrite.
    #[prost(int64, tag = "5")]
    pub conflict_token: i64,
    /// The request that made it.
    #[prost(string, tag = "6")]
    pub create_request_id: String,
    /// The latest requests that changed it.
    #[prost(string, repeated, tag = "7")]
    pub request_ids: Vec<String>,
    /// The memo.
    #[prost(message, optional, tag = "8")]
    pub memo: Option<Memo>,
    /// The user's search attributes.
    #[prost(message, optional, tag = "9")]
    pub search_attributes: Option<SearchAttributes>,
    /// Workflows started.
    #[prost(int64, tag = "10")]
    pub action_count: i64,
    /// Times that were too long ago.
    #[prost(int64, tag = "11")]
    pub missed_catchup_window: i64,
    /// Starts that were left out because another was running.
    #[prost(int64, tag = "12")]
    pub overlap_skipped: i64,
    /// Starts and backfills that did not fit.
    #[prost(int64, tag = "13")]
    pub buffer_dropped: i64,
    /// Starts that wait for their turn.
    #[prost(message, repeated, tag = "14")]
    pub buffered_starts: Vec<BufferedStart>,
    /// Backfills that are not done.
    #[prost(message, repeated, tag = "15")]
    pub backfills: Vec<BackfillRequest>,
    /// What the schedule started and waits for; run ids are those of the first runs.
    #[prost(message, repeated, tag = "16")]
    pub running_workflows: Vec<WorkflowExecution>,
    /// Run ids of those that were asked to cancel.
    #[prost(string, repeated, tag = "17")]
    pub cancelled_run_ids: Vec<String>,
    /// Run ids of those that were terminated.
    #[prost(string, repeated, tag = "18")]
    pub terminated_run_ids: Vec<String>,
    /// The latest actions, oldest first.
    #[prost(message, repeated, tag = "19")]
    pub recent_actions: Vec<ScheduleActionResult>,
    /// The result of the last run that completed.
    #[prost(message, optional, tag = "20")]
    pub last_completion_result: Option<Payloads>,
    /// The failure of the last run, if it failed.
    #[prost(message, optional, tag = "21")]
    pub continued_failure: Option<Failure>,
    /// Work under way, by number.
    #[prost(btree_map = "uint64, message", tag = "22")]
    pub pending: std::collections::BTreeMap<u64, Pending>,
    /// The next number.
    #[prost(uint64, tag = "23")]
    pub next_number: u64,
    /// When to go on.
    #[prost(message, required, tag = "24")]
    pub due: Time,
    /// Runs that closed before the schedule heard that they had started.
    #[prost(message, repeated, tag = "25")]
    pub closed_early: Vec<ClosedRun>,
    /// The numbers of the starts that led to the latest actions, in the same order.
    #[prost(uint64, repeated, tag = "26")]
    pub recent_numbers: Vec<u64>,
    /// A start was buffered since the schedule last looked what is still running.
    #[prost(bool, tag = "27")]
    pub must_look: bool,
}

/// A start that is wanted.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct BufferedStart {
    /// The time that matched.
    #[prost(message, required, tag = "1")]
    pub nominal_time: Time,
    /// The same with jitter.
    #[prost(message, required, tag = "2")]
    pub actual_time: Time,
    /// The policy that it came with; unspecified for the schedule's own.
    #[prost(enumeration = "ScheduleOverlapPolicy", tag = "3")]
    pub overlap_policy: i32,
    /// Asked for by a trigger or a backfill.
    #[prost(bool, tag = "4")]
    pub manual: bool,
}

/// Work under way.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Pending {
    /// A start.
    #[prost(message, optional, tag = "1")]
    pub start: Option<PendingStart>,
    /// A run to be cancelled.
    #[prost(message, optional, tag = "2")]
    pub cancel: Option<WorkflowExecution>,
    /// A run to be terminated.
    #[prost(message, optional, tag = "3")]
    pub terminate: Option<WorkflowExecution>,
    /// A look at what is still running.
    #[prost(bool, tag = "4")]
    pub look: bool,
}

/// A start under way.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PendingStart {
    /// Which.
    #[prost(message, required, tag = "1")]
    pub start: BufferedStart,
    /// Others wait for its run.
    #[prost(bool, tag = "2")]
    pub tracked: bool,
    /// The id of its workflow.
    #[prost(string, tag = "3")]
    pub workflow_id: String,
}

/// A run that has closed.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ClosedRun {
    /// The workflow.
    #[prost(string, tag = "1")]
    pub workflow_id: String,
    /// The first run of its chain.
    #[prost(string, tag = "2")]
    pub first_execution_run_id: String,
    /// How it closed.
    #[prost(enumeration = "WorkflowExecutionStatus", tag = "3")]
    pub status: i32,
    /// Its result.
    #[prost(message, optional, tag = "4")]
    pub result: Option<Payloads>,
    /// Its failure.
    #[prost(message, optional, tag = "5")]
    pub failure: Option<Failure>,
}

impl State {
    /// The specification.
    pub fn spec(&self) -> ScheduleSpec {
        self.schedule.as_ref().and_then(|schedule| schedule.spec.clone()).unwrap_or_default()
    }

    pub(crate) fn policies(&self) -> SchedulePolicies {
        self.schedule.as_ref().and_then(|schedule| schedule.policies).unwrap_or_default()
    }

    /// Paused or not, notes, remaining actions.
    pub fn settings(&self) -> ScheduleState {
        self.schedule.as_ref().and_then(|schedule| schedule.state.clone()).unwrap_or_default()
    }

    pub(crate) fn settings_mut(&mut self) -> &mut ScheduleState {
        let schedule = self.schedule.get_or_insert_default();
        schedule.state.get_or_insert_default()
    }

    /// The workflow to start.
    pub fn workflow(&self) -> Option<&NewWorkflowExecutionInfo> {
        let action = self.schedule.as_ref()?.action.as_ref()?.action.as_ref()?;
        let Action::StartWorkflow(workflow) = action;
        Some(workflow)
    }

    pub(crate) fn catchup_window(&self) -> Span {
        match self.policies().catchup_window {
            None => CATCHUP_WINDOW,
            Some(window) => Span::from_proto(Some(&window)).max(CATCHUP_WINDOW_MIN),
        }
    }

    /// The policy that holds for a start, settled as late as possible, so that updates count.
    pub(crate) fn overlap_policy(&self, own: i32) -> ScheduleOverlapPolicy {
        let known = |policy: i32| {
            ScheduleOverlapPolicy::try_from(policy)
                .ok()
                .filter(|policy| *policy != ScheduleOverlapPolicy::Unspecified)
        };
        known(own)
            .or_else(|| known(self.policies().overlap_policy))
            .unwrap_or(ScheduleOverlapPolicy::Skip)
    }

    /// Fills in what the user left open, so that descriptions show it.
    pub(crate) fn fill_in_defaults(&mut self) {
        let overlap_policy = self.overlap_policy(0) as i32;
        let catchup_window = Some(self.catchup_window().to_proto());
        let schedule = self.schedule.get_or_insert_default();
        let policies = schedule.policies.get_or_insert_default();
        policies.overlap_policy = overlap_policy;
        policies.catchup_window = catchup_window;
        schedule.state.get_or_insert_default();
        schedule.action.get_or_insert_default();
        schedule.spec.get_or_insert_default();
    }

    /// Whether a start may go out now; if so it counts.
    pub(crate) fn take_action(&mut self, manual: bool) -> bool {
        if manual {
            return true;
        }
        let may = self.may_act();
        if may && self.settings().limited_actions {
            self.settings_mut().remaining_actions -= 1;
            self.conflict_token += 1;
        }
        may
    }

    /// Whether starts by the specification may go out.
    pub(crate) fn may_act(&self) -> bool {
        let settings = self.settings();
        !settings.paused && (!settings.limited_actions || settings.remaining_actions > 0)
    }

    /// The last thing that happened to the schedule.
    pub(crate) fn last_event(&self) -> Time {
        let action = self.recent_actions.last().map(|action| &action.actual_time);
        let action = action.map_or(Time::UNSET, |time| Time::from_proto(time.as_ref()));
        action.max(self.create_time).max(self.update_time)
    }

    pub(crate) fn add_pending(&mut self, pending: Pending) {
        self.next_number += 1;
        self.pending.insert(self.next_number, pending);
    }
}

/// What the jitter of a schedule depends on besides the time.
pub(crate) fn jitter_seed(key: &EntityKey) -> String {
    format!("{}-{}", key.namespace_id, key.id)
}
