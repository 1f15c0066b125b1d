//! Who may have payloads encoded and decoded.

use authn::Authenticator;
use authz::Role;
use http::HeaderMap;
use listener::Peer;

use crate::request::{Action, Question};

/// Who may use the server.
#[derive(Debug)]
pub enum Access {
    /// Everybody who reaches the port.
    Everybody,
    /// Who has the right on the namespace: to read for decoding, to write for encoding. Whoever runs
    /// workflows of a namespace as a worker may do both.
    Rights(Authenticator),
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    NoCredentials,
    NotTaken,
    NoRight,
}

impl Access {
    pub(crate) async fn check(
        &self,
        headers: &HeaderMap,
        peer: &Peer,
        asked: &Question,
    ) -> Result<(), Denied> {
        let Self::Rights(authenticator) = self else { return Ok(()) };
        let caller = authenticator.identify(headers, peer).await.map_err(|reason| {
            tracing::warn!(%reason, address = %peer.address, "credentials are not taken");
            Denied::NotTaken
        })?;
        if caller.principal().is_anonymous() {
            return Err(Denied::NoCredentials);
        }
        let needed = match asked.action {
            Action::Encode => Role::WRITER,
            Action::Decode => Role::READER,
        };
        let role = caller.claims().on(&asked.context.namespace);
        if role.covers(needed) || role.includes(Role::WORKER) {
            return Ok(());
        }
        tracing::warn!(
            principal = caller.principal().stamp().map_or("", |(_, name)| name),
            namespace = asked.context.namespace,
            "denied"
        );
        Err(Denied::NoRight)
    }
}
