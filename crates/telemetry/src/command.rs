//! Commands of workflow workers.

use prometheus::{IntCounter, Registry};

use crate::{
    Family, MetricsError, names,
    series::{Counters, counters},
};

macro_rules! commands {
    ($($(#[$doc:meta])* $command:ident => $family:ident,)*) => {
        /// The types of commands.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Command {
            $($(#[$doc])* $command,)*
        }

        impl Command {
            /// Every type, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$command),*];

            /// The value of the `commandType` label.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$command => stringify!($command),)*
                }
            }
        }

        /// One family per type, in the order of declaration.
        const FAMILIES: &[&Family] = &[$(&names::$family),*];
    };
}

commands! {
    /// Schedule an activity.
    ScheduleActivityTask => SCHEDULE_ACTIVITY_COMMAND,
    /// Request an activity's cancellation.
    RequestCancelActivityTask => CANCEL_ACTIVITY_COMMAND,
    /// Start a timer.
    StartTimer => START_TIMER_COMMAND,
    /// Cancel a timer.
    CancelTimer => CANCEL_TIMER_COMMAND,
    /// Complete the run.
    CompleteWorkflowExecution => COMPLETE_WORKFLOW_COMMAND,
    /// Fail the run.
    FailWorkflowExecution => FAIL_WORKFLOW_COMMAND,
    /// Cancel the run.
    CancelWorkflowExecution => CANCEL_WORKFLOW_COMMAND,
    /// Continue the run as a new one.
    ContinueAsNewWorkflowExecution => CONTINUE_AS_NEW_COMMAND,
    /// Record a marker.
    RecordMarker => RECORD_MARKER_COMMAND,
    /// Start a child workflow.
    StartChildWorkflowExecution => CHILD_WORKFLOW_COMMAND,
    /// Signal another workflow.
    SignalExternalWorkflowExecution => SIGNAL_EXTERNAL_WORKFLOW_COMMAND,
    /// Cancel another workflow.
    RequestCancelExternalWorkflowExecution => CANCEL_EXTERNAL_WORKFLOW_COMMAND,
    /// Change search attributes.
    UpsertWorkflowSearchAttributes => UPSERT_WORKFLOW_SEARCH_ATTRIBUTES_COMMAND,
    /// Change the memo.
    ModifyWorkflowProperties => MODIFY_WORKFLOW_PROPERTIES_COMMAND,
    /// Say something in the update protocol.
    ProtocolMessage => PROTOCOL_MESSAGE_COMMAND,
    /// Schedule a Nexus operation.
    ScheduleNexusOperation => SCHEDULE_NEXUS_OPERATION_COMMAND,
    /// Request a Nexus operation's cancellation.
    RequestCancelNexusOperation => CANCEL_NEXUS_OPERATION_COMMAND,
}

/// The command counters of one namespace. Cloning is cheap; clones count together.
#[derive(Debug, Clone)]
pub struct CommandMetrics {
    counters: Vec<(IntCounter, IntCounter)>,
}

impl CommandMetrics {
    /// Counts one command.
    pub fn count(&self, command: Command) {
        if let Some((by_type, by_name)) = self.counters.get(command as usize) {
            by_type.inc();
            by_name.inc();
        }
    }
}

#[derive(Debug)]
pub(crate) struct Commands {
    by_type: Counters,
    by_name: Vec<Counters>,
}

impl Commands {
    pub(crate) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        let by_name = FAMILIES.iter().map(|family| counters(registry, family));
        Ok(Self {
            by_type: counters(registry, &names::COMMAND)?,
            by_name: by_name.collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn count(&self, namespace: &str, command: Command) {
        self.by_type.with(&[namespace, command.label()]).inc();
        if let Some(by_name) = self.by_name.get(command as usize) {
            by_name.with(&[namespace]).inc();
        }
    }

    pub(crate) fn handle(&self, namespace: &str) -> CommandMetrics {
        let counters = Command::ALL
            .iter()
            .zip(&self.by_name)
            .map(|(command, by_name)| {
                (self.by_type.with(&[namespace, command.label()]), by_name.with(&[namespace]))
            })
            .collect();
        CommandMetrics { counters }
    }
}
