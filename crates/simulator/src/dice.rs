//! Choices that follow from the seed.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use environment::{Entropy as _, SeededEntropy};
use model::Span;

/// A source of choices. Each actor of a simulation has one of its own, so that what one of them
/// does never shifts the choices of another.
#[derive(Debug)]
pub(crate) struct Dice(SeededEntropy);

impl Dice {
    /// The dice of the actor with this name.
    pub(crate) fn new(seed: u64, actor: &str) -> Self {
        Self(SeededEntropy::new(derived_seed(seed, actor)))
    }

    /// Any number.
    pub(crate) fn roll(&self) -> u64 {
        self.0.random_u64()
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    /// A number within the range, both ends included.
    pub(crate) fn between(&self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// True in so many of 1,000 cases.
    pub(crate) fn chance(&self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of these; none when there is none.
    pub(crate) fn pick<T: Copy>(&self, from: &[T]) -> Option<T> {
        let index = usize::try_from(self.below(from.len().try_into().unwrap_or(1))).ok()?;
        from.get(index).copied()
    }

    /// A span within the range of milliseconds, in steps of a microsecond.
    pub(crate) fn span(&self, least_millis: u64, most_millis: u64) -> Span {
        let micros = self.between(least_millis * 1000, most_millis * 1000);
        Span::from_nanos(i64::try_from(micros).unwrap_or(0) * 1000)
    }
}

/// A seed for something that has a name.
pub(crate) fn derived_seed(seed: u64, name: &str) -> u64 {
    // The default hasher has fixed keys: the same in every run of the same program.
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    name.hash(&mut hasher);
    hasher.finish()
}
