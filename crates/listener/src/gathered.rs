//! Answers are gathered before they are written.
//!
//! A write to a socket costs the kernel's whole way to the other end, and answers come in swarms: a
//! commit acknowledges a dozen calls at once. So what is written stays here until every task that is
//! ready has had its turn, and goes out as one.

use std::{
    io::{self, IoSlice},
    mem,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker, ready},
};

use environment::after_ready_tasks;
use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most bytes that are gathered; more are written at once.
const GATHERED_BYTES_MAX: usize = 64 * 1024;

/// A buffer that has grown past this is given back when it is empty.
const KEPT_BYTES_MAX: usize = 16 * 1024;

/// A connection of HTTP/2 that gathers what is written.
///
/// Flushing succeeds at once, and asks for a turn of the connection's task after all others; the
/// flush of that turn writes. HTTP/2 flushes in every turn, and shuts down what it ends.
#[derive(Debug)]
pub struct Gathered<S: AsyncWrite + Unpin> {
    stream: S,
    gathered: Vec<u8>,
    /// Where what is not yet written begins.
    start: usize,
    /// Whether the turn was asked for.
    asked: bool,
    turn: Arc<Turn>,
}

/// The turn after all tasks that are ready.
#[derive(Debug, Default)]
struct Turn {
    has_come: AtomicBool,
    connection: AtomicWaker,
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_come.store(true, Ordering::Release);
        self.connection.wake();
    }
}

impl<S: AsyncWrite + Unpin> Gathered<S> {
    /// Nothing is gathered yet.
    pub fn new(stream: S) -> Self {
        let turn = Arc::default();
        Self { stream, gathered: Vec::new(), start: 0, asked: false, turn }
    }

    /// Asks once for a turn after the tasks that are ready; true when it has come.
    fn turn_has_come(&mut self, context: &Context<'_>) -> bool {
        self.turn.connection.register(context.waker());
        if !mem::replace(&mut self.asked, true) {
            after_ready_tasks(&Waker::from(Arc::clone(&self.turn)));
        }
        let has_come = self.turn.has_come.swap(false, Ordering::Acquire);
        if has_come {
            self.asked = false;
        }
        has_come
    }

    fn poll_write_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.gathered.get(self.start..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.start += written,
            }
        }
        self.start = 0;
        self.gathered.clear();
        self.gathered.shrink_to(KEPT_BYTES_MAX);
        Poll::Ready(Ok(()))
    }

    /// Makes room for so many bytes. False when they are too many to be gathered: nothing is before
    /// them then.
    fn poll_room(&mut self, context: &mut Context<'_>, bytes: usize) -> Poll<io::Result<bool>> {
        if self.gathered.len().saturating_add(bytes) > GATHERED_BYTES_MAX {
            ready!(self.poll_write_out(context))?;
        }
        Poll::Ready(Ok(bytes <= GATHERED_BYTES_MAX))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !ready!(this.poll_room(context, bytes.len()))? {
            return Pin::new(&mut this.stream).poll_write(context, bytes);
        }
        this.gathered.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let bytes = pieces.iter().map(|piece| piece.len()).sum();
        if !ready!(this.poll_room(context, bytes))? {
            return Pin::new(&mut this.stream).poll_write_vectored(context, pieces);
        }
        for piece in pieces {
            this.gathered.extend_from_slice(piece);
        }
        Poll::Ready(Ok(bytes))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.gathered.is_empty() {
            return Pin::new(&mut this.stream).poll_flush(context);
        }
        // What was begun is finished: the socket was full.
        if this.start == 0 && !this.turn_has_come(context) {
            return Poll::Ready(Ok(()));
        }
        ready!(this.poll_write_out(context))?;
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_write_out(context))?;
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}

impl<S: AsyncWrite + Unpin> Drop for Gathered<S> {
    /// A connection that is cut says what it has to say as far as the socket takes it.
    fn drop(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        if self.poll_write_out(&mut context).is_ready() {
            let _flushed = Pin::new(&mut self.stream).poll_flush(&mut context);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use parking_lot::Mutex;
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// What was written, in the pieces in which it was.
    #[derive(Debug, Clone, Default)]
    struct Socket {
        writes: Arc<Mutex<Vec<Vec<u8>>>>,
        /// Most bytes of a write; none for no limit.
        takes: Option<usize>,
        full: bool,
    }

    impl Socket {
        fn written(&self) -> Vec<Vec<u8>> {
            mem::take(&mut *self.writes.lock())
        }
    }

    impl AsyncWrite for Socket {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            // Every other write of a slow socket has to wait.
            self.full = self.takes.is_some() && !self.full;
            if self.full {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let taken = bytes.len().min(self.takes.unwrap_or(usize::MAX));
            self.writes.lock().push(bytes[..taken].to_vec());
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Flushes in turns of the task until nothing is gathered, as HTTP/2 does.
    async fn written_out(stream: &mut Gathered<Socket>) {
        poll_fn(|context| {
            ready!(Pin::new(&mut *stream).poll_flush(context)).unwrap();
            if stream.gathered.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_written_before_the_turn_comes_goes_out_as_one() {
        let socket = Socket::default();
        let mut stream = Gathered::new(socket.clone());
        for piece in [b"a", b"b"] {
            stream.write_all(piece).await.unwrap();
            stream.flush().await.unwrap();
        }
        assert!(socket.written().is_empty());
        written_out(&mut stream).await;
        assert_eq!(socket.written(), [b"ab"]);
    }

    #[tokio::test]
    async fn a_slow_socket_gets_everything_in_order() {
        let socket = Socket { takes: Some(2), ..Socket::default() };
        let mut stream = Gathered::new(socket.clone());
        stream.write_all(b"abc").await.unwrap();
        written_out(&mut stream).await;
        assert_eq!(socket.written(), [&b"ab"[..], b"c"]);
    }

    #[tokio::test]
    async fn what_is_too_much_to_gather_is_written_at_once() {
        let socket = Socket::default();
        let mut stream = Gathered::new(socket.clone());
        let much = vec![b'b'; GATHERED_BYTES_MAX + 1];
        stream.write_all(b"a").await.unwrap();
        stream.write_all(&much).await.unwrap();
        assert_eq!(socket.written(), [b"a".to_vec(), much]);
        assert!(stream.gathered.capacity() <= KEPT_BYTES_MAX);
    }

    #[tokio::test]
    async fn what_ends_is_written() {
        let socket = Socket::default();
        let mut stream = Gathered::new(socket.clone());
        stream.write_all(b"a").await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(socket.written(), [b"a"]);
        stream.write_all(b"b").await.unwrap();
        drop(stream);
        assert_eq!(socket.written(), [b"b"]);
    }
}
