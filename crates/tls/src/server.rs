//! The certificates of a server, and how they change while it runs.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use environment::Clock;
use model::{Span, Time};
use rustls::{crypto::aws_lc_rs, pki_types::CertificateDer};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    ServerSettings, TlsError,
    bundle::{Bundle, ReadBundle},
    expiry::{Severity, Validity},
    host::{Bundles, Host, Read},
    standing::Standing,
};

/// What a server presents and whom it trusts, at the moment.
#[derive(Debug)]
pub struct ServerTls {
    settings: ServerSettings,
    clock: Arc<dyn Clock>,
    current: Arc<ArcSwap<Hosts>>,
    /// Hears of each set that comes into force.
    changes: watch::Sender<()>,
}

/// How the certificates of a configuration stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expiry {
    /// How many have expired.
    pub expired: u64,
    /// How many expire within the windows of the settings.
    pub expiring: u64,
    /// When the first of all ends.
    pub first_end: Option<Time>,
}

/// All names. A set is made as a whole and never changes.
#[derive(Debug)]
pub(crate) struct Hosts {
    default: Arc<Host>,
    hosts: BTreeMap<String, Arc<Host>>,
    /// The namespaces that have authorities of their own.
    pub(crate) bundles: Bundles,
    read: ReadHosts,
    /// Rises with each set, so that connections know that there is a new one.
    pub(crate) generation: u64,
}

#[derive(Clone, PartialEq, Eq)]
struct ReadHosts {
    default: Read,
    hosts: BTreeMap<String, Read>,
    namespaces: BTreeMap<String, ReadBundle>,
}

/// There are keys in it.
impl std::fmt::Debug for ReadHosts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ReadHosts")
    }
}

impl Hosts {
    /// The host of the name that a client asks for.
    pub(crate) fn named(&self, name: Option<&str>) -> &Arc<Host> {
        let found = name.and_then(|name| self.hosts.get(&name.to_ascii_lowercase()));
        found.unwrap_or(&self.default)
    }

    fn validities(&self) -> impl Iterator<Item = &Validity> {
        let all = std::iter::once(&self.default).chain(self.hosts.values());
        let of_namespaces = self.bundles.values().flat_map(|bundle| &bundle.validities);
        all.flat_map(|host| &host.validities).chain(of_namespaces)
    }

    fn load(
        settings: &ServerSettings,
        read: ReadHosts,
        generation: u64,
        now: Time,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut bundles = Bundles::new();
        for ((name, settings), read) in settings.namespaces.iter().zip(read.namespaces.values()) {
            bundles.insert(name.clone(), Bundle::load(settings, read, &provider)?);
        }
        let host = |settings, read, bundles| {
            Host::load(settings, read, bundles, Arc::clone(&provider), now).map(Arc::new)
        };
        let default = host(&settings.default, &read.default, &bundles)?;
        let (mut hosts, nobody_else) = (BTreeMap::new(), Bundles::new());
        for ((name, settings), read) in settings.hosts.iter().zip(read.hosts.values()) {
            hosts.insert(name.clone(), host(settings, read, &nobody_else)?);
        }
        Ok(Self { default, hosts, bundles, read, generation })
    }
}

impl ReadHosts {
    fn from(settings: &ServerSettings) -> Result<Self, TlsError> {
        let default = Read::from(&settings.default)?;
        let hosts = settings.hosts.iter().map(|(name, host)| Ok((name.clone(), Read::from(host)?)));
        let bundle =
            |(name, settings): (&String, _)| Ok((name.clone(), ReadBundle::from(settings)?));
        let namespaces = settings.namespaces.iter().map(bundle);
        Ok(Self {
            default,
            hosts: hosts.collect::<Result<_, TlsError>>()?,
            namespaces: namespaces.collect::<Result<_, TlsError>>()?,
        })
    }
}

impl ServerTls {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// When anything of it is missing, malformed, mismatched or expired.
    pub fn open(settings: ServerSettings, clock: Arc<dyn Clock>) -> Result<Arc<Self>, TlsError> {
        let hosts = Hosts::load(&settings, ReadHosts::from(&settings)?, 0, clock.now())?;
        let current = Arc::new(ArcSwap::from_pointee(hosts));
        Ok(Arc::new(Self { settings, clock, current, changes: watch::Sender::new(()) }))
    }

    /// Reads everything again. True when it has changed; new connections are under the new set.
    ///
    /// # Errors
    /// When anything is wrong with what is there now. The former set stays in force.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        let read = ReadHosts::from(&self.settings)?;
        let current = self.current.load();
        if read == current.read {
            return Ok(false);
        }
        let generation = current.generation + 1;
        let hosts = Hosts::load(&self.settings, read, generation, self.clock.now())?;
        self.current.store(Arc::new(hosts));
        self.changes.send_replace(());
        Ok(true)
    }

    /// Refreshes again and again, and reports certificates that expire soon, until `stop` is
    /// cancelled.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let checks = self.settings.expiry_checks;
        let watched = Arc::clone(&self);
        let reporting = every(checks.interval, move || watched.report_expiry());
        let refreshing = every(self.settings.refresh_interval, || self.refresh_and_log());
        tokio::select! {
            () = stop.cancelled() => {}
            () = reporting => {}
            () = refreshing => {}
        }
    }

    pub(crate) fn hosts(&self) -> Arc<Hosts> {
        self.current.load_full()
    }

    /// How the certificates stand.
    pub fn expiry(&self) -> Expiry {
        let (now, hosts) = (self.clock.now(), self.hosts());
        let mut expiry = Expiry::default();
        for certificate in hosts.validities() {
            if certificate.is_expired(now) {
                expiry.expired += 1;
            } else if certificate.severity(&self.settings.expiry_checks, now).is_some() {
                expiry.expiring += 1;
            }
            let end = certificate.not_after();
            expiry.first_end = Some(expiry.first_end.map_or(end, |first| first.min(end)));
        }
        expiry
    }

    /// What connections are asked by that have shown nothing, if that matters to any namespace.
    pub fn without_certificate(&self) -> Option<Arc<dyn listener::Standing>> {
        self.standing(None, &[])
    }

    /// What a connection is asked by whether its certificate still holds, and where; nothing when
    /// that cannot change.
    pub(crate) fn standing(
        &self,
        name: Option<&str>,
        chain: &[CertificateDer<'_>],
    ) -> Option<Arc<dyn listener::Standing>> {
        if chain.is_empty() && self.settings.namespaces.is_empty() {
            return None;
        }
        let (current, clock) = (Arc::clone(&self.current), Arc::clone(&self.clock));
        Some(Arc::new(Standing::new(current, self.changes.subscribe(), clock, name, chain)))
    }

    fn refresh_and_log(&self) {
        match self.refresh() {
            Ok(true) => tracing::info!("loaded new TLS certificates"),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "failed to load certificates; the former ones stay");
            }
        }
    }

    fn report_expiry(&self) {
        let (now, hosts) = (self.clock.now(), self.hosts());
        for certificate in hosts.validities() {
            let says = if certificate.is_expired(now) { "has expired" } else { "expires soon" };
            match certificate.severity(&self.settings.expiry_checks, now) {
                None => {}
                Some(Severity::Warning) => tracing::warn!(%certificate, "a certificate {says}"),
                Some(Severity::Error) => tracing::error!(%certificate, "a certificate {says}"),
            }
        }
    }
}

/// Does something again and again; nothing when the interval is zero. Files are few and small, so
/// reading them may hold up the thread.
async fn every(interval: Span, mut act: impl FnMut()) {
    if interval.is_zero() {
        std::future::pending::<()>().await;
    }
    loop {
        tokio::time::sleep(interval.to_std()).await;
        act();
    }
}
