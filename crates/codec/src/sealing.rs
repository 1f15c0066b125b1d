//! AES-256-GCM over messages, laid out as the SDKs' samples do: nonce, ciphertext, tag.
//!
//! A payload is copied once and costs one allocation: it is encoded into the buffer in which it is
//! then encrypted.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey},
    rand,
};
use parking_lot::Mutex;
use prost::Message;

use crate::CodecError;

/// What sealing adds to the length of the data.
pub(crate) const OVERHEAD: usize = NONCE_LEN + MAX_TAG_LEN;

/// How many nonces are made at once: asking for each alone would take a third of the time that it
/// takes to encrypt a kibibyte.
const NONCES_AT_ONCE: usize = 128;

/// A key that is ready for use. Its expanded form is wiped when it is dropped.
pub(crate) struct SealingKey {
    key: LessSafeKey,
    nonces: Mutex<Nonces>,
}

/// Random nonces, each given away once. A process must not be forked while it encrypts: both halves
/// would go on with the same ones.
struct Nonces {
    random: [u8; NONCES_AT_ONCE * NONCE_LEN],
    used: usize,
}

/// The data does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenError {
    TooShort,
    Changed,
}

impl SealingKey {
    /// Takes a key of 256 bits.
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, CodecError> {
        let key = UnboundKey::new(&AES_256_GCM, key);
        let key = key.map_err(|_| CodecError::Unavailable("the key is not taken".to_owned()))?;
        Ok(Self { key: LessSafeKey::new(key), nonces: Mutex::new(Nonces::none()) })
    }

    /// Seals `plaintext` with a nonce of its own; the associated data is not part of the result.
    pub(crate) fn seal(&self, associated: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CodecError> {
        self.seal_with(&[], associated, plaintext.len(), |into| into.extend_from_slice(plaintext))
    }

    /// Seals an encoded message, with a head before it that stays readable.
    pub(crate) fn seal_message(
        &self,
        head: &[u8],
        associated: &[u8],
        message: &impl Message,
    ) -> Result<Vec<u8>, CodecError> {
        self.seal_with(head, associated, message.encoded_len(), |into| message.encode_raw(into))
    }

    fn seal_with(
        &self,
        head: &[u8],
        associated: &[u8],
        length: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Vec<u8>, CodecError> {
        let nonce = self.nonces.lock().take()?;
        let before = head.len() + NONCE_LEN;
        let mut sealed = Vec::with_capacity(before + length + MAX_TAG_LEN);
        sealed.extend_from_slice(head);
        sealed.extend_from_slice(&nonce);
        write(&mut sealed);
        let (_, text) = sealed.split_at_mut(before);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(associated), text);
        let tag = tag.map_err(|_| CodecError::Unavailable("the text is too long".to_owned()))?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made with the same associated data.
    pub(crate) fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let length = sealed.len().checked_sub(OVERHEAD).ok_or(OpenError::TooShort)?;
        let (nonce, rest) = sealed.split_at(NONCE_LEN);
        let (text, tag) = rest.split_at(length);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::TooShort)?;
        let mut plaintext = vec![0; length];
        let opened =
            self.key.open_separate_gather(nonce, Aad::from(associated), text, tag, &mut plaintext);
        opened.map_err(|_| OpenError::Changed)?;
        Ok(plaintext)
    }
}

impl Nonces {
    const fn none() -> Self {
        Self { random: [0; NONCES_AT_ONCE * NONCE_LEN], used: NONCES_AT_ONCE * NONCE_LEN }
    }

    fn take(&mut self) -> Result<[u8; NONCE_LEN], CodecError> {
        if self.used >= self.random.len() {
            let filled = rand::fill(&mut self.random);
            filled.map_err(|_| CodecError::Unavailable("no random numbers".to_owned()))?;
            self.used = 0;
        }
        let nonce = self.random.get(self.used..).and_then(|rest| rest.first_chunk());
        let nonce = nonce.copied();
        self.used += NONCE_LEN;
        nonce.ok_or_else(|| CodecError::Unavailable("no random numbers".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_nonce_is_given_away_twice() {
        let key = SealingKey::new(&[7; 32]).unwrap();
        let count = NONCES_AT_ONCE * 3 + 1;
        let nonces: BTreeSet<_> =
            (0..count).map(|_| key.seal(b"", b"x").unwrap()[..NONCE_LEN].to_vec()).collect();
        assert_eq!(nonces.len(), count);
        assert!(!nonces.contains(&vec![0; NONCE_LEN]));
    }
}
