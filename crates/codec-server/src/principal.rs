//! Who asks, and how often.

use std::{num::NonZeroUsize, sync::Arc};

use audit::Who;
use listener::{Rate, RateLimit};
use lru::LruCache;
use parking_lot::Mutex;

/// Most principals whose rates are in memory; who asked longest ago is forgotten first.
const PRINCIPALS_MAX: usize = 10_000;

/// How much each principal has asked lately.
#[derive(Debug)]
pub(crate) struct Rates {
    limit: Option<RateLimit>,
    known: Mutex<LruCache<Who, Arc<Rate>>>,
}

impl Rates {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        let most = NonZeroUsize::new(PRINCIPALS_MAX).unwrap_or(NonZeroUsize::MIN);
        Self { limit, known: Mutex::new(LruCache::new(most)) }
    }

    /// Counts a request; false when there were too many.
    pub(crate) fn take(&self, who: &Who) -> bool {
        let Some(limit) = self.limit else { return true };
        let mut known = self.known.lock();
        let rate = known.get_or_insert_ref(who, || Arc::new(Rate::new(limit)));
        let rate = Arc::clone(rate);
        drop(known);
        rate.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(name: &str) -> Who {
        Who { kind: "jwt".to_owned(), name: name.to_owned() }
    }

    #[tokio::test(start_paused = true)]
    async fn each_principal_has_a_rate_of_its_own() {
        let rates = Rates::new(Some(RateLimit { per_second: 1, burst: 2 }));
        let three = |name| [0; 3].map(|_| rates.take(&who(name)));
        assert_eq!(three("a"), [true, true, false]);
        assert_eq!(three("b"), [true, true, false]);
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        assert_eq!(three("a"), [true, false, false]);
        assert!(Rates::new(None).take(&who("a")));
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_of_principals_is_bounded() {
        let rates = Rates::new(Some(RateLimit { per_second: 1, burst: 1 }));
        for number in 0..PRINCIPALS_MAX + 10 {
            assert!(rates.take(&who(&number.to_string())));
        }
        assert_eq!(rates.known.lock().len(), PRINCIPALS_MAX);
    }
}
