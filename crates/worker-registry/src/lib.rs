//! The workers of a cell, as their heartbeats tell.
//!
//! A worker sends now and then what it is and what it does. The last word of each is in memory, and
//! nothing is stored: after a restart a worker is known again with its next heartbeat, and one that
//! falls silent is forgotten.

mod fields;
mod limits;
mod registry;
mod roll;

pub use limits::{HEARTBEAT_BYTES_MAX, HELD_BYTES_MAX, PAGE_SIZE_MAX, WORKER_TTL, WORKERS_MAX};
pub use registry::{ListRequest, Page, WorkerNotFound, WorkerRegistry, Wrong};
