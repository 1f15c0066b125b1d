//! The envelope of every stored value (design decision D7).
//!
//! Layout, big-endian: format version `u8`, key id `u32`, CRC-32 `u32`, payload. Key id 0 says that
//! the payload is plain; with another one it is what a [`Cipher`] made of the value. The checksum covers the table, the record's key and everything else in the
//! envelope, so that a value that turns up under another key counts as damaged.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use crc32fast::Hasher;

use model::NamespaceId;

use crate::{CIPHER_OVERHEAD_BYTES, Cipher, Damage, Opened, Table};

/// The format that this program writes. It reads this one and every earlier one.
pub const FORMAT_VERSION: u8 = 1;

/// The key id of a payload that is not encrypted.
pub const PLAIN_KEY_ID: u32 = 0;

/// What the envelope adds to a value, in bytes.
pub const OVERHEAD_BYTES: usize = 9;

/// Where the checksum stands.
const CHECKSUM_AT: std::ops::Range<usize> = 5..OVERHEAD_BYTES;

/// Seals a value for one place in the store, encrypted if there is a cipher.
///
/// # Errors
/// In words for the operator, when there is no key for the namespace.
pub fn seal_with(
    cipher: Option<&dyn Cipher>,
    table: Table,
    namespace: Option<NamespaceId>,
    key: &[u8],
    value: &[u8],
) -> Result<Bytes, String> {
    let Some(cipher) = cipher else { return Ok(seal(table, key, value)) };
    let key_id = cipher.key_for(namespace)?;
    let mut sealed = BytesMut::with_capacity(OVERHEAD_BYTES + CIPHER_OVERHEAD_BYTES + value.len());
    sealed.put_u8(FORMAT_VERSION);
    sealed.put_u32(key_id);
    sealed.put_u32(0);
    cipher.seal(key_id, &associated(table, key, FORMAT_VERSION, key_id), value, &mut sealed)?;
    let payload = sealed.get(OVERHEAD_BYTES..).unwrap_or_default();
    let sum = checksum(table, key, FORMAT_VERSION, key_id, payload);
    if let Some(place) = sealed.get_mut(CHECKSUM_AT) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
    Ok(sealed.freeze())
}

/// Opens a sealed value that was read from this place in the store; none when its key was
/// destroyed.
///
/// # Errors
/// When it is not what was sealed for this place.
pub fn open_with(
    cipher: Option<&dyn Cipher>,
    table: Table,
    key: &[u8],
    sealed: Bytes,
) -> Result<Option<Bytes>, Damage> {
    let Some(cipher) = cipher else { return open(table, key, sealed).map(Some) };
    let (version, key_id, payload) = check(table, key, sealed)?;
    match cipher.open(key_id, &associated(table, key, version, key_id), &payload) {
        // A plain value is the payload itself: no copy.
        Opened::Value(_) if key_id == PLAIN_KEY_ID => Ok(Some(payload)),
        Opened::Value(value) => Ok(Some(value)),
        Opened::Erased => Ok(None),
        Opened::Damaged(what) => Err(damage(table, key, &what)),
    }
}

/// The number of the key that a stored value is sealed with, as far as it is intact.
pub fn key_id(sealed: &[u8]) -> Option<u32> {
    let (_, rest) = sealed.split_first()?;
    rest.first_chunk().map(|id| u32::from_be_bytes(*id))
}

/// Seals a plain value for one place in the store.
pub fn seal(table: Table, key: &[u8], value: &[u8]) -> Bytes {
    let mut sealed = Vec::with_capacity(OVERHEAD_BYTES + value.len());
    sealed.put_u8(FORMAT_VERSION);
    sealed.put_u32(PLAIN_KEY_ID);
    sealed.put_u32(checksum(table, key, FORMAT_VERSION, PLAIN_KEY_ID, value));
    sealed.put_slice(value);
    sealed.into()
}

/// Opens a plain value that was read from this place in the store.
pub fn open(table: Table, key: &[u8], sealed: Bytes) -> Result<Bytes, Damage> {
    let (_, key_id, payload) = check(table, key, sealed)?;
    if key_id != PLAIN_KEY_ID {
        return Err(Damage {
            table,
            key: hexadecimal(key),
            detail: format!("it is encrypted with key {key_id}, which is not configured"),
        });
    }
    Ok(payload)
}

/// Format version, key id and payload of a value whose checksum is right.
fn check(table: Table, key: &[u8], mut sealed: Bytes) -> Result<(u8, u32, Bytes), Damage> {
    if sealed.len() < OVERHEAD_BYTES {
        let detail = format!("it has {} bytes, fewer than its envelope", sealed.len());
        return Err(damage(table, key, &detail));
    }
    let version = sealed.get_u8();
    let key_id = sealed.get_u32();
    let stored = sealed.get_u32();
    let found = checksum(table, key, version, key_id, &sealed);
    if stored != found {
        let detail = format!("its checksum is {found:08x} instead of {stored:08x}");
        return Err(damage(table, key, &detail));
    }
    if version != FORMAT_VERSION {
        return Err(Damage {
            table,
            key: hexadecimal(key),
            detail: format!(
                "it has format {version} and this program reads up to {FORMAT_VERSION}; \
                 use the newer release that wrote it"
            ),
        });
    }
    Ok((version, key_id, sealed))
}

/// What a cipher binds a value to: its place and the rest of its envelope.
fn associated(table: Table, key: &[u8], version: u8, key_id: u32) -> Vec<u8> {
    let mut associated = Vec::with_capacity(6 + key.len());
    associated.put_u8(table.tag());
    associated.put_u8(version);
    associated.put_u32(key_id);
    associated.put_slice(key);
    associated
}

/// A damaged record, with the advice that fits its table.
pub fn damage(table: Table, key: &[u8], what: &str) -> Damage {
    let advice = match table {
        Table::History | Table::Run => {
            "restore the workflow from a backup, or terminate and delete it"
        }
        Table::Current => "the workflow is still readable by its run id; restore it from a backup",
        Table::Task => "restore the slot from a backup; tasks of open workflows can be made anew",
        Table::Branch => "the workflow stays readable; restore it from a backup before deleting it",
        Table::Slot => "restore the data directory from a backup before the slot takes writes",
        Table::Entity => "restore the entity from a backup, or delete it",
        Table::Meta => "restore the record from a backup, or write the setting again",
    };
    Damage { table, key: hexadecimal(key), detail: format!("{what}; {advice}") }
}

/// A key as it stands in messages.
pub fn hexadecimal(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn checksum(table: Table, key: &[u8], version: u8, key_id: u32, payload: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&[table.tag(), version]);
    hasher.update(&key_id.to_be_bytes());
    hasher.update(key);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_only_where_it_was_sealed() {
        let sealed = seal(Table::Run, b"key", b"value");
        assert_eq!(open(Table::Run, b"key", sealed.clone()).unwrap(), "value");
        assert!(open(Table::Run, b"kez", sealed.clone()).is_err());
        assert!(open(Table::Current, b"key", sealed).is_err());
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let sealed = seal(Table::History, b"key", b"value");
        for bit in 0..sealed.len() * 8 {
            let mut bytes = sealed.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(open(Table::History, b"key", bytes.into()).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn every_cut_is_found() {
        let sealed = seal(Table::History, b"key", b"value");
        for length in 0..sealed.len() {
            assert!(open(Table::History, b"key", sealed.slice(..length)).is_err());
        }
    }

    #[test]
    fn a_damaged_record_is_named_with_advice() {
        let damage = open(Table::Run, &[0x0a, 0xff], Bytes::from_static(b"short")).unwrap_err();
        assert_eq!(
            damage.to_string(),
            "record 0aff of table `run` is damaged: it has 5 bytes, fewer than its envelope; \
             restore the workflow from a backup, or terminate and delete it"
        );
    }
}
