//! What protects the server.

use prometheus::{IntCounter, IntGauge, Registry};

use crate::{
    MetricsError, names,
    series::{counters, gauges},
};

/// What protects the server, as it is now. Those who know count for themselves; see
/// [`Metrics::watch_security`](crate::Metrics::watch_security).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SecurityTotals {
    /// Connections that were not taken, because their address had too many.
    pub connections_refused: u64,
    /// Calls that policies in the shadow would have denied.
    pub policy_shadow_denials: u64,
    /// Calls that policies in the shadow would have permitted, and no role allows.
    pub policy_shadow_permits: u64,
    /// Times that policies could not be loaded.
    pub policy_failures: u64,
    /// Certificates that have expired.
    pub certificates_expired: u64,
    /// Certificates that expire within the configuration's window.
    pub certificates_expiring: u64,
    /// When the first of all certificates ends, in seconds since 1970; 0 when there is none.
    pub certificate_end_seconds: u64,
}

/// The handles.
#[derive(Debug)]
pub(crate) struct SecurityMetrics {
    connections_refused: IntCounter,
    policy_shadow_denials: IntCounter,
    policy_shadow_permits: IntCounter,
    policy_failures: IntCounter,
    certificates_expired: IntGauge,
    certificates_expiring: IntGauge,
    certificate_end_seconds: IntGauge,
}

impl SecurityMetrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        let counter = |family| Ok::<_, MetricsError>(counters(registry, family)?.with(&[]));
        let gauge = |family| Ok::<_, MetricsError>(gauges(registry, family)?.with(&[]));
        Ok(Self {
            connections_refused: counter(&names::CONNECTIONS_REFUSED)?,
            policy_shadow_denials: counter(&names::POLICY_SHADOW_DENIALS)?,
            policy_shadow_permits: counter(&names::POLICY_SHADOW_PERMITS)?,
            policy_failures: counter(&names::POLICY_FAILURES)?,
            certificates_expired: gauge(&names::CERTIFICATES_EXPIRED)?,
            certificates_expiring: gauge(&names::CERTIFICATES_EXPIRING)?,
            certificate_end_seconds: gauge(&names::CERTIFICATE_END)?,
        })
    }

    /// Shows the totals. Counters only grow.
    pub(crate) fn show(&self, totals: &SecurityTotals) {
        for (counter, total) in [
            (&self.connections_refused, totals.connections_refused),
            (&self.policy_shadow_denials, totals.policy_shadow_denials),
            (&self.policy_shadow_permits, totals.policy_shadow_permits),
            (&self.policy_failures, totals.policy_failures),
        ] {
            counter.inc_by(total.saturating_sub(counter.get()));
        }
        for (gauge, value) in [
            (&self.certificates_expired, totals.certificates_expired),
            (&self.certificates_expiring, totals.certificates_expiring),
            (&self.certificate_end_seconds, totals.certificate_end_seconds),
        ] {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }
}
