//! The queue before a group commit: writers push without waiting, one committer thread takes all
//! that is ready.

use std::{
    collections::VecDeque,
    fmt, mem,
    sync::Arc,
    task::{Wake, Waker},
    time::Duration,
};

use environment::after_ready_tasks;
use parking_lot::{Condvar, Mutex};

/// At most so many entries go into one group commit.
pub const GROUP_ENTRIES_MAX: usize = 1024;

/// A group commit takes no further entry once it has so many bytes (4 MiB).
pub const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Longest that a group waits for tasks that are ready and may add to it.
const GATHERING_MAX: Duration = Duration::from_millis(1);

/// A queue that is bounded in bytes.
///
/// A group waits until the tasks that were ready when its first entry came have had their turn: on
/// an idle machine that is at once, on a busy one many commits share a sync.
pub struct CommitQueue<T> {
    bytes_max: usize,
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
}

struct State<T> {
    entries: VecDeque<(usize, T)>,
    bytes: usize,
    closed: bool,
    committer_waits: bool,
    gathering: Gathering,
}

/// What the next group waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gathering {
    /// Its first entry.
    Empty,
    /// Those who are ready.
    Asked,
    /// Nothing.
    Over,
}

/// Why an entry was not queued; the entry comes back.
#[derive(Debug)]
pub enum PushError<T> {
    /// The queue holds as many bytes as it may.
    Full(T),
    /// The store is closing.
    Closed(T),
}

/// What the committer found.
#[derive(Debug)]
pub enum Drained<T> {
    /// Entries in the order in which they were pushed, at least one.
    Group(Vec<T>),
    /// Nothing came for the time that the committer was ready to wait.
    Nothing,
    /// The queue is closed and empty.
    Closed,
}

impl<T: Send + 'static> CommitQueue<T> {
    /// A queue that takes entries while it holds fewer than `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        let state = State {
            entries: VecDeque::new(),
            bytes: 0,
            closed: false,
            committer_waits: false,
            gathering: Gathering::Empty,
        };
        let shared = Shared { state: Mutex::new(state), ready: Condvar::new() };
        Self { bytes_max, shared: Arc::new(shared) }
    }

    /// Queues an entry of so many bytes. Never waits.
    pub fn push(&self, bytes: usize, entry: T) -> Result<(), PushError<T>> {
        let mut state = self.shared.state.lock();
        if state.closed {
            return Err(PushError::Closed(entry));
        }
        if state.bytes >= self.bytes_max {
            return Err(PushError::Full(entry));
        }
        state.bytes = state.bytes.saturating_add(bytes);
        state.entries.push_back((bytes, entry));
        let first = state.gathering == Gathering::Empty;
        if first {
            state.gathering = Gathering::Asked;
        }
        let wake = first && mem::take(&mut state.committer_waits);
        drop(state);
        if first {
            after_ready_tasks(&Waker::from(Arc::clone(&self.shared)));
        }
        if wake {
            self.shared.ready.notify_one();
        }
        Ok(())
    }

    /// Waits for entries and takes all that one group holds. For a thread of its own.
    pub fn drain(&self, wait_max: Duration) -> Drained<T> {
        let mut state = self.shared.state.lock();
        loop {
            let empty = state.entries.is_empty();
            if state.closed && empty {
                return Drained::Closed;
            }
            if !empty && (state.closed || state.is_gathered()) {
                return Drained::Group(state.take_group());
            }
            state.committer_waits = true;
            let wait = if empty { wait_max } else { GATHERING_MAX };
            let timed_out = self.shared.ready.wait_for(&mut state, wait).timed_out();
            if timed_out && state.entries.is_empty() && !state.closed {
                return Drained::Nothing;
            }
            if timed_out && !empty {
                state.gathering = Gathering::Over;
            }
        }
    }

    /// Waits so long, or until the queue closes. For the committer between two attempts.
    pub fn pause(&self, duration: Duration) {
        let mut state = self.shared.state.lock();
        state.committer_waits = false;
        if !state.closed {
            self.shared.ready.wait_for(&mut state, duration);
        }
    }

    /// Takes no further entry; the committer still gets those that are queued.
    pub fn close(&self) {
        self.shared.state.lock().closed = true;
        self.shared.ready.notify_one();
    }

    /// How many entries and bytes wait.
    pub fn depth(&self) -> (usize, usize) {
        self.shared.depth()
    }
}

impl<T> Shared<T> {
    fn depth(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.entries.len(), state.bytes)
    }
}

/// Wakes the committer when those who were ready have had their turn.
impl<T: Send + 'static> Wake for Shared<T> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.state.lock();
        if state.gathering != Gathering::Asked {
            return;
        }
        state.gathering = Gathering::Over;
        let wake = mem::take(&mut state.committer_waits);
        drop(state);
        if wake {
            self.ready.notify_one();
        }
    }
}

impl<T> State<T> {
    fn is_gathered(&self) -> bool {
        self.gathering == Gathering::Over
            || self.entries.len() >= GROUP_ENTRIES_MAX
            || self.bytes >= GROUP_BYTES_MAX
    }

    fn take_group(&mut self) -> Vec<T> {
        let mut group = Vec::with_capacity(self.entries.len().min(GROUP_ENTRIES_MAX));
        let mut group_bytes = 0;
        while group.len() < GROUP_ENTRIES_MAX && group_bytes < GROUP_BYTES_MAX {
            let Some((bytes, entry)) = self.entries.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(bytes);
            group_bytes += bytes;
            group.push(entry);
        }
        // What a full group leaves behind has waited long enough.
        self.gathering = if self.entries.is_empty() { Gathering::Empty } else { Gathering::Over };
        group
    }
}

impl<T> fmt::Debug for CommitQueue<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entries, bytes) = self.shared.depth();
        formatter
            .debug_struct("CommitQueue")
            .field("entries", &entries)
            .field("bytes", &bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_WAIT: Duration = Duration::ZERO;

    fn drained(queue: &CommitQueue<usize>) -> Vec<usize> {
        match queue.drain(NO_WAIT) {
            Drained::Group(group) => group,
            Drained::Nothing | Drained::Closed => Vec::new(),
        }
    }

    #[test]
    fn a_group_takes_all_that_is_ready_in_order() {
        let queue = CommitQueue::new(1_000_000);
        for entry in 0..GROUP_ENTRIES_MAX + 10 {
            queue.push(1, entry).unwrap();
        }
        assert_eq!(drained(&queue), (0..GROUP_ENTRIES_MAX).collect::<Vec<_>>());
        assert_eq!(drained(&queue).len(), 10);
        assert!(matches!(queue.drain(NO_WAIT), Drained::Nothing));
    }

    #[test]
    fn a_group_stops_at_its_bytes() {
        let queue = CommitQueue::new(usize::MAX);
        for entry in 0..3 {
            queue.push(GROUP_BYTES_MAX / 2 + 1, entry).unwrap();
        }
        assert_eq!(drained(&queue), [0, 1]);
        assert_eq!(drained(&queue), [2]);
    }

    #[test]
    fn a_full_queue_hands_the_entry_back() {
        let queue = CommitQueue::new(100);
        queue.push(100, 1).unwrap();
        assert!(matches!(queue.push(1, 2), Err(PushError::Full(2))));
        assert_eq!(drained(&queue), [1]);
        queue.push(1, 3).unwrap();
    }

    #[test]
    fn a_closed_queue_is_emptied_first() {
        let queue = CommitQueue::new(100);
        queue.push(1, 1).unwrap();
        queue.close();
        assert!(matches!(queue.push(1, 2), Err(PushError::Closed(2))));
        assert_eq!(drained(&queue), [1]);
        assert!(matches!(queue.drain(NO_WAIT), Drained::Closed));
    }

    #[tokio::test]
    async fn a_group_waits_for_the_tasks_that_are_ready() {
        let queue = Arc::new(CommitQueue::new(100));
        queue.push(1, 1).unwrap();
        let other = Arc::clone(&queue);
        let ready = tokio::spawn(async move {
            assert!(!other.shared.state.lock().is_gathered());
            other.push(1, 2).unwrap();
        });
        ready.await.unwrap();
        while !queue.shared.state.lock().is_gathered() {
            tokio::task::yield_now().await;
        }
        assert_eq!(drained(&queue), [1, 2]);
        queue.push(1, 3).unwrap();
        assert!(!queue.shared.state.lock().is_gathered());
        assert_eq!(drained(&queue), [3], "it does not wait for long");
    }
}
