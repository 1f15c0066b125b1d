//! What the registry holds at most.

use model::Span;

/// A worker that sent nothing for so long is forgotten, as in the reference.
pub const WORKER_TTL: Span = Span::from_secs(5 * 60);

/// Most workers of a namespace; the one that was heard of longest ago makes room.
pub const WORKERS_MAX: usize = 50_000;

/// Most bytes of all heartbeats together (64 MiB); the namespace that holds most makes room.
pub const HELD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Largest heartbeat that is kept, in bytes (64 KiB). Workers send about two.
pub const HEARTBEAT_BYTES_MAX: usize = 64 * 1024;

/// Most workers of one page of a list.
pub const PAGE_SIZE_MAX: usize = 1000;
