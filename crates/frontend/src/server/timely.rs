//! Requests that do not come to their end.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body that has to be there, all of it, in time: whoever sends a byte now and then keeps its
/// place for no longer than that.
#[derive(Debug)]
pub(crate) struct Timely<B> {
    body: B,
    deadline: Instant,
    /// Made when there is something to wait for; most bodies are there with their headers.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<B> Timely<B> {
    /// The body has this long from now on.
    pub(crate) fn new(body: B, time: Duration) -> Self {
        Self { body, deadline: Instant::now() + time, sleep: None }
    }
}

impl<B> Body for Timely<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            // Whoever always has something to send is bounded by the size of messages.
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let deadline = this.deadline;
        let sleep = this.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        ready!(sleep.as_mut().poll(context));
        let text = "the request was not received in time";
        Poll::Ready(Some(Err(Box::new(Status::deadline_exceeded(text)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::{BodyExt as _, Full, StreamBody};

    use super::*;

    const TIME: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_there_is_passed_on() {
        let body = Timely::new(Full::new(Bytes::from_static(b"all")), TIME);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "all");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_is_cut_off_in_time() {
        let drops = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, Status>(Frame::data(Bytes::from_static(b"."))), ()))
        });
        let began = Instant::now();
        let body = Timely::new(StreamBody::new(Box::pin(drops)), TIME);
        let error = body.collect().await.unwrap_err();
        assert!(error.to_string().contains("not received in time"), "{error}");
        assert_eq!(began.elapsed(), TIME);
    }
}
