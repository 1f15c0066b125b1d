//! Whether the certificate of an open connection still holds.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use environment::Clock;
use futures_util::future::BoxFuture;
use rustls::pki_types::{CertificateDer, UnixTime};
use tokio::sync::watch;

use crate::server::Hosts;

/// The certificate of a client, checked again when the authorities or the lists of revoked
/// certificates have changed since.
#[derive(Debug)]
pub(crate) struct Standing {
    current: Arc<ArcSwap<Hosts>>,
    changes: watch::Receiver<()>,
    clock: Arc<dyn Clock>,
    /// The name that the client asked for.
    name: Option<String>,
    chain: Vec<CertificateDer<'static>>,
    /// The set that it was checked with last, and what came of it.
    checked: AtomicU64,
    holds: AtomicBool,
}

impl Standing {
    /// The certificate was found good a moment ago.
    pub(crate) fn new(
        current: Arc<ArcSwap<Hosts>>,
        changes: watch::Receiver<()>,
        clock: Arc<dyn Clock>,
        name: Option<&str>,
        chain: &[CertificateDer<'_>],
    ) -> Self {
        Self {
            // The set may have changed since the handshake: the first call looks.
            checked: AtomicU64::new(u64::MAX),
            current,
            changes,
            clock,
            name: name.map(str::to_owned),
            chain: chain.iter().map(|one| one.clone().into_owned()).collect(),
            holds: AtomicBool::new(true),
        }
    }

    fn check(&self, hosts: &Hosts) -> bool {
        let Some((leaf, others)) = self.chain.split_first() else { return true };
        let since_1970 = u64::try_from(self.clock.now().nanos()).unwrap_or(0);
        let now = UnixTime::since_unix_epoch(Duration::from_nanos(since_1970));
        let host = hosts.named(self.name.as_deref());
        // Where certificates are asked for no longer, nobody is trusted for one.
        host.verifier.offer_client_auth()
            && host.verifier.verify_client_cert(leaf, others, now).is_ok()
    }
}

impl listener::Standing for Standing {
    fn holds(&self) -> bool {
        let hosts = self.current.load();
        if self.checked.load(Ordering::Acquire) == hosts.generation {
            return self.holds.load(Ordering::Acquire);
        }
        let holds = self.check(&hosts);
        self.holds.store(holds, Ordering::Release);
        self.checked.store(hosts.generation, Ordering::Release);
        holds
    }

    fn lost(self: Arc<Self>) -> BoxFuture<'static, ()> {
        let mut changes = self.changes.clone();
        Box::pin(async move {
            while self.holds() {
                if changes.changed().await.is_err() {
                    // Nobody is left to change the certificates.
                    pending::<()>().await;
                }
            }
        })
    }
}
