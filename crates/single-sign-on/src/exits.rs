//! Where people go to sign out at their provider, too.
//!
//! The provider wants to see the token that it gave, and no script is to see that. So the page is
//! told an address of this server, good once and for a minute, which leads on to the provider.

use std::num::NonZeroUsize;

use environment::Entropy;
use lru::LruCache;
use model::{Span, Time};
use openid_connect::random_text;
use parking_lot::Mutex;

/// Most exits that are open at the same time.
const EXITS_MAX: NonZeroUsize = match NonZeroUsize::new(1000) {
    Some(most) => most,
    None => NonZeroUsize::MIN,
};

/// How long one is open.
const OPEN: Span = Span::from_secs(60);

/// The exits that are open.
pub(crate) struct Exits {
    open: Mutex<LruCache<String, (String, Time)>>,
}

impl Exits {
    pub(crate) fn new() -> Self {
        Self { open: Mutex::new(LruCache::new(EXITS_MAX)) }
    }

    /// Opens a way to this address.
    pub(crate) fn add(&self, address: String, entropy: &dyn Entropy, now: Time) -> String {
        let ticket = random_text(entropy);
        self.open.lock().put(ticket.clone(), (address, now + OPEN));
        ticket
    }

    /// Where a ticket leads; nobody goes there twice.
    pub(crate) fn take(&self, ticket: &str, now: Time) -> Option<String> {
        let (address, until) = self.open.lock().pop(ticket)?;
        (now < until).then_some(address)
    }
}

#[cfg(test)]
mod tests {
    use environment::SeededEntropy;

    use super::*;

    #[test]
    fn an_exit_is_open_once_and_for_a_while() {
        let (exits, entropy) = (Exits::new(), SeededEntropy::new(1));
        let begin = Time::from_nanos(1);
        let [first, second] = [1, 2].map(|_| exits.add("https://a".to_owned(), &entropy, begin));
        assert_eq!(exits.take(&first, begin).as_deref(), Some("https://a"));
        assert_eq!(exits.take(&first, begin), None);
        assert_eq!(exits.take(&second, begin + OPEN), None);
        assert_eq!(exits.take("", begin), None);
    }
}
