//! What an operator may choose.

use model::Span;

/// The settings of a [`crate::History`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Bytes that cached runs may take; the least recently used ones go first. A run that takes
    /// part in a commit, or that somebody waits for, stays.
    pub cache_bytes_max: usize,
    /// Longest wait for commits under way when the server stops.
    pub drain_timeout: Span,
    /// A closed run is kept up to so much longer than its retention, so that what closed together
    /// is not deleted together.
    pub retention_jitter: Span,
}

/// The jitter of the reference.
pub const RETENTION_JITTER: Span = Span::from_secs(30 * 60);

impl Default for Config {
    fn default() -> Self {
        Self {
            cache_bytes_max: 64 * 1024 * 1024,
            drain_timeout: Span::from_secs(10),
            retention_jitter: Span::ZERO,
        }
    }
}
