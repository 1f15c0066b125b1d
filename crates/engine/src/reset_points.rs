//! Points to which a run can be reset: one for each build that ran it or a run
//! before it in its chain.

use api::{
    history::v1::WorkflowTaskCompletedEventAttributes,
    workflow::v1::{ResetPointInfo, ResetPoints},
};
use model::{Limits, Span, Time};

use crate::{Shared, State, server_attributes};

/// The first task that a new build completes is a reset point.
pub(crate) fn apply_completed(
    state: &mut State,
    event_id: i64,
    completed: &WorkflowTaskCompletedEventAttributes,
    time: Time,
) {
    let stamped = completed.worker_version.as_ref().map(|version| &version.build_id);
    let deployed = completed.deployment_version.as_ref().map(|version| &version.build_id);
    let build_id = deployed.or(stamped).cloned().unwrap_or_default();
    let binary_checksum = completed.binary_checksum.clone();
    let points = state.reset_points.get_or_insert_with(|| Shared::new(ResetPoints::default()));
    let known = points
        .points
        .iter()
        .any(|point| point.build_id == build_id && point.binary_checksum == binary_checksum);
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
    server_attributes::note_binary_checksums(state);
}

/// The next run takes over the points of a run that closes: they last as long as that is kept.
pub(crate) fn expire(points: &mut ResetPoints, run_id: &str, time: Time) {
    for point in points.points.iter_mut().filter(|point| point.run_id == run_id) {
        point.expire_time = time.to_proto();
    }
}

impl State {
    /// The reset points as users see them: those of a run that another follows expire with it.
    pub fn described_reset_points(&self, retention: Span) -> ResetPoints {
        let mut points =
            self.reset_points.as_ref().map(Shared::to_owned_message).unwrap_or_default();
        if !self.new_execution_run_id.is_empty() {
            expire(&mut points, &self.run_id, self.close_time + retention);
        }
        points
    }
}
