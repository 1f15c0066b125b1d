//! The fields of an encoded message.

use prost::encoding::decode_varint;

use super::VisitError;

/// One field as it stands in the message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    /// Its number.
    pub(super) number: u32,
    /// Number and kind, encoded.
    pub(super) key: &'a [u8],
    /// All of it, encoded.
    pub(super) record: &'a [u8],
    /// What it holds, if that has a length: bytes, text, a message.
    pub(super) content: Option<&'a [u8]>,
}

/// The fields in their order; ends after the first that is malformed.
pub(super) fn fields(message: &[u8]) -> impl Iterator<Item = Result<Field<'_>, VisitError>> {
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

fn take<'a>(rest: &mut &'a [u8]) -> Option<Field<'a>> {
    let whole = *rest;
    let mut after = whole;
    let key = decode_varint(&mut after).ok()?;
    let key_length = whole.len() - after.len();
    let content = match key & 7 {
        0 => {
            decode_varint(&mut after).ok()?;
            None
        }
        1 => {
            after = after.get(8..)?;
            None
        }
        2 => {
            let length = usize::try_from(decode_varint(&mut after).ok()?).ok()?;
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
        number: u32::try_from(key >> 3).ok().filter(|number| *number > 0)?,
        key: whole.get(..key_length)?,
        record: whole.get(..whole.len() - after.len())?,
        content,
    })
}

/// The fields of an `Any`.
const ANY_TYPE_URL: u32 = 1;
pub(super) const ANY_VALUE: u32 = 2;

/// The name of the message that an `Any` holds, if it says.
pub(super) fn name_in_any(any: &[u8]) -> Result<Option<&str>, VisitError> {
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
