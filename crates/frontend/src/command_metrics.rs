//! What the metrics see of the commands of workflow workers.

use api::enums::v1::CommandType;
use telemetry::Command;

/// The command that counts for this type; none for a type that is not known.
pub(crate) fn counted(command_type: CommandType) -> Option<Command> {
    Some(match command_type {
        CommandType::Unspecified => return None,
        CommandType::ScheduleActivityTask => Command::ScheduleActivityTask,
        CommandType::RequestCancelActivityTask => Command::RequestCancelActivityTask,
        CommandType::StartTimer => Command::StartTimer,
        CommandType::CancelTimer => Command::CancelTimer,
        CommandType::CompleteWorkflowExecution => Command::CompleteWorkflowExecution,
        CommandType::FailWorkflowExecution => Command::FailWorkflowExecution,
        CommandType::CancelWorkflowExecution => Command::CancelWorkflowExecution,
        CommandType::ContinueAsNewWorkflowExecution => Command::ContinueAsNewWorkflowExecution,
        CommandType::RecordMarker => Command::RecordMarker,
        CommandType::StartChildWorkflowExecution => Command::StartChildWorkflowExecution,
        CommandType::SignalExternalWorkflowExecution => Command::SignalExternalWorkflowExecution,
        CommandType::RequestCancelExternalWorkflowExecution => {
            Command::RequestCancelExternalWorkflowExecution
        }
        CommandType::UpsertWorkflowSearchAttributes => Command::UpsertWorkflowSearchAttributes,
        CommandType::ModifyWorkflowProperties => Command::ModifyWorkflowProperties,
        CommandType::ProtocolMessage => Command::ProtocolMessage,
        CommandType::ScheduleNexusOperation => Command::ScheduleNexusOperation,
        CommandType::RequestCancelNexusOperation => Command::RequestCancelNexusOperation,
    })
}
