//! Deterministic simulation: the real shells under a seed.
//!
//! [`simulate`] runs History, Matching and the visibility index on one thread, in virtual time, on a
//! store that loses, refuses, delays and crashes, behind a network that breaks, among clients and
//! workers that come, go and repeat themselves. The node is killed and opened again. Everything
//! follows from the seed: a seed that fails, fails again.
//!
//! What is right is decided outside: `witness.rs` keeps what clients and workers were told, and the
//! checkers in `check` compare it with the bare records of the store. No workflow may be lost, end
//! wrongly or twice, or wait for something that nobody remembers.
//!
//! Where to start: `simulation.rs` is the play, `program.rs` is what workflows do.

mod broken;
mod check;
mod client;
mod cluster;
mod dice;
mod entities;
mod fleet;
mod mortal_store;
mod notice;
mod operation;
mod outside;
mod panics;
mod payload;
mod profile;
mod program;
mod reading;
mod script;
mod simulation;
mod trace;
mod update;
mod view;
mod windows;
mod witness;
mod worker;
mod world;

pub use broken::Broken;
pub use notice::{Notice, break_all};
pub use simulation::{Outcome, Settings, WORKFLOWS, few_workflows, simulate};
