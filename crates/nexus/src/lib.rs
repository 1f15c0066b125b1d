//! The Nexus endpoints of a cell.
//!
//! An endpoint is a name under which workflows call operations; it points at the workers of a task
//! queue, or at a server outside. Endpoints are few, read by every operation and rarely changed: all
//! of them are in memory, behind one pointer that a change replaces. The stored record is a meta
//! record of the store.

mod endpoint;
mod error;
mod registry;

pub use endpoint::Endpoint;
pub use error::EndpointError;
pub use registry::Endpoints;
