//! HTTP/2, as every port has it that speaks it.

use std::{future::pending, time::Duration};

use hyper::server::conn::http2::Builder;
use hyper_util::rt::TokioTimer;

use crate::{Ending, Opening};

/// Bytes that a client may send ahead on one call and on one connection: a message fits.
const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// Most calls that a client may have opened and given up before the server has seen them, and most
/// that it may make the server give up: a client in good order does neither (CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 20;
const OWN_RESETS_MAX: usize = 256;

/// What differs between ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Http2 {
    /// Most bytes of the headers of one call.
    pub header_bytes_max: u32,
    /// Most calls at once on one connection; HTTP/2 makes the client wait.
    pub streams_per_connection_max: u32,
    /// How often an idle client is asked whether it is still there.
    pub keep_alive_interval: Duration,
    /// How long it may take to answer.
    pub keep_alive_timeout: Duration,
}

impl Http2 {
    /// What serves a connection whose requests run on this executor.
    pub fn builder<E: Clone>(&self, executor: E) -> Builder<E> {
        let mut builder = Builder::new(executor);
        builder
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_header_list_size(self.header_bytes_max)
            .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
            .max_local_error_reset_streams(OWN_RESETS_MAX)
            .max_concurrent_streams(self.streams_per_connection_max)
            .keep_alive_interval(Some(self.keep_alive_interval))
            .keep_alive_timeout(self.keep_alive_timeout);
        builder
    }
}

impl Opening {
    /// Ends when the client has not begun to speak in time, and never when it has, or when the
    /// server drains.
    pub async fn missed(&self, timeout: Duration, ending: &Ending) {
        tokio::time::sleep(timeout).await;
        if self.is_over() || ending.draining.is_cancelled() {
            pending::<()>().await;
        }
        tracing::debug!("a client does not begin to speak");
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{Heard, Stream};

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_misses_the_opening_unless_the_server_drains() {
        let (_client, stream) = tokio::io::duplex(64);
        let (_heard, opening) = Heard::new(Stream::Encrypted(Box::new(stream)));
        let ending =
            Ending { draining: CancellationToken::new(), cutting: CancellationToken::new() };
        let second = Duration::from_secs(1);
        opening.missed(second, &ending).await;
        ending.draining.cancel();
        let missed = tokio::time::timeout(10 * second, opening.missed(second, &ending)).await;
        assert!(missed.is_err(), "it is the drain that ends such a connection");
    }
}
