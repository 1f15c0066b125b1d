//! Keys from a file or an environment variable.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{KeyError, KeyRing};

/// Reads a file of keys, see [`read_key_text`].
///
/// # Errors
/// When the file cannot be read or holds no keys.
pub fn read_key_file(path: &Path) -> Result<KeyRing, KeyError> {
    let text = fs::read_to_string(path);
    let text =
        text.map_err(|error| KeyError::Unreadable(format!("{}: {error}", path.display())))?;
    read_key_text(&Zeroizing::new(text))
}

/// Reads keys as they stand in a file or in the value of an environment variable: a line
/// `ID: KEY IN BASE64` each, the key that encrypts first. Empty lines and those that begin with `#`
/// do not count; commas separate as lines do.
///
/// # Errors
/// When a line is not like that, or there is none.
pub fn read_key_text(text: &str) -> Result<KeyRing, KeyError> {
    let mut ring: Option<KeyRing> = None;
    for (index, line) in text.split(['\n', ',']).enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (id, key) = line.rsplit_once(':').ok_or(KeyError::Line(index + 1))?;
        let (id, key) = (id.trim(), key.trim());
        if id.is_empty() {
            return Err(KeyError::NoId);
        }
        let decoded = STANDARD.decode(key).map_err(|_| KeyError::Line(index + 1))?;
        let decoded = Zeroizing::new(decoded);
        let key = <[u8; 32]>::try_from(decoded.as_slice())
            .map_err(|_| KeyError::Length { id: id.to_owned(), length: decoded.len() })?;
        ring = Some(match ring {
            None => KeyRing::new(id, key),
            Some(ring) => ring.with(id, key)?,
        });
    }
    ring.ok_or(KeyError::Empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_encrypts() {
        let key = STANDARD.encode([7; 32]);
        let other = STANDARD.encode([8; 32]);
        let ring =
            read_key_text(&format!("# rotated in May\nb: {key}\n\nurn:a: {other}\n")).unwrap();
        assert_eq!(ring.primary_id(), "b");
        assert_eq!(ring.ids().collect::<Vec<_>>(), ["b", "urn:a"]);
        let of_a_variable = read_key_text(&format!("b:{key},a:{other}")).unwrap();
        assert_eq!(of_a_variable.primary_id(), "b");
        assert!(!format!("{ring:?}").contains(&key), "a key is printed");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let short = STANDARD.encode([7; 31]);
        let key = STANDARD.encode([7; 32]);
        let length = KeyError::Length { id: "a".to_owned(), length: 31 };
        assert_eq!(read_key_text(&format!("a: {short}")).unwrap_err(), length);
        assert_eq!(read_key_text("a = b").unwrap_err(), KeyError::Line(1));
        assert_eq!(read_key_text("\na: ???").unwrap_err(), KeyError::Line(2));
        assert_eq!(read_key_text(&format!(": {key}")).unwrap_err(), KeyError::NoId);
        let twice = read_key_text(&format!("a: {key}\na: {key}"));
        assert_eq!(twice.unwrap_err(), KeyError::Duplicate("a".to_owned()));
        assert_eq!(read_key_text(" \n# nothing").unwrap_err(), KeyError::Empty);
    }
}
