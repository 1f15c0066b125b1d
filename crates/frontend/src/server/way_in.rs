//! Which namespaces the connection of a call may enter.

use std::sync::Arc;

use authz::{Caller, Entry};
use listener::{Entered, Peer, Standing};

/// The way in of one call: remembers which namespace it has entered.
#[derive(Debug)]
struct WayIn {
    standing: Arc<dyn Standing>,
    entered: Entered,
}

impl Entry for WayIn {
    fn admits(&self, namespace: &str) -> bool {
        let admits = self.standing.admits(namespace);
        if admits && !namespace.is_empty() {
            // What a call does besides is decided after the call itself.
            let _first = self.entered.set(namespace.to_owned());
        }
        admits
    }
}

/// The caller, over a connection. `unproven` stands for connections on which no certificate can be
/// shown; there is none where no namespace asks for one of its own.
pub(crate) fn over(
    caller: Caller,
    peer: &Peer,
    unproven: Option<&Arc<dyn Standing>>,
    entered: &Entered,
) -> Caller {
    let Some(unproven) = unproven else { return caller };
    let standing = Arc::clone(peer.standing.as_ref().unwrap_or(unproven));
    caller.by(Arc::new(WayIn { standing, entered: Arc::clone(entered) }))
}
