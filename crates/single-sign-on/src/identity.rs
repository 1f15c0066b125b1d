//! What a provider says of a person.

use authn::{CredentialError, claim, claim_texts};
use model::{Span, Time};
use serde_json::{Map, Value};

use crate::ProviderSettings;

/// How much clocks may differ.
const LEEWAY: Span = Span::from_secs(60);

/// Longest name that is shown, in bytes.
const NAME_BYTES_MAX: usize = 200;

const BACK_CHANNEL: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A person, as an identity token says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) subject: String,
    /// The session at the provider.
    pub(crate) session: String,
    pub(crate) name: String,
    pub(crate) email: String,
    /// False only when the provider says so.
    email_verified: bool,
    groups: Vec<String>,
    /// When the token ends.
    pub(crate) ends: Time,
}

/// What a token has to say of itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) now: Time,
}

impl Expected<'_> {
    /// Checks for whom a token is, whose, and when it ends, which it says.
    fn check(self, said: &Map<String, Value>) -> Result<Time, CredentialError> {
        let text = |name: &str| said.get(name).and_then(Value::as_str);
        if text("iss") != Some(self.issuer) {
            return Err(CredentialError::Issuer);
        }
        let audience: Vec<&str> = match said.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(some)) => some.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let is_presented_by = |name: &str| text("azp").is_none_or(|party| party == name);
        if !audience.contains(&self.client_id)
            || !is_presented_by(self.client_id)
            || (audience.len() > 1 && text("azp").is_none())
        {
            return Err(CredentialError::Audience);
        }
        let time = |name: &str| {
            let seconds = said.get(name)?.as_f64().filter(|seconds| seconds.abs() < 1e10)?;
            #[expect(clippy::cast_possible_truncation, reason = "bounded on the line above")]
            Some(Time::from_nanos((seconds as i64).saturating_mul(1_000_000_000)))
        };
        let ends = time("exp").ok_or(CredentialError::NoExpiry)?;
        if ends + LEEWAY <= self.now {
            return Err(CredentialError::Expired);
        }
        let not_before = [time("nbf"), time("iat")];
        if not_before.into_iter().flatten().any(|begins| begins > self.now + LEEWAY) {
            return Err(CredentialError::NotYetValid);
        }
        Ok(ends)
    }
}

impl Identity {
    /// Reads an identity token whose signature is good. `nonce` is that of the sign-in which it came
    /// from; tokens that come later need not have one.
    pub(crate) fn read(
        said: &Map<String, Value>,
        expected: Expected<'_>,
        nonce: Option<&str>,
        groups_claim: &str,
    ) -> Result<Self, CredentialError> {
        let ends = expected.check(said)?;
        let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
        if nonce.is_some_and(|nonce| text("nonce") != nonce) {
            return Err(CredentialError::Malformed("the nonce is another one".to_owned()));
        }
        let subject = text("sub");
        if subject.is_empty() {
            return Err(CredentialError::Subject);
        }
        let names = [text("name"), text("preferred_username"), text("email"), subject];
        let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        let groups = claim_texts(claim(said, groups_claim));
        Ok(Self {
            subject: subject.to_owned(),
            session: text("sid").to_owned(),
            name: shortened(name),
            email: shortened(text("email")),
            email_verified: said.get("email_verified") != Some(&Value::Bool(false)),
            groups: groups.into_iter().map(str::to_owned).collect(),
            ends,
        })
    }

    /// Whether the lists of this server let somebody in.
    pub(crate) fn is_allowed(&self, settings: &ProviderSettings) -> bool {
        let (groups, emails) = (&settings.allowed_groups, &settings.allowed_emails);
        if groups.is_empty() && emails.is_empty() {
            return true;
        }
        let by_group = groups.iter().any(|group| self.groups.contains(group));
        let email = self.email.to_ascii_lowercase();
        let by_email = self.email_verified
            && emails.iter().any(|allowed| {
                let allowed = allowed.to_ascii_lowercase();
                match allowed.strip_prefix('*') {
                    Some(domain) => domain.starts_with('@') && email.ends_with(&domain),
                    None => !email.is_empty() && email == allowed,
                }
            });
        by_group || by_email
    }
}

/// Whose sessions end, as a provider's own message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedOut {
    pub(crate) subject: String,
    pub(crate) session: String,
}

impl SignedOut {
    /// Reads a logout token (OpenID Connect Back-Channel Logout) whose signature is good.
    pub(crate) fn read(
        said: &Map<String, Value>,
        expected: Expected<'_>,
    ) -> Result<Self, CredentialError> {
        expected.check(said)?;
        let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
        let malformed = |text: &str| Err(CredentialError::Malformed(text.to_owned()));
        let is_logout = said.get("events").and_then(|events| events.get(BACK_CHANNEL)).is_some();
        // An identity token is none, whoever sends it.
        if !is_logout || said.contains_key("nonce") {
            return malformed("it is no logout token");
        }
        let (subject, session) = (text("sub").to_owned(), text("sid").to_owned());
        if subject.is_empty() && session.is_empty() {
            return malformed("it names nobody");
        }
        Ok(Self { subject, session })
    }
}

fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(NAME_BYTES_MAX);
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn expected() -> Expected<'static> {
        let now = Time::from_nanos(NOW * 1_000_000_000);
        Expected { issuer: "https://id", client_id: "ui", now }
    }

    fn said(changes: Value) -> Map<String, Value> {
        let token = json!({
            "iss": "https://id", "aud": "ui", "sub": "42", "exp": NOW + 60, "nonce": "n",
            "name": "Alice", "email": "alice@example.com", "groups": ["ops"], "sid": "s",
        });
        let (Value::Object(mut token), Value::Object(changes)) = (token, changes) else {
            panic!("objects")
        };
        token.extend(changes);
        token.retain(|_, value| !value.is_null());
        token
    }

    fn read(changes: Value) -> Result<Identity, CredentialError> {
        Identity::read(&said(changes), expected(), Some("n"), "groups")
    }

    fn lists(groups: &[&str], emails: &[&str]) -> ProviderSettings {
        let texts = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect();
        ProviderSettings {
            name: String::new(),
            label: String::new(),
            address: String::new(),
            issuer: String::new(),
            client_id: String::new(),
            client_secret: None,
            callback: String::new(),
            sign_out_return: None,
            scopes: Vec::new(),
            options: Vec::new(),
            id_token_is_bearer: false,
            groups_claim: "groups".to_owned(),
            allowed_groups: texts(groups),
            allowed_emails: texts(emails),
        }
    }

    #[test]
    fn a_token_is_for_this_server_from_this_provider_and_of_this_sign_in() {
        let identity = read(json!({})).unwrap();
        assert_eq!((identity.name.as_str(), identity.session.as_str()), ("Alice", "s"));
        assert!(read(json!({ "aud": ["ui"] })).is_ok());
        assert!(read(json!({ "aud": ["ui", "api"], "azp": "ui" })).is_ok());
        for changes in [
            json!({ "iss": "https://other" }),
            json!({ "iss": null }),
            json!({ "aud": "api" }),
            json!({ "aud": null }),
            json!({ "aud": ["ui", "api"] }),
            json!({ "azp": "api" }),
            json!({ "exp": NOW - 60 }),
            json!({ "exp": null }),
            json!({ "nbf": NOW + 61 }),
            json!({ "nonce": "m" }),
            json!({ "nonce": null }),
            json!({ "sub": null }),
        ] {
            assert!(read(changes.clone()).is_err(), "{changes}");
        }
        // Tokens that come with a renewal have no nonce.
        let renewed = said(json!({ "nonce": null }));
        assert!(Identity::read(&renewed, expected(), None, "groups").is_ok());
    }

    #[test]
    fn lists_let_in_whom_they_name() {
        let alice = read(json!({})).unwrap();
        for (groups, emails, allowed) in [
            (&[][..], &[][..], true),
            (&["ops"], &[], true),
            (&["dev"], &[], false),
            (&["dev"], &["ALICE@example.com"], true),
            (&[], &["*@example.com"], true),
            (&[], &["*@ample.com"], false),
            (&[], &["*example.com"], false),
            (&[], &["*"], false),
            (&[], &["bob@example.com"], false),
        ] {
            assert_eq!(alice.is_allowed(&lists(groups, emails)), allowed, "{groups:?} {emails:?}");
        }
        let unverified = read(json!({ "email_verified": false })).unwrap();
        assert!(!unverified.is_allowed(&lists(&[], &["*@example.com"])));
        let without = read(json!({ "email": null })).unwrap();
        assert!(!without.is_allowed(&lists(&[], &[""])));
    }

    #[test]
    fn only_a_logout_token_signs_out() {
        let read = |changes| SignedOut::read(&said(changes), expected());
        let events = json!({ BACK_CHANNEL: {} });
        let signed_out = read(json!({ "events": events, "nonce": null })).unwrap();
        assert_eq!((signed_out.subject.as_str(), signed_out.session.as_str()), ("42", "s"));
        assert!(read(json!({ "nonce": null })).is_err());
        assert!(read(json!({ "events": events })).is_err());
        assert!(
            read(json!({ "events": events, "nonce": null, "sub": null, "sid": null })).is_err()
        );
    }
}
