//! Where the requests of a connection run.

use std::task::{Context, Waker};

use hyper::rt::Executor;

use crate::{Reputation, Repute};

/// Runs each request of somebody who is known as a task of its own. What strangers ask runs at once,
/// in the task of their connection, as far as it goes: most of it goes no further than a refusal, and
/// a thousand of them are not a thousand tasks that everybody else waits for.
#[derive(Debug, Clone)]
pub struct AtOnce(Repute);

impl AtOnce {
    /// For the requests of one connection.
    pub const fn unless_known(repute: Repute) -> Self {
        Self(repute)
    }
}

impl<F> Executor<F> for AtOnce
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, request: F) {
        if self.0.get() == Reputation::Known {
            tokio::spawn(request);
            return;
        }
        let mut request = Box::pin(request);
        // Nobody is told when it may go on: the task that it becomes then looks for itself.
        let mut context = Context::from_waker(Waker::noop());
        if request.as_mut().poll(&mut context).is_pending() {
            tokio::spawn(request);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_a_stranger_asks_is_done_at_once_or_goes_on_as_a_task() {
        let repute = Repute::default();
        let executor = AtOnce::unless_known(repute.clone());
        let asked = |answer: oneshot::Sender<()>, wait: Option<oneshot::Receiver<()>>| async move {
            if let Some(wait) = wait {
                wait.await.unwrap();
            }
            answer.send(()).unwrap();
        };
        let (answer, mut answered) = oneshot::channel();
        executor.execute(asked(answer, None));
        assert!(answered.try_recv().is_ok());

        let ((answer, answered), (go_on, wait)) = (oneshot::channel(), oneshot::channel());
        executor.execute(asked(answer, Some(wait)));
        go_on.send(()).unwrap();
        answered.await.unwrap();

        repute.set(Reputation::Known);
        let (answer, mut answered) = oneshot::channel();
        executor.execute(asked(answer, None));
        assert!(answered.try_recv().is_err());
        answered.await.unwrap();
    }
}
