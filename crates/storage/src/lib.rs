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
mod cipher;
mod commit_queue;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod envelope;
mod error;
mod fences;
mod keys;
mod meta;
mod meta_changes;
mod receipt;
mod slot_row;
mod store;
mod table;
mod verify;

pub use batch::{Fence, KEY_BYTES_MAX, SlotBatch, Write};
pub use cipher::{CIPHER_OVERHEAD_BYTES, Cipher, Fate, Opened};
pub use commit_queue::{CommitQueue, Drained, GROUP_BYTES_MAX, GROUP_ENTRIES_MAX, PushError};
pub use envelope::damage;
pub use error::{CommitError, Damage, MetaError, StoreError};
pub use fences::Fences;
pub use keys::{
    TaskCategory, TaskKey, branch_key, current_key, current_prefix, entity_key, entity_pointer_key,
    entity_pointer_prefix, entity_prefix, history_key, history_prefix, prefix_end, run_key,
    slot_prefix, task_key,
};
pub use meta::MetaRecord;
pub use meta_changes::{MetaChange, MetaChanges};
pub use receipt::{CommitReceipt, CommitResponder, commit_receipt};
pub use slot_row::{Cursors, Epoch, SlotRow};
pub use store::{Claim, Record, Scan, Store};
pub use table::Table;
pub use verify::{Verification, verify};
