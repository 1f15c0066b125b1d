//! Stored values, as a damaged disk gives them back.

use bytes::Bytes;
use model::SlotId;
use storage::{Cursors, MetaRecord, SlotRow, Table, envelope};

/// Opens bytes as a sealed value. They start with a table's number, a key's length and the key.
///
/// What opens is exactly what sealing its value gives, so that no two stored forms mean the same;
/// a value that is sealed opens again, and not when a bit of it is changed.
pub fn storage_envelope(bytes: &[u8]) {
    let Some((&[table, key_length], rest)) = bytes.split_first_chunk::<2>() else { return };
    let tables = Table::ALL;
    let Some(table) = tables.get(usize::from(table) % tables.len()).copied() else { return };
    let (key, sealed) = rest.split_at(usize::from(key_length).min(rest.len()));
    if let Ok(value) = envelope::open(table, key, Bytes::copy_from_slice(sealed)) {
        assert_eq!(envelope::seal(table, key, &value), sealed, "two envelopes for one value");
        look_inside(table, key, value);
    }
    let resealed = envelope::seal(table, key, sealed);
    assert_eq!(envelope::open(table, key, resealed.clone()).as_deref(), Ok(sealed));
    let mut damaged = resealed.to_vec();
    let place = damaged.len() / 2;
    if let Some(byte) = damaged.get_mut(place) {
        *byte ^= 1 << (key.len() % 8);
    }
    assert!(envelope::open(table, key, damaged.into()).is_err(), "a changed bit was not seen");
    look_inside(table, key, Bytes::copy_from_slice(sealed));
}

/// Reads a value as the records of the storage layer itself. Their fields may hold anything.
fn look_inside(table: Table, key: &[u8], value: Bytes) {
    if let Ok(record) = MetaRecord::decode(key, value.clone()) {
        assert_eq!(record.encode(), value, "a record of {} changes", table.name());
    }
    let Some(slot) = SlotId::new(3) else { return };
    if let Ok(row) = SlotRow::decode(slot, &value) {
        assert_eq!(row.encode(), value, "the row of a slot changes");
        assert!(!Cursors::default().cover(&[]), "no key is covered by nothing");
        row.cursors.cover(key);
    }
}
