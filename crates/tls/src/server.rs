//! The certificates of a server, and how they change while it runs.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use environment::Clock;
use model::Span;
use tokio_util::sync::CancellationToken;

use crate::{
    ServerSettings, TlsError,
    expiry::Severity,
    host::{Host, Read},
};

/// What a server presents and whom it trusts, at the moment.
#[derive(Debug)]
pub struct ServerTls {
    settings: ServerSettings,
    clock: Arc<dyn Clock>,
    current: ArcSwap<Hosts>,
}

/// All names. A set is made as a whole and never changes.
#[derive(Debug)]
pub(crate) struct Hosts {
    default: Arc<Host>,
    hosts: BTreeMap<String, Arc<Host>>,
    read: ReadHosts,
}

#[derive(Clone, PartialEq, Eq)]
struct ReadHosts {
    default: Read,
    hosts: BTreeMap<String, Read>,
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

    fn load(
        settings: &ServerSettings,
        read: ReadHosts,
        now: model::Time,
    ) -> Result<Self, TlsError> {
        let default = Arc::new(Host::load(&settings.default, &read.default, now)?);
        let mut hosts = BTreeMap::new();
        for ((name, settings), read) in settings.hosts.iter().zip(read.hosts.values()) {
            hosts.insert(name.clone(), Arc::new(Host::load(settings, read, now)?));
        }
        Ok(Self { default, hosts, read })
    }
}

impl ReadHosts {
    fn from(settings: &ServerSettings) -> Result<Self, TlsError> {
        let default = Read::from(&settings.default)?;
        let hosts = settings.hosts.iter().map(|(name, host)| Ok((name.clone(), Read::from(host)?)));
        Ok(Self { default, hosts: hosts.collect::<Result<_, TlsError>>()? })
    }
}

impl ServerTls {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// When anything of it is missing, malformed, mismatched or expired.
    pub fn open(settings: ServerSettings, clock: Arc<dyn Clock>) -> Result<Arc<Self>, TlsError> {
        let hosts = Hosts::load(&settings, ReadHosts::from(&settings)?, clock.now())?;
        Ok(Arc::new(Self { settings, clock, current: ArcSwap::from_pointee(hosts) }))
    }

    /// Reads everything again. True when it has changed; new connections are under the new set.
    ///
    /// # Errors
    /// When anything is wrong with what is there now. The former set stays in force.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        let read = ReadHosts::from(&self.settings)?;
        if read == self.current.load().read {
            return Ok(false);
        }
        let hosts = Hosts::load(&self.settings, read, self.clock.now())?;
        self.current.store(Arc::new(hosts));
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
        let all = std::iter::once(&hosts.default).chain(hosts.hosts.values());
        for certificate in all.flat_map(|host| &host.validities) {
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
