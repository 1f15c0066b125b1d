//! What a listener takes.

use model::Span;

/// The limits of one listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most connections at once; more wait in the operating system's queue.
    pub connections_max: usize,
    /// Most handshakes under way at once, counted from the client's first message on; more wait.
    pub handshakes_max: usize,
    /// How long a client may take from connecting to the end of its handshake.
    pub handshake_timeout: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            handshakes_max: 256,
            handshake_timeout: Span::from_secs(10),
        }
    }
}
