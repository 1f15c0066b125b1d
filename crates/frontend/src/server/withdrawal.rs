//! Calls that wait, and credentials that are taken away meanwhile.
//!
//! A long poll is admitted once and may be answered a minute later. Whoever has lost the right to
//! ask by then is given nothing: the poll ends when the credentials do.

use authz::{Kind, Rpc};
use futures_util::future::{BoxFuture, pending};
use listener::{Entered, Peer};

/// What ends a call before its answer is there, and says why; nothing when nothing can.
pub(crate) fn withdrawal(
    rpc: Option<&Rpc>,
    peer: &Peer,
    entered: Entered,
    of_key: impl FnOnce() -> Option<BoxFuture<'static, String>>,
) -> Option<BoxFuture<'static, String>> {
    rpc.filter(|rpc| rpc.kind == Kind::LongPoll)?;
    // Whoever shows a key is known by it, and the certificate still has to hold.
    let (of_key, lost) = (of_key(), peer.lost(entered));
    if of_key.is_none() && lost.is_none() {
        return None;
    }
    Some(Box::pin(async move {
        tokio::select! {
            reason = of_key.unwrap_or_else(|| Box::pin(pending())) => reason,
            () = lost.unwrap_or_else(|| Box::pin(pending())) => LOST.to_owned(),
        }
    }))
}

/// Why a client with a certificate is refused that was good when its connection began.
pub(crate) const LOST: &str = "the certificate of the connection no longer holds";
