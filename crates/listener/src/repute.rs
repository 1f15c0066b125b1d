//! What a connection is known for.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

/// What the calls of a connection have shown so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reputation {
    /// Nothing yet.
    Stranger,
    /// Its last call was refused before it was read.
    Refused,
    /// Somebody has proved who is there, or nobody has to.
    Known,
}

/// The reputation of one connection. Clones are the same.
#[derive(Clone, Default)]
pub struct Repute(Arc<AtomicU8>);

impl Repute {
    /// It has this reputation from now on.
    pub fn set(&self, reputation: Reputation) {
        self.0.store(reputation as u8, Ordering::Relaxed);
    }

    /// Tells it.
    pub fn get(&self) -> Reputation {
        match self.0.load(Ordering::Relaxed) {
            known if known == Reputation::Known as u8 => Reputation::Known,
            refused if refused == Reputation::Refused as u8 => Reputation::Refused,
            _ => Reputation::Stranger,
        }
    }

    /// A call without credentials was neither refused nor says who is there.
    pub fn unnamed(&self) {
        if self.get() == Reputation::Known {
            self.set(Reputation::Stranger);
        }
    }

    /// A call was refused. Whoever is known may err.
    pub fn refused(&self) {
        if self.get() == Reputation::Stranger {
            self.set(Reputation::Refused);
        }
    }
}

impl fmt::Debug for Repute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_refusals_make_a_reputation() {
        let repute = Repute::default();
        assert_eq!(repute.get(), Reputation::Stranger);
        repute.refused();
        repute.unnamed();
        assert_eq!(repute.get(), Reputation::Refused);
        repute.set(Reputation::Known);
        repute.refused();
        assert_eq!(repute.get(), Reputation::Known);
        repute.unnamed();
        assert_eq!(repute.get(), Reputation::Stranger);
    }
}
