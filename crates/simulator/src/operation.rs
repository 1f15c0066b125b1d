//! What Nexus operations do, as their names tell whoever handles them: most give their own name,
//! at once or a while later; others go on until somebody asks them to stop.

/// What the names begin with of operations that do not end by themselves.
const ENDLESS: &str = "endless-";

/// What the ids of the workflows behind operations begin with.
const WORKFLOW: &str = "operation-";

/// Where an operation is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handler {
    /// By a server outside.
    Outside,
    /// By workers of the node's own.
    Workers,
}

impl Handler {
    /// The endpoint that points there.
    pub(crate) const fn endpoint(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Workers => "workers",
        }
    }
}

/// An operation that goes on until somebody asks it to stop.
pub(crate) fn endless(name: &str) -> String {
    format!("{ENDLESS}{name}")
}

pub(crate) fn is_endless(operation: &str) -> bool {
    operation.starts_with(ENDLESS)
}

/// The workflow that does an operation.
pub(crate) fn workflow_id(operation: &str, request_id: &str) -> String {
    format!("{WORKFLOW}{operation}-{request_id}")
}

/// The operation that a workflow does, with what follows its name; none for other workflows.
pub(crate) fn behind(workflow_id: &str) -> Option<&str> {
    workflow_id.strip_prefix(WORKFLOW)
}
