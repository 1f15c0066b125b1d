//! When certificates end.

use std::{fmt, path::PathBuf};

use config::{Settings, tls::ServerTls};
use model::{Span, Time};
use serde::Serialize;
use tls::Source;

use super::{Diagnosis, Severity};
use crate::authorities::{Authorities, Role};

const DAY: i64 = 24 * 3600;

/// A certificate that ends sooner is a weakness, unless it is renewed; an authority's is one sooner.
const SOON: Span = Span::from_secs(14 * DAY);
const SOON_AUTHORITY: Span = Span::from_secs(90 * DAY);

/// A certificate of the configuration.
#[derive(Debug, Serialize)]
pub(super) struct Certificate {
    file: String,
    subject: String,
    is_authority: bool,
    /// As RFC 3339 writes it.
    not_after: String,
    days_left: i64,
    /// Whether the server issues it again by itself.
    is_renewed: bool,
}

impl fmt::Display for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, subject, not_after, days_left, is_renewed, .. } = self;
        let renewed = if *is_renewed { ", renewed by the server" } else { "" };
        write!(formatter, "{file}: `{subject}` until {not_after}, {days_left} days{renewed}")
    }
}

pub(super) fn check(settings: &Settings, now: Time, diagnosis: &mut Diagnosis) {
    let frontend = &settings.global.tls.frontend;
    for host in std::iter::once(&frontend.server).chain(frontend.host_overrides.values()) {
        let is_renewed =
            settings.certificates.is_enabled() && host.cert_file == frontend.server.cert_file;
        check_host(host, is_renewed, now, diagnosis);
    }
    for own in frontend.namespaces.values() {
        for file in &own.client_ca_files {
            look(PathBuf::from(file), false, now, diagnosis);
        }
        note_data(!own.client_ca_data.is_empty(), diagnosis);
    }
    if settings.certificates.is_enabled() {
        let folder = PathBuf::from(&settings.certificates.authority_directory);
        let file = Authorities::at(&folder).certificate(Role::Server);
        look(file, false, now, diagnosis);
    }
}

fn check_host(host: &ServerTls, is_renewed: bool, now: Time, diagnosis: &mut Diagnosis) {
    if !host.cert_file.is_empty() {
        look(PathBuf::from(&host.cert_file), is_renewed, now, diagnosis);
    }
    for file in &host.client_ca_files {
        look(PathBuf::from(file), false, now, diagnosis);
    }
    note_data(!host.cert_data.is_empty(), diagnosis);
}

/// Says that there is something nobody looks at, once.
fn note_data(is_there: bool, diagnosis: &mut Diagnosis) {
    let text = "certificates in the configuration itself are not looked at";
    if is_there && !diagnosis.notes.iter().any(|note| note == text) {
        diagnosis.notes.push(text.to_owned());
    }
}

fn look(file: PathBuf, is_renewed: bool, now: Time, diagnosis: &mut Diagnosis) {
    let place = file.display().to_string();
    if diagnosis.certificates.iter().any(|known| known.file == place) {
        return;
    }
    let found = match tls::inspect(&Source::File(file)) {
        Ok(found) => found,
        Err(error) => return diagnosis.find(Severity::High, place, error.to_string()),
    };
    for facts in found {
        let left = facts.not_after.since(now);
        let days_left = left.nanos() / (DAY * 1_000_000_000);
        let soon = if facts.is_authority { SOON_AUTHORITY } else { SOON };
        let since = std::time::Duration::from_nanos(facts.not_after.nanos().max(0).unsigned_abs());
        let not_after = std::time::SystemTime::UNIX_EPOCH + since;
        let not_after = humantime::format_rfc3339_seconds(not_after).to_string();
        if left.is_zero() {
            let text = format!("`{}` has ended: {not_after}", facts.subject);
            diagnosis.find(Severity::High, place.as_str(), text);
        } else if left < soon && !is_renewed {
            let text = format!("`{}` ends in {days_left} days: {not_after}", facts.subject);
            diagnosis.find(Severity::Medium, place.as_str(), text);
        }
        diagnosis.certificates.push(Certificate {
            file: place.clone(),
            subject: facts.subject,
            is_authority: facts.is_authority,
            not_after,
            days_left,
            is_renewed,
        });
    }
}
