//! What a token says, once its signature is known to be good.

use authz::{Caller, Claims, Principal};
use model::{Span, Time};
use serde_json::{Map, Value};

use crate::{CredentialError, permissions::Pattern};

/// What tokens have to say.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) audience: Vec<String>,
    pub(crate) issuers: Vec<String>,
    pub(crate) expiry_required: bool,
    pub(crate) leeway: Span,
    pub(crate) subject_claim: String,
    pub(crate) permissions_claim: String,
    pub(crate) pattern: Pattern,
}

/// A caller, and until when its token holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) caller: Caller,
    pub(crate) until: Option<Time>,
}

impl Rules {
    /// Checks what a token says and reads who holds it. `issuer` is whose key it was signed with,
    /// when that is known.
    pub(crate) fn holder(
        &self,
        token: &Map<String, Value>,
        issuer: Option<&str>,
        now: Time,
    ) -> Result<Holder, CredentialError> {
        let until = self.check_times(token, now)?;
        self.check_issuer(token, issuer)?;
        self.check_audience(token)?;
        let subject = claim(token, &self.subject_claim).and_then(Value::as_str);
        let subject = subject.filter(|name| !name.is_empty()).ok_or(CredentialError::Subject)?;
        let mut claims = Claims::default();
        for permission in texts(claim(token, &self.permissions_claim)) {
            self.pattern.grant(permission, &mut claims);
        }
        Ok(Holder { caller: Caller::new(Principal::named("jwt", subject), claims), until })
    }

    fn check_times(
        &self,
        token: &Map<String, Value>,
        now: Time,
    ) -> Result<Option<Time>, CredentialError> {
        let until = match token.get("exp") {
            None if self.expiry_required => return Err(CredentialError::NoExpiry),
            None => None,
            Some(value) => Some(time(value)? + self.leeway),
        };
        if until.is_some_and(|until| until <= now) {
            return Err(CredentialError::Expired);
        }
        for name in ["nbf", "iat"] {
            if let Some(value) = token.get(name)
                && time(value)? > now + self.leeway
            {
                return Err(CredentialError::NotYetValid);
            }
        }
        Ok(until)
    }

    fn check_issuer(
        &self,
        token: &Map<String, Value>,
        issuer: Option<&str>,
    ) -> Result<(), CredentialError> {
        let named = token.get("iss").and_then(Value::as_str);
        let is_of_key = issuer.is_none_or(|issuer| named == Some(issuer));
        // A key that an issuer publishes vouches for it; the list is for the other keys.
        let is_listed = issuer.is_some()
            || self.issuers.is_empty()
            || self.issuers.iter().any(|known| named == Some(known));
        if is_of_key && is_listed { Ok(()) } else { Err(CredentialError::Issuer) }
    }

    fn check_audience(&self, token: &Map<String, Value>) -> Result<(), CredentialError> {
        let named: Vec<&str> = match token.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(some)) => some.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let is_meant = self.audience.is_empty()
            || self.audience.iter().any(|known| named.contains(&known.as_str()));
        if is_meant { Ok(()) } else { Err(CredentialError::Audience) }
    }
}

/// Seconds since 1970, whole or not.
fn time(value: &Value) -> Result<Time, CredentialError> {
    const NANOS: i64 = 1_000_000_000;
    let whole = value.as_i64().or_else(|| {
        let seconds = value.as_f64().filter(|seconds| seconds.abs() < 1e10)?;
        // Cutting the fraction off is exact enough for lengths of validity.
        #[expect(clippy::cast_possible_truncation, reason = "bounded on the line above")]
        Some(seconds as i64)
    });
    let seconds = whole.ok_or_else(|| {
        CredentialError::Malformed("a time in it is no number of seconds".to_owned())
    })?;
    Ok(Time::from_nanos(seconds.clamp(0, i64::MAX / NANOS) * NANOS))
}

/// The claim of this name, or at this path: `a.b` is `b` inside of `a`.
pub fn claim<'a>(token: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = token.get(name) {
        return Some(value);
    }
    let mut parts = name.split('.');
    let first = token.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

/// The texts of a list, or of a text with blanks between them.
pub fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use authz::Role;
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn rules() -> Rules {
        Rules {
            audience: Vec::new(),
            issuers: Vec::new(),
            expiry_required: true,
            leeway: Span::from_secs(60),
            subject_claim: "sub".to_owned(),
            permissions_claim: "permissions".to_owned(),
            pattern: Pattern::Colon,
        }
    }

    fn read(rules: &Rules, issuer: Option<&str>, token: Value) -> Result<Holder, CredentialError> {
        let Value::Object(mut token) = token else { panic!("{token}") };
        token.entry("sub").or_insert(json!("alice"));
        token.entry("exp").or_insert(json!(NOW + 100));
        token.retain(|_, value| !value.is_null());
        rules.holder(&token, issuer, Time::from_nanos(NOW * 1_000_000_000))
    }

    fn refused(rules: &Rules, token: Value) -> CredentialError {
        read(rules, None, token).unwrap_err()
    }

    #[test]
    fn permissions_are_a_list_or_a_text_at_a_name_or_a_path() {
        let tokens = [
            ("permissions", json!({ "permissions": ["orders:write", 7, "x"] })),
            ("realm.roles", json!({ "realm": { "roles": ["orders:write"] } })),
            ("realm.roles", json!({ "realm.roles": ["orders:write"] })),
            ("https://shop/p", json!({ "https://shop/p": "orders:write other:read" })),
        ];
        for (name, token) in tokens {
            let rules = Rules { permissions_claim: name.to_owned(), ..rules() };
            let holder = read(&rules, None, token).unwrap();
            assert_eq!(holder.caller.claims().on("orders"), Role::WRITER, "{name}");
            assert_eq!(holder.caller.principal().stamp(), Some(("jwt", "alice")));
        }
        let holder = read(&rules(), None, json!({ "permissions": { "a": "orders:write" } }));
        assert_eq!(holder.unwrap().caller.claims().as_ref(), &Claims::default());
    }

    #[test]
    fn times_are_checked_with_a_leeway() {
        let rules = rules();
        assert!(read(&rules, None, json!({ "exp": NOW - 59 })).is_ok());
        assert_eq!(refused(&rules, json!({ "exp": NOW - 60 })), CredentialError::Expired);
        assert_eq!(refused(&rules, json!({ "exp": null })), CredentialError::NoExpiry);
        assert_eq!(refused(&rules, json!({ "nbf": NOW + 61 })), CredentialError::NotYetValid);
        assert_eq!(refused(&rules, json!({ "iat": NOW + 61 })), CredentialError::NotYetValid);
        assert!(read(&rules, None, json!({ "nbf": NOW + 59, "iat": NOW as f64 + 0.5 })).is_ok());
        assert!(matches!(refused(&rules, json!({ "exp": "soon" })), CredentialError::Malformed(_)));
        let lenient = Rules { expiry_required: false, ..rules };
        assert_eq!(read(&lenient, None, json!({ "exp": null })).unwrap().until, None);
    }

    #[test]
    fn audience_and_issuer_have_to_match_when_they_are_set() {
        let (audience, issuers) = (vec!["temporal".to_owned()], vec!["https://id".to_owned()]);
        let rules = Rules { audience, issuers, ..rules() };
        let good = json!({ "aud": ["x", "temporal"], "iss": "https://id" });
        assert!(read(&rules, None, good).is_ok());
        assert!(read(&rules, None, json!({ "aud": "temporal", "iss": "https://id" })).is_ok());
        for aud in [json!(null), json!("x"), json!([]), json!(["x"]), json!(7)] {
            let token = json!({ "aud": aud, "iss": "https://id" });
            assert_eq!(refused(&rules, token), CredentialError::Audience);
        }
        for iss in [json!(null), json!("https://other"), json!(["https://id"])] {
            let token = json!({ "aud": "temporal", "iss": iss });
            assert_eq!(refused(&rules, token), CredentialError::Issuer);
        }
    }

    #[test]
    fn a_key_of_an_issuer_is_good_for_its_tokens_only() {
        let rules = Rules { issuers: vec!["https://id".to_owned()], ..rules() };
        assert!(read(&rules, Some("https://own"), json!({ "iss": "https://own" })).is_ok());
        let of_another = read(&rules, Some("https://own"), json!({ "iss": "https://id" }));
        assert_eq!(of_another.unwrap_err(), CredentialError::Issuer);
    }

    #[test]
    fn a_token_names_its_holder() {
        for sub in [json!(null), json!(7), json!("")] {
            assert_eq!(refused(&rules(), json!({ "sub": sub })), CredentialError::Subject);
        }
    }
}
