//! `global.tls.frontend.namespaces`: who may enter a namespace, by its own authorities.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    tls::{ClientAuth, GroupTls},
    values::{or_default, texts},
};

/// Most filters of a namespace, as in Temporal Cloud.
const FILTERS_MAX: usize = 25;

/// One namespace.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct NamespaceTls {
    /// Files of authorities, one of which has to vouch for a client.
    #[serde(deserialize_with = "texts", alias = "clientCAFiles")]
    pub client_ca_files: Vec<String>,
    /// The authorities themselves, PEM in base64.
    #[serde(deserialize_with = "texts", alias = "clientCAData")]
    pub client_ca_data: Vec<String>,
    /// Files of lists of client certificates that they have revoked.
    #[serde(deserialize_with = "texts")]
    pub client_crl_files: Vec<String>,
    /// Certificates that are meant, if not all; one that fits is enough.
    #[serde(deserialize_with = "or_default")]
    pub certificate_filters: Vec<CertificateFilter>,
}

/// What a certificate has to say of its holder: all that is set. Texts are compared without case,
/// with at most one `*` at the start or the end.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct CertificateFilter {
    /// The common name.
    #[serde(deserialize_with = "or_default")]
    pub common_name: String,
    /// The organization.
    #[serde(deserialize_with = "or_default")]
    pub organization: String,
    /// The organizational unit.
    #[serde(deserialize_with = "or_default")]
    pub organizational_unit: String,
    /// An alternative name: DNS, URI (SPIFFE) or mail address.
    #[serde(deserialize_with = "or_default")]
    pub subject_alternative_name: String,
}

impl CertificateFilter {
    fn check(&self, place: &str, problems: &mut Vec<String>) {
        let patterns = [
            &self.common_name,
            &self.organization,
            &self.organizational_unit,
            &self.subject_alternative_name,
        ];
        check_patterns(place, patterns, problems);
    }
}

/// Refuses patterns that say nothing, or that nothing could mean.
pub(crate) fn check_patterns(place: &str, patterns: [&String; 4], problems: &mut Vec<String>) {
    if patterns.iter().all(|pattern| pattern.is_empty()) {
        problems.push(format!("{place}: says nothing of the certificate"));
    }
    for pattern in patterns {
        let inner = pattern.strip_prefix('*').or(pattern.strip_suffix('*'));
        if inner.unwrap_or(pattern).contains('*') || pattern == "*" {
            problems.push(format!(
                "{place}: `{pattern}` may have one `*`, at its start or its end, and not alone"
            ));
        }
    }
}

/// Notes what is wrong with the namespaces of the frontend.
pub(crate) fn check(place: &str, group: &GroupTls, problems: &mut Vec<String>) {
    let namespaces: &BTreeMap<String, NamespaceTls> = &group.namespaces;
    if !namespaces.is_empty() && group.server.client_auth() == ClientAuth::None {
        problems.push(format!(
            "{place}.namespaces: set clientAuth of server to require or optional: clients are not \
             asked for certificates"
        ));
    }
    for (name, own) in namespaces {
        let place = format!("{place}.namespaces.{name}");
        if name.trim().is_empty() {
            problems.push(format!("{place}: the name of a namespace cannot be empty"));
        }
        if own.client_ca_files.is_empty() && own.client_ca_data.is_empty() {
            problems.push(format!("{place}: set clientCaFiles or clientCaData"));
        }
        let all = own.client_ca_files.iter().chain(&own.client_ca_data);
        if all.chain(&own.client_crl_files).any(|item| item.trim().is_empty()) {
            problems.push(format!("{place}: the name of a file cannot be empty"));
        }
        let filters = own.certificate_filters.len();
        if filters > FILTERS_MAX {
            problems.push(format!(
                "{place}.certificateFilters: there are {filters}, and at most {FILTERS_MAX}"
            ));
        }
        for (index, filter) in own.certificate_filters.iter().enumerate() {
            filter.check(&format!("{place}.certificateFilters[{index}]"), problems);
        }
    }
}
