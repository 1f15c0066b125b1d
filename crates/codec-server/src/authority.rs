//! API keys, which a server knows: it is asked what their holders may do.

use std::{fmt, num::NonZeroUsize, sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use futures_util::future::BoxFuture;
use http::HeaderValue;
use lru::LruCache;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{request::Action, rights::Denied};

/// How long an answer of the server holds: so long a key that was revoked may still be used.
const HOLDS: Duration = Duration::from_secs(5);

/// Most answers in memory; those that were needed longest ago are forgotten first.
const ANSWERS_MAX: usize = 10_000;

/// What the server says of somebody's credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its holder has the right.
    Allowed,
    /// It is good, and its holder has not.
    NoRight,
    /// It is not taken.
    NotTaken,
}

/// A server that knows credentials.
pub trait Authority: Send + Sync {
    /// Whether the holder of what is in the header `authorization` may read payloads of a namespace,
    /// or (`writes`) make them.
    ///
    /// # Errors
    /// When the server cannot say; the text is for the log.
    fn asked<'a>(
        &'a self,
        authorization: &'a HeaderValue,
        namespace: &'a str,
        writes: bool,
    ) -> BoxFuture<'a, Result<Verdict, String>>;
}

/// What is known of an answer: a digest of the credential stands for it.
type Question = ([u8; 32], String, bool);

/// A server and what it said lately.
pub(crate) struct Remembered {
    authority: Arc<dyn Authority>,
    answers: Mutex<LruCache<Question, (Verdict, Instant)>>,
}

impl fmt::Debug for Remembered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Remembered").finish_non_exhaustive()
    }
}

impl Remembered {
    pub(crate) fn new(authority: Arc<dyn Authority>) -> Self {
        let most = NonZeroUsize::new(ANSWERS_MAX).unwrap_or(NonZeroUsize::MIN);
        Self { authority, answers: Mutex::new(LruCache::new(most)) }
    }

    pub(crate) async fn check(
        &self,
        authorization: &HeaderValue,
        namespace: &str,
        action: Action,
    ) -> Result<(), Denied> {
        let mut name = [0; 32];
        name.copy_from_slice(digest(&SHA256, authorization.as_bytes()).as_ref());
        let question = (name, namespace.to_owned(), action == Action::Encode);
        let known = self.answers.lock().get(&question).copied();
        let verdict = match known {
            Some((verdict, at)) if at.elapsed() < HOLDS => verdict,
            _ => {
                let asked = self.authority.asked(authorization, namespace, question.2).await;
                let verdict = asked.map_err(|error| {
                    tracing::warn!(error, "the server that knows API keys cannot be asked");
                    Denied::NobodyKnows
                })?;
                self.answers.lock().put(question, (verdict, Instant::now()));
                verdict
            }
        };
        match verdict {
            Verdict::Allowed => Ok(()),
            Verdict::NoRight => Err(Denied::NoRight),
            Verdict::NotTaken => Err(Denied::NotTaken),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl Authority for Counting {
        fn asked<'a>(
            &'a self,
            authorization: &'a HeaderValue,
            namespace: &'a str,
            writes: bool,
        ) -> BoxFuture<'a, Result<Verdict, String>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let verdict = match (authorization.as_bytes(), namespace) {
                (b"down", _) => Err("down".to_owned()),
                (b"good", "orders") if !writes => Ok(Verdict::Allowed),
                (b"good", _) => Ok(Verdict::NoRight),
                _ => Ok(Verdict::NotTaken),
            };
            Box::pin(std::future::ready(verdict))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_holds_for_its_question_and_for_seconds() {
        let authority = Arc::new(Counting::default());
        let remembered = Remembered::new(Arc::clone(&authority) as Arc<dyn Authority>);
        let ask = async |text: &'static str, namespace, action| {
            remembered.check(&HeaderValue::from_static(text), namespace, action).await
        };
        for _ in 0..2 {
            assert_eq!(ask("good", "orders", Action::Decode).await, Ok(()));
            assert_eq!(ask("good", "orders", Action::Encode).await, Err(Denied::NoRight));
            assert_eq!(ask("good", "other", Action::Decode).await, Err(Denied::NoRight));
            assert_eq!(ask("bad", "orders", Action::Decode).await, Err(Denied::NotTaken));
        }
        assert_eq!(authority.0.load(Ordering::Relaxed), 4);
        tokio::time::advance(HOLDS).await;
        assert_eq!(ask("good", "orders", Action::Decode).await, Ok(()));
        assert_eq!(authority.0.load(Ordering::Relaxed), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_away_allows_nothing_and_is_asked_again() {
        let authority = Arc::new(Counting::default());
        let remembered = Remembered::new(Arc::clone(&authority) as Arc<dyn Authority>);
        for _ in 0..2 {
            let down = HeaderValue::from_static("down");
            let denied = remembered.check(&down, "orders", Action::Decode).await;
            assert_eq!(denied, Err(Denied::NobodyKnows));
        }
        assert_eq!(authority.0.load(Ordering::Relaxed), 2);
    }
}
