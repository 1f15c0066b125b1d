//! Who calls: asked once for each request, before anything of it is read. And who else is asked.

use std::fmt::Debug;

use authz::{Caller, Question};
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

    /// What waits until credentials that were good are taken no longer, and says why, for calls that
    /// wait themselves. Nothing where there is no such moment.
    fn withdrawal(&self, headers: &HeaderMap) -> Option<BoxFuture<'static, String>>;
}

/// Somebody outside who has to agree before a call runs that the policy allows.
pub trait Consult: Debug + Send + Sync + 'static {
    /// Asks about a call. The error says why it may not run; it is for the log.
    fn consult<'a>(&'a self, question: Question<'a>) -> BoxFuture<'a, Result<(), String>>;
}
