//! HTTP requests to addresses outside of the server.
//!
//! What a user or an operator names as an address is called by the server, from where the server
//! is: that is a boundary of trust. [`AddressRules`] say what may be called; [`Client`] asks them
//! again for every request, follows no redirect, waits no longer than it is told and reads no more
//! than it may. [`HttpClient`] is the seam for tests and the simulator.

mod address;
mod client;
mod error;

pub use address::{AddressError, AddressRule, AddressRules};
pub use client::{Client, HttpClient, NoClient};
pub use error::CallError;
