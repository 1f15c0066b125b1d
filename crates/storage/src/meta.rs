//! Records of the whole cell, written by compare-and-set.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::{Damage, MetaError, Table, damage};

/// A record of the whole cell, with a version for compare-and-set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaRecord {
    /// Rises by one with each write; the first is 1.
    pub version: u64,
    /// The plain value.
    pub value: Bytes,
}

impl MetaRecord {
    /// The stored form: the version, then the value.
    pub fn encode(&self) -> Bytes {
        let mut record = BytesMut::with_capacity(8 + self.value.len());
        record.put_u64(self.version);
        record.put_slice(&self.value);
        record.freeze()
    }

    /// Reads the stored form.
    pub fn decode(key: &[u8], mut record: Bytes) -> Result<Self, Damage> {
        if record.len() < 8 {
            return Err(damage(Table::Meta, key, "it has no version"));
        }
        Ok(Self { version: record.get_u64(), value: record })
    }

    /// What a compare-and-set leaves behind: the next record, or `None` for a removal.
    pub fn next(
        found: Option<&Self>,
        expect: u64,
        value: Option<Bytes>,
    ) -> Result<Option<Self>, MetaError> {
        let version = found.map_or(0, |record| record.version);
        if version != expect {
            return Err(MetaError::Conflict);
        }
        Ok(value.map(|value| Self { version: version.saturating_add(1), value }))
    }
}
