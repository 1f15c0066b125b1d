//! The embedded store with encryption.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "these are tests")]

mod conformance;
mod damage;
mod erasure;
mod opening;
mod rotation;
mod support;
