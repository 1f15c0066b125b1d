//! Nexus tasks: requests that workers answer without a commit.
//!
//! A request waits in matching for a worker up to its deadline, and nothing of it is stored: what
//! is lost with the server is asked again by the run that wants it.

mod answer;
mod failure;
mod link;
mod task;
mod token;

pub(crate) use answer::{to_cancellation_answer, to_operation_answer};
pub(crate) use failure::handler_failure;
pub(crate) use link::{scheduled_event_link, to_nexus_link};
pub use task::{NexusDelivery, NexusTaskAnswer};
pub(crate) use token::{CALLBACK_TOKEN_HEADER, CallbackToken, SYSTEM_CALLBACK_URL};
