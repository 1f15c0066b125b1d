//! Markers: what SDKs note in the history for themselves. The server only keeps them.

use api::{
    command::v1::RecordMarkerCommandAttributes,
    enums::v1::WorkflowTaskFailedCause,
    history::v1::{MarkerRecordedEventAttributes, history_event::Attributes},
};
use prost::Message as _;

use crate::{
    commands::{CommandError, CommandScope},
    draft::Draft,
};

/// The command that records a marker.
pub(crate) fn record(
    draft: &mut Draft<'_>,
    scope: &CommandScope,
    command: RecordMarkerCommandAttributes,
) -> Result<(), CommandError> {
    const BAD: WorkflowTaskFailedCause = WorkflowTaskFailedCause::BadRecordMarkerAttributes;
    let RecordMarkerCommandAttributes { marker_name, details, header, failure } = command;
    scope.check_id(BAD, "MarkerName", "RecordMarkerCommand", &marker_name)?;
    let bytes = details.values().map(prost::Message::encoded_len).sum::<usize>()
        + failure.as_ref().map_or(0, |failure| failure.encoded_len());
    scope.check_blob(BAD, "RecordMarkerCommandAttributes.Details", bytes)?;
    let attributes = MarkerRecordedEventAttributes {
        marker_name,
        details,
        workflow_task_completed_event_id: scope.completed_event_id,
        header,
        failure,
    };
    draft.event_with(Attributes::MarkerRecordedEventAttributes(attributes), scope.extras());
    Ok(())
}
