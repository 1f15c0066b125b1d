//! The fields of an encoded message.

use bytes::BufMut;
use prost::encoding::{decode_varint, encoded_len_varint};

use crate::VisitError;

/// One field as it stands in the message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    /// Its number.
    pub(crate) number: u32,
    /// Number and kind, encoded.
    pub(crate) key: &'a [u8],
    /// All of it, encoded.
    pub(crate) record: &'a [u8],
    /// What it holds, if that has a length: bytes, text, a message.
    pub(crate) content: Option<&'a [u8]>,
}

/// Reads a number; nearly all have one byte.
#[inline]
pub(crate) fn varint(rest: &mut &[u8]) -> Option<u64> {
    if let [byte @ 0..0x80, after @ ..] = *rest {
        *rest = after;
        return Some(u64::from(*byte));
    }
    decode_varint(rest).ok()
}

/// The fields in their order; ends after the first that is malformed.
pub(crate) fn fields(message: &[u8]) -> impl Iterator<Item = Result<Field<'_>, VisitError>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = take(&mut rest).ok_or(VisitError::Malformed);
        if field.is_err() {
            rest = &[];
        }
        Some(field)
    })
}

#[inline]
fn take<'a>(rest: &mut &'a [u8]) -> Option<Field<'a>> {
    let whole = *rest;
    let mut after = whole;
    let key = u32::try_from(varint(&mut after)?).ok()?;
    let key_length = whole.len() - after.len();
    let content = match key & 7 {
        0 => {
            varint(&mut after)?;
            None
        }
        1 => {
            after = after.get(8..)?;
            None
        }
        2 => {
            let length = usize::try_from(varint(&mut after)?).ok()?;
            let (content, behind) = after.split_at_checked(length)?;
            after = behind;
            Some(content)
        }
        5 => {
            after = after.get(4..)?;
            None
        }
        // Groups, which the API does not have, and kinds that do not exist.
        _ => return None,
    };
    *rest = after;
    Some(Field {
        number: Some(key >> 3).filter(|number| *number > 0)?,
        key: whole.get(..key_length)?,
        record: whole.get(..whole.len() - after.len())?,
        content,
    })
}

/// Writes a field with a length.
pub(crate) fn put(number: u32, content: &[u8], into: &mut Vec<u8>) {
    put_head(number, content.len(), into);
    into.extend_from_slice(content);
}

/// Writes what stands before a content of this length.
pub(crate) fn put_head(number: u32, content_len: usize, into: &mut impl BufMut) {
    const WITH_LENGTH: u32 = 2;
    put_varint(u64::from(number << 3 | WITH_LENGTH), into);
    put_varint(content_len as u64, into);
}

/// Writes a number.
pub(crate) fn put_varint(mut number: u64, into: &mut impl BufMut) {
    while number >= 0x80 {
        into.put_u8(number as u8 | 0x80);
        number >>= 7;
    }
    into.put_u8(number as u8);
}

/// How long a field with a length is, when its number is one of the first fifteen.
pub(crate) fn put_len(content_len: usize) -> usize {
    1 + encoded_len_varint(content_len as u64) + content_len
}

/// The fields of an `Any`.
const ANY_TYPE_URL: u32 = 1;
pub(crate) const ANY_VALUE: u32 = 2;

/// The name of the message that an `Any` holds, if it says.
pub(crate) fn name_in_any(any: &[u8]) -> Result<Option<&str>, VisitError> {
    let mut name = None;
    for field in fields(any) {
        let field = field?;
        if let (ANY_TYPE_URL, Some(url)) = (field.number, field.content) {
            let url = std::str::from_utf8(url).map_err(|_| VisitError::Malformed)?;
            // Of a field that is there twice, readers take the last.
            name = Some(url.rsplit_once('/').map_or(url, |(_, name)| name));
        }
    }
    Ok(name)
}
