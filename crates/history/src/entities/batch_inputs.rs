//! What the operations of a batch ask of one run.

use api::{
    batch::v1::{
        BatchOperationReset, BatchOperationResetActivities, BatchOperationUnpauseActivities,
        BatchOperationUpdateActivityOptions, batch_operation_reset_activities,
        batch_operation_unpause_activities, batch_operation_update_activity_options,
    },
    common::v1::reset_options::Target,
    enums::v1::ResetType,
    workflowservice::v1::start_batch_operation_request::Operation,
};
use engine::{
    ActivitySelection, Input, ReapplyExclusions, ResetActivity, SetActivityOptions, UnpauseActivity,
};
use model::Span;

/// Where a reset of a batch begins, what it leaves out, and whether only in the run itself.
pub(super) fn reset(operation: &BatchOperationReset) -> Option<(Target, ReapplyExclusions, bool)> {
    match &operation.options {
        Some(options) => {
            let kinds = &options.reset_reapply_exclude_types;
            let exclusions = ReapplyExclusions::new(options.reset_reapply_type(), kinds);
            Some((options.target.clone()?, exclusions, options.current_run_only))
        }
        None => {
            let target = match operation.reset_type() {
                ResetType::FirstWorkflowTask => Target::FirstWorkflowTask(()),
                ResetType::LastWorkflowTask => Target::LastWorkflowTask(()),
                ResetType::Unspecified => return None,
            };
            let exclusions = ReapplyExclusions::new(operation.reset_reapply_type(), &[]);
            Some((target, exclusions, false))
        }
    }
}

/// What is asked of pending activities.
pub(super) fn of_activities(operation: &Operation, seed: u64) -> Option<Input> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other operations are of runs")]
    match operation {
        Operation::UnpauseActivitiesOperation(unpause) => self::unpause(unpause, seed),
        Operation::ResetActivitiesOperation(reset) => reset_activities(reset, seed),
        Operation::UpdateActivityOptionsOperation(update) => activity_options(update),
        _ => None,
    }
}

fn unpause(operation: &BatchOperationUnpauseActivities, seed: u64) -> Option<Input> {
    use batch_operation_unpause_activities::Activity;

    let selection = match operation.activity.as_ref()? {
        Activity::Type(activity_type) => ActivitySelection::Type(activity_type.clone()),
        Activity::MatchAll(_) => ActivitySelection::All,
    };
    Some(Input::UnpauseActivity(UnpauseActivity {
        selection,
        resets_attempts: operation.reset_attempts,
        resets_heartbeat: operation.reset_heartbeat,
        jitter: Span::from_proto(operation.jitter.as_ref()),
        seed,
    }))
}

fn reset_activities(operation: &BatchOperationResetActivities, seed: u64) -> Option<Input> {
    use batch_operation_reset_activities::Activity;

    let selection = match operation.activity.as_ref()? {
        Activity::Type(activity_type) => ActivitySelection::Type(activity_type.clone()),
        Activity::MatchAll(_) => ActivitySelection::All,
    };
    Some(Input::ResetActivity(ResetActivity {
        selection,
        resets_heartbeat: operation.reset_heartbeat,
        keeps_paused: operation.keep_paused,
        restores_options: operation.restore_original_options,
        jitter: Span::from_proto(operation.jitter.as_ref()),
        seed,
    }))
}

fn activity_options(operation: &BatchOperationUpdateActivityOptions) -> Option<Input> {
    use batch_operation_update_activity_options::Activity;

    let selection = match operation.activity.as_ref()? {
        Activity::Type(activity_type) => ActivitySelection::Type(activity_type.clone()),
        Activity::MatchAll(_) => ActivitySelection::All,
    };
    let change = match (&operation.activity_options, operation.restore_original) {
        (_, true) => None,
        (Some(options), false) => {
            let paths = operation.update_mask.clone().unwrap_or_default().paths;
            Some((options.clone(), paths))
        }
        (None, false) => return None,
    };
    Some(Input::SetActivityOptions(Box::new(SetActivityOptions { selection, change })))
}
