//! Names of deployments and versions, and how they are written.

use api::deployment::v1::WorkerDeploymentVersion;

use crate::DeploymentError;

/// What workers without a version are called.
pub const UNVERSIONED: &str = "__unversioned__";

/// Between a deployment's name and a build's id, in texts for people.
const DELIMITER: char = ':';

/// The same in texts of older clients.
const LEGACY_DELIMITER: char = '.';

/// What the reference keeps of the longest id for the names of its own workflows.
const RESERVED_BYTES: usize = 39;

/// Checks a deployment's name.
///
/// # Errors
/// When it is empty, too long, or holds what separates it from a build's id.
pub fn check_name(name: &str, id_length_max: usize) -> Result<(), DeploymentError> {
    check_part("WorkerDeploymentName", name, id_length_max)?;
    for delimiter in [LEGACY_DELIMITER, DELIMITER] {
        if name.contains(delimiter) {
            let text = format!("worker deployment name cannot contain '{delimiter}'");
            return Err(DeploymentError::Invalid(text));
        }
    }
    check_prefix("WorkerDeploymentName", name)
}

/// Checks a version's two names.
///
/// # Errors
/// When one of them is not valid.
pub fn check_version(
    version: &WorkerDeploymentVersion,
    id_length_max: usize,
) -> Result<(), DeploymentError> {
    check_name(&version.deployment_name, id_length_max)?;
    check_part("BuildID", &version.build_id, id_length_max)?;
    check_prefix("BuildID", &version.build_id)
}

fn check_part(field: &str, text: &str, id_length_max: usize) -> Result<(), DeploymentError> {
    if text.is_empty() {
        return Err(DeploymentError::Invalid(format!("{field} cannot be empty")));
    }
    if text.len() > id_length_max.saturating_sub(RESERVED_BYTES) / 2 {
        let text = format!("size of {field} larger than the maximum allowed");
        return Err(DeploymentError::Invalid(text));
    }
    Ok(())
}

fn check_prefix(field: &str, text: &str) -> Result<(), DeploymentError> {
    if text.starts_with("__") {
        return Err(DeploymentError::Invalid(format!("{field} cannot start with '__'")));
    }
    Ok(())
}

/// A version as people read it.
pub fn display_text(version: &WorkerDeploymentVersion) -> String {
    format!("{}{DELIMITER}{}", version.deployment_name, version.build_id)
}

/// A version as older clients read it.
pub fn legacy_text(version: Option<&WorkerDeploymentVersion>) -> String {
    version.map_or_else(
        || UNVERSIONED.to_owned(),
        |version| format!("{}{LEGACY_DELIMITER}{}", version.deployment_name, version.build_id),
    )
}

/// Reads a version that an older client wrote; none for workers without one.
///
/// # Errors
/// Why the text names no version.
pub fn parse_legacy(text: &str) -> Result<Option<WorkerDeploymentVersion>, String> {
    if text == UNVERSIONED {
        return Ok(None);
    }
    let Some((name, build_id)) = text.split_once([LEGACY_DELIMITER, DELIMITER]) else {
        return Err(format!(
            "expected delimiter '{DELIMITER}' or '{LEGACY_DELIMITER}' not found in version string \
             {text}"
        ));
    };
    if name.is_empty() {
        return Err(format!("deployment name is empty in version string {text}"));
    }
    if build_id.is_empty() {
        return Err(format!("build id is empty in version string {text}"));
    }
    let (deployment_name, build_id) = (name.to_owned(), build_id.to_owned());
    Ok(Some(WorkerDeploymentVersion { build_id, deployment_name }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_delimiter_ends_the_deployments_name() {
        let version = parse_legacy("shop.1:2.3").unwrap().unwrap();
        assert_eq!(
            (version.deployment_name.as_str(), version.build_id.as_str()),
            ("shop", "1:2.3")
        );
        assert_eq!(display_text(&version), "shop:1:2.3");
        assert_eq!(legacy_text(Some(&version)), "shop.1:2.3");
        assert_eq!(parse_legacy(UNVERSIONED), Ok(None));
        assert!(parse_legacy("shop").is_err());
        assert!(parse_legacy("shop.").is_err());
        assert!(parse_legacy(".1").is_err());
    }

    #[test]
    fn names_are_refused_with_the_references_texts() {
        let text = |name: &str| check_name(name, 1000).unwrap_err().to_string();
        assert_eq!(text(""), "WorkerDeploymentName cannot be empty");
        assert_eq!(text("a.b"), "worker deployment name cannot contain '.'");
        assert_eq!(text("a:b"), "worker deployment name cannot contain ':'");
        assert_eq!(text("__a"), "WorkerDeploymentName cannot start with '__'");
        assert!(check_name(&"a".repeat(480), 1000).is_ok());
        assert_eq!(
            text(&"a".repeat(481)),
            "size of WorkerDeploymentName larger than the maximum allowed"
        );
    }
}
