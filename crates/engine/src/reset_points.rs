//! Points to which a run can be reset: one for each build that ran it.

use api::{
    history::v1::WorkflowTaskCompletedEventAttributes,
    workflow::v1::{ResetPointInfo, ResetPoints},
};
use model::{Limits, Time};

use crate::{Shared, State};

/// The first task that a new build completes is a reset point.
pub(crate) fn apply_completed(
    state: &mut State,
    event_id: i64,
    completed: &WorkflowTaskCompletedEventAttributes,
    time: Time,
) {
    let build_id = completed
        .worker_version
        .as_ref()
        .map_or_else(String::new, |version| version.build_id.clone());
    let binary_checksum = completed.binary_checksum.clone();
    if build_id.is_empty() && binary_checksum.is_empty() {
        return;
    }
    let points = state.reset_points.get_or_insert_with(|| Shared::new(ResetPoints::default()));
    let known = points.points.iter().any(|point| {
        point.run_id == state.run_id
            && point.build_id == build_id
            && point.binary_checksum == binary_checksum
    });
    if known {
        return;
    }
    let points = &mut points.edit().points;
    points.push(ResetPointInfo {
        binary_checksum,
        build_id,
        run_id: state.run_id.clone(),
        first_workflow_task_completed_id: event_id,
        create_time: time.to_proto(),
        resettable: true,
        ..Default::default()
    });
    // The number is the reference's and part of how histories fold: not a namespace's choice.
    let excess = points.len().saturating_sub(Limits::default().reset_points_max);
    points.drain(..excess);
}
