//! The audit log.

use prometheus::{IntCounter, Registry};

use crate::{MetricsError, names, series::counters};

/// The handles of the audit log. Cloning is cheap; clones count together.
#[derive(Debug, Clone)]
pub struct AuditMetrics {
    /// Records that were written.
    pub records: IntCounter,
    /// Records that were lost.
    pub dropped: IntCounter,
    /// Writes that failed.
    pub failures: IntCounter,
}

impl AuditMetrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        let counter = |family| Ok::<_, MetricsError>(counters(registry, family)?.with(&[]));
        Ok(Self {
            records: counter(&names::AUDIT_RECORDS)?,
            dropped: counter(&names::AUDIT_DROPPED)?,
            failures: counter(&names::AUDIT_FAILURES)?,
        })
    }
}
