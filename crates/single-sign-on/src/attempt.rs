//! A sign-in that is under way: what the browser brings back is compared with it.
//!
//! The browser itself remembers it, in a cookie that only this server can read or make. So nothing
//! is kept for people who never come back; of those who do it is remembered that they did.

use std::num::NonZeroUsize;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use environment::Entropy;
use lru::LruCache;
use model::{Span, Time};
use openid_connect::random_text;
use parking_lot::Mutex;
use prost::Message;

use crate::{
    SignInError,
    sealing::{Secret, open, seal},
};

/// How long people may take at the provider.
const PATIENCE: Span = Span::from_secs(600);

/// How long browsers keep the cookie: longer, so that those who are late can be told so.
pub(crate) const COOKIE_AGE: Span = Span::from_secs(3600);

/// Most sign-ins that are remembered once they are over.
const OVER_MAX: NonZeroUsize = match NonZeroUsize::new(100_000) {
    Some(most) => most,
    None => NonZeroUsize::MIN,
};

/// What the sealed bytes are bound to.
const ASSOCIATED: &[u8] = b"longtide sign-in";

/// What a browser remembers.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Attempt {
    #[prost(string, tag = "1")]
    pub(crate) provider: String,
    #[prost(string, tag = "2")]
    pub(crate) state: String,
    #[prost(string, tag = "3")]
    pub(crate) nonce: String,
    #[prost(string, tag = "4")]
    pub(crate) verifier: String,
    #[prost(string, tag = "5")]
    pub(crate) return_url: String,
    #[prost(int64, tag = "6")]
    pub(crate) began: i64,
}

impl Attempt {
    pub(crate) fn new(provider: &str, return_url: &str, entropy: &dyn Entropy, now: Time) -> Self {
        Self {
            provider: provider.to_owned(),
            state: random_text(entropy),
            nonce: random_text(entropy),
            verifier: random_text(entropy),
            return_url: return_url.to_owned(),
            began: now.nanos(),
        }
    }

    /// The text of its cookie.
    pub(crate) fn sealed(&self, key: &Secret, entropy: &dyn Entropy) -> Option<String> {
        let sealed = seal(key, entropy, ASSOCIATED, self.encode_to_vec())?;
        Some(BASE64_URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Reads the text of a cookie.
    pub(crate) fn from_cookie(key: &Secret, text: &str) -> Option<Self> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        Self::decode(open(key, ASSOCIATED, &sealed)?.as_slice()).ok()
    }

    /// Checks that a state is that of this sign-in, and that it is not too late.
    pub(crate) fn check(&self, state: &str, now: Time) -> Result<(), SignInError> {
        verify_slices_are_equal(self.state.as_bytes(), state.as_bytes())
            .map_err(|_| SignInError::State)?;
        let end = Time::from_nanos(self.began) + PATIENCE;
        if now < end { Ok(()) } else { Err(SignInError::Expired) }
    }
}

/// The sign-ins that are over: nobody comes back twice from the same one.
pub(crate) struct Over(Mutex<LruCache<String, ()>>);

impl Over {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(LruCache::new(OVER_MAX)))
    }

    /// Notes that one is over; an error says that it was already.
    pub(crate) fn note(&self, state: &str) -> Result<(), SignInError> {
        let former = self.0.lock().put(state.to_owned(), ());
        former.map_or(Ok(()), |()| Err(SignInError::State))
    }
}

#[cfg(test)]
mod tests {
    use environment::SeededEntropy;

    use super::*;

    #[test]
    fn only_what_this_server_sealed_is_a_sign_in() {
        let entropy = SeededEntropy::new(1);
        let begin = Time::from_nanos(1);
        let attempt = Attempt::new("sso", "/a", &entropy, begin);
        let cookie = attempt.sealed(&[1; 32], &entropy).unwrap();
        assert_eq!(Attempt::from_cookie(&[1; 32], &cookie).unwrap().return_url, "/a");
        assert!(Attempt::from_cookie(&[2; 32], &cookie).is_none());
        assert!(Attempt::from_cookie(&[1; 32], "").is_none());
        assert!(!cookie.contains(&attempt.verifier));
        assert_eq!(attempt.check(&attempt.state, begin), Ok(()));
        assert_eq!(attempt.check("", begin), Err(SignInError::State));
        let other = Attempt::new("sso", "/a", &entropy, begin).state;
        assert_eq!(attempt.check(&other, begin), Err(SignInError::State));
        assert_eq!(attempt.check(&attempt.state, begin + PATIENCE), Err(SignInError::Expired));
    }

    #[test]
    fn nobody_comes_back_twice() {
        let over = Over::new();
        assert_eq!(over.note("a"), Ok(()));
        assert_eq!(over.note("b"), Ok(()));
        assert_eq!(over.note("a"), Err(SignInError::State));
    }
}
