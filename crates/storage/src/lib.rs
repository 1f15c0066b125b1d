//! The storage contract (design decision D6).
//!
//! A store holds ordered tables whose keys start with a slot. All that a transition changes in one
//! slot travels as one [`SlotBatch`] and is applied as a whole or not at all; the batch carries the
//! slot's fence `(epoch, seq)`. A store groups the batches that are ready together into one durable
//! commit. Values are sealed in an envelope (`envelope`) before they reach a backend.
//!
//! This crate knows tables, keys and batches. It knows nothing of workflows: what the bytes mean is
//! the business of those who write them.

mod batch;
mod error;
mod keys;
mod store;
mod table;

pub use batch::{
    CommitReceipt, CommitResponder, Cursors, Epoch, Fence, SlotBatch, SlotRow, Write,
    commit_receipt,
};
pub use error::{CommitError, Damage, MetaError, StoreError};
pub use keys::{
    TaskCategory, TaskKey, current_key, history_key, history_prefix, prefix_end, run_key,
    slot_prefix, task_key,
};
pub use store::{Claim, MetaRecord, Record, Scan, Store};
pub use table::Table;
