//! Takes structure from bytes.

use model::Span;
use prost::Message;

use super::Kind;

/// Waits with this bit count in minutes instead of milliseconds.
const MINUTES: u16 = 1 << 15;

/// What is left of the bytes.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    /// The head of a step; none at the end of the bytes.
    pub(super) fn step(&mut self) -> Option<(Kind, u8, Span)> {
        let [kind, pick] = self.chunk::<2>()?;
        let wait = self.number()?;
        let length = i64::from(wait & !MINUTES);
        let wait = if wait & MINUTES == 0 {
            Span::from_millis(length)
        } else {
            Span::from_secs(length * 60)
        };
        Some((Kind::of(kind), pick, wait))
    }

    /// The next message; an empty one where the bytes hold none.
    pub(super) fn message<M: Message + Default>(&mut self) -> M {
        let length = self.number().map_or(0, usize::from).min(self.rest.len());
        let (message, rest) = self.rest.split_at(length);
        self.rest = rest;
        M::decode(message).unwrap_or_default()
    }

    fn number(&mut self) -> Option<u16> {
        self.chunk::<2>().map(u16::from_le_bytes)
    }

    fn chunk<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let (chunk, rest) = self.rest.split_first_chunk::<LENGTH>()?;
        self.rest = rest;
        Some(*chunk)
    }
}
