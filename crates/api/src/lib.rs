//! Temporal's public API: messages, services and the descriptor set.
//!
//! Everything here is generated at build time from the .proto files that the published crate
//! `temporalio-protos` ships, with two choices of ours: byte fields are [`bytes::Bytes`] (payloads
//! are never copied) and maps are `BTreeMap` (the same message always encodes to the same bytes).
//! `temporal.api.history.v1.History` is [`RawHistory`]: histories travel encoded.
//!
//! This crate holds no behaviour beyond how messages are read and written. Modules follow the proto packages: [`temporal::api`].

mod raw_history;
#[cfg(feature = "wire")]
mod wire;

pub use raw_history::{History, RawHistory};
#[cfg(feature = "wire")]
pub use wire::Wire;

/// The encoded `FileDescriptorSet` of every message and service in this crate.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

#[allow(
    clippy::all,
    missing_debug_implementations,
    unreachable_pub,
    rustdoc::all,
    reason = "generated"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/mod.rs"));
}

pub use generated::{google, temporal};
pub use temporal::api::*;
