//! Nexus: requests to the handlers of operations, and how they tell that an operation has ended.
//!
//! A request to workers is a task that they answer without a commit. It waits in matching for a worker up to its deadline, and nothing of it is stored: what
//! is lost with the server is asked again by the run that wants it.

mod answer;
mod call;
mod complete;
mod failure;
mod link;
mod request;
mod system;
mod task;
mod token;

pub use complete::NexusCompletion;
pub(crate) use failure::handler_failure;
pub(crate) use link::{nexus_operation_link, scheduled_event_link, to_nexus_link};
pub use system::{NoSystemOperations, SystemOperations, SystemRefusal};
pub use task::{NexusDelivery, NexusTaskAnswer};
pub use token::CallbackToken;
pub(crate) use token::{SYSTEM_CALLBACK_URL, Waiter};
