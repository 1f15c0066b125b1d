//! Paths of field masks.

use crate::error::{ApiError, ApiResult};

/// A path with its names in snake case: clients send either (`startToCloseTimeout`).
pub(crate) fn snake_case(path: &str) -> String {
    let mut snake = String::with_capacity(path.len() + 4);
    for letter in path.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// The paths of a workflow's options.
const WORKFLOW_OPTIONS: &[&str] = &[
    "versioning_override",
    "versioning_override.behavior",
    "versioning_override.deployment",
    "versioning_override.deployment.series_name",
    "versioning_override.deployment.build_id",
    "versioning_override.pinned_version",
    "versioning_override.pinned",
    "versioning_override.pinned.behavior",
    "versioning_override.pinned.version",
    "versioning_override.pinned.version.build_id",
    "versioning_override.pinned.version.deployment_name",
    "versioning_override.auto_upgrade",
    "versioning_override.one_time",
    "versioning_override.one_time.target_deployment_version",
    "versioning_override.one_time.target_deployment_version.build_id",
    "versioning_override.one_time.target_deployment_version.deployment_name",
    "priority",
    "priority.priority_key",
    "priority.fairness_key",
    "priority.fairness_weight",
    "time_skipping_config",
];

/// Refuses paths that name no option of a workflow.
pub(crate) fn check_options_mask(paths: &[String]) -> ApiResult<()> {
    // What is in this one cannot be changed alone: the engine says so.
    let is_known =
        |path: &str| WORKFLOW_OPTIONS.contains(&path) || path.starts_with("time_skipping_config.");
    match paths.iter().find(|path| !is_known(path)) {
        None => Ok(()),
        Some(path) => Err(ApiError::invalid(format!(
            "error parsing UpdateMask: proto:\u{a0}invalid path {path:?} for message \
             \"temporal.api.workflow.v1.WorkflowExecutionOptions\""
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_in_snake_case() {
        assert_eq!(snake_case("taskQueue.name"), "task_queue.name");
        assert_eq!(snake_case("retry_policy.maximum_attempts"), "retry_policy.maximum_attempts");
    }
}
