//! The tokens of long polls on what is no workflow.

use bytes::Bytes;
use model::{NamespaceId, RunId};
use token_keys::{Purpose, TokenKeys};

use crate::error::{ApiError, ApiResult};

/// What a client has seen: the entity, and how many steps it had taken.
pub(crate) fn token(
    keys: &TokenKeys,
    namespace_id: NamespaceId,
    instance: RunId,
    transitions: i64,
) -> Bytes {
    let body = [instance.as_bytes().as_slice(), &transitions.to_be_bytes()].concat();
    keys.seal(Purpose::LongPoll, namespace_id, &body)
}

/// The steps that a client has seen.
///
/// # Errors
/// When the token was not made here for this namespace, or is another run's.
pub(crate) fn read_token(
    keys: &TokenKeys,
    namespace_id: NamespaceId,
    token: &[u8],
    run_id: Option<RunId>,
) -> ApiResult<i64> {
    let read = || {
        let body = keys.open(Purpose::LongPoll, namespace_id, token)?;
        let (instance, seen) = body.split_first_chunk::<16>()?;
        let seen = <[u8; 8]>::try_from(seen).ok()?;
        Some((RunId::from_bytes(*instance), i64::from_be_bytes(seen)))
    };
    let (instance, seen) = read().ok_or_else(|| ApiError::invalid("invalid long poll token"))?;
    if run_id != Some(instance) {
        return Err(ApiError::invalid("long poll token does not match execution"));
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_what_was_seen_of_its_own_entity_only() {
        let keys = TokenKeys::of(&[[1; 32]]);
        let (ours, other) = (NamespaceId::from_bytes([1; 16]), NamespaceId::from_bytes([2; 16]));
        let instance = RunId::from_bytes([7; 16]);
        let genuine = token(&keys, ours, instance, 3);
        let read = |token: &[u8], run| read_token(&keys, ours, token, Some(run));
        assert_eq!(read(&genuine, instance), Ok(3));
        let another = ApiError::invalid("long poll token does not match execution");
        assert_eq!(read(&genuine, RunId::from_bytes([8; 16])), Err(another));
        let invalid = Err(ApiError::invalid("invalid long poll token"));
        assert_eq!(read_token(&keys, other, &genuine, Some(instance)), invalid);
        assert_eq!(read(b"garbage", instance), invalid);
        assert_eq!(read(&genuine[token_keys::CODE_BYTES..], instance), invalid);
        let page = keys.seal(Purpose::ListPage, ours, &genuine[token_keys::CODE_BYTES..]);
        assert_eq!(read(&page, instance), invalid);
        for bit in 0..genuine.len() * 8 {
            let mut forged = genuine.to_vec();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&forged, instance), invalid, "bit {bit}");
        }
    }
}
