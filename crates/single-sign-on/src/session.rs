//! One session: its id, and what is stored of it.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use environment::Entropy;
use prost::Message;

use crate::sealing::{KEY_BYTES, Secret, derived, open, seal};

/// Where sessions are in the store.
pub(crate) const PREFIX: &[u8] = b"single-sign-on/session/";

/// What the browser holds: 256 random bits. Everything else follows from them.
#[derive(Clone)]
pub(crate) struct SessionId(Secret);

impl SessionId {
    pub(crate) fn new(entropy: &dyn Entropy) -> Self {
        let mut id = [0; KEY_BYTES];
        entropy.fill(&mut id);
        Self(id)
    }

    /// Reads the text of a cookie.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let id = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(id.try_into().ok()?))
    }

    /// As a cookie has it.
    pub(crate) fn text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Where the session is in the store; it does not lead back to the id.
    pub(crate) fn key(&self) -> Bytes {
        let place = BASE64_URL_SAFE_NO_PAD.encode(derived(&self.0, &[b"place"]));
        [PREFIX, place.as_bytes()].concat().into()
    }

    /// What a page shows so that nobody else can ask in its name.
    pub(crate) fn csrf_token(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(derived(&self.0, &[b"csrf"]))
    }

    /// Seals what only the holder of the id may read.
    pub(crate) fn seal(
        &self,
        record: &Record,
        contents: &Contents,
        entropy: &dyn Entropy,
    ) -> Option<Bytes> {
        let key = derived(&self.0, &[b"seal"]);
        seal(&key, entropy, &self.bound_to(record), contents.encode_to_vec()).map(Bytes::from)
    }

    /// What was sealed.
    pub(crate) fn open(&self, record: &Record) -> Option<Contents> {
        let key = derived(&self.0, &[b"seal"]);
        let plain = open(&key, &self.bound_to(record), &record.sealed)?;
        Contents::decode(plain.as_slice()).ok()
    }

    /// What of the record nobody can change unseen: a session cannot be made younger.
    fn bound_to(&self, record: &Record) -> Vec<u8> {
        [self.key().as_ref(), &record.created.to_be_bytes(), &record.person].concat()
    }
}

/// A session as it is stored. Tags are part of the stored format.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Record {
    /// When it began, in nanoseconds since 1970.
    #[prost(int64, tag = "1")]
    pub(crate) created: i64,
    /// When it was used last, or a little before.
    #[prost(int64, tag = "2")]
    pub(crate) used: i64,
    /// Whose it is, as a mark.
    #[prost(bytes = "bytes", tag = "3")]
    pub(crate) person: Bytes,
    /// The provider's own session that it came from, as a mark; empty when that is not known.
    #[prost(bytes = "bytes", tag = "4")]
    pub(crate) at_provider: Bytes,
    /// [`Contents`].
    #[prost(bytes = "bytes", tag = "5")]
    pub(crate) sealed: Bytes,
    /// [`Listed`](crate::listed::Listed), sealed; empty in records of releases that had none.
    #[prost(bytes = "bytes", tag = "6")]
    pub(crate) listed: Bytes,
}

/// What only the holder of the id can read. Tags are part of the stored format.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Contents {
    #[prost(string, tag = "1")]
    pub(crate) provider: String,
    #[prost(string, tag = "2")]
    pub(crate) access_token: String,
    #[prost(string, tag = "3")]
    pub(crate) id_token: String,
    /// Empty when the provider gave none.
    #[prost(string, tag = "4")]
    pub(crate) refresh_token: String,
    /// When new tokens are asked for; 0: never.
    #[prost(int64, tag = "5")]
    pub(crate) renew_at: i64,
    /// When the token that is shown ends; 0 when nobody said.
    #[prost(int64, tag = "6")]
    pub(crate) ends: i64,
    #[prost(string, tag = "7")]
    pub(crate) subject: String,
    #[prost(string, tag = "8")]
    pub(crate) name: String,
    #[prost(string, tag = "9")]
    pub(crate) email: String,
}

impl fmt::Debug for Contents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Contents").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use environment::SeededEntropy;

    use super::*;

    #[test]
    fn only_the_id_opens_a_session_and_it_cannot_be_made_younger() {
        let entropy = SeededEntropy::new(1);
        let id = SessionId::new(&entropy);
        let mut record = Record { created: 5, ..Record::default() };
        let contents = Contents { access_token: "canary".to_owned(), ..Contents::default() };
        record.sealed = id.seal(&record, &contents, &entropy).unwrap();
        assert_eq!(id.open(&record).unwrap().access_token, "canary");
        let stored = record.encode_to_vec();
        assert!(!stored.windows(6).any(|part| part == b"canary"));
        assert!(SessionId::new(&entropy).open(&record).is_none());
        let younger = Record { created: 6, ..record.clone() };
        assert!(id.open(&younger).is_none());
        let of_another = Record { person: Bytes::from_static(b"x"), ..record };
        assert!(id.open(&of_another).is_none());
        assert!(!format!("{contents:?}").contains("canary"));
    }

    #[test]
    fn an_id_survives_its_cookie_and_what_follows_from_it_differs() {
        let id = SessionId::new(&SeededEntropy::new(1));
        let same = SessionId::from_text(&id.text()).unwrap();
        assert_eq!((same.key(), same.csrf_token()), (id.key(), id.csrf_token()));
        assert_eq!(id.text().len(), 43);
        assert!(!id.csrf_token().contains(&id.text()));
        assert!(!String::from_utf8_lossy(&id.key()).contains(&id.csrf_token()));
        for odd in ["", "a", "=", &"a".repeat(44), &"ä".repeat(43)] {
            assert!(SessionId::from_text(odd).is_none(), "{odd}");
        }
    }
}
