//! Runs that were deleted a short while ago.

use std::collections::HashMap;

use model::{NamespaceId, RunId};

/// Entries of one generation. At most two generations are kept, so that at least the last 131,072
/// deletions of the process are remembered, in about 20 MB.
const GENERATION_MAX: usize = 131_072;

/// The versions at which runs were deleted: a record that is not newer stays out.
#[derive(Debug, Default)]
pub(crate) struct Tombstones {
    young: HashMap<(NamespaceId, RunId), u64>,
    old: HashMap<(NamespaceId, RunId), u64>,
}

impl Tombstones {
    pub(crate) fn insert(&mut self, namespace_id: NamespaceId, run_id: RunId, version: u64) {
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        let known = self.version(namespace_id, run_id).unwrap_or(0);
        self.young.insert((namespace_id, run_id), version.max(known));
    }

    /// True if a record of this version was deleted.
    pub(crate) fn cover(&self, namespace_id: NamespaceId, run_id: RunId, version: u64) -> bool {
        self.version(namespace_id, run_id).is_some_and(|deleted| version <= deleted)
    }

    fn version(&self, namespace_id: NamespaceId, run_id: RunId) -> Option<u64> {
        let key = (namespace_id, run_id);
        self.young.get(&key).max(self.old.get(&key)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_is_remembered_through_a_generation_of_others() {
        let namespace_id = NamespaceId::from_bytes([1; 16]);
        let run = |number: u128| RunId::from_bytes(number.to_be_bytes());
        let mut tombstones = Tombstones::default();
        tombstones.insert(namespace_id, run(0), 7);
        for number in 1..=GENERATION_MAX as u128 {
            tombstones.insert(namespace_id, run(number), 1);
        }
        assert!(tombstones.cover(namespace_id, run(0), 7));
        assert!(!tombstones.cover(namespace_id, run(0), 8));
        for number in 1..=2 * GENERATION_MAX as u128 {
            tombstones.insert(namespace_id, run(number + 1_000_000), 1);
        }
        assert!(!tombstones.cover(namespace_id, run(0), 7));
    }
}
