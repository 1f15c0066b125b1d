//! Strangers are read in turns.
//!
//! What a connection sends before anybody has proved who is behind it may be junk, and there may be
//! much of it. So one stranger at a time is read, a little at a time, and between two turns the
//! server does all else that there is to do. Those whom it has refused stand in a queue of their own
//! that moves slowly: what junk costs is bounded, however many send it.

use std::{
    fmt,
    future::poll_fn,
    mem,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::PollSemaphore;

use crate::{Reputation, Repute};

/// Most bytes that are read in a turn: a dozen calls without credentials, or one with a token.
const TURN_BYTES: usize = 1024;

/// Strangers that have a turn at once, whatever the number of processors.
const TURNS_AT_ONCE: usize = 1;

/// Of those who were refused, so many stand with the other strangers at once, or have just had a
/// turn; and how long it is then until somebody takes their place. Checking a forged signature takes
/// about a tenth of that.
const REFUSED_AT_ONCE: usize = 4;
const PAUSE: Duration = Duration::from_millis(1);

/// What strangers wait for. Listeners may share it.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    places: Arc<Semaphore>,
    /// Where those stand who were refused, before they stand with the others.
    pen: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        let pen = Arc::new(Semaphore::new(REFUSED_AT_ONCE));
        Self { places: Arc::new(Semaphore::new(TURNS_AT_ONCE)), pen }
    }
}

impl Turns {
    /// The turns of one connection.
    pub(crate) fn of(&self, repute: Repute) -> Turn {
        let waiting = Waiting {
            places: PollSemaphore::new(Arc::clone(&self.places)),
            pen: PollSemaphore::new(Arc::clone(&self.pen)),
            place: None,
            penned: None,
            phase: Phase::Before,
            is_queued: false,
            has_asked: false,
        };
        Turn { repute, waiting: Arc::new(Mutex::new(waiting)) }
    }
}

/// The turns of one connection. Clones are the same.
#[derive(Clone)]
pub struct Turn {
    repute: Repute,
    waiting: Arc<Mutex<Waiting>>,
}

struct Waiting {
    places: PollSemaphore,
    pen: PollSemaphore,
    place: Option<OwnedSemaphorePermit>,
    penned: Option<OwnedSemaphorePermit>,
    phase: Phase,
    /// Whether it stands in a queue.
    is_queued: bool,
    /// Whether anything was to be read since the connection's task began to run.
    has_asked: bool,
}

/// How far a turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It is somebody else's.
    Before,
    /// It was given while the connection's task ran, and begins when that runs again.
    Given,
    /// It begins with the next read.
    Next,
    /// Something was read.
    Begun,
}

impl fmt::Debug for Turn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Turn").field("repute", &self.repute).finish_non_exhaustive()
    }
}

impl Turn {
    /// How many bytes may be read now. Whoever is known does not wait.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<usize> {
        match self.repute.get() {
            Reputation::Known => Poll::Ready(usize::MAX),
            reputation => self.waiting.lock().poll(reputation, context),
        }
    }

    /// There was nothing to read: it is somebody else's turn.
    pub(crate) fn pass(&self) {
        if self.repute.get() != Reputation::Known {
            self.waiting.lock().pass();
        }
    }

    /// Runs the task of the connection, which may not keep a turn while it does not run.
    pub fn around<F: Future + Send>(
        &self,
        connection: F,
    ) -> impl Future<Output = F::Output> + Send + use<F> {
        let this = self.clone();
        async move {
            let mut connection = pin!(connection);
            poll_fn(move |context| {
                let polled = connection.as_mut().poll(context);
                this.waiting.lock().task_ran();
                polled
            })
            .await
        }
    }
}

impl Waiting {
    fn poll(&mut self, reputation: Reputation, context: &mut Context<'_>) -> Poll<usize> {
        self.has_asked = true;
        match self.phase {
            Phase::Next => {
                self.phase = Phase::Begun;
                return Poll::Ready(TURN_BYTES);
            }
            Phase::Given => return after_all_else(context),
            Phase::Begun => self.end(),
            Phase::Before => {}
        }
        self.is_queued = true;
        // Nobody may stand in one queue while it waits in the other: its turn would come unnoticed.
        if reputation == Reputation::Refused && self.penned.is_none() {
            let Poll::Ready(penned) = self.pen.poll_acquire(context) else {
                self.places = self.places.clone();
                return Poll::Pending;
            };
            self.penned = penned;
        } else {
            self.pen = self.pen.clone();
        }
        self.place = ready!(self.places.poll_acquire(context));
        (self.phase, self.is_queued) = (Phase::Given, false);
        after_all_else(context)
    }

    /// Ends the turn. After one of somebody who was refused the next of them waits a little.
    fn end(&mut self) {
        if let Some(penned) = self.penned.take() {
            tokio::spawn(async move {
                tokio::time::sleep(PAUSE).await;
                drop(penned);
            });
        }
        self.pass();
    }

    fn pass(&mut self) {
        (self.place, self.penned) = (None, None);
        self.phase = Phase::Before;
    }

    /// A turn that was just given begins; one that had begun is over. A client that does not take
    /// its answers is not read either: it leaves the queues.
    fn task_ran(&mut self) {
        let has_asked = mem::take(&mut self.has_asked);
        match self.phase {
            Phase::Given => self.phase = Phase::Next,
            Phase::Begun => self.end(),
            Phase::Next => self.pass(),
            Phase::Before if has_asked || !self.is_queued => {}
            Phase::Before => {
                self.pass();
                self.is_queued = false;
                (self.places, self.pen) = (self.places.clone(), self.pen.clone());
            }
        }
    }
}

/// Comes back when other tasks have run and the runtime has looked for what has arrived meanwhile.
fn after_all_else<T>(context: &mut Context<'_>) -> Poll<T> {
    // It is noted when it is asked for the first time; there is nothing else to keep.
    let _noted: Poll<()> = pin!(tokio::task::yield_now()).poll(context);
    Poll::Pending
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::Instant;

    use super::*;

    /// A connection that reads again and again, or not at all any more; how often it has read.
    async fn reads(turn: Turn, times: usize, done: Arc<AtomicUsize>) {
        let reading = poll_fn(|context| {
            while done.load(Ordering::Relaxed) < times {
                let most = ready!(turn.poll(context));
                assert!(most == TURN_BYTES || turn.repute.get() == Reputation::Known);
                done.fetch_add(1, Ordering::Relaxed);
            }
            Poll::Ready(())
        });
        turn.around(reading).await;
    }

    fn counter() -> Arc<AtomicUsize> {
        Arc::default()
    }

    #[tokio::test]
    async fn strangers_read_one_after_the_other() {
        let (turns, counters) = (Turns::default(), [counter(), counter(), counter()]);
        let mut tasks = Vec::new();
        for counter in &counters {
            let turn = turns.of(Repute::default());
            tasks.push(tokio::spawn(reads(turn, 10, Arc::clone(counter))));
        }
        while counters.iter().any(|counter| counter.load(Ordering::Relaxed) < 10) {
            let counts = counters.each_ref().map(|counter| counter.load(Ordering::Relaxed));
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
            tokio::task::yield_now().await;
        }
        for task in tasks {
            task.await.unwrap();
        }
    }

    #[tokio::test]
    async fn who_is_known_does_not_wait() {
        let (turns, repute) = (Turns::default(), Repute::default());
        let taken = turns.places.acquire().await.unwrap();
        let (turn, count) = (turns.of(repute.clone()), counter());
        let mut waits = pin!(reads(turn, 1000, Arc::clone(&count)));
        assert!(futures_util::poll!(waits.as_mut()).is_pending());
        assert_eq!(count.load(Ordering::Relaxed), 0);
        repute.set(Reputation::Known);
        assert!(futures_util::poll!(waits.as_mut()).is_ready());
        assert_eq!(count.load(Ordering::Relaxed), 1000);
        drop(taken);
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_refused_waits_for_the_others_who_were_and_nobody_for_them() {
        let (turns, began) = (Turns::default(), Instant::now());
        let mut refused = Vec::new();
        for _ in 0..2 * REFUSED_AT_ONCE {
            let repute = Repute::default();
            repute.set(Reputation::Refused);
            refused.push(tokio::spawn(reads(turns.of(repute), 10, counter())));
        }
        reads(turns.of(Repute::default()), 100, counter()).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        for task in refused {
            task.await.unwrap();
        }
        assert!(began.elapsed() >= 19 * PAUSE, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn who_does_not_read_on_keeps_no_turn() {
        let turns = Turns::default();
        // Once when the turn was given, once when it was only asked for.
        for was_taken in [false, true] {
            let taken = was_taken.then(|| turns.places.try_acquire().unwrap());
            let turn = turns.of(Repute::default());
            let mut is_first = true;
            let asks_once = poll_fn(|context| {
                if mem::take(&mut is_first) {
                    assert!(turn.poll(context).is_pending());
                }
                Poll::<()>::Pending
            });
            let mut connection = pin!(turn.around(asks_once));
            assert!(futures_util::poll!(connection.as_mut()).is_pending());
            drop(taken);
            assert_eq!(turns.places.available_permits(), 0, "it is this connection's");
            assert!(futures_util::poll!(connection.as_mut()).is_pending());
            assert_eq!(turns.places.available_permits(), TURNS_AT_ONCE);
        }
    }

    /// A connection whose reputation changes while it waits.
    async fn reads_with_changes(turn: Turn, mut reputations: Vec<Reputation>) {
        let repute = turn.repute.clone();
        let reading = poll_fn(|context| {
            while let Poll::Ready(_most) = turn.poll(context) {}
            let next = reputations.pop();
            repute.set(next.unwrap_or(Reputation::Known));
            if next.is_some() { Poll::Pending } else { Poll::Ready(()) }
        });
        turn.around(reading).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn everybody_gets_a_turn_in_the_end() {
        let turns = Turns::default();
        let mut tasks = Vec::new();
        for number in 0..32_usize {
            let states = [Reputation::Refused, Reputation::Stranger];
            let changes = (0..20).filter_map(|bit| states.get(number >> (bit % 5) & 1)).copied();
            let turn = turns.of(Repute::default());
            tasks.push(tokio::spawn(reads_with_changes(turn, changes.collect())));
        }
        for task in tasks {
            tokio::time::timeout(Duration::from_secs(30), task).await.unwrap().unwrap();
        }
        assert_eq!(turns.places.available_permits(), TURNS_AT_ONCE);
    }
}
