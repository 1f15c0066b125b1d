//! Sets of runs, by the numbers of their rows.

/// Words of a chunk: 4,096 rows in half a KiB.
const WORDS: usize = 64;

/// Rows of a word.
const BITS: i64 = 64;

type Chunk = Box<[u64; WORDS]>;

/// A bit per row. Rows are numbered one after another, so that a place per chunk is affordable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct IdSet {
    chunks: Vec<Option<Chunk>>,
}

/// Chunk, word and bit of a row. SQLite gives out no negative numbers.
const fn place(id: i64) -> (usize, usize, u64) {
    let word = (id / BITS) as usize;
    (word / WORDS, word % WORDS, 1 << (id % BITS))
}

impl IdSet {
    pub(crate) fn insert(&mut self, id: i64) {
        let (chunk, word, bit) = place(id.max(0));
        if chunk >= self.chunks.len() {
            self.chunks.resize(chunk + 1, None);
        }
        if let Some(chunk) = self.chunks.get_mut(chunk) {
            let chunk = chunk.get_or_insert_with(|| Box::new([0; WORDS]));
            if let Some(word) = chunk.get_mut(word) {
                *word |= bit;
            }
        }
    }

    pub(crate) fn remove(&mut self, id: i64) {
        let (chunk, word, bit) = place(id.max(0));
        let chunk = self.chunks.get_mut(chunk).and_then(Option::as_mut);
        if let Some(word) = chunk.and_then(|chunk| chunk.get_mut(word)) {
            *word &= !bit;
        }
    }

    pub(crate) fn contains(&self, id: i64) -> bool {
        let (chunk, word, bit) = place(id.max(0));
        let chunk = self.chunks.get(chunk).and_then(Option::as_ref);
        chunk.and_then(|chunk| chunk.get(word)).is_some_and(|word| word & bit != 0)
    }

    pub(crate) fn len(&self) -> u64 {
        let words = self.chunks.iter().flatten().flat_map(|chunk| chunk.iter());
        words.map(|word| u64::from(word.count_ones())).sum()
    }

    /// In ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        let chunks = (0_i64..).zip(&self.chunks);
        let chunks = chunks.filter_map(|(number, chunk)| Some((number, chunk.as_ref()?)));
        let words = chunks.flat_map(|(number, chunk)| {
            (number * WORDS as i64..).zip(chunk.iter()).map(|(number, word)| (number, *word))
        });
        words.flat_map(|(number, word)| {
            (0..BITS).filter(move |bit| word >> bit & 1 == 1).map(move |bit| number * BITS + bit)
        })
    }

    fn intersect(&mut self, other: &Self) {
        self.chunks.truncate(other.chunks.len());
        for (own, other) in self.chunks.iter_mut().zip(&other.chunks) {
            match (own.as_mut(), other) {
                (Some(words), Some(other)) => {
                    words.iter_mut().zip(other.iter()).for_each(|(own, other)| *own &= other);
                }
                _ => *own = None,
            }
        }
    }

    fn subtract(&mut self, other: &Self) {
        for (own, other) in self.chunks.iter_mut().zip(&other.chunks) {
            if let (Some(own), Some(other)) = (own, other) {
                own.iter_mut().zip(other.iter()).for_each(|(own, other)| *own &= !other);
            }
        }
    }

    fn unite(&mut self, other: Self) {
        if other.chunks.len() > self.chunks.len() {
            self.chunks.resize(other.chunks.len(), None);
        }
        for (own, other) in self.chunks.iter_mut().zip(other.chunks) {
            match (own.as_mut(), other) {
                (Some(own), Some(other)) => {
                    own.iter_mut().zip(other.iter()).for_each(|(own, other)| *own |= other);
                }
                (None, other) => *own = other,
                (Some(_), None) => {}
            }
        }
    }
}

/// The runs that pass a filter: those of a set, or all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Runs {
    pub(crate) set: IdSet,
    /// All but those of the set.
    pub(crate) outside: bool,
}

impl Runs {
    pub(crate) fn everything() -> Self {
        Self { set: IdSet::default(), outside: true }
    }

    pub(crate) fn contains(&self, id: i64) -> bool {
        self.set.contains(id) != self.outside
    }

    #[must_use]
    pub(crate) fn and(mut self, mut other: Self) -> Self {
        match (self.outside, other.outside) {
            (false, false) => self.set.intersect(&other.set),
            (false, true) => self.set.subtract(&other.set),
            (true, false) => {
                other.set.subtract(&self.set);
                return other;
            }
            (true, true) => self.set.unite(other.set),
        }
        self
    }

    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    fn not(self) -> Self {
        Self { outside: !self.outside, ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn runs(ids: &BTreeSet<i64>, outside: bool) -> Runs {
        let mut set = IdSet::default();
        ids.iter().for_each(|id| set.insert(*id));
        Runs { set, outside }
    }

    fn ids() -> impl Strategy<Value = BTreeSet<i64>> {
        prop::collection::btree_set(
            prop_oneof![0_i64..200, 4_000_i64..4_200, 9_000_i64..9_010],
            0..60,
        )
    }

    proptest! {
        #[test]
        fn law_runs_are_those_of_plain_sets(
            (left, right) in (ids(), ids()), (one, other) in any::<(bool, bool)>(),
        ) {
            let (a, b) = (runs(&left, one), runs(&right, other));
            prop_assert_eq!(a.set.iter().collect::<BTreeSet<_>>(), left.clone());
            prop_assert_eq!(a.set.len(), left.len() as u64);
            let (and, or) = (a.clone().and(b.clone()), a.or(b));
            for id in (0..201).chain(3_999..4_201).chain(8_999..9_011).chain([100_000]) {
                let (left, right) = (left.contains(&id) != one, right.contains(&id) != other);
                prop_assert_eq!(and.contains(id), left && right);
                prop_assert_eq!(or.contains(id), left || right);
            }
            let mut set = and.set;
            for id in 0..10_000 {
                set.remove(id);
            }
            prop_assert_eq!(set.len(), 0);
        }
    }
}
