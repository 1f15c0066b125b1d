//! Connections that never begin to speak.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Stream, Turn};

/// What every client of HTTP/2 says first: 24 fixed bytes and the head of a SETTINGS frame.
const OPENING_BYTES: u64 = 24 + 9;

/// A connection that knows how much it has read, and may have to wait for its turn to read more.
#[derive(Debug)]
pub struct Heard {
    stream: Stream,
    bytes: Arc<AtomicU64>,
    turn: Option<Turn>,
}

/// How much of the opening was heard.
#[derive(Debug, Clone)]
pub struct Opening(Arc<AtomicU64>);

impl Heard {
    /// The connection, and what it has read so far.
    pub fn new(stream: Stream) -> (Self, Opening) {
        let bytes = Arc::new(AtomicU64::new(0));
        (Self { stream, bytes: Arc::clone(&bytes), turn: None }, Opening(bytes))
    }

    /// The same connection, which is read when it is its turn.
    #[must_use]
    pub fn in_turns(self, turn: Turn) -> Self {
        Self { turn: Some(turn), ..self }
    }
}

impl Opening {
    /// True when the client has said what it has to say first.
    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= OPENING_BYTES
    }
}

/// Reads what a turn allows, and passes the turn on when there is nothing.
fn poll_read_in_turn(
    stream: Pin<&mut Stream>,
    turn: &Turn,
    context: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let most = ready!(turn.poll(context));
    let read = if most >= buffer.remaining() {
        stream.poll_read(context, buffer)
    } else {
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(most));
        let read = stream.poll_read(context, &mut part);
        let heard = part.filled().len();
        buffer.advance(heard);
        read
    };
    if read.is_pending() {
        turn.pass();
    }
    read
}

impl AsyncRead for Heard {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let stream = Pin::new(&mut this.stream);
        let read = match &this.turn {
            Some(turn) => poll_read_in_turn(stream, turn, context, buffer),
            None => stream.poll_read(context, buffer),
        };
        let heard = buffer.filled().len().saturating_sub(before);
        this.bytes.fetch_add(u64::try_from(heard).unwrap_or(0), Ordering::Relaxed);
        read
    }
}

impl AsyncWrite for Heard {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
