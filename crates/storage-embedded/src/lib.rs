//! The storage contract on fjall, an embedded log-structured engine.
//!
//! One committer thread takes all batches that are ready, checks their fences in memory, writes
//! them as one fjall batch with one `fdatasync`, and then answers all of them. Reads run on the
//! calling thread.
//!
//! A data directory holds a `VERSION` file, a `LOCK` file and fjall's own files in `fjall`.

mod committer;
mod cursors;
mod directory;
mod engine;
mod explain;
mod group;
mod journal;
mod reseal;
mod settings;
mod stats;
mod store;

pub use directory::KEYS_FILE;
pub use reseal::{ResealPage, Resealed};
pub use settings::Settings;
pub use stats::Stats;
pub use store::EmbeddedStore;
