//! Page tokens of lists.

use bytes::Bytes;
use model::NamespaceId;
use token_keys::{Purpose, TokenKeys};

use crate::error::{ApiError, ApiResult};

/// A token as clients get it; none for none. What belongs to no namespace has the default one.
pub(crate) fn seal_page(
    keys: &TokenKeys,
    namespace_id: NamespaceId,
    body: impl AsRef<[u8]>,
) -> Bytes {
    match body.as_ref() {
        [] => Bytes::new(),
        body => keys.seal(Purpose::ListPage, namespace_id, body),
    }
}

/// What a client gives back; empty when it gives none.
///
/// # Errors
/// When it was not made here, or for another namespace.
pub(crate) fn open_page<'a>(
    keys: &TokenKeys,
    namespace_id: NamespaceId,
    token: &'a [u8],
) -> ApiResult<&'a [u8]> {
    if token.is_empty() {
        return Ok(token);
    }
    keys.open(Purpose::ListPage, namespace_id, token)
        .ok_or_else(|| ApiError::invalid("Invalid NextPageToken."))
}
