//! AES-256-GCM with random nonces: `nonce (12) ‖ ciphertext ‖ tag (16)`.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand,
};
use bytes::{BufMut, BytesMut};

/// Length of a key, in bytes.
pub(crate) const KEY_BYTES: usize = 32;

/// Length of a tag, in bytes.
pub(crate) const TAG_BYTES: usize = 16;

/// A key as it is, before it is put to use or wrapped.
pub(crate) type Secret = [u8; KEY_BYTES];

/// What went wrong inside of the library, which never says what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;

/// A key in use.
#[derive(Debug)]
pub(crate) struct Aead(LessSafeKey);

impl Aead {
    pub(crate) fn new(secret: &Secret) -> Result<Self, Failed> {
        let key = UnboundKey::new(&AES_256_GCM, secret).map_err(|_| Failed)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Appends the sealed value. Nonces are random: see [`crate::VALUES_MAX`].
    pub(crate) fn seal(
        &self,
        associated: &[u8],
        value: &[u8],
        sealed: &mut BytesMut,
    ) -> Result<(), Failed> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| Failed)?;
        sealed.reserve(NONCE_LEN + value.len() + TAG_BYTES);
        sealed.put_slice(&nonce);
        let start = sealed.len();
        sealed.put_slice(value);
        let text = sealed.get_mut(start..).ok_or(Failed)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(associated), text);
        sealed.put_slice(tag.map_err(|_| Failed)?.as_ref());
        Ok(())
    }

    pub(crate) fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Failed> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Failed)?;
        let (text, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(Failed)?;
        let mut value = vec![0; text.len()];
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let associated = Aad::from(associated);
        self.0
            .open_separate_gather(nonce, associated, text, tag, &mut value)
            .map_err(|_| Failed)?;
        Ok(value)
    }
}

/// A new key.
pub(crate) fn new_secret() -> Result<Secret, Failed> {
    let mut secret = [0; KEY_BYTES];
    rand::fill(&mut secret).map_err(|_| Failed)?;
    Ok(secret)
}

/// Wraps a key with another one.
pub(crate) fn wrap(key: &Aead, associated: &[u8], secret: &Secret) -> Result<Vec<u8>, Failed> {
    let mut wrapped = BytesMut::new();
    key.seal(associated, secret, &mut wrapped)?;
    Ok(wrapped.into())
}

/// Unwraps a key.
pub(crate) fn unwrap(key: &Aead, associated: &[u8], wrapped: &[u8]) -> Result<Secret, Failed> {
    key.open(associated, wrapped)?.try_into().map_err(|_| Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_and_every_other_place_is_found() {
        let key = Aead::new(&[1; 32]).unwrap();
        let mut sealed = BytesMut::new();
        key.seal(b"here", b"value", &mut sealed).unwrap();
        assert_eq!(key.open(b"here", &sealed).unwrap(), b"value");
        assert_eq!(key.open(b"there", &sealed), Err(Failed));
        assert_eq!(Aead::new(&[2; 32]).unwrap().open(b"here", &sealed), Err(Failed));
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open(b"here", &changed), Err(Failed), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(key.open(b"here", &sealed[..length]), Err(Failed));
        }
    }

    #[test]
    fn equal_values_are_never_sealed_equally() {
        let key = Aead::new(&[1; 32]).unwrap();
        let seal = || {
            let mut sealed = BytesMut::new();
            key.seal(b"here", b"value", &mut sealed).unwrap();
            sealed
        };
        assert_ne!(seal(), seal());
    }
}
