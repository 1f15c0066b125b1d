//! A bad command.

use api::enums::v1::WorkflowTaskFailedCause;

/// Why a command fails its workflow task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CommandError {
    /// What the history shows.
    pub(crate) cause: WorkflowTaskFailedCause,
    /// What the worker is told besides.
    pub(crate) text: String,
    /// True when retrying cannot help and the run is terminated: an oversize payload.
    pub(crate) terminates: bool,
}

impl CommandError {
    pub(crate) fn new(cause: WorkflowTaskFailedCause, text: impl Into<String>) -> Self {
        Self { cause, text: text.into(), terminates: false }
    }

    pub(crate) fn terminating(cause: WorkflowTaskFailedCause, text: impl Into<String>) -> Self {
        Self { cause, text: text.into(), terminates: true }
    }

    /// The cause's name, and the text after a colon.
    pub(crate) fn message(&self) -> String {
        let name = camel_case(self.cause.as_str_name(), "WORKFLOW_TASK_FAILED_CAUSE_");
        if self.text.is_empty() { name } else { format!("{name}: {}", self.text) }
    }
}

/// The short form of a protobuf enum value's name: `A_B_SOME_VALUE` without `A_B_` is `SomeValue`.
pub(crate) fn camel_case(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix)
        .unwrap_or(name)
        .split('_')
        .flat_map(|word| {
            word.chars().enumerate().map(|(index, character)| {
                if index == 0 { character } else { character.to_ascii_lowercase() }
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_named_as_the_reference_names_it() {
        let error = CommandError::new(WorkflowTaskFailedCause::BadStartTimerAttributes, "why");
        assert_eq!(error.message(), "BadStartTimerAttributes: why");
        let error = CommandError::new(WorkflowTaskFailedCause::UnhandledCommand, "");
        assert_eq!(error.message(), "UnhandledCommand");
    }
}
