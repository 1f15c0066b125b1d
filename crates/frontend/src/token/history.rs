//! Page tokens of history reads.

use bytes::Bytes;
use model::{NamespaceId, RunId};
use prost::Message;
use token_keys::{Purpose, TokenKeys};

use crate::error::{ApiError, ApiResult};

/// Where a history read goes on. Clients hold tokens over an upgrade: never reuse a tag. 3 and 4
/// were the end of a workflow task's history.
#[derive(Clone, PartialEq, Message)]
struct Wire {
    #[prost(bytes = "bytes", tag = "1")]
    run_id: Bytes,
    #[prost(int64, tag = "2")]
    next_event_id: i64,
    #[prost(bool, tag = "5")]
    reverse: bool,
}

/// Where a history read goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct HistoryToken {
    /// The run that the first page was read from.
    pub(crate) run_id: RunId,
    /// The event that the next page starts with.
    pub(crate) next_event_id: i64,
    /// The last events come first.
    pub(crate) reverse: bool,
}

impl HistoryToken {
    /// The token as clients get it.
    pub(crate) fn encode(&self, keys: &TokenKeys, namespace_id: NamespaceId) -> Bytes {
        keys.seal(Purpose::HistoryPage, namespace_id, &self.body())
    }

    pub(crate) fn body(&self) -> Bytes {
        let wire = Wire {
            run_id: Bytes::copy_from_slice(self.run_id.as_bytes()),
            next_event_id: self.next_event_id,
            reverse: self.reverse,
        };
        wire.encode_to_vec().into()
    }

    /// Reads a token; none when there is none.
    ///
    /// # Errors
    /// When it is none of ours, or one of another namespace or for the other direction.
    pub(crate) fn decode(
        keys: &TokenKeys,
        namespace_id: NamespaceId,
        encoded: &[u8],
        reverse: bool,
    ) -> ApiResult<Option<Self>> {
        if encoded.is_empty() {
            return Ok(None);
        }
        keys.open(Purpose::HistoryPage, namespace_id, encoded)
            .and_then(|body| Self::read(body, reverse))
            .map(Some)
            .ok_or_else(|| ApiError::invalid("Invalid NextPageToken."))
    }

    pub(crate) fn read(body: &[u8], reverse: bool) -> Option<Self> {
        read(Wire::decode(body).ok()?)
            .filter(|token| token.reverse == reverse && token.next_event_id > 0)
    }
}

fn read(wire: Wire) -> Option<HistoryToken> {
    Some(HistoryToken {
        run_id: RunId::from_bytes(wire.run_id.as_ref().try_into().ok()?),
        next_event_id: wire.next_event_id,
        reverse: wire.reverse,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_in_its_namespace_and_direction_only() {
        let keys = TokenKeys::of(&[[1; 32]]);
        let (ours, other) = (NamespaceId::from_bytes([1; 16]), NamespaceId::from_bytes([2; 16]));
        let run_id = RunId::from_bytes([3; 16]);
        let token = HistoryToken { run_id, next_event_id: 257, reverse: false };
        let encoded = token.encode(&keys, ours);
        assert_eq!(HistoryToken::decode(&keys, ours, &encoded, false), Ok(Some(token)));
        assert!(HistoryToken::decode(&keys, ours, &encoded, true).is_err());
        assert!(HistoryToken::decode(&keys, other, &encoded, false).is_err());
        assert!(HistoryToken::decode(&keys, ours, &token.body(), false).is_err());
        assert!(HistoryToken::decode(&keys, ours, b"garbage", false).is_err());
        assert_eq!(HistoryToken::decode(&keys, ours, b"", false), Ok(None));
        assert_eq!(HistoryToken::read(&[8, 1], false), None);
    }
}
