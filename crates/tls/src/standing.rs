//! Whether the certificate of an open connection still holds, and where it counts.

use std::{
    collections::HashMap,
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
use listener::Entered;
use model::Time;
use parking_lot::Mutex;
use rustls::pki_types::{CertificateDer, UnixTime};
use tokio::sync::watch;

use crate::{bundle::vouches, server::Hosts};

/// The certificate of a client, checked again when the authorities or the lists of revoked
/// certificates have changed since. A client that has shown none stands nowhere where one is asked.
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
    entries: Mutex<Entries>,
}

/// Which namespaces a client may enter, as far as it was asked. Those without authorities of their
/// own are one, under the empty name.
#[derive(Debug)]
struct Entries {
    generation: u64,
    until: HashMap<String, Option<Time>>,
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
            entries: Mutex::new(Entries { generation: u64::MAX, until: HashMap::new() }),
        }
    }

    fn now(&self) -> UnixTime {
        let since_1970 = u64::try_from(self.clock.now().nanos()).unwrap_or(0);
        UnixTime::since_unix_epoch(Duration::from_nanos(since_1970))
    }

    fn check(&self, hosts: &Hosts) -> bool {
        let Some((leaf, others)) = self.chain.split_first() else { return true };
        let host = hosts.named(self.name.as_deref());
        // Where certificates are asked for no longer, nobody is trusted for one.
        host.verifier.offer_client_auth()
            && host.verifier.verify_client_cert(leaf, others, self.now()).is_ok()
    }

    /// Until when the client may enter a namespace; nothing when it may not.
    fn entry(&self, hosts: &Hosts, namespace: &str) -> Option<Time> {
        if let Some(bundle) = hosts.bundles.get(namespace) {
            return bundle.admits(&self.chain, self.now());
        }
        if self.chain.is_empty() {
            return Some(Time::MAX);
        }
        let host = hosts.named(self.name.as_deref());
        vouches(&**host.general.as_ref()?, &self.chain, self.now())
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

    fn admits(&self, namespace: &str) -> bool {
        let hosts = self.current.load();
        if hosts.bundles.is_empty() {
            return true;
        }
        let key = if hosts.bundles.contains_key(namespace) { namespace } else { "" };
        let mut entries = self.entries.lock();
        if entries.generation != hosts.generation {
            *entries = Entries { generation: hosts.generation, until: HashMap::new() };
        }
        let until = match entries.until.get(key) {
            Some(known) => *known,
            None => {
                let found = self.entry(&hosts, key);
                entries.until.insert(key.to_owned(), found);
                found
            }
        };
        until.is_some_and(|until| self.clock.now() <= until)
    }

    fn lost(self: Arc<Self>, entered: Entered) -> BoxFuture<'static, ()> {
        let mut changes = self.changes.clone();
        Box::pin(async move {
            while self.holds() && entered.get().is_none_or(|namespace| self.admits(namespace)) {
                if changes.changed().await.is_err() {
                    // Nobody is left to change the certificates.
                    pending::<()>().await;
                }
            }
        })
    }
}
