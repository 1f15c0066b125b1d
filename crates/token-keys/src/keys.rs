//! Tokens made and checked.

use std::fmt;

use arc_swap::ArcSwap;
use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    hmac::{Context, HMAC_SHA256, Key},
};
use bytes::{BufMut, Bytes, BytesMut};
use model::NamespaceId;

/// Length of a key, in bytes.
pub const SECRET_BYTES: usize = 32;

/// Length of the code in front of a token, in bytes: HMAC-SHA-256, cut.
pub const CODE_BYTES: usize = 16;

/// What a token is for: one of another purpose is not taken. Part of the code: never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// Names the task that a worker holds. The token itself holds its namespace.
    Task = 1,
    /// Where the read of a history goes on.
    HistoryPage = 2,
    /// Where a list goes on.
    ListPage = 3,
    /// What a client has seen of what it waits for.
    LongPoll = 4,
    /// Who waits for a Nexus operation. The token itself holds its namespace and run.
    Callback = 5,
}

/// The keys in force: the newest first. It makes tokens; all of them open tokens.
pub struct TokenKeys {
    keys: ArcSwap<Vec<Key>>,
}

impl TokenKeys {
    /// The keys with these secrets, the newest first. Without any, no token opens.
    pub fn of(secrets: &[[u8; SECRET_BYTES]]) -> Self {
        Self { keys: ArcSwap::from_pointee(keys(secrets)) }
    }

    pub(crate) fn replace(&self, secrets: &[[u8; SECRET_BYTES]]) {
        self.keys.store(keys(secrets).into());
    }

    /// Makes a token: the code, then the body. The same body gives the same token.
    pub fn seal(&self, purpose: Purpose, namespace_id: NamespaceId, body: &[u8]) -> Bytes {
        let mut token = BytesMut::with_capacity(CODE_BYTES + body.len());
        if let Some(newest) = self.keys.load().first() {
            token.put_slice(&code(newest, purpose, namespace_id, body));
        }
        token.put_slice(body);
        token.freeze()
    }

    /// The body of a token that was made here for this purpose and namespace.
    pub fn open<'a>(
        &self,
        purpose: Purpose,
        namespace_id: NamespaceId,
        token: &'a [u8],
    ) -> Option<&'a [u8]> {
        let (given, body) = token.split_at_checked(CODE_BYTES)?;
        let keys = self.keys.load();
        let fits = |key| {
            let made = code(key, purpose, namespace_id, body);
            verify_slices_are_equal(&made, given).is_ok()
        };
        keys.iter().any(fits).then_some(body)
    }
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.load().len();
        formatter.debug_struct("TokenKeys").field("keys", &keys).finish_non_exhaustive()
    }
}

fn keys(secrets: &[[u8; SECRET_BYTES]]) -> Vec<Key> {
    secrets.iter().map(|secret| Key::new(HMAC_SHA256, secret)).collect()
}

fn code(key: &Key, purpose: Purpose, namespace_id: NamespaceId, body: &[u8]) -> [u8; CODE_BYTES] {
    let mut context = Context::with_key(key);
    context.update(&[purpose as u8]);
    context.update(namespace_id.as_bytes());
    context.update(body);
    let whole = context.sign();
    let mut code = [0; CODE_BYTES];
    code.iter_mut().zip(whole.as_ref()).for_each(|(byte, made)| *byte = *made);
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespace(number: u8) -> NamespaceId {
        NamespaceId::from_bytes([number; 16])
    }

    #[test]
    fn a_token_opens_for_its_purpose_and_namespace_only() {
        let keys = TokenKeys::of(&[[1; 32]]);
        let token = keys.seal(Purpose::ListPage, namespace(1), b"body");
        assert_eq!(keys.open(Purpose::ListPage, namespace(1), &token), Some(&b"body"[..]));
        assert_eq!(keys.open(Purpose::HistoryPage, namespace(1), &token), None);
        assert_eq!(keys.open(Purpose::ListPage, namespace(2), &token), None);
        assert_eq!(keys.open(Purpose::ListPage, namespace(1), b"body"), None);
        assert_eq!(keys.open(Purpose::ListPage, namespace(1), b""), None);
        assert_eq!(TokenKeys::of(&[]).open(Purpose::ListPage, namespace(1), &token), None);
        assert_eq!(TokenKeys::of(&[[2; 32]]).open(Purpose::ListPage, namespace(1), &token), None);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let keys = TokenKeys::of(&[[1; 32]]);
        let token = keys.seal(Purpose::Task, namespace(1), b"order-1");
        for bit in 0..token.len() * 8 {
            let mut forged = token.to_vec();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(keys.open(Purpose::Task, namespace(1), &forged), None, "bit {bit}");
        }
        for length in 0..token.len() {
            assert_eq!(keys.open(Purpose::Task, namespace(1), &token[..length]), None);
        }
    }

    #[test]
    fn tokens_of_the_former_key_still_open() {
        let former = TokenKeys::of(&[[1; 32]]).seal(Purpose::Task, namespace(1), b"body");
        let keys = TokenKeys::of(&[[2; 32], [1; 32]]);
        assert!(keys.open(Purpose::Task, namespace(1), &former).is_some());
        assert_ne!(keys.seal(Purpose::Task, namespace(1), b"body"), former);
        assert!(!format!("{keys:?}").contains('1'));
    }
}
