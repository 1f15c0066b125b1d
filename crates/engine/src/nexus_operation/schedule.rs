//! The command that schedules an operation.

use std::{collections::BTreeMap, str::FromStr as _};

use api::{
    command::v1::ScheduleNexusOperationCommandAttributes,
    enums::v1::WorkflowTaskFailedCause,
    history::v1::{NexusOperationScheduledEventAttributes, history_event::Attributes},
};
use model::{RunId, Span};
use prost::Message as _;

use super::emit_tasks;
use crate::{
    commands::{CommandError, CommandScope},
    draft::Draft,
};

const BAD: WorkflowTaskFailedCause = WorkflowTaskFailedCause::BadScheduleNexusOperationAttributes;

/// The endpoint of the server itself. No other may have such a name.
pub const SYSTEM_ENDPOINT: &str = "__temporal_system";

/// Headers that the server sets itself.
const DISALLOWED_HEADERS: &[&str] = &["request-timeout"];

/// Largest header, keys and values, in bytes.
const HEADER_BYTES_MAX: usize = 8192;

pub(crate) fn schedule(
    draft: &mut Draft<'_>,
    scope: &CommandScope,
    command: ScheduleNexusOperationCommandAttributes,
) -> Result<(), CommandError> {
    let endpoint_id = endpoint_id(scope, &command)?;
    check_lengths(scope, &command)?;
    let header = checked_header(command.nexus_header)?;
    let schedule_to_close_timeout = timeout("ScheduleToClose", command.schedule_to_close_timeout)?;
    let schedule_to_start_timeout = timeout("ScheduleToStart", command.schedule_to_start_timeout)?;
    let start_to_close_timeout = timeout("StartToClose", command.start_to_close_timeout)?;
    // Of a request to the server itself the parts have their own limits.
    let input = command.input.as_ref().filter(|_| command.endpoint != SYSTEM_ENDPOINT);
    if let Some(input) = input {
        let field = "ScheduleNexusOperationCommandAttributes.Input";
        scope.check_blob(BAD, field, input.encoded_len())?;
    }
    let limit = draft.context().limits.pending_max;
    if draft.state().nexus_operations.len() >= limit {
        let text = format!(
            "workflow has reached the pending nexus operation limit of {limit} for this workflow"
        );
        return Err(CommandError::new(
            WorkflowTaskFailedCause::PendingNexusOperationsLimitExceeded,
            text,
        ));
    }
    let attributes = NexusOperationScheduledEventAttributes {
        endpoint: command.endpoint,
        service: command.service,
        operation: command.operation,
        input: command.input,
        schedule_to_close_timeout: within_the_run(draft, schedule_to_close_timeout),
        nexus_header: header,
        workflow_task_completed_event_id: scope.completed_event_id,
        request_id: request_id(draft),
        endpoint_id,
        schedule_to_start_timeout,
        start_to_close_timeout,
    };
    let scheduled_event_id = draft
        .event_with(Attributes::NexusOperationScheduledEventAttributes(attributes), scope.extras());
    emit_tasks(draft, scheduled_event_id);
    Ok(())
}

/// The id of the command's endpoint; that of the server has none.
fn endpoint_id(
    scope: &CommandScope,
    command: &ScheduleNexusOperationCommandAttributes,
) -> Result<String, CommandError> {
    if command.endpoint != SYSTEM_ENDPOINT {
        let known = scope.nexus_endpoints.get(&command.endpoint).cloned();
        let text = || format!("endpoint \"{}\" not found", command.endpoint);
        return known.ok_or_else(|| CommandError::new(BAD, text()));
    }
    if !command.nexus_header.is_empty() {
        let text = format!(
            "ScheduleNexusOperationCommandAttributes.NexusHeader must be empty when using \
             {SYSTEM_ENDPOINT} endpoint"
        );
        return Err(CommandError::new(BAD, text));
    }
    match &scope.nexus_operation_refusal {
        Some(text) => Err(CommandError::new(BAD, text.clone())),
        None => Ok(String::new()),
    }
}

fn check_lengths(
    scope: &CommandScope,
    command: &ScheduleNexusOperationCommandAttributes,
) -> Result<(), CommandError> {
    let limit = scope.id_length_max();
    for (field, text) in [("Service", &command.service), ("Operation", &command.operation)] {
        if text.len() > limit {
            return Err(CommandError::new(
                BAD,
                format!(
                    "ScheduleNexusOperationCommandAttributes.{field} exceeds length limit of {limit}"
                ),
            ));
        }
    }
    Ok(())
}

/// The header with its keys in lower case, in which they are compared.
fn checked_header(
    header: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, CommandError> {
    let mut checked = BTreeMap::new();
    let mut bytes = 0;
    for (key, value) in header {
        let key = key.to_lowercase();
        bytes += key.len() + value.len();
        if DISALLOWED_HEADERS.contains(&key.as_str()) {
            let text = format!(
                "ScheduleNexusOperationCommandAttributes.NexusHeader contains a disallowed header \
                 key: \"{key}\""
            );
            return Err(CommandError::new(BAD, text));
        }
        checked.insert(key, value);
    }
    if bytes > HEADER_BYTES_MAX {
        let text = "ScheduleNexusOperationCommandAttributes.NexusHeader exceeds size limit";
        return Err(CommandError::new(BAD, text));
    }
    Ok(checked)
}

fn timeout(
    name: &str,
    given: Option<prost_types::Duration>,
) -> Result<Option<prost_types::Duration>, CommandError> {
    let is_negative = |given: &prost_types::Duration| given.seconds < 0 || given.nanos < 0;
    if given.as_ref().is_some_and(is_negative) {
        let text = format!(
            "ScheduleNexusOperationCommandAttributes.{name}Timeout is invalid: negative duration"
        );
        return Err(CommandError::new(BAD, text));
    }
    Ok(given.filter(|given| !Span::from_proto(Some(given)).is_zero()))
}

/// An operation does not outlive the run that waits for it.
fn within_the_run(
    draft: &Draft<'_>,
    given: Option<prost_types::Duration>,
) -> Option<prost_types::Duration> {
    let started = draft.state().started.as_ref()?;
    let of_run = Span::from_proto(started.workflow_run_timeout.as_ref());
    let asked = Span::from_proto(given.as_ref());
    if of_run.is_zero() || (!asked.is_zero() && asked <= of_run) {
        return given;
    }
    Some(of_run.to_proto())
}

/// Derived from the run and the event: the same decision gives the same id.
fn request_id(draft: &Draft<'_>) -> String {
    let event_id = draft.state().next_event_id;
    RunId::from_str(&draft.state().run_id)
        .map(|run_id| run_id.derived(event_id).to_string())
        .unwrap_or_default()
}
