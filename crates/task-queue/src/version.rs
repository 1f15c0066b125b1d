//! Which build of a worker's code.

use std::{fmt, sync::Arc};

/// A version of a worker deployment. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerVersion {
    /// The deployment's name.
    pub deployment_name: Arc<str>,
    /// The build's id.
    pub build_id: Arc<str>,
}

impl WorkerVersion {
    /// A version by the names of its parts.
    pub fn new(deployment_name: impl Into<Arc<str>>, build_id: impl Into<Arc<str>>) -> Self {
        Self { deployment_name: deployment_name.into(), build_id: build_id.into() }
    }
}

/// As people read it; a deployment's name has no colon.
impl fmt::Display for WorkerVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.deployment_name, self.build_id)
    }
}
