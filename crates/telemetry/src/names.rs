//! Every metric family, declared once.
//!
//! Families without the prefix `longtide_` have the reference's names, labels and units (counters
//! have no `_total`). To add one: a constant here, a line in [`ALL`], and a handle that uses it.

use crate::family::{
    Family, Label,
    Service::{Frontend, History, Matching, Process},
    Unit,
};

const NAMESPACE: Label = Label { name: "namespace", chosen_by_users: true };
const TASK_QUEUE: Label = Label { name: "taskqueue", chosen_by_users: true };
const WORKFLOW_TYPE: Label = Label { name: "workflowType", chosen_by_users: true };
const OPERATION: Label = Label { name: "operation", chosen_by_users: false };
const TASK_TYPE: Label = Label { name: "task_type", chosen_by_users: false };
const ERROR_TYPE: Label = Label { name: "error_type", chosen_by_users: false };
const CACHE_TYPE: Label = Label { name: "cache_type", chosen_by_users: false };
const COMMAND_TYPE: Label = Label { name: "commandType", chosen_by_users: false };

/// Every label that a family may have. None of them is an id, a key or a text.
pub const LABELS: &[Label] = &[
    NAMESPACE,
    TASK_QUEUE,
    WORKFLOW_TYPE,
    OPERATION,
    TASK_TYPE,
    ERROR_TYPE,
    CACHE_TYPE,
    COMMAND_TYPE,
];

const REQUEST: &[Label] = &[OPERATION, NAMESPACE];
const RUN: &[Label] = &[NAMESPACE, TASK_QUEUE, WORKFLOW_TYPE];
const QUEUE: &[Label] = &[NAMESPACE, TASK_QUEUE, TASK_TYPE];

macro_rules! families {
    ($($name:ident = $definition:expr;)*) => {
        $(#[doc = "Its help text says what it measures."]
        pub const $name: Family = $definition;)*

        /// Every family.
        pub const ALL: &[Family] = &[$($name),*];
    };
}

families! {
    // Requests
    SERVICE_REQUESTS = Family::counter(Frontend, "service_requests", "Requests received.", REQUEST);
    SERVICE_ERRORS = Family::counter(Frontend, "service_errors", "Requests that failed.", REQUEST);
    SERVICE_ERROR_WITH_TYPE = Family::counter(Frontend, "service_error_with_type",
        "Requests that failed, by type of error.", &[OPERATION, NAMESPACE, ERROR_TYPE]);
    SERVICE_ERRORS_ENTITY_NOT_FOUND = Family::counter(Frontend, "service_errors_entity_not_found",
        "Requests for something that does not exist.", REQUEST);
    SERVICE_ERRORS_EXECUTION_ALREADY_STARTED = Family::counter(Frontend,
        "service_errors_execution_already_started",
        "Starts refused because the workflow is running.", REQUEST);
    SERVICE_ERRORS_RESOURCE_EXHAUSTED = Family::counter(Frontend,
        "service_errors_resource_exhausted", "Requests refused because of a limit.", REQUEST);
    SERVICE_ERRORS_UNAUTHORIZED = Family::counter(Frontend, "service_errors_unauthorized",
        "Requests that no permission covers.", REQUEST);
    SERVICE_LATENCY = Family::latency(Frontend, "service_latency",
        "Time to answer a request; a long poll's wait counts.", REQUEST);
    SERVICE_PENDING_REQUESTS = Family::gauge(Frontend, "service_pending_requests",
        "Requests being worked on.", REQUEST);

    // Storage
    PERSISTENCE_REQUESTS = Family::counter(History, "persistence_requests",
        "Calls to the store.", &[OPERATION]);
    PERSISTENCE_ERRORS = Family::counter(History, "persistence_errors",
        "Calls to the store that failed.", &[OPERATION]);
    PERSISTENCE_LATENCY = Family::latency(History, "persistence_latency",
        "Time of a call to the store.", &[OPERATION]);
    STORE_BATCHES = Family::counter(Process, "longtide_store_batches",
        "Slot batches made durable: one is one transition's events, state and tasks.", &[]);
    STORE_COMMITS = Family::counter(Process, "longtide_store_commits",
        "Group commits: the slot batches that were ready together, in one write.", &[]);
    STORE_FSYNCS = Family::counter(Process, "longtide_store_fsyncs",
        "Times that the store waited for the disk.", &[]);
    STORE_BYTES_WRITTEN = Family::counter(Process, "longtide_store_bytes_written",
        "Bytes of keys and values given to the store.", &[]).in_unit(Unit::Bytes);
    STORE_RECORDS_DAMAGED = Family::counter(Process, "longtide_store_records_damaged",
        "Records that failed their checksum when read.", &[]);
    COMMIT_LATENCY = Family::latency(Process, "longtide_commit_latency_seconds",
        "Time from handing a slot batch to the store until it is durable.", &[]);
    STORE_REFUSED = Family::counter(Process, "longtide_store_refused",
        "Slot batches that the store did not take: its queue or the disk was full.", &[]);
    STORE_FENCED = Family::counter(Process, "longtide_store_fenced",
        "Slot batches that did not match their slot's fence.", &[]);
    STORE_FAILURES = Family::counter(Process, "longtide_store_failures",
        "Group commits that failed.", &[]);
    STORE_QUEUE_ENTRIES = Family::gauge(Process, "longtide_store_queue_entries",
        "Slot batches that wait for the committer.", &[]);
    STORE_QUEUE_BYTES = Family::gauge(Process, "longtide_store_queue_bytes",
        "Bytes that wait for the committer.", &[]).in_unit(Unit::Bytes);

    // Workflows
    WORKFLOW_SUCCESS = Family::counter(History, "workflow_success", "Runs that completed.", RUN);
    WORKFLOW_FAILED = Family::counter(History, "workflow_failed", "Runs that failed.", RUN);
    WORKFLOW_TIMEOUT = Family::counter(History, "workflow_timeout", "Runs that timed out.", RUN);
    WORKFLOW_TERMINATE = Family::counter(History, "workflow_terminate",
        "Runs that were terminated.", RUN);
    WORKFLOW_CANCEL = Family::counter(History, "workflow_cancel", "Runs that were canceled.", RUN);
    WORKFLOW_CONTINUED_AS_NEW = Family::counter(History, "workflow_continued_as_new",
        "Runs that continued as new.", RUN);
    SCHEDULE_TO_START_TIMEOUT = Family::counter(History, "schedule_to_start_timeout",
        "Tasks that no worker picked up in time.", REQUEST);
    START_TO_CLOSE_TIMEOUT = Family::counter(History, "start_to_close_timeout",
        "Tasks that a worker did not finish in time.", REQUEST);
    SCHEDULE_TO_CLOSE_TIMEOUT = Family::counter(History, "schedule_to_close_timeout",
        "Activities that did not finish in time, all attempts together.", REQUEST);
    HEARTBEAT_TIMEOUT = Family::counter(History, "heartbeat_timeout",
        "Activities that stopped heartbeating.", REQUEST);
    STATE_TRANSITION_COUNT = Family::distribution(History, "state_transition_count",
        "Transitions of a run when it closes.", &[NAMESPACE]);
    COMMAND = Family::counter(History, "command", "Commands of workers, by type.",
        &[NAMESPACE, COMMAND_TYPE]);

    // Commands under the names that older dashboards query
    SCHEDULE_ACTIVITY_COMMAND = Family::counter(History, "schedule_activity_command",
        "Activities scheduled.", &[NAMESPACE]);
    CANCEL_ACTIVITY_COMMAND = Family::counter(History, "cancel_activity_command",
        "Activity cancellations requested.", &[NAMESPACE]);
    START_TIMER_COMMAND = Family::counter(History, "start_timer_command",
        "Timers started.", &[NAMESPACE]);
    CANCEL_TIMER_COMMAND = Family::counter(History, "cancel_timer_command",
        "Timers canceled.", &[NAMESPACE]);
    COMPLETE_WORKFLOW_COMMAND = Family::counter(History, "complete_workflow_command",
        "Runs completed by their workers.", &[NAMESPACE]);
    FAIL_WORKFLOW_COMMAND = Family::counter(History, "fail_workflow_command",
        "Runs failed by their workers.", &[NAMESPACE]);
    CANCEL_WORKFLOW_COMMAND = Family::counter(History, "cancel_workflow_command",
        "Runs canceled by their workers.", &[NAMESPACE]);
    CONTINUE_AS_NEW_COMMAND = Family::counter(History, "continue_as_new_command",
        "Runs continued as new.", &[NAMESPACE]);
    RECORD_MARKER_COMMAND = Family::counter(History, "record_marker_command",
        "Markers recorded.", &[NAMESPACE]);
    CHILD_WORKFLOW_COMMAND = Family::counter(History, "child_workflow_command",
        "Child workflows started.", &[NAMESPACE]);
    SIGNAL_EXTERNAL_WORKFLOW_COMMAND = Family::counter(History,
        "signal_external_workflow_command", "Signals to other workflows.", &[NAMESPACE]);
    CANCEL_EXTERNAL_WORKFLOW_COMMAND = Family::counter(History,
        "cancel_external_workflow_command", "Cancellations of other workflows.", &[NAMESPACE]);
    UPSERT_WORKFLOW_SEARCH_ATTRIBUTES_COMMAND = Family::counter(History,
        "upsert_workflow_search_attributes_command", "Search attributes changed.", &[NAMESPACE]);
    MODIFY_WORKFLOW_PROPERTIES_COMMAND = Family::counter(History,
        "modify_workflow_properties_command", "Memos changed.", &[NAMESPACE]);
    PROTOCOL_MESSAGE_COMMAND = Family::counter(History, "protocol_message_command",
        "Messages of the update protocol.", &[NAMESPACE]);
    SCHEDULE_NEXUS_OPERATION_COMMAND = Family::counter(History,
        "schedule_nexus_operation_command", "Nexus operations scheduled.", &[NAMESPACE]);
    CANCEL_NEXUS_OPERATION_COMMAND = Family::counter(History,
        "cancel_nexus_operation_command", "Nexus cancellations requested.", &[NAMESPACE]);

    // Caches
    CACHE_REQUESTS = Family::counter(History, "cache_requests", "Look-ups in a cache.",
        &[CACHE_TYPE]);
    CACHE_MISS = Family::counter(History, "cache_miss", "Look-ups that went to the store.",
        &[CACHE_TYPE]);
    CACHE_ERRORS = Family::counter(History, "cache_errors", "Look-ups that failed.",
        &[CACHE_TYPE]);
    CACHE_LATENCY = Family::latency(History, "cache_latency", "Time of a look-up, loading included.",
        &[CACHE_TYPE]);
    CACHE_SIZE = Family::gauge(History, "cache_size", "Most entries of a cache.", &[CACHE_TYPE]);
    CACHE_USAGE = Family::gauge(History, "cache_usage", "Entries of a cache.", &[CACHE_TYPE]);

    // Task queues
    POLL_SUCCESS = Family::counter(Matching, "poll_success", "Polls that got a task.", QUEUE);
    POLL_SUCCESS_SYNC = Family::counter(Matching, "poll_success_sync",
        "Polls that were waiting when their task came.", QUEUE);
    POLL_TIMEOUTS = Family::counter(Matching, "poll_timeouts", "Polls that ended empty.", QUEUE);
    PENDING_POLLS = Family::gauge(Matching, "pending_polls", "Polls that wait.", QUEUE);
    SYNCMATCH_LATENCY = Family::latency(Matching, "syncmatch_latency",
        "Time from a task's arrival to a waiting poll.", QUEUE);
    ASYNCMATCH_LATENCY = Family::latency(Matching, "asyncmatch_latency",
        "Time that a task spent in the backlog.", QUEUE);
    APPROXIMATE_BACKLOG_COUNT = Family::gauge(Matching, "approximate_backlog_count",
        "Tasks that wait for a worker.", QUEUE);
    APPROXIMATE_BACKLOG_AGE = Family::gauge(Matching, "approximate_backlog_age_seconds",
        "Age of the oldest task that waits.", QUEUE).in_unit(Unit::Seconds);

    // Tasks of the history role
    TASK_REQUESTS = Family::counter(History, "task_requests", "Tasks begun.", &[TASK_TYPE]);
    TASK_ERRORS = Family::counter(History, "task_errors", "Tasks that failed and run again.",
        &[TASK_TYPE]);
    TASK_LATENCY = Family::latency(History, "task_latency",
        "Time from a task's due time to its end.", &[TASK_TYPE]);
    TASK_LATENCY_QUEUE = Family::latency(History, "task_latency_queue",
        "Time from a task's due time to its begin: for timers, how late they are.", &[TASK_TYPE]);
    TASK_LATENCY_PROCESSING = Family::latency(History, "task_latency_processing",
        "Time that the work on a task took.", &[TASK_TYPE]);

    // The audit log
    AUDIT_RECORDS = Family::counter(Frontend, "longtide_audit_records",
        "Records of the audit log that were written.", &[]);
    AUDIT_DROPPED = Family::counter(Frontend, "longtide_audit_dropped",
        "Records of the audit log that were lost.", &[]);
    AUDIT_FAILURES = Family::counter(Frontend, "longtide_audit_failures",
        "Writes of the audit log that failed.", &[]);
    // What protects the server
    CONNECTIONS_REFUSED = Family::counter(Process, "longtide_connections_refused",
        "Connections that were not taken because their address had too many.", &[]);
    POLICY_SHADOW_DENIALS = Family::counter(Process, "longtide_policy_shadow_denials",
        "Calls that policies in shadow mode would have denied.", &[]);
    POLICY_SHADOW_PERMITS = Family::counter(Process, "longtide_policy_shadow_permits",
        "Calls that policies in shadow mode would have permitted, and no role allows.", &[]);
    POLICY_FAILURES = Family::counter(Process, "longtide_policy_load_failures",
        "Times that changed policies could not be loaded; the former ones stay.", &[]);
    CERTIFICATES_EXPIRED = Family::gauge(Process, "certificates_expired",
        "Certificates of the configuration that have expired.", &[]);
    CERTIFICATES_EXPIRING = Family::gauge(Process, "certificates_expiring",
        "Certificates that expire within the windows of global.tls.expirationChecks.", &[]);
    CERTIFICATE_END = Family::gauge(Process, "longtide_certificate_end_seconds",
        "When the first certificate expires, in seconds since 1970; 0 without encryption.", &[])
        .in_unit(Unit::Seconds);

    // The process
    RESTARTS = Family::counter(Process, "restarts", "Starts of the server.", &[]);
    OPEN_WORKFLOWS = Family::gauge(Process, "longtide_open_workflows",
        "Runs that are open on this node.", &[]);
    RESIDENT_MEMORY = Family::gauge(Process, "longtide_process_resident_memory_bytes",
        "Memory that the process holds.", &[]).in_unit(Unit::Bytes);
    CPU_SECONDS = Family::gauge(Process, "longtide_process_cpu_seconds",
        "Processor time that the process has used.", &[]).in_unit(Unit::Seconds);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::Kind;

    #[test]
    fn no_label_is_unbounded() {
        for family in ALL {
            for label in family.labels {
                assert!(LABELS.contains(label), "{} of {}", label.name, family.name);
            }
        }
        for label in LABELS {
            let name = label.name.to_lowercase();
            for word in ["id", "run", "key", "identity", "address", "message", "version"] {
                assert!(!name.split('_').any(|part| part == word), "{name} is unbounded");
            }
        }
    }

    #[test]
    fn names_are_unique_and_follow_the_rules() {
        let mut seen = HashSet::new();
        for family in ALL {
            assert!(seen.insert(family.name), "{} twice", family.name);
            assert!(!family.name.ends_with("_total"), "{}: counters have no suffix", family.name);
            assert!(family.help.ends_with('.') && family.help.len() > 10, "{}", family.name);
            let allowed = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(family.name.chars().all(allowed), "{}", family.name);
            if family.name.ends_with("_bytes") || family.name.ends_with("_bytes_written") {
                assert_eq!(family.unit, Unit::Bytes, "{}", family.name);
            }
            if family.name.ends_with("_seconds") || family.name.ends_with("_latency") {
                assert_eq!(family.unit, Unit::Seconds, "{}", family.name);
            }
            if family.name.ends_with("_latency") {
                assert_eq!(family.kind, Kind::Histogram, "{}", family.name);
            }
        }
    }
}
