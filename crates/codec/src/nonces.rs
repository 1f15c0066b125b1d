//! Random nonces, many at a time.

use aws_lc_rs::{aead::NONCE_LEN, rand};
use parking_lot::Mutex;

use crate::CodecError;

/// How many are made at once: to ask for one takes longer than to encrypt a kibibyte, and to ask for
/// these as long as to encrypt five.
const MADE_AT_ONCE: usize = 512;

/// How many somebody takes at once, who needs so many.
const TAKEN_AT_ONCE: usize = 16;

pub(crate) type NonceBytes = [u8; NONCE_LEN];

/// What the system's generator made and nobody has taken: each is given away once.
///
/// They are no secret, each stands in what it encrypts. But two that are equal would be the end of
/// AES-GCM. So what is taken is counted as used before anybody sees it, and a process must not be
/// forked while it encrypts: both halves would go on with the same ones. (Rust programs with more than
/// one thread cannot do more after a fork than start another program.)
pub(crate) struct Nonces(Mutex<Made>);

/// Nothing until somebody encrypts: most keys only decrypt.
#[derive(Default)]
struct Made {
    nonces: Vec<NonceBytes>,
    used: usize,
}

/// Nonces for one batch of payloads. Those that it does not use are nobody's.
pub(crate) struct Taken<'n> {
    from: &'n Nonces,
    nonces: [NonceBytes; TAKEN_AT_ONCE],
    /// How many of these are there, and how many of them are used.
    count: usize,
    used: usize,
    /// How many will be needed.
    needed: usize,
}

impl Nonces {
    pub(crate) fn new() -> Self {
        Self(Mutex::default())
    }

    /// For a batch of so many payloads.
    pub(crate) fn take(&self, needed: usize) -> Taken<'_> {
        let nonces = [[0; NONCE_LEN]; TAKEN_AT_ONCE];
        Taken { from: self, nonces, count: 0, used: 0, needed }
    }

    /// Fills the whole slice with nonces, as far as there are any after one filling.
    fn fill(&self, into: &mut [NonceBytes]) -> Result<(), CodecError> {
        let mut made = self.0.lock();
        if made.used + into.len() > made.nonces.len() {
            made.nonces.resize(MADE_AT_ONCE, [0; NONCE_LEN]);
            made.used = 0;
            if rand::fill(made.nonces.as_flattened_mut()).is_err() {
                // Whoever asks next must not get what was there before.
                made.nonces.clear();
                return Err(none());
            }
        }
        let from = made.used;
        made.used += into.len();
        into.copy_from_slice(made.nonces.get(from..made.used).ok_or_else(none)?);
        Ok(())
    }
}

fn none() -> CodecError {
    CodecError::Unavailable("no random numbers".to_owned())
}

impl Taken<'_> {
    pub(crate) fn next(&mut self) -> Result<NonceBytes, CodecError> {
        if self.used >= self.count {
            self.count = self.needed.clamp(1, TAKEN_AT_ONCE);
            self.used = self.count;
            self.from.fill(self.nonces.get_mut(..self.count).ok_or_else(none)?)?;
            self.needed -= self.count.min(self.needed);
            self.used = 0;
        }
        let nonce = self.nonces.get(self.used).copied();
        self.used += 1;
        nonce.ok_or_else(none)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_nonce_is_given_away_twice() {
        let nonces = Nonces::new();
        let mut seen = BTreeSet::from([[0; NONCE_LEN]]);
        for batch in [1, 3, TAKEN_AT_ONCE, TAKEN_AT_ONCE + 1, 3 * MADE_AT_ONCE, 0, 1] {
            let mut taken = nonces.take(batch);
            // One more than was said.
            for _ in 0..=batch {
                assert!(seen.insert(taken.next().unwrap()), "twice");
            }
        }
    }

    #[test]
    fn nobody_gets_what_another_thread_got() {
        let nonces = Nonces::new();
        let take = || {
            let mut taken = nonces.take(1_000);
            (0..1_000).map(|_| taken.next().unwrap()).collect::<Vec<_>>()
        };
        let all: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
