//! Every limit that the API enforces, in one place (fact sheet section 21).

use crate::Span;

/// The limits of a namespace. Defaults are the reference's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest id, type, queue, signal, timer or identity, in bytes.
    pub id_length_max: usize,
    /// Largest payload blob (an input, a result, details), in bytes.
    pub blob_bytes_max: usize,
    /// Payload blobs above this size are logged, in bytes.
    pub blob_bytes_warn: usize,
    /// Largest memo, in bytes.
    pub memo_bytes_max: usize,
    /// Most search attributes of a run.
    pub search_attributes_max: usize,
    /// Largest value of one search attribute, in bytes.
    pub search_attribute_value_bytes_max: usize,
    /// Largest sum of all search attributes of a run, in bytes.
    pub search_attributes_bytes_max: usize,
    /// Longest user-metadata summary and details, in bytes.
    pub user_metadata_summary_bytes_max: usize,
    /// Longest user-metadata details, in bytes.
    pub user_metadata_details_bytes_max: usize,
    /// A run above this many events is told to continue as new.
    pub history_events_suggest: i64,
    /// A run above this many events is terminated.
    pub history_events_max: i64,
    /// A run above this many bytes of history is told to continue as new.
    pub history_bytes_suggest: i64,
    /// A run above this many bytes of history is terminated.
    pub history_bytes_max: i64,
    /// Largest state of a run, in bytes.
    pub state_bytes_max: usize,
    /// Most pending activities of a run; likewise children, signals, cancels and Nexus operations.
    pub pending_max: usize,
    /// Most signals that one run accepts.
    pub signals_per_run_max: i64,
    /// Most events that wait for a started workflow task to end.
    pub buffered_events_max: usize,
    /// Most bytes of events that wait for a started workflow task to end.
    pub buffered_events_bytes_max: usize,
    /// The workflow task time-out when the starter names none.
    pub workflow_task_timeout: Span,
    /// Longest workflow task time-out.
    pub workflow_task_timeout_max: Span,
    /// Total time that heartbeats may keep one workflow task alive.
    pub workflow_task_heartbeat_timeout: Span,
    /// From this attempt on the workflow task's start-to-close time-out grows.
    pub workflow_task_backoff_attempt: i32,
    /// The largest time-out that growth leads to.
    pub workflow_task_backoff_max: Span,
    /// From this attempt on queries and updates are refused: the worker's code is failing.
    pub workflow_task_failing_attempt: i32,
    /// After so many problems in a row the run is marked with `TemporalReportedProblems`.
    pub workflow_task_problems_reported_after: i32,
    /// The last failure that is kept between activity attempts, in bytes.
    pub activity_last_failure_bytes_max: usize,
    /// Shortest life of a run before its continuation starts without delay.
    pub continue_as_new_interval_min: Span,
    /// Most auto-reset points kept for a run.
    pub reset_points_max: usize,
    /// Most requests whose ids a run remembers besides its start request.
    pub attached_requests_max: usize,
    /// Most completion callbacks of a run and its updates.
    pub callbacks_per_run_max: usize,
    /// Most queries that wait for one run's workflow task.
    pub buffered_queries_max: usize,
    /// Most updates in flight for one run.
    pub updates_in_flight_max: usize,
    /// Largest sum of updates in flight for one run, in bytes.
    pub updates_in_flight_bytes_max: usize,
    /// Most updates that one run accepts in total.
    pub updates_per_run_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const KIB: usize = 1024;
        const MIB: usize = 1024 * KIB;
        Self {
            id_length_max: 1000,
            blob_bytes_max: 2 * MIB,
            blob_bytes_warn: 512 * KIB,
            memo_bytes_max: 2 * MIB,
            search_attributes_max: 100,
            search_attribute_value_bytes_max: 2 * KIB,
            search_attributes_bytes_max: 40 * KIB,
            user_metadata_summary_bytes_max: 400,
            user_metadata_details_bytes_max: 20_000,
            history_events_suggest: 4096,
            history_events_max: 51_200,
            history_bytes_suggest: 4 * 1024 * 1024,
            history_bytes_max: 50 * 1024 * 1024,
            state_bytes_max: 8 * MIB,
            pending_max: 2000,
            signals_per_run_max: 10_000,
            buffered_events_max: 100,
            buffered_events_bytes_max: 2 * MIB,
            workflow_task_timeout: Span::from_secs(10),
            workflow_task_timeout_max: Span::from_secs(120),
            workflow_task_heartbeat_timeout: Span::from_secs(30 * 60),
            workflow_task_backoff_attempt: 4,
            workflow_task_backoff_max: Span::from_secs(10 * 60),
            workflow_task_failing_attempt: 3,
            workflow_task_problems_reported_after: 5,
            activity_last_failure_bytes_max: 4 * KIB,
            continue_as_new_interval_min: Span::from_secs(1),
            reset_points_max: 20,
            attached_requests_max: 25,
            callbacks_per_run_max: 32,
            buffered_queries_max: 1,
            updates_in_flight_max: 10,
            updates_in_flight_bytes_max: 20 * MIB,
            updates_per_run_max: 2000,
        }
    }
}
