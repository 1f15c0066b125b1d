//! Pages of a list.

use model::RunId;

use crate::{Error, Record};

/// The largest page, and the page of a caller who names no size.
pub const PAGE_SIZE_MAX: usize = 1000;

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Open runs first, then the last closed first; among equals the last started first.
    pub records: Vec<Record>,
    /// Where the next page starts; empty after the last page.
    pub next_page_token: Vec<u8>,
}

/// The place after a record in the order of lists. It stays right whatever changes in between:
/// a run that does not move is seen exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// As stored: `OPEN` for an open run.
    pub(crate) close_time: i64,
    pub(crate) start_time: i64,
    pub(crate) run_id: RunId,
}

const FORMAT: u8 = 1;

impl Cursor {
    pub(crate) fn to_token(self) -> Vec<u8> {
        let mut token = vec![FORMAT];
        token.extend_from_slice(&self.close_time.to_be_bytes());
        token.extend_from_slice(&self.start_time.to_be_bytes());
        token.extend_from_slice(self.run_id.as_bytes());
        token
    }

    /// `None` for the empty token, which starts at the first page.
    pub(crate) fn from_token(token: &[u8]) -> Result<Option<Self>, Error> {
        let Some((format, rest)) = token.split_first() else { return Ok(None) };
        let cursor = || {
            let (close_time, rest) = rest.split_first_chunk::<8>()?;
            let (start_time, rest) = rest.split_first_chunk::<8>()?;
            let run_id: [u8; 16] = rest.try_into().ok()?;
            Some(Self {
                close_time: i64::from_be_bytes(*close_time),
                start_time: i64::from_be_bytes(*start_time),
                run_id: RunId::from_bytes(run_id),
            })
        };
        match cursor() {
            Some(cursor) if *format == FORMAT => Ok(Some(cursor)),
            _ => Err(Error::PageToken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_token_and_nothing_else_is_one() {
        let cursor =
            Cursor { close_time: i64::MAX, start_time: -5, run_id: RunId::from_bytes([9; 16]) };
        let token = cursor.to_token();
        assert_eq!(Cursor::from_token(&token).unwrap(), Some(cursor));
        assert_eq!(Cursor::from_token(&[]).unwrap(), None);
        for length in 1..token.len() {
            assert!(Cursor::from_token(&token[..length]).is_err());
        }
        assert!(Cursor::from_token(&[&token[..], &[0]].concat()).is_err());
        assert!(Cursor::from_token(b"somebody else's page token........").is_err());
    }
}
