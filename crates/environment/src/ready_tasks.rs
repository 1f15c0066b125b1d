//! When everybody who is ready has had a turn.

use std::{
    pin::pin,
    task::{Context, Waker},
};

/// Wakes once the runtime has run the tasks that are ready now, or a good number of them (61, of
/// tokio's worker threads): what they leave behind can be done for all of them at once. Outside of a
/// runtime it wakes at once. When the runtime ends first, it may never wake.
pub fn after_ready_tasks(waker: &Waker) {
    // The runtime keeps the wakers of those who yield until it has nothing else to do. Nobody has to
    // wait for it.
    let yielding = pin!(tokio::task::yield_now());
    let _pending = yielding.poll(&mut Context::from_waker(waker));
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        task::Wake,
    };

    use super::*;

    #[derive(Debug, Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn tasks_that_are_ready_come_first() {
        let woken = Arc::new(Woken::default());
        after_ready_tasks(&Waker::from(Arc::clone(&woken)));
        let seen = Arc::clone(&woken);
        let ready = tokio::spawn(async move { seen.0.load(Ordering::Relaxed) });
        assert!(!ready.await.unwrap());
        while !woken.0.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn without_a_runtime_nobody_is_ready() {
        let woken = Arc::new(Woken::default());
        after_ready_tasks(&Waker::from(Arc::clone(&woken)));
        assert!(woken.0.load(Ordering::Relaxed));
    }
}
