//! A command without the attributes of its type.

use api::enums::v1::{CommandType, WorkflowTaskFailedCause as Cause};

use super::{CommandError, name};

/// What a worker is told that left the attributes of a command out.
pub(super) fn missing_attributes(command_type: CommandType) -> CommandError {
    let name = name(command_type);
    let not_set = format!("{name}CommandAttributes is not set on {name}Command.");
    let cause = match command_type {
        CommandType::Unspecified => Cause::Unspecified,
        CommandType::ScheduleActivityTask => Cause::BadScheduleActivityAttributes,
        CommandType::RequestCancelActivityTask => Cause::BadRequestCancelActivityAttributes,
        CommandType::StartTimer => Cause::BadStartTimerAttributes,
        CommandType::CompleteWorkflowExecution => Cause::BadCompleteWorkflowExecutionAttributes,
        CommandType::FailWorkflowExecution => Cause::BadFailWorkflowExecutionAttributes,
        CommandType::CancelTimer => Cause::BadCancelTimerAttributes,
        CommandType::CancelWorkflowExecution => Cause::BadCancelWorkflowExecutionAttributes,
        CommandType::RequestCancelExternalWorkflowExecution => {
            Cause::BadRequestCancelExternalWorkflowExecutionAttributes
        }
        CommandType::RecordMarker => Cause::BadRecordMarkerAttributes,
        CommandType::ContinueAsNewWorkflowExecution => Cause::BadContinueAsNewAttributes,
        CommandType::StartChildWorkflowExecution => Cause::BadStartChildExecutionAttributes,
        CommandType::SignalExternalWorkflowExecution => Cause::BadSignalWorkflowExecutionAttributes,
        CommandType::UpsertWorkflowSearchAttributes => Cause::BadSearchAttributes,
        CommandType::ProtocolMessage => Cause::BadUpdateWorkflowExecutionMessage,
        CommandType::ModifyWorkflowProperties => Cause::BadModifyWorkflowPropertiesAttributes,
        CommandType::ScheduleNexusOperation => {
            return CommandError::new(
                Cause::BadScheduleNexusOperationAttributes,
                "empty ScheduleNexusOperationCommandAttributes",
            );
        }
        CommandType::RequestCancelNexusOperation => {
            return CommandError::new(
                Cause::BadRequestCancelNexusOperationAttributes,
                "empty CancelNexusOperationCommandAttributes",
            );
        }
    };
    CommandError::new(cause, not_set)
}
