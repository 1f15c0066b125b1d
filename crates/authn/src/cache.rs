//! Tokens that were found good a moment ago.
//!
//! A worker shows the same token with every call; checking a signature costs more than most calls.
//! Tokens are kept by their hash, and no longer than they or the keys that they were checked with
//! hold.

use std::num::NonZeroUsize;

use authz::Caller;
use aws_lc_rs::digest::{SHA256, digest};
use lru::LruCache;
use model::Time;
use parking_lot::Mutex;

use crate::token_claims::Holder;

/// Most tokens that are kept.
const TOKENS_MAX: NonZeroUsize = match NonZeroUsize::new(10_000) {
    Some(most) => most,
    None => NonZeroUsize::MIN,
};

type Hash = [u8; 32];

/// See the module.
#[derive(Debug)]
pub(crate) struct TokenCache {
    tokens: Mutex<LruCache<Hash, Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    holder: Holder,
    /// The keys that it was checked with.
    generation: u64,
}

/// The place of a token.
pub(crate) fn hash(token: &str) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

impl TokenCache {
    pub(crate) fn new() -> Self {
        Self { tokens: Mutex::new(LruCache::new(TOKENS_MAX)) }
    }

    /// The holder of a token, if it was checked with these keys and has not expired since.
    pub(crate) fn get(&self, hash: &Hash, generation: u64, now: Time) -> Option<Caller> {
        let mut tokens = self.tokens.lock();
        let known = tokens.get(hash)?;
        let holds = known.holder.until.is_none_or(|until| until > now);
        if holds && known.generation == generation {
            return Some(known.holder.caller.clone());
        }
        tokens.pop(hash);
        None
    }

    pub(crate) fn put(&self, hash: Hash, generation: u64, holder: Holder) {
        self.tokens.lock().put(hash, Known { holder, generation });
    }
}

#[cfg(test)]
mod tests {
    use authz::Principal;

    use super::*;

    #[test]
    fn a_token_is_known_until_it_expires_or_the_keys_change() {
        let cache = TokenCache::new();
        let caller = Caller::from(Principal::named("jwt", "alice"));
        let until = Some(Time::from_nanos(10));
        let key = hash("token");
        cache.put(key, 1, Holder { caller: caller.clone(), until });
        assert_eq!(cache.get(&key, 1, Time::from_nanos(9)), Some(caller.clone()));
        assert_eq!(cache.get(&hash("other"), 1, Time::from_nanos(9)), None);
        assert_eq!(cache.get(&key, 1, Time::from_nanos(10)), None);
        cache.put(key, 1, Holder { caller, until });
        assert_eq!(cache.get(&key, 2, Time::from_nanos(9)), None);
    }
}
