//! Randomness: ids and jitter.

use std::{
    fmt::Debug,
    sync::{Mutex, PoisonError},
};

use model::Time;
use rand::{RngCore, SeedableRng, rngs::SmallRng};
use uuid::{Builder, Uuid};

/// A source of randomness.
pub trait Entropy: Debug + Send + Sync {
    /// Fills a buffer with random bytes.
    fn fill(&self, bytes: &mut [u8]);

    /// A random number.
    fn random_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A random UUID.
    fn uuid_v4(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A random UUID that sorts by the millisecond it was made in.
    fn uuid_v7(&self, now: Time) -> Uuid {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        let millis = now.since(Time::UNSET).millis().unsigned_abs();
        Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

/// Cryptographically secure randomness: ChaCha12 per thread, seeded and reseeded from the
/// operating system. Fit for ids and for secrets; a number costs some nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// Randomness that follows from a seed, for simulations and tests. Never fit for secrets.
#[derive(Debug)]
pub struct SeededEntropy {
    generator: Mutex<SmallRng>,
}

impl SeededEntropy {
    /// The source that belongs to this seed.
    pub fn new(seed: u64) -> Self {
        Self { generator: Mutex::new(SmallRng::seed_from_u64(seed)) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.generator.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn take(entropy: &dyn Entropy) -> Vec<Uuid> {
        (0..100).map(|_| entropy.uuid_v4()).collect()
    }

    #[test]
    fn a_seed_decides_every_id() {
        assert_eq!(take(&SeededEntropy::new(7)), take(&SeededEntropy::new(7)));
        assert_ne!(take(&SeededEntropy::new(7)), take(&SeededEntropy::new(8)));
    }

    #[test]
    fn ids_differ_across_threads() {
        let handles = [0; 4].map(|_| std::thread::spawn(|| take(&SystemEntropy)));
        let ids: HashSet<Uuid> =
            handles.into_iter().flat_map(|handle| handle.join().unwrap()).collect();
        assert_eq!(ids.len(), 400);
    }

    #[test]
    fn version_seven_ids_sort_by_time() {
        let entropy = SeededEntropy::new(1);
        let ids: Vec<Uuid> =
            (1..50).map(|ms| entropy.uuid_v7(Time::from_nanos(ms * 1_000_000))).collect();
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        assert_eq!(entropy.uuid_v4().get_version_num(), 4);
    }
}
