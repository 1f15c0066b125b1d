//! Certificates that expire soon.

use std::fmt;

use model::{Span, Time};
use x509_parser::certificate::X509Certificate;

use crate::peer::not_after;

/// When certificates that expire soon are reported. All zero: never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExpiryChecks {
    /// So long before its end a certificate is worth a warning.
    pub warning_window: Span,
    /// So long before its end it is worth an error.
    pub error_window: Span,
    /// How often that is looked at.
    pub interval: Span,
}

/// How long a certificate holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Validity {
    subject: String,
    is_authority: bool,
    not_after: Time,
    until: String,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Warning,
    Error,
}

impl Validity {
    pub(crate) fn of(certificate: &X509Certificate<'_>) -> Self {
        Self {
            subject: certificate.subject().to_string(),
            is_authority: certificate.is_ca(),
            not_after: not_after(certificate),
            until: certificate.validity().not_after.to_string(),
        }
    }

    /// Whether there is something to say.
    pub(crate) fn severity(&self, checks: &ExpiryChecks, now: Time) -> Option<Severity> {
        if self.not_after <= now + checks.error_window {
            return Some(Severity::Error);
        }
        (self.not_after <= now + checks.warning_window).then_some(Severity::Warning)
    }

    /// The end of its validity.
    pub(crate) const fn not_after(&self) -> Time {
        self.not_after
    }

    /// True when it is over.
    pub(crate) fn is_expired(&self, now: Time) -> bool {
        self.not_after < now
    }
}

impl fmt::Display for Validity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, is_authority, until, .. } = self;
        write!(formatter, "`{subject}`, IsCA={is_authority}, until {until}")
    }
}
