//! What is known about the data of a payload.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::wire;

/// The fields of an entry, and of the payload that it is in.
const NAME: u32 = 1;
const VALUE: u32 = 2;
pub(crate) const ENTRIES: u32 = 1;

/// What most payloads have, encoded: an encoding of the SDKs' and nothing else.
const USUAL: [&[u8]; 4] = [
    b"\n\x16\n\x08encoding\x12\njson/plain",
    b"\n\x18\n\x08encoding\x12\x0cbinary/plain",
    b"\n\x17\n\x08encoding\x12\x0bbinary/null",
    b"\n\x1b\n\x08encoding\x12\x0fbinary/protobuf",
];

/// Names with values: the encoding first of all.
///
/// They are kept as they are sent, and shared by the payloads that have the same: neither what a codec
/// gives to each payload nor what SDKs do costs an allocation. There are a handful, and so each is found by looking through
/// them. Where a name stands twice, its last value counts, as for every reader of protobuf.
#[derive(Clone)]
pub struct Metadata(Kept);

#[derive(Clone)]
enum Kept {
    Usual(&'static [u8]),
    Shared(Arc<[u8]>),
}

impl Metadata {
    /// Nothing is known.
    pub const fn new() -> Self {
        Self(Kept::Usual(&[]))
    }

    /// Entries that [`put_entry`] made, or are as if it had.
    pub(crate) fn of_encoded(encoded: &[u8]) -> Self {
        match USUAL.into_iter().chain([[].as_slice()]).find(|usual| *usual == encoded) {
            Some(usual) => Self(Kept::Usual(usual)),
            None => Self(Kept::Shared(encoded.into())),
        }
    }

    /// The entries at the beginning of a payload, when they are of the usual ones, and what follows.
    pub(crate) fn usual_of(payload: &[u8]) -> Option<(Self, &[u8])> {
        let known = |usual: &'static [u8]| Some((usual, payload.strip_prefix(usual)?));
        let (usual, rest) = USUAL.into_iter().find_map(known)?;
        Some((Self(Kept::Usual(usual)), rest))
    }

    /// The entries as fields of a payload.
    pub(crate) fn encoded(&self) -> &[u8] {
        match &self.0 {
            Kept::Usual(entries) => entries,
            Kept::Shared(entries) => entries,
        }
    }

    /// True when it is not only equal, but has the same order, too: much quicker than comparing.
    pub(crate) fn is_written_as(&self, other: &Self) -> bool {
        self.encoded() == other.encoded()
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let named = self.entries().filter(|(entry, _)| *entry == name.as_bytes());
        named.last().map(|(_, value)| value)
    }

    /// Gives a name its value, in place of any other.
    pub fn insert(&mut self, name: &str, value: &[u8]) {
        let mut encoded = self.without(name);
        put_entry(name.as_bytes(), value, &mut encoded);
        *self = Self::of_encoded(&encoded);
    }

    /// Takes a name out.
    pub fn remove(&mut self, name: &str) {
        *self = Self::of_encoded(&self.without(name));
    }

    fn without(&self, name: &str) -> Vec<u8> {
        let mut encoded = Vec::with_capacity(self.encoded().len() + 64);
        for (other, value) in self.entries().filter(|(other, _)| *other != name.as_bytes()) {
            put_entry(other, value, &mut encoded);
        }
        encoded
    }

    /// True when nothing is known.
    pub fn is_empty(&self) -> bool {
        self.encoded().is_empty()
    }

    /// Names and values, in the order in which they are sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.entries().map(|(name, value)| (std::str::from_utf8(name).unwrap_or_default(), value))
    }

    fn entries(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = self.encoded();
        std::iter::from_fn(move || {
            // Of each pair of tag and length the first is known.
            let mut entry = take(&mut rest)?;
            Some((take(&mut entry)?, take(&mut entry)?))
        })
    }
}

/// The content of the next field, whatever its number is.
fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (_tag, mut after) = rest.split_first()?;
    let length = usize::try_from(wire::varint(&mut after)?).ok()?;
    let (content, behind) = after.split_at_checked(length)?;
    *rest = behind;
    Some(content)
}

/// Writes an entry.
pub(crate) fn put_entry(name: &[u8], value: &[u8], into: &mut Vec<u8>) {
    let length = wire::put_len(name.len()) + wire::put_len(value.len());
    wire::put_head(ENTRIES, length, into);
    wire::put(NAME, name, into);
    wire::put(VALUE, value, into);
}

/// An entry as others wrote it.
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    /// True when it can be kept as it stands: name and value, once each and in this order.
    pub(crate) is_plain: bool,
}

impl<'a> Entry<'a> {
    /// `None` when it is none.
    pub(crate) fn read(field: &wire::Field<'a>) -> Option<Self> {
        let content = field.content?;
        let mut inside = wire::fields(content);
        let mut next =
            || inside.next().and_then(Result::ok).map(|field| (field.key, field.content));
        let (first, second) = (next(), next());
        let entry = match (first, second) {
            (Some(([10], Some(name))), Some(([18], Some(value)))) if inside.next().is_none() => {
                Self { name, value, is_plain: field.key == [10] }
            }
            _ => Self::read_slowly(content)?,
        };
        std::str::from_utf8(entry.name).is_ok().then_some(entry)
    }

    fn read_slowly(content: &'a [u8]) -> Option<Self> {
        let mut entry = Self { name: &[], value: &[], is_plain: false };
        for field in wire::fields(content) {
            let field = field.ok()?;
            match field.number {
                NAME => entry.name = field.content?,
                VALUE => entry.value = field.content?,
                _ => {}
            }
        }
        Some(entry)
    }
}

impl Default for Metadata {
    fn default() -> Self {
        Self::new()
    }
}

/// The same names have the same values, in whatever order.
impl PartialEq for Metadata {
    fn eq(&self, other: &Self) -> bool {
        let by_name = |metadata: &Self| {
            let entries = metadata.entries().map(|(name, value)| (name.to_vec(), value.to_vec()));
            entries.collect::<BTreeMap<_, _>>()
        };
        self.is_written_as(other) || by_name(self) == by_name(other)
    }
}

impl Eq for Metadata {}

impl fmt::Debug for Metadata {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.iter().map(|(name, value)| (name, value.escape_ascii().to_string()));
        formatter.debug_map().entries(entries).finish()
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> FromIterator<(N, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let mut encoded = Vec::new();
        for (name, value) in entries {
            put_entry(name.as_ref().as_bytes(), value.as_ref(), &mut encoded);
        }
        Self::of_encoded(&encoded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_value() {
        let mut metadata = Metadata::new();
        assert!(metadata.is_empty());
        metadata.insert("encoding", b"json/plain");
        metadata.insert("type", b"Keyword");
        metadata.insert("encoding", b"binary/null");
        let entries: Vec<_> = metadata.iter().collect();
        assert_eq!(entries, [("type", &b"Keyword"[..]), ("encoding", b"binary/null")]);
        assert_eq!(metadata.get("encoding"), Some(&b"binary/null"[..]));
        assert_eq!(metadata.get("encodin"), None);
        metadata.remove("type");
        assert_eq!(metadata, [("encoding", "binary/null")].into_iter().collect());
        assert_eq!(format!("{metadata:?}"), r#"{"encoding": "binary/null"}"#);
    }

    #[test]
    fn entries_are_equal_in_whatever_order_and_however_long() {
        let long = "x".repeat(300);
        let one: Metadata = [("a", "1"), ("b", &long)].into_iter().collect();
        let other: Metadata = [("b", &*long), ("a", "1")].into_iter().collect();
        assert_eq!(one, other);
        assert_eq!(one.get("b"), Some(long.as_bytes()));
        assert_ne!(one, [("a", "1")].into_iter().collect());
        let twice: Metadata = [("a", "0"), ("a", "1"), ("b", &long)].into_iter().collect();
        assert_eq!(one, twice, "of a name that is there twice, the last value counts");
        assert_eq!(twice.get("a"), Some(&b"1"[..]));
    }
}
