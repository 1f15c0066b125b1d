//! Who calls: asked once for each request, before anything of it is read.

use std::fmt::Debug;

use authz::Caller;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use listener::Peer;

/// Turns the credentials of a request into a caller.
pub trait Authenticate: Debug + Send + Sync + 'static {
    /// Says who calls, from the headers of a request and the other end of its connection. Without
    /// any credentials that is [`Caller::anonymous`].
    ///
    /// The error says why credentials are not taken. It is for the log; the caller learns that the
    /// request is unauthorized, and nothing else.
    fn identify<'a>(
        &'a self,
        headers: &'a HeaderMap,
        peer: &'a Peer,
    ) -> BoxFuture<'a, Result<Caller, String>>;
}
