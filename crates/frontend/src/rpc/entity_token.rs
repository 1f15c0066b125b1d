//! The tokens of long polls on what is no workflow.

use bytes::Bytes;
use model::RunId;

use crate::error::{ApiError, ApiResult};

/// What a client has seen: the entity, and how many steps it had taken.
pub(crate) fn token(instance: RunId, transitions: i64) -> Bytes {
    [instance.as_bytes().as_slice(), &transitions.to_be_bytes()].concat().into()
}

/// The steps that a client has seen.
pub(crate) fn read_token(token: &[u8], run_id: Option<RunId>) -> ApiResult<i64> {
    let read = || {
        let (instance, seen) = token.split_first_chunk::<16>()?;
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
        let instance = RunId::from_bytes([7; 16]);
        assert_eq!(read_token(&token(instance, 3), Some(instance)), Ok(3));
        let other = RunId::from_bytes([8; 16]);
        assert!(read_token(&token(instance, 3), Some(other)).is_err());
        assert!(read_token(b"garbage", Some(instance)).is_err());
    }
}
