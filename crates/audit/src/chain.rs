//! The chain of records.
//!
//! A line is `{"hash":"…","seq":7,"prev":"…","time":"…","kind":…}`. The hash is that of the same
//! object without it, byte for byte as it is written, and `prev` is the hash of the record before.

use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use model::Time;
use serde::{Deserialize, Serialize};

use crate::Body;

/// How every line begins; the hash follows.
pub(crate) const START: &str = "{\"hash\":\"";

/// What is between the hash and the rest.
const AFTER_HASH: &str = "\",";

/// Characters of a hash.
const HASH_CHARS: usize = 64;

/// A hash in hexadecimal digits.
pub(crate) type Hash = String;

/// The end of a chain, where the next record goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    /// The number of the next record.
    pub(crate) next: u64,
    /// The hash of the last one.
    pub(crate) last: Hash,
}

/// What a record says of its place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Placed {
    /// Its number.
    pub(crate) seq: u64,
    /// The hash of the record before it.
    pub(crate) prev: Hash,
    /// When it was made, as it is written.
    pub(crate) time: String,
    /// Its own hash.
    #[serde(skip)]
    pub(crate) hash: Hash,
}

#[derive(Serialize)]
struct Written<'a> {
    seq: u64,
    prev: &'a str,
    time: &'a str,
    #[serde(flatten)]
    body: &'a Body,
}

impl Default for Chain {
    fn default() -> Self {
        Self { next: 1, last: "0".repeat(HASH_CHARS) }
    }
}

impl Chain {
    /// The chain that goes on after this record.
    pub(crate) fn after(placed: &Placed) -> Self {
        Self { next: placed.seq.saturating_add(1), last: placed.hash.clone() }
    }

    /// Appends a record to `text`, with the end of its line.
    pub(crate) fn append(
        &mut self,
        now: Time,
        body: &Body,
        text: &mut String,
    ) -> Result<(), serde_json::Error> {
        let time = written_time(now);
        let record = Written { seq: self.next, prev: &self.last, time: &time, body };
        let record = serde_json::to_string(&record)?;
        let hash = hash(record.as_bytes());
        text.push_str(START);
        text.push_str(&hash);
        text.push_str(AFTER_HASH);
        text.push_str(record.strip_prefix('{').unwrap_or_default());
        text.push('\n');
        self.next = self.next.saturating_add(1);
        self.last = hash;
        Ok(())
    }
}

/// Reads a line without its end; nothing unless it is a record as it was written.
pub(crate) fn read(line: &[u8]) -> Option<Placed> {
    let (claimed, rest) = line.strip_prefix(START.as_bytes())?.split_at_checked(HASH_CHARS)?;
    let rest = rest.strip_prefix(AFTER_HASH.as_bytes())?;
    let record = [b"{", rest].concat();
    let hash = hash(&record);
    if claimed != hash.as_bytes() {
        return None;
    }
    let placed: Placed = serde_json::from_slice(&record).ok()?;
    Some(Placed { hash, ..placed })
}

/// A time as records have it.
pub(crate) fn written_time(time: Time) -> String {
    let since = Duration::from_nanos(time.nanos().unsigned_abs());
    humantime::format_rfc3339_micros(SystemTime::UNIX_EPOCH + since).to_string()
}

fn hash(bytes: &[u8]) -> Hash {
    let digit = |number: u8| char::from_digit(u32::from(number), 16).unwrap_or_default();
    let bytes = digest(&SHA256, bytes);
    bytes.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_holds_its_hash_and_that_of_the_one_before() {
        let (mut chain, mut text) = (Chain::default(), String::new());
        for count in [1, 2] {
            chain.append(Time::from_nanos(count), &Body::Dropped { count: 7 }, &mut text).unwrap();
        }
        let lines: Vec<&str> = text.lines().collect();
        let (first, second) =
            (read(lines[0].as_bytes()).unwrap(), read(lines[1].as_bytes()).unwrap());
        assert_eq!((first.seq, second.seq), (1, 2));
        assert_eq!(first.prev, "0".repeat(64));
        assert_eq!(second.prev, first.hash);
        assert_eq!(Chain::after(&second), chain);
        assert!(lines[0].ends_with(
            "\"time\":\"1970-01-01T00:00:00.000000Z\",\"kind\":\"dropped\",\"count\":7}"
        ));
        assert!(read(lines[0].replace('7', "8").as_bytes()).is_none());
    }
}
