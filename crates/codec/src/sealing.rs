//! AES-256-GCM over messages, laid out as the SDKs' samples do: nonce, ciphertext, tag.
//!
//! A payload is copied once and costs one allocation: it is encoded into the buffer in which it is
//! then encrypted, and decrypted where it lies.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};
use bytes::{Buf, Bytes, BytesMut};

use crate::{
    CodecError, Metadata, Payload,
    nonces::{Nonces, Taken},
};

/// What sealing adds to the length of the data.
pub(crate) const OVERHEAD: usize = NONCE_LEN + MAX_TAG_LEN;

/// A key that is ready for use. Its expanded form is wiped when it is dropped.
pub(crate) struct SealingKey {
    key: LessSafeKey,
    nonces: Nonces,
}

/// Seals the payloads of one batch.
pub(crate) struct Sealer<'k> {
    key: &'k LessSafeKey,
    nonces: Taken<'k>,
    /// What stands before each, readable.
    head: &'k [u8],
    associated: &'k [u8],
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
        Ok(Self { key: LessSafeKey::new(key), nonces: Nonces::new() })
    }

    /// Seals `plaintext` with a nonce of its own; the associated data is not part of the result.
    pub(crate) fn seal(&self, associated: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CodecError> {
        let mut sealer = self.sealer(1, &[], associated);
        sealer.seal_with(plaintext.len(), |into| into.extend_from_slice(plaintext))
    }

    /// Seals so many payloads.
    pub(crate) fn sealer<'k>(
        &'k self,
        count: usize,
        head: &'k [u8],
        associated: &'k [u8],
    ) -> Sealer<'k> {
        Sealer { key: &self.key, nonces: self.nonces.take(count), head, associated }
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

    /// Opens what a sealer made with the same associated data and a head of this length: where it
    /// lies, when it is nobody else's.
    pub(crate) fn open_message(
        &self,
        head_len: usize,
        associated: &[u8],
        sealed: Bytes,
    ) -> Result<Bytes, OpenError> {
        let sealed = match sealed.try_into_mut() {
            Ok(sealed) => return self.open_in_place(head_len, associated, sealed),
            Err(shared) => shared,
        };
        let sealed = sealed.get(head_len..).ok_or(OpenError::TooShort)?;
        self.open(associated, sealed).map(Bytes::from)
    }

    fn open_in_place(
        &self,
        head_len: usize,
        associated: &[u8],
        mut sealed: BytesMut,
    ) -> Result<Bytes, OpenError> {
        let before = head_len + NONCE_LEN;
        let end = sealed.len().checked_sub(MAX_TAG_LEN).filter(|end| *end >= before);
        let end = end.ok_or(OpenError::TooShort)?;
        let (text, tag) = sealed.split_at_mut(end);
        let (head, text) = text.split_at_mut(before);
        let nonce = head.last_chunk().copied().ok_or(OpenError::TooShort)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.key.open_in_place_separate_tag(nonce, Aad::from(associated), tag, text);
        opened.map_err(|_| OpenError::Changed)?;
        sealed.truncate(end);
        let mut opened = sealed.freeze();
        opened.advance(before);
        Ok(opened)
    }
}

impl Sealer<'_> {
    /// Puts a payload's sealed form in its place, which has this metadata.
    pub(crate) fn seal(
        &mut self,
        payload: &mut Payload,
        metadata: &Metadata,
    ) -> Result<(), CodecError> {
        let sealed = self.seal_with(payload.encoded_len(), |into| {
            payload.put_head(into);
            into.extend_from_slice(&payload.data);
        })?;
        payload.metadata.clone_from(metadata);
        payload.data = sealed.into();
        payload.external_payloads.clear();
        Ok(())
    }

    fn seal_with(
        &mut self,
        length: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Vec<u8>, CodecError> {
        let nonce = self.nonces.next()?;
        let before = self.head.len() + NONCE_LEN;
        let mut sealed = Vec::with_capacity(before + length + MAX_TAG_LEN);
        sealed.extend_from_slice(self.head);
        sealed.extend_from_slice(&nonce);
        write(&mut sealed);
        let (_, text) = sealed.split_at_mut(before);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(self.associated), text);
        let tag = tag.map_err(|_| CodecError::Unavailable("the text is too long".to_owned()))?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }
}
