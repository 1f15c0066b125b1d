//! Who may have payloads encoded and decoded.

use std::{fmt, sync::Arc};

use audit::Who;
use authn::{Authenticator, api_key_id};
use authz::Role;
use http::HeaderMap;
use listener::Peer;

use crate::{
    authority::{Authority, Remembered},
    request::{Action, Question},
};

/// Who may use the server.
#[derive(Debug)]
pub enum Access {
    /// Everybody who reaches the port.
    Everybody,
    /// Who has the right on the namespace: to read for decoding, to write for encoding. Whoever runs
    /// workflows of a namespace as a worker may do both.
    Rights(Rights),
}

/// What tells who has which rights.
pub struct Rights {
    authenticator: Authenticator,
    /// Who knows API keys.
    authority: Option<Remembered>,
}

impl fmt::Debug for Rights {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rights").finish_non_exhaustive()
    }
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    NoCredentials,
    NotTaken,
    NoRight,
    /// The server that knows could not be asked.
    NobodyKnows,
}

/// Who asks, and whether they may.
pub(crate) struct Decided {
    pub(crate) who: Who,
    pub(crate) may: Result<(), Denied>,
}

impl Rights {
    /// Rights that tokens and certificates speak of.
    pub fn new(authenticator: Authenticator) -> Self {
        Self { authenticator, authority: None }
    }

    /// The same, with a server that is asked about API keys.
    #[must_use]
    pub fn with_api_keys(self, authority: Arc<dyn Authority>) -> Self {
        Self { authority: Some(Remembered::new(authority)), ..self }
    }

    async fn check(&self, headers: &HeaderMap, peer: &Peer, asked: &Question) -> Decided {
        let namespace = asked.context.namespace.as_str();
        if let (Some(authority), Some(header)) =
            (&self.authority, headers.get(self.authenticator.header()))
            && let Some(id) = api_key_id(header.as_bytes())
        {
            let may = authority.check(header, namespace, asked.action).await;
            // An id that nobody vouches for names nobody.
            let who = match may {
                Ok(()) | Err(Denied::NoRight) => named("api-key", id),
                Err(_) => nobody(peer),
            };
            return Decided { who, may };
        }
        let caller = match self.authenticator.identify(headers, peer).await {
            Ok(caller) => caller,
            Err(reason) => {
                tracing::warn!(%reason, address = %peer.address, "credentials are not taken");
                return Decided { who: nobody(peer), may: Err(Denied::NotTaken) };
            }
        };
        if caller.principal().is_anonymous() {
            return Decided { who: nobody(peer), may: Err(Denied::NoCredentials) };
        }
        let needed = match asked.action {
            Action::Encode => Role::WRITER,
            Action::Decode => Role::READER,
        };
        let role = caller.claims().on(namespace);
        let may = role.covers(needed) || role.includes(Role::WORKER);
        Decided { who: caller.principal().into(), may: may.then_some(()).ok_or(Denied::NoRight) }
    }
}

impl Access {
    pub(crate) async fn check(
        &self,
        headers: &HeaderMap,
        peer: &Peer,
        asked: &Question,
    ) -> Decided {
        match self {
            Self::Everybody => Decided { who: nobody(peer), may: Ok(()) },
            Self::Rights(rights) => rights.check(headers, peer, asked).await,
        }
    }
}

fn named(kind: &str, name: &str) -> Who {
    Who { kind: kind.to_owned(), name: name.to_owned() }
}

/// Somebody without a name is told from others by the address.
fn nobody(peer: &Peer) -> Who {
    named("anonymous", &peer.address.ip().to_string())
}
