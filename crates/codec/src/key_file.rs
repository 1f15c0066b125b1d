//! Keys from a file or an environment variable.

use std::{fs, path::Path};

use aws_lc_rs::rand;
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

/// Makes a key: its id, which is random unless told, and its line.
///
/// # Errors
/// When the id cannot stand in a line, or the machine has no random numbers.
pub fn new_key_line(id: Option<String>) -> Result<(String, Zeroizing<String>), KeyError> {
    let mut key = Zeroizing::new([0; 32]);
    let mut name = [0; 4];
    let filled = rand::fill(key.as_mut_slice()).and_then(|()| rand::fill(&mut name));
    filled.map_err(|_| KeyError::Unreadable("the machine has no random numbers".to_owned()))?;
    let id = id.unwrap_or_else(|| format!("key-{:08x}", u32::from_be_bytes(name)));
    let fits = |c: char| !c.is_control() && c != ',';
    if id.trim() != id || id.is_empty() || id.starts_with('#') || !id.chars().all(fits) {
        return Err(KeyError::NoId);
    }
    let encoded = Zeroizing::new(STANDARD.encode(*key));
    let line = Zeroizing::new(format!("{id}: {}\n", *encoded));
    Ok((id, line))
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
    fn a_new_key_reads_as_it_was_written() {
        let (id, line) = new_key_line(None).unwrap();
        assert_eq!(read_key_text(&line).unwrap().primary_id(), id);
        let (id, line) = new_key_line(Some("urn:2026-11".to_owned())).unwrap();
        assert_eq!(read_key_text(&line).unwrap().primary_id(), id);
        for bad in ["", " a", "#a", "a,b", "a\nb"] {
            assert_eq!(new_key_line(Some(bad.to_owned())).unwrap_err(), KeyError::NoId, "{bad}");
        }
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
