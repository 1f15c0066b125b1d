//! Calls that wait, and credentials that are taken away meanwhile.
//!
//! A long poll is admitted once and may be answered a minute later. Whoever has lost the right to
//! ask by then is given nothing: the poll ends when the credentials do.

use std::time::Duration;

use authz::{Kind, Rpc};
use futures_util::future::{BoxFuture, pending};
use listener::Peer;
use tokio_util::sync::CancellationToken;

/// How often is looked whether a client's certificate still holds.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The certificate that a connection began with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    /// Cancelled when it no longer holds; nothing when there is none.
    lost: Option<CancellationToken>,
}

impl Shown {
    /// That of a connection, and what has to run along with it.
    pub(crate) fn of(peer: &Peer) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let lost = peer.standing.as_ref().map(|_| CancellationToken::new());
        let (peer, told) = (peer.clone(), lost.clone());
        let watch = async move {
            if let Some(told) = told {
                while peer.holds() {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                told.cancel();
            }
            pending().await
        };
        (Self { lost }, watch)
    }

    /// What ends a call before its answer is there, and says why; nothing when nothing can.
    pub(crate) fn withdrawal(
        &self,
        rpc: Option<&Rpc>,
        of_key: impl FnOnce() -> Option<BoxFuture<'static, String>>,
    ) -> Option<BoxFuture<'static, String>> {
        rpc.filter(|rpc| rpc.kind == Kind::LongPoll)?;
        // Whoever shows a key is known by it, and the certificate still has to hold.
        let (of_key, lost) = (of_key(), self.lost.clone());
        if of_key.is_none() && lost.is_none() {
            return None;
        }
        Some(Box::pin(async move {
            let of_key = async {
                match of_key {
                    Some(withdrawn) => withdrawn.await,
                    None => pending().await,
                }
            };
            let lost = async {
                match lost {
                    Some(lost) => lost.cancelled().await,
                    None => pending().await,
                }
            };
            tokio::select! {
                reason = of_key => reason,
                () = lost => LOST.to_owned(),
            }
        }))
    }
}

/// Why a client with a certificate is refused that was good when its connection began.
pub(crate) const LOST: &str = "the certificate of the connection no longer holds";
