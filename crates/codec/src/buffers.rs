//! Buffers of large payloads, and of many small ones, used again and again.
//!
//! A new buffer of a mebibyte costs half as much as its encryption: the system clears its pages, and
//! safe code fills it before it is encrypted into. One that was used before is there, and is filled.

use bytes::Bytes;
use parking_lot::Mutex;

/// Payloads of this size and more are decrypted into such a buffer, when they cannot be where they lie.
pub(crate) const OPENED_BYTES_MIN: usize = 4 * 1024;

/// Most bytes that are kept for later (32 MiB): as many as a process had at once, if those were fewer.
const KEPT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Sizes are multiples of this, so that a buffer fits payloads of about its size. Smaller ones are
/// not kept.
const STEP_BYTES: usize = 4 * 1024;

static KEPT: Mutex<Kept> = Mutex::new(Kept { buffers: Vec::new(), bytes: 0 });

/// What nobody uses.
struct Kept {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

/// A buffer in use. What was in it before may still be behind its length, where nobody sees it; nor
/// is it wiped while nobody uses it, as little as other memory that was given back.
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    length: usize,
}

impl Buffer {
    /// One of this length, full of anything.
    pub(crate) fn take(length: usize) -> Self {
        if length < STEP_BYTES {
            return Self { bytes: vec![0; length], length };
        }
        let fits = length..=length.saturating_mul(2).max(2 * STEP_BYTES);
        let bytes = {
            let mut kept = KEPT.lock();
            let place = kept.buffers.iter().rposition(|buffer| fits.contains(&buffer.len()));
            let bytes = place.map(|place| kept.buffers.swap_remove(place));
            kept.bytes -= bytes.as_ref().map_or(0, Vec::len);
            bytes
        };
        let new = || vec![0; length.next_multiple_of(STEP_BYTES)];
        Self { bytes: bytes.unwrap_or_else(new), length }
    }

    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.length).unwrap_or_default()
    }

    /// Its content. When the last part of it is dropped, the buffer is used again.
    pub(crate) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.len() < STEP_BYTES {
            return;
        }
        let mut kept = KEPT.lock();
        if kept.bytes + bytes.len() <= KEPT_BYTES_MAX {
            kept.bytes += bytes.len();
            kept.buffers.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_has_the_length_that_was_asked_for() {
        for length in [0, 1, STEP_BYTES, 100_000, 99_999, 50_000, 1 << 20] {
            let mut buffer = Buffer::take(length);
            buffer.as_mut().fill(7);
            let bytes = buffer.freeze();
            assert_eq!(bytes, vec![7; length]);
        }
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        let buffers: Vec<_> = (0..40).map(|_| Buffer::take(1 << 20)).collect();
        drop(buffers);
        let kept = KEPT.lock();
        assert!(kept.bytes <= KEPT_BYTES_MAX);
        assert_eq!(kept.bytes, kept.buffers.iter().map(Vec::len).sum::<usize>());
    }
}
