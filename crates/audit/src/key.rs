//! The key that checkpoints are signed with.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use environment::Entropy;

use crate::AuditError;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// Bytes of a seed, and of a public key.
const KEY_BYTES: usize = 32;

/// An Ed25519 key. Whoever has it can write a log that looks genuine.
pub struct SigningKey(Ed25519KeyPair);

/// The other half: whoever has it can check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// When the library refuses, which it does not.
    pub fn make(entropy: &dyn Entropy) -> Result<Self, AuditError> {
        let mut seed = [0; KEY_BYTES];
        entropy.fill(&mut seed);
        Ed25519KeyPair::from_seed_unchecked(&seed).map(Self).map_err(|_| AuditError::Key)
    }

    /// Reads the PEM form (PKCS#8).
    ///
    /// # Errors
    /// When it is none, or of another kind of key.
    pub fn from_pem(text: &str) -> Result<Self, AuditError> {
        let (_, rest) = text.split_once(BEGIN).ok_or(AuditError::Key)?;
        let (body, _) = rest.split_once(END).ok_or(AuditError::Key)?;
        let body: String = body.split_whitespace().collect();
        let encoded = STANDARD.decode(body).map_err(|_| AuditError::Key)?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&encoded);
        pair.map(Self).map_err(|_| AuditError::Key)
    }

    /// The PEM form (PKCS#8).
    ///
    /// # Errors
    /// When the library refuses, which it does not.
    pub fn to_pem(&self) -> Result<String, AuditError> {
        let encoded = self.0.to_pkcs8v1().map_err(|_| AuditError::Key)?;
        Ok(format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(encoded.as_ref())))
    }

    /// The other half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().to_vec())
    }

    pub(crate) fn sign(&self, text: &[u8]) -> String {
        STANDARD.encode(self.0.sign(text).as_ref())
    }
}

/// It is never shown.
impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SigningKey").field(&self.public()).finish()
    }
}

impl PublicKey {
    /// Reads the text form.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_text(text: &str) -> Result<Self, AuditError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| AuditError::PublicKey)?;
        if bytes.len() == KEY_BYTES { Ok(Self(bytes)) } else { Err(AuditError::PublicKey) }
    }

    pub(crate) fn has_signed(&self, text: &[u8], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        UnparsedPublicKey::new(&ED25519, &self.0).verify(text, &signature).is_ok()
    }
}

/// The text form: base64.
impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&STANDARD.encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use environment::SeededEntropy;

    use super::*;

    #[test]
    fn a_key_survives_its_text() {
        let key = SigningKey::make(&SeededEntropy::new(1)).unwrap();
        let read = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(read.public(), key.public());
        let public = PublicKey::from_text(&key.public().to_string()).unwrap();
        assert!(public.has_signed(b"text", &read.sign(b"text")));
        assert!(!public.has_signed(b"tex", &read.sign(b"text")));
        let other = SigningKey::make(&SeededEntropy::new(2)).unwrap();
        assert!(!public.has_signed(b"text", &other.sign(b"text")));
        assert!(SigningKey::from_pem("").is_err() && PublicKey::from_text("AAAA").is_err());
    }
}
