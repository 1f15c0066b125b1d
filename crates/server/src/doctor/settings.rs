//! What the settings say.

use config::{Audit, Authorization, DataPlane, OnFailure, Settings, tls};

use super::{Diagnosis, Severity};

pub(super) fn check(settings: &Settings, diagnosis: &mut Diagnosis) {
    let is_encrypted = settings.global.tls.frontend.server.is_enabled();
    if settings.dangerous_plaintext {
        let text = "ports off loopback may be without encryption";
        diagnosis.find(Severity::High, "dangerous_plaintext", text);
    }
    if !is_encrypted {
        let (severity, text) = if settings.listen.ip().is_loopback() {
            (Severity::Medium, "nothing is encrypted: whoever listens on this machine reads it")
        } else {
            (Severity::High, "nothing is encrypted: whoever is on the way reads and changes it")
        };
        diagnosis.find(severity, "global.tls.frontend.server", text);
    }
    check_authorization(settings, is_encrypted, diagnosis);
    check_versions(settings, is_encrypted, diagnosis);
    match &settings.encryption_at_rest {
        None => diagnosis.find(
            Severity::Medium,
            "encryption_at_rest",
            "what is stored is not encrypted: whoever has the disk or a backup reads it",
        ),
        Some(at_rest) if at_rest.dangerous_plaintext_index => diagnosis.find(
            Severity::Medium,
            "encryption_at_rest.dangerous_plaintext_index",
            "workflow ids, memos and search attributes can be read in the data directory",
        ),
        Some(_) => {}
    }
    match &settings.audit {
        None => diagnosis.find(
            Severity::Medium,
            "audit",
            "there is no audit log: nobody can tell who did what",
        ),
        Some(audit) => check_audit(audit, diagnosis),
    }
    if let Some(Ok(address)) = settings.metrics.address()
        && !address.ip().is_loopback()
    {
        let text = "metrics are not encrypted, and everybody may read them";
        diagnosis.find(Severity::Medium, "metrics.listen", text);
    }
    for allowed in &settings.nexus.allowed_addresses {
        let place = format!("nexus.allowed_addresses: {}", allowed.pattern);
        if allowed.dangerous_allow_insecure {
            let text = "dangerous_allow_insecure: callbacks go out without encryption";
            diagnosis.find(Severity::Medium, place.as_str(), text);
        }
        if allowed.pattern.chars().all(|sign| matches!(sign, '*' | ':')) {
            let text = "users may let the server call any address, those inside your network, too";
            diagnosis.find(Severity::Medium, place, text);
        }
    }
}

fn check_authorization(settings: &Settings, is_encrypted: bool, diagnosis: &mut Diagnosis) {
    let place = "global.authorization";
    let Some(authorization) = &settings.global.authorization else {
        let text = "nobody has to prove who they are: whoever reaches the port may do everything";
        return diagnosis.find(Severity::High, place, text);
    };
    if authorization.is_noop() {
        let text = "noop: whoever reaches the port may do everything";
        return diagnosis.find(Severity::High, format!("{place}.authorizer"), text);
    }
    if !is_encrypted && authorization.api_keys {
        let text = "keys go over the network without encryption";
        diagnosis.find(Severity::High, format!("{place}.apiKeys"), text);
    }
    check_tokens(authorization, diagnosis);
    if authorization.policies.as_ref().is_some_and(config::Policies::is_shadow) {
        let text = "policies decide nothing: they only watch";
        diagnosis.find(Severity::Medium, format!("{place}.policies.mode"), text);
    }
    for (index, rule) in authorization.client_certificates.iter().enumerate() {
        let is_narrow = !rule.common_name.is_empty()
            || !rule.subject_alternative_name.is_empty()
            || !rule.organizational_unit.is_empty();
        let is_admin = rule.permissions.iter().any(|it| it.trim() == "temporal-system:admin");
        if is_admin && !is_narrow {
            diagnosis.find(
                Severity::Medium,
                format!("{place}.clientCertificates[{index}]"),
                "everybody in an organization administers the whole system",
            );
        }
    }
}

fn check_tokens(authorization: &Authorization, diagnosis: &mut Diagnosis) {
    let place = "global.authorization";
    if authorization.dangerous_tokens_without_expiry {
        let text = "a token that was stolen can be used for ever";
        diagnosis.find(Severity::High, format!("{place}.dangerousTokensWithoutExpiry"), text);
    }
    let provider = &authorization.jwt_key_provider;
    let sources: Vec<&str> = provider
        .key_source_uris
        .iter()
        .chain(&authorization.oidc_issuers)
        .map(|uri| uri.trim())
        .filter(|uri| !uri.is_empty())
        .collect();
    if sources.is_empty() {
        return;
    }
    for source in sources.iter().filter(|source| source.starts_with("http://")) {
        let text = "the keys of tokens are read without encryption: whoever is on the way makes \
                    tokens";
        diagnosis.find(Severity::High, format!("{place}: {source}"), text);
    }
    if authorization.audience.is_empty() {
        let text = "is not set: tokens that were made for other services are taken";
        diagnosis.find(Severity::Medium, format!("{place}.audience"), text);
    }
    if authorization.issuers.is_empty() && !provider.key_source_uris.is_empty() {
        let text = "is not set: every issuer with one of the keys is taken";
        diagnosis.find(Severity::Low, format!("{place}.issuers"), text);
    }
}

fn check_versions(settings: &Settings, is_encrypted: bool, diagnosis: &mut Diagnosis) {
    let frontend = &settings.global.tls.frontend;
    let mut hosts: Vec<(String, &tls::ServerTls)> = Vec::new();
    if is_encrypted {
        hosts.push(("server".to_owned(), &frontend.server));
    }
    hosts.extend(
        frontend.host_overrides.iter().map(|(name, host)| (format!("hostOverrides.{name}"), host)),
    );
    for (name, host) in hosts {
        if host.min_version != "1.3" {
            let text = "TLS 1.2 is spoken, too: every SDK of today speaks 1.3";
            diagnosis.find(Severity::Low, format!("global.tls.frontend.{name}.minVersion"), text);
        }
    }
}

fn check_audit(audit: &Audit, diagnosis: &mut Diagnosis) {
    if audit.key_file.is_empty() {
        let text = "is not set: whoever can write the audit log can write it anew";
        diagnosis.find(Severity::Medium, "audit.key_file", text);
    }
    if audit.directory.is_empty() {
        let text = "is not set: the chain of records begins anew with each start";
        diagnosis.find(Severity::Low, "audit.directory", text);
    }
    if audit.on_failure == OnFailure::Drop {
        let text = "drop: with a full disk the server goes on unseen";
        diagnosis.find(Severity::Low, "audit.on_failure", text);
    }
    let kept = audit.namespaces.iter().map(|(name, kept)| (format!("namespaces.{name}"), *kept));
    let all = std::iter::once(("data_plane".to_owned(), audit.data_plane)).chain(kept);
    for (name, _) in all.filter(|(_, kept)| *kept == DataPlane::None) {
        let text = "none: who starts and ends workflows is not kept";
        diagnosis.find(Severity::Low, format!("audit.{name}"), text);
    }
}
