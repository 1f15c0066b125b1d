//! A call that is made again and again, and what of its answers is new.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};

use super::{Open, first, passes, quiet};
use crate::http_server::call::Failure;

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(2);

/// After a look that was refused because there were too many.
const PAUSE: Duration = Duration::from_secs(10);

/// After so many looks at which nothing was new, something is sent all the same.
const QUIET_LOOKS_MAX: u32 = 7;

/// What the browser has been told of the answers.
pub(super) trait Seen: Send + 'static {
    /// What is new in an answer, as an event; nothing when nothing is.
    fn take(&mut self, open: &Open, answer: Bytes) -> Option<Bytes>;
}

struct Watch<S> {
    open: Open,
    path: &'static str,
    message: Vec<u8>,
    seen: S,
    pending: Option<Bytes>,
    wait: Duration,
    ended: bool,
}

/// Makes the call and tells its answer, and then what is new in those that follow.
pub(super) async fn open<S: Seen>(
    open: Open,
    path: &'static str,
    message: Vec<u8>,
    mut seen: S,
) -> Result<impl Stream<Item = Bytes> + Send + use<S>, Failure> {
    let answer = first(open.call_bytes(path, &message).await)?;
    let pending = seen.take(&open, answer);
    let (wait, ended) = (INTERVAL, false);
    let watch = Watch { open, path, message, seen, pending, wait, ended };
    Ok(stream::unfold(watch, |mut watch| async move {
        let next = watch.next().await?;
        Some((next, watch))
    }))
}

impl<S: Seen> Watch<S> {
    async fn next(&mut self) -> Option<Bytes> {
        for _ in 0..QUIET_LOOKS_MAX {
            if let Some(event) = self.pending.take() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            tokio::select! {
                biased;
                () = self.open.asked.draining.cancelled() => return None,
                () = tokio::time::sleep(self.wait) => {}
            }
            match self.open.call_bytes(self.path, &self.message).await? {
                Ok(answer) => {
                    self.wait = INTERVAL;
                    self.pending = self.seen.take(&self.open, answer);
                }
                Err(failure) if passes(&failure) => self.wait = PAUSE,
                Err(failure) => {
                    self.ended = true;
                    return Some(self.open.failed(&failure));
                }
            }
        }
        Some(self.pending.take().unwrap_or_else(quiet))
    }
}
