//! What a listener takes.

use model::Span;

use crate::RateLimit;

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

/// What each address may do before anybody knows who is behind it. `None` means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AddressLimits {
    /// Most connections at once.
    pub connections_max: Option<usize>,
    /// New connections.
    pub connections: Option<RateLimit>,
    /// Requests, whoever makes them.
    pub requests: Option<RateLimit>,
    /// Requests that are refused before they are read: without good credentials, of no protocol,
    /// to no service. Past it the connection is cut, and new ones are not taken for a while.
    pub refusals: Option<RateLimit>,
}
