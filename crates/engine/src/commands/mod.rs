//! What a workflow asks for when it answers its workflow task.

mod error;
mod missing;
mod scope;

pub(crate) use error::{CommandError, camel_case};
pub(crate) use scope::CommandScope;

use api::{
    command::v1::{Command, command::Attributes},
    enums::v1::CommandType,
};

use crate::{
    Rejection, activity, child, close, continue_as_new, draft::Draft, external, marker,
    nexus_operation, timer, update, upsert,
};

/// True for a command that ends the run.
pub(crate) fn closes(command_type: CommandType) -> bool {
    matches!(
        command_type,
        CommandType::CompleteWorkflowExecution
            | CommandType::FailWorkflowExecution
            | CommandType::CancelWorkflowExecution
            | CommandType::ContinueAsNewWorkflowExecution
    )
}

/// Refuses the whole answer, before anything else, when its shape is wrong: an unknown command, or
/// a closing one that is not the last.
pub(crate) fn check_sequence(commands: &[Command]) -> Result<(), Rejection> {
    for (index, command) in commands.iter().enumerate() {
        let known = CommandType::try_from(command.command_type)
            .ok()
            .filter(|command_type| *command_type != CommandType::Unspecified);
        let Some(command_type) = known else {
            return Err(Rejection::InvalidArgument(match command.command_type {
                0 => "unknown command type: Unspecified".to_owned(),
                number => format!("unknown command type: {number}"),
            }));
        };
        if closes(command_type) && index + 1 != commands.len() {
            return Err(Rejection::InvalidArgument(format!(
                "invalid command sequence: [{}], command {} must be the last command.",
                names(commands),
                name(command_type)
            )));
        }
    }
    Ok(())
}

fn names(commands: &[Command]) -> String {
    commands.iter().map(|command| name(command.command_type())).collect::<Vec<_>>().join(", ")
}

fn name(command_type: CommandType) -> String {
    camel_case(command_type.as_str_name(), "COMMAND_TYPE_")
}

/// The command type that belongs to these attributes.
pub fn command_type(attributes: &Attributes) -> CommandType {
    match attributes {
        Attributes::ScheduleActivityTaskCommandAttributes(_) => CommandType::ScheduleActivityTask,
        Attributes::RequestCancelActivityTaskCommandAttributes(_) => {
            CommandType::RequestCancelActivityTask
        }
        Attributes::StartTimerCommandAttributes(_) => CommandType::StartTimer,
        Attributes::CancelTimerCommandAttributes(_) => CommandType::CancelTimer,
        Attributes::RecordMarkerCommandAttributes(_) => CommandType::RecordMarker,
        Attributes::UpsertWorkflowSearchAttributesCommandAttributes(_) => {
            CommandType::UpsertWorkflowSearchAttributes
        }
        Attributes::ModifyWorkflowPropertiesCommandAttributes(_) => {
            CommandType::ModifyWorkflowProperties
        }
        Attributes::CompleteWorkflowExecutionCommandAttributes(_) => {
            CommandType::CompleteWorkflowExecution
        }
        Attributes::FailWorkflowExecutionCommandAttributes(_) => CommandType::FailWorkflowExecution,
        Attributes::CancelWorkflowExecutionCommandAttributes(_) => {
            CommandType::CancelWorkflowExecution
        }
        Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(_) => {
            CommandType::ContinueAsNewWorkflowExecution
        }
        Attributes::RequestCancelExternalWorkflowExecutionCommandAttributes(_) => {
            CommandType::RequestCancelExternalWorkflowExecution
        }
        Attributes::SignalExternalWorkflowExecutionCommandAttributes(_) => {
            CommandType::SignalExternalWorkflowExecution
        }
        Attributes::StartChildWorkflowExecutionCommandAttributes(_) => {
            CommandType::StartChildWorkflowExecution
        }
        Attributes::ProtocolMessageCommandAttributes(_) => CommandType::ProtocolMessage,
        Attributes::ScheduleNexusOperationCommandAttributes(_) => {
            CommandType::ScheduleNexusOperation
        }
        Attributes::RequestCancelNexusOperationCommandAttributes(_) => {
            CommandType::RequestCancelNexusOperation
        }
    }
}

/// Carries out one command.
pub(crate) fn handle(
    draft: &mut Draft<'_>,
    scope: &mut CommandScope,
    command: Command,
) -> Result<(), CommandError> {
    let command_type = command.command_type();
    let Command { attributes, .. } = command;
    let Some(attributes) = attributes else {
        return Err(missing::missing_attributes(command_type));
    };
    match attributes {
        Attributes::ScheduleActivityTaskCommandAttributes(command) => {
            activity::schedule(draft, scope, command)
        }
        Attributes::RequestCancelActivityTaskCommandAttributes(command) => {
            activity::request_cancel(draft, scope, &command)
        }
        Attributes::StartTimerCommandAttributes(command) => timer::start(draft, scope, command),
        Attributes::CancelTimerCommandAttributes(command) => timer::cancel(draft, scope, command),
        Attributes::RecordMarkerCommandAttributes(command) => marker::record(draft, scope, command),
        Attributes::UpsertWorkflowSearchAttributesCommandAttributes(command) => {
            upsert::search_attributes(draft, scope, command)
        }
        Attributes::ModifyWorkflowPropertiesCommandAttributes(command) => {
            upsert::memo(draft, scope, command)
        }
        Attributes::CompleteWorkflowExecutionCommandAttributes(command) => {
            close::complete(draft, scope, command)
        }
        Attributes::FailWorkflowExecutionCommandAttributes(command) => {
            close::fail(draft, scope, command)
        }
        Attributes::CancelWorkflowExecutionCommandAttributes(command) => {
            close::cancel(draft, scope, command)
        }
        Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(command) => {
            continue_as_new::continue_as_new(draft, scope, command)
        }
        Attributes::StartChildWorkflowExecutionCommandAttributes(command) => {
            child::start(draft, scope, command)
        }
        Attributes::SignalExternalWorkflowExecutionCommandAttributes(command) => {
            external::signal(draft, scope, command)
        }
        Attributes::RequestCancelExternalWorkflowExecutionCommandAttributes(command) => {
            external::cancel(draft, scope, command)
        }
        Attributes::ScheduleNexusOperationCommandAttributes(command) => {
            nexus_operation::schedule(draft, scope, command)
        }
        Attributes::RequestCancelNexusOperationCommandAttributes(command) => {
            nexus_operation::request_cancel(draft, scope, command)
        }
        Attributes::ProtocolMessageCommandAttributes(command) => {
            update::protocol_command(draft, scope, &command)
        }
    }
}
