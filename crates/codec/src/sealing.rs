//! AES-256-GCM over messages, laid out as the SDKs' samples do: nonce, ciphertext, tag.
//!
//! Nothing is copied: what stands before the data is written into the buffer and encrypted there, the
//! data from where it lies. Small payloads share a buffer with their neighbours. All are decrypted where
//! they lie, when that is nobody else's.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};
use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::{
    CodecError, Metadata, Payload,
    buffers::{Buffer, OPENED_BYTES_MIN},
    nonces::{Nonces, Taken},
};

/// What sealing adds to the length of the data.
pub(crate) const OVERHEAD: usize = NONCE_LEN + MAX_TAG_LEN;

/// Payloads of a batch share buffers up to this size: one allocation for many small ones, and one of
/// them that is kept does not keep much else.
const SHARED_BYTES_MAX: usize = 64 * 1024;

/// A key that is ready for use. Its expanded form is wiped when it is dropped.
pub(crate) struct SealingKey {
    key: LessSafeKey,
    nonces: Nonces,
}

/// What sealed payloads have in common.
#[derive(Clone, Copy)]
pub(crate) struct Form<'f> {
    /// What stands before each, readable.
    pub(crate) head: &'f [u8],
    pub(crate) associated: &'f [u8],
    /// What each says about itself.
    pub(crate) metadata: &'f Metadata,
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
        let nonce = self.nonces.take(1).next()?;
        let mut sealed = nonce.to_vec();
        sealed.extend_from_slice(plaintext);
        let text = sealed.get_mut(NONCE_LEN..).unwrap_or_default();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(associated), text);
        sealed.extend_from_slice(tag.map_err(|_| too_long())?.as_ref());
        Ok(sealed)
    }

    /// Puts the sealed forms of payloads in their places.
    pub(crate) fn seal_all(
        &self,
        form: Form<'_>,
        mut payloads: &mut [Payload],
    ) -> Result<(), CodecError> {
        let mut nonces = self.nonces.take(payloads.len());
        while !payloads.is_empty() {
            let (count, bytes) = form.shared(payloads);
            let (some, others) = payloads.split_at_mut(count);
            self.seal_some(form, some, bytes, &mut nonces)?;
            payloads = others;
        }
        Ok(())
    }

    /// The same in one buffer of this size. The data is not copied: it is encrypted from where it lies.
    fn seal_some(
        &self,
        form: Form<'_>,
        payloads: &mut [Payload],
        bytes: usize,
        nonces: &mut Taken<'_>,
    ) -> Result<(), CodecError> {
        let mut buffer = Buffer::take(bytes);
        let mut free = buffer.as_mut();
        for payload in &*payloads {
            let (mut place, others) = free.split_at_mut(form.sealed_len(payload));
            free = others;
            let nonce = nonces.next()?;
            place.put_slice(form.head);
            place.put_slice(&nonce);
            let (head, rest) = place.split_at_mut(payload.head_len());
            payload.put_head(&mut &mut *head);
            let nonce = Nonce::assume_unique_for_key(nonce);
            let associated = Aad::from(form.associated);
            let done = self.key.seal_in_place_scatter(nonce, associated, head, &payload.data, rest);
            done.map_err(|_| too_long())?;
        }
        let mut sealed = buffer.freeze();
        for payload in payloads {
            let length = form.sealed_len(payload);
            form.put(sealed.split_to(length), payload);
        }
        Ok(())
    }

    /// Opens what [`Self::seal`] made with the same associated data.
    pub(crate) fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let length = sealed.len().checked_sub(OVERHEAD).ok_or(OpenError::TooShort)?;
        let mut plaintext = vec![0; length];
        self.open_into(associated, sealed, &mut plaintext)?;
        Ok(plaintext)
    }

    fn open_into(
        &self,
        associated: &[u8],
        sealed: &[u8],
        plaintext: &mut [u8],
    ) -> Result<(), OpenError> {
        let (nonce, rest) = sealed.split_first_chunk().ok_or(OpenError::TooShort)?;
        let (text, tag) = rest.split_at_checked(plaintext.len()).ok_or(OpenError::TooShort)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let associated = Aad::from(associated);
        let opened = self.key.open_separate_gather(nonce, associated, text, tag, plaintext);
        opened.map_err(|_| OpenError::Changed)
    }

    /// Opens the data of a sealed payload with a head of this length.
    pub(crate) fn open_message(
        &self,
        head_len: usize,
        associated: &[u8],
        sealed: Bytes,
        room: &mut Room,
    ) -> Result<Bytes, OpenError> {
        let sealed = match sealed.try_into_mut() {
            Ok(sealed) => return self.open_in_place(head_len, associated, sealed),
            Err(shared) => shared,
        };
        let sealed = sealed.get(head_len..).ok_or(OpenError::TooShort)?;
        let length = sealed.len().checked_sub(OVERHEAD).ok_or(OpenError::TooShort)?;
        if length >= OPENED_BYTES_MIN {
            let mut plaintext = Buffer::take(length);
            self.open_into(associated, sealed, plaintext.as_mut())?;
            return Ok(plaintext.freeze());
        }
        let mut plaintext = room.take(length);
        self.open_into(associated, sealed, &mut plaintext)?;
        Ok(plaintext.freeze())
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

fn too_long() -> CodecError {
    CodecError::Unavailable("the text is too long".to_owned())
}

impl Form<'_> {
    /// Makes a payload one of this form.
    fn put(self, sealed: Bytes, payload: &mut Payload) {
        payload.data = sealed;
        payload.metadata.clone_from(self.metadata);
        payload.external_payloads.clear();
    }

    fn sealed_len(self, payload: &Payload) -> usize {
        self.head.len() + OVERHEAD + payload.encoded_len()
    }

    /// How many of the payloads share a buffer, and its size.
    fn shared(self, payloads: &[Payload]) -> (usize, usize) {
        let (mut count, mut bytes) = (0, 0);
        for payload in payloads {
            let more = bytes + self.sealed_len(payload);
            if count > 0 && more > SHARED_BYTES_MAX {
                break;
            }
            (count, bytes) = (count + 1, more);
        }
        (count, bytes)
    }
}

/// Where payloads of a batch are decrypted that cannot be where they lie.
pub(crate) struct Room {
    free: BytesMut,
    /// How much more may be needed.
    needed: usize,
}

impl Room {
    /// For sealed payloads.
    pub(crate) fn for_opening(payloads: &[Payload]) -> Self {
        let needed = payloads.iter().map(|payload| payload.data.len()).sum();
        Self { free: BytesMut::new(), needed }
    }

    fn take(&mut self, length: usize) -> BytesMut {
        if self.free.len() < length {
            self.free = BytesMut::zeroed(self.needed.min(SHARED_BYTES_MAX).max(length));
        }
        self.needed = self.needed.saturating_sub(length);
        self.free.split_to(length)
    }
}
