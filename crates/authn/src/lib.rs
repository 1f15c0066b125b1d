//! Credentials in, callers out.
//!
//! [`Authenticator::identify`] looks at the headers of a request and at the connection it came on,
//! and says who calls and with what rights: a JSON web token, an API key, or a client certificate.
//! It says so once, at the edge; everything further in knows [`authz::Caller`] alone. What is wrong
//! with a credential is for the log: callers learn that they may not, and nothing else.
//!
//! Where to start: `authenticator.rs`, then `jwt.rs`.

mod api_key;
mod api_keys;
mod authenticator;
mod cache;
mod certificate_rule;
mod error;
mod fetch;
mod jwt;
mod key_set;
mod key_source;
mod permissions;
mod signatures;
mod token_claims;

pub use api_key::{ApiKey, ApiKeyRequest, api_key_id};
pub use api_keys::{ApiKeyError, ApiKeys, NewApiKey};
pub use authenticator::{Authenticator, Settings};
pub use certificate_rule::CertificateRule;
pub use error::{CredentialError, SettingsError};
pub use jwt::JwtSettings;
pub use key_source::KeySource;
pub use signatures::{Checked, Signatures};
pub use token_claims::{claim, texts as claim_texts};
