//! From a request and its connection to a caller.

use std::sync::Arc;

use authz::{Caller, Claims, CustomRoles, Principal};
use environment::Clock;
use http::{HeaderMap, HeaderName};
use listener::{Peer, PeerCertificate};
use tokio_util::sync::CancellationToken;

use crate::{
    ApiKeys, CertificateRule, CredentialError, JwtSettings, SettingsError, api_key::MARK, jwt::Jwt,
};

/// Largest header with a credential, in bytes.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// How callers prove who they are.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The header that holds a token or an API key.
    pub header: HeaderName,
    /// JSON web tokens; `None` when there are none.
    pub jwt: Option<JwtSettings>,
    /// What client certificates may do.
    pub certificates: Vec<CertificateRule>,
    /// The roles that permissions may speak of, beside the reference's.
    pub roles: CustomRoles,
}

/// Says who calls.
#[derive(Debug)]
pub struct Authenticator {
    header: HeaderName,
    jwt: Option<Arc<Jwt>>,
    certificates: Vec<CertificateRule>,
    api_keys: Option<Arc<ApiKeys>>,
    clock: Arc<dyn Clock>,
}

impl Authenticator {
    /// Reads the keys of tokens for the first time, and again and again until `stop` is cancelled.
    /// Sources that cannot be read are no reason not to start: they are tried again soon.
    ///
    /// # Errors
    /// When the settings make no sense.
    pub async fn open(
        settings: Settings,
        api_keys: Option<Arc<ApiKeys>>,
        clock: Arc<dyn Clock>,
        stop: &CancellationToken,
    ) -> Result<Self, SettingsError> {
        for rule in &settings.certificates {
            rule.check(&settings.roles)?;
        }
        let jwt = match settings.jwt {
            None => None,
            Some(settings) => {
                let jwt = Arc::new(Jwt::new(settings, Arc::clone(&clock))?);
                let read = jwt.refresh().await;
                tokio::spawn(Arc::clone(&jwt).watch(read, stop.clone()));
                Some(jwt)
            }
        };
        let Settings { header, certificates, .. } = settings;
        Ok(Self { header, jwt, certificates, api_keys, clock })
    }

    /// The header that holds a token or an API key.
    pub const fn header(&self) -> &HeaderName {
        &self.header
    }

    /// Says who calls. A token or key in the headers decides, whatever the certificate says; without
    /// one the certificate does; without that the caller is anonymous.
    ///
    /// # Errors
    /// When a credential is shown that is not taken.
    pub async fn identify(
        &self,
        headers: &HeaderMap,
        peer: &Peer,
    ) -> Result<Caller, CredentialError> {
        match headers.get(&self.header) {
            Some(value) if !value.is_empty() => {
                if value.len() > HEADER_BYTES_MAX {
                    return Err(CredentialError::TooLarge(value.len()));
                }
                self.of_token(bearer(value.as_bytes())?).await
            }
            _ => match &peer.certificate {
                Some(certificate) => self.of_certificate(certificate),
                None => Ok(Caller::anonymous()),
            },
        }
    }

    /// What waits until the API key in the headers is taken no longer, and says why; nothing when
    /// there is none.
    pub fn withdrawal(
        &self,
        headers: &HeaderMap,
    ) -> Option<impl Future<Output = CredentialError> + Send + use<>> {
        let token = bearer(headers.get(&self.header)?.as_bytes()).ok()?;
        let keys = self.api_keys.as_ref().filter(|_| token.starts_with(MARK))?;
        Some(Arc::clone(keys).withdrawal(token.to_owned()))
    }

    async fn of_token(&self, token: &str) -> Result<Caller, CredentialError> {
        if token.starts_with(MARK) {
            let keys = self.api_keys.as_ref().ok_or(CredentialError::NotConfigured)?;
            return keys.identify(token);
        }
        self.jwt.as_ref().ok_or(CredentialError::NotConfigured)?.identify(token).await
    }

    /// A certificate that no rule speaks of proves who its holder is, but gives no right.
    fn of_certificate(&self, certificate: &PeerCertificate) -> Result<Caller, CredentialError> {
        if self.certificates.is_empty() {
            return Ok(Caller::anonymous());
        }
        if certificate.not_after < self.clock.now() {
            return Err(CredentialError::Expired);
        }
        let mut claims = Claims::default();
        for rule in &self.certificates {
            rule.apply(certificate, &mut claims);
        }
        let principal = Principal::named("certificate", certificate.subject.as_str());
        Ok(Caller::new(principal, claims))
    }
}

/// The token of a header: split once, at the first blank, as all of it that follows is the token's.
pub(crate) fn bearer(header: &[u8]) -> Result<&str, CredentialError> {
    let text = std::str::from_utf8(header).map_err(|_| CredentialError::Format)?;
    let (scheme, token) = text.split_once(' ').ok_or(CredentialError::Format)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(CredentialError::Scheme);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_as_the_reference_does() {
        assert_eq!(bearer(b"Bearer abc"), Ok("abc"));
        assert_eq!(bearer(b"bEARER a b"), Ok("a b"));
        assert_eq!(bearer(b"Bearer"), Err(CredentialError::Format));
        assert_eq!(bearer(b"Basic abc"), Err(CredentialError::Scheme));
        assert_eq!(bearer(b" abc"), Err(CredentialError::Scheme));
        assert_eq!(bearer(b"Bearer \xff"), Err(CredentialError::Format));
    }

    #[test]
    fn a_header_of_blanks_costs_no_more_than_its_length() {
        let header = vec![b' '; 1 << 20];
        assert_eq!(bearer(&header), Err(CredentialError::Scheme));
    }
}
