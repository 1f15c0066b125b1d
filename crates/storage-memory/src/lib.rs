//! The storage contract in memory.
//!
//! [`MemoryStore`] is the reference backend: ordered maps, commits that resolve at once, gone with
//! the process. [`FaultyStore`] wraps it for the simulator: it delays, refuses, crashes and loses
//! acknowledgements, the same way for the same random numbers.

mod data;
mod faults;
mod faulty;
mod memory;

pub use faults::{Faults, Random};
pub use faulty::FaultyStore;
pub use memory::MemoryStore;
