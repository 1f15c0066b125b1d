//! The worker deployments of a cell, and the settings of its task queues.
//!
//! Both are small, read with every dispatch of every slot and rarely changed. So they are not
//! entities of a slot but, like namespaces, records of the whole cell: all of them in memory, a
//! change durable before it is in force, and in force everywhere at once. What history and matching
//! need of them are [`matching::Routes`] and [`matching::QueueSettings`].

mod change;
mod error;
mod names;
mod queue_config;
mod record;
mod registry;
mod routes;
mod status;

pub use change::{Change, Previous, Ramping};
pub use error::DeploymentError;
pub use names::{UNVERSIONED, check_name, check_version, display_text, legacy_text, parse_legacy};
pub use queue_config::{QueueConfigs, queue_settings};
pub use record::{Deployment, ServedQueue, Version};
pub use registry::{Deployments, TaskQueues};
pub use status::{DRAINAGE_GRACE, drainage_is_due, routing_config, status, summary, version_info};

/// Most deployments of a namespace, as the reference.
pub const DEPLOYMENTS_MAX: usize = 100;

/// Most versions of a deployment, as the reference.
pub const VERSIONS_MAX: usize = 100;

/// Most task queues of a version, as the reference.
pub const QUEUES_MAX: usize = 100;
