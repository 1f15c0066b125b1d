//! AES-256-GCM over bytes, laid out as the SDKs' samples do: nonce, ciphertext, tag.

use aws_lc_rs::aead::{AES_256_GCM, Aad, MAX_TAG_LEN, NONCE_LEN, Nonce, RandomizedNonceKey};

use crate::CodecError;

/// What sealing adds to the length of the data.
pub(crate) const OVERHEAD: usize = NONCE_LEN + MAX_TAG_LEN;

/// A key that is ready for use. Its expanded form is wiped when it is dropped.
pub(crate) struct SealingKey(RandomizedNonceKey);

/// The data does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenError {
    TooShort,
    Changed,
}

impl SealingKey {
    /// Takes a key of 256 bits.
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, CodecError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, key);
        key.map(Self).map_err(|_| CodecError::Unavailable("the key is not taken".to_owned()))
    }

    /// Seals `plaintext` with a nonce of its own; the associated data is not part of the result.
    pub(crate) fn seal(&self, associated: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CodecError> {
        let mut sealed = Vec::with_capacity(plaintext.len() + OVERHEAD);
        sealed.extend_from_slice(&[0; NONCE_LEN]);
        sealed.extend_from_slice(plaintext);
        let (space, text) = sealed.split_at_mut(NONCE_LEN);
        let done = self.0.seal_in_place_separate_tag(Aad::from(associated), text);
        let (nonce, tag) =
            done.map_err(|_| CodecError::Unavailable("no random numbers".to_owned()))?;
        space.copy_from_slice(nonce.as_ref());
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made with the same associated data.
    pub(crate) fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        if sealed.len() < OVERHEAD {
            return Err(OpenError::TooShort);
        }
        let (nonce, text) = sealed.split_at(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::TooShort)?;
        let mut text = text.to_vec();
        let opened = self.0.open_in_place(nonce, Aad::from(associated), &mut text);
        let length = opened.map_err(|_| OpenError::Changed)?.len();
        text.truncate(length);
        Ok(text)
    }
}
