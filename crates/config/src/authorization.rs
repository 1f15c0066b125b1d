//! `global.authorization`: the reference's settings, and ours beside them.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use crate::{
    rules::{CustomRole, Policies, Webhook},
    tls_namespaces::check_patterns,
    values::{length_of_time, or_default, texts},
};

/// Who may do what, and how callers prove who they are.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Authorization {
    /// Where the keys come from that tokens are signed with.
    #[serde(deserialize_with = "or_default")]
    pub jwt_key_provider: JwtKeyProvider,
    /// The claim of a token that holds permissions: a name, or a path such as `realm.roles`.
    #[serde(deserialize_with = "or_default")]
    pub permissions_claim_name: String,
    /// How permissions read, with the groups `namespace` and `role`.
    #[serde(deserialize_with = "or_default")]
    pub permissions_regex: String,
    /// `default`, or `noop`: everybody may do everything.
    #[serde(deserialize_with = "or_default")]
    pub authorizer: String,
    /// `default`, or `noop`: everybody is an administrator.
    #[serde(deserialize_with = "or_default")]
    pub claim_mapper: String,
    /// The header that holds the token; `authorization`.
    #[serde(deserialize_with = "or_default")]
    pub auth_header_name: String,
    /// The reference's header for more; read and not used.
    #[serde(deserialize_with = "or_default")]
    pub auth_extra_header_name: String,
    /// What `aud` of a token has to hold.
    #[serde(deserialize_with = "or_default")]
    pub audience: String,
    /// The reference's setting for other clusters; read and not used.
    #[serde(deserialize_with = "or_default")]
    pub remote_cluster_auth: RemoteClusterAuth,

    /// What `iss` of a token may be; anything when empty. Not of the reference, as all below.
    #[serde(deserialize_with = "texts")]
    pub issuers: Vec<String>,
    /// Issuers that publish where their keys are (OpenID Connect discovery).
    #[serde(deserialize_with = "texts")]
    pub oidc_issuers: Vec<String>,
    /// The algorithms that tokens may be signed with.
    #[serde(deserialize_with = "texts")]
    pub algorithms: Vec<String>,
    /// The claim that names the caller; `sub`.
    #[serde(deserialize_with = "or_default")]
    pub subject_claim_name: String,
    /// How much clocks may differ; a minute when not set.
    #[serde(deserialize_with = "crate::values::optional_length_of_time")]
    pub leeway: Option<Duration>,
    /// Takes tokens that never expire.
    #[serde(deserialize_with = "or_default")]
    pub dangerous_tokens_without_expiry: bool,
    /// Lets the role `worker` alone do nothing, as in the reference.
    #[serde(deserialize_with = "or_default")]
    pub worker_role_is_noop: bool,
    /// What client certificates may do.
    #[serde(deserialize_with = "or_default")]
    pub client_certificates: Vec<CertificateRule>,
    /// Takes the keys that `longtide auth key create` makes.
    #[serde(deserialize_with = "or_default")]
    pub api_keys: bool,
    /// Roles beside the reference's, by name.
    #[serde(deserialize_with = "or_default")]
    pub roles: BTreeMap<String, CustomRole>,
    /// Cedar policies.
    pub policies: Option<Policies>,
    /// A server outside that is asked.
    pub webhook: Option<Webhook>,
}

/// See [`Authorization::jwt_key_provider`].
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct JwtKeyProvider {
    /// `file:`, `http:` and `https:` addresses of key sets.
    #[serde(rename = "keySourceURIs", deserialize_with = "texts")]
    pub key_source_uris: Vec<String>,
    /// How often they are read again.
    #[serde(deserialize_with = "length_of_time")]
    pub refresh_interval: Duration,
}

/// See [`Authorization::remote_cluster_auth`].
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct RemoteClusterAuth {
    /// Whether it is required.
    #[serde(deserialize_with = "or_default")]
    pub require: bool,
}

/// Permissions for the certificates that match every pattern that is set. A pattern is a text,
/// compared without case, with at most one `*` at its start or its end.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct CertificateRule {
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
    /// What the holder may do, such as `orders:write`.
    #[serde(deserialize_with = "texts")]
    pub permissions: Vec<String>,
}

impl Authorization {
    /// True when anything can tell who a caller is.
    pub fn knows_callers(&self) -> bool {
        !self.jwt_key_provider.key_source_uris.is_empty()
            || !self.oidc_issuers.is_empty()
            || !self.client_certificates.is_empty()
            || self.api_keys
    }

    /// True when everybody may do everything, by name.
    pub fn is_noop(&self) -> bool {
        self.authorizer.eq_ignore_ascii_case("noop")
    }

    /// True when the webhook decides alone.
    pub fn is_webhook(&self) -> bool {
        self.authorizer.eq_ignore_ascii_case("webhook")
    }

    /// Notes everything that is wrong and that the form of the file cannot tell.
    pub(crate) fn check(&self, problems: &mut Vec<String>) {
        let known = |name: &str| ["", "default", "noop"].contains(&name.to_lowercase().as_str());
        if !known(&self.authorizer) && !self.is_webhook() {
            problems.push(format!("global.authorization: unknown authorizer: {}", self.authorizer));
        }
        if !known(&self.claim_mapper) {
            let text = format!("unknown claim mapper: {}", self.claim_mapper);
            problems.push(format!("global.authorization: {text}"));
        }
        if self.authorizer.is_empty() {
            problems.push(
                "global.authorization.authorizer: is not set, and everybody may do everything \
                 only by name: set it to default, or to noop"
                    .to_owned(),
            );
        }
        if self.claim_mapper.eq_ignore_ascii_case("noop") && !self.is_noop() {
            problems.push(
                "global.authorization.claimMapper: noop makes everybody an administrator; the \
                 authorizer says so, too: set it to noop as well"
                    .to_owned(),
            );
        }
        if !self.is_noop() && !self.authorizer.is_empty() && !self.knows_callers() {
            problems.push(
                "global.authorization: nobody could prove who they are: set \
                 jwtKeyProvider.keySourceURIs, oidcIssuers, clientCertificates or apiKeys"
                    .to_owned(),
            );
        }
        self.check_rules(problems);
        for (index, rule) in self.client_certificates.iter().enumerate() {
            rule.check(&format!("global.authorization.clientCertificates[{index}]"), problems);
        }
    }
}

impl Authorization {
    fn check_rules(&self, problems: &mut Vec<String>) {
        if self.is_noop() && (self.policies.is_some() || self.webhook.is_some()) {
            let text = "policies and webhook are not asked when everybody may do everything";
            problems.push(format!("global.authorization.authorizer: noop: {text}"));
        }
        if self.is_webhook() && self.webhook.is_none() {
            problems.push("global.authorization.webhook: is not set".to_owned());
        }
        if self.is_webhook() && self.policies.is_some() {
            let text = "policies are not asked when the webhook decides alone";
            problems.push(format!("global.authorization.authorizer: webhook: {text}"));
        }
        for (name, role) in &self.roles {
            role.check(&format!("global.authorization.roles.{name}"), problems);
        }
        if let Some(policies) = &self.policies {
            policies.check(problems);
        }
        if let Some(webhook) = &self.webhook {
            webhook.check(problems);
        }
    }
}

impl CertificateRule {
    fn check(&self, place: &str, problems: &mut Vec<String>) {
        let patterns = [
            &self.common_name,
            &self.organization,
            &self.organizational_unit,
            &self.subject_alternative_name,
        ];
        check_patterns(place, patterns, problems);
        if self.permissions.is_empty() {
            problems.push(format!("{place}.permissions: is empty"));
        }
    }
}
