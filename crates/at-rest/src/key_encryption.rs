//! Key-encryption keys: they wrap the root key of a data directory, and are never in it.

use std::{fmt, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use longtide_pkcs11::Pkcs11Key;

use crate::{
    AtRestError, VaultTransit,
    aead::{Aead, KEY_BYTES, Secret, unwrap, wrap},
};

/// Largest file of a key that is read, in bytes.
const FILE_BYTES_MAX: u64 = 4096;

/// A key-encryption key and its name.
pub struct KeyEncryptionKey {
    id: String,
    kind: Kind,
}

enum Kind {
    Local(Aead),
    Vault(VaultTransit),
    Pkcs11(Pkcs11Key),
}

/// The keys that are configured, and which of them is to be used from now on.
#[derive(Debug)]
pub struct KeyEncryptionKeys {
    keys: Vec<KeyEncryptionKey>,
    current: String,
}

impl KeyEncryptionKey {
    /// A key in a file: 32 bytes as they are, or in base64 or hexadecimal.
    ///
    /// # Errors
    /// When it cannot be read or is no key.
    pub fn from_file(id: &str, path: &Path) -> Result<Self, AtRestError> {
        let unusable = |what: String| AtRestError::UnusableKey { id: id.to_owned(), what };
        let shown = path.display();
        let length = std::fs::metadata(path).map(|found| found.len());
        let length = length.map_err(|error| unusable(format!("`{shown}`: {error}")))?;
        if length > FILE_BYTES_MAX {
            return Err(unusable(format!("`{shown}` is too large for a key")));
        }
        let bytes = std::fs::read(path);
        let bytes = bytes.map_err(|error| unusable(format!("`{shown}`: {error}")))?;
        Self::from_bytes(id, &bytes)
    }

    /// A key as bytes or as text.
    ///
    /// # Errors
    /// When it is no key.
    pub fn from_bytes(id: &str, bytes: &[u8]) -> Result<Self, AtRestError> {
        let secret = secret(bytes).ok_or_else(|| AtRestError::UnusableKey {
            id: id.to_owned(),
            what: format!("a key has {KEY_BYTES} bytes, as they are or in base64 or hexadecimal"),
        })?;
        Ok(Self { id: id.to_owned(), kind: Kind::Local(Aead::new(&secret)?) })
    }

    /// A key that a service holds and uses for us.
    pub fn from_vault(id: &str, vault: VaultTransit) -> Self {
        Self { id: id.to_owned(), kind: Kind::Vault(vault) }
    }

    /// A key of a token, which uses it for us.
    pub fn from_pkcs11(id: &str, key: Pkcs11Key) -> Self {
        Self { id: id.to_owned(), kind: Kind::Pkcs11(key) }
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) async fn wrap(&self, secret: &Secret) -> Result<String, AtRestError> {
        match &self.kind {
            Kind::Local(key) => Ok(STANDARD.encode(wrap(key, &self.associated(), secret)?)),
            Kind::Vault(vault) => vault.wrap(secret).await.map_err(|what| self.unusable(what)),
            Kind::Pkcs11(key) => {
                let wrapped = key.wrap(&self.associated(), &(*secret).into()).await;
                let wrapped = wrapped.map_err(|error| self.unusable(error.to_string()))?;
                Ok(STANDARD.encode(wrapped))
            }
        }
    }

    pub(crate) async fn unwrap(&self, wrapped: &str) -> Result<Secret, AtRestError> {
        match &self.kind {
            Kind::Local(key) => {
                let opened = STANDARD.decode(wrapped).ok();
                let opened = opened.and_then(|text| unwrap(key, &self.associated(), &text).ok());
                opened.ok_or_else(|| AtRestError::WrongKey(self.id.clone()))
            }
            Kind::Vault(vault) => vault.unwrap(wrapped).await.map_err(|what| self.unusable(what)),
            Kind::Pkcs11(key) => {
                let wrapped = STANDARD.decode(wrapped);
                let wrapped = wrapped.map_err(|_| AtRestError::WrongKey(self.id.clone()))?;
                let opened = key.unwrap(&self.associated(), &wrapped).await;
                opened.map(|secret| *secret).map_err(|error| self.unusable(error.to_string()))
            }
        }
    }

    fn unusable(&self, what: String) -> AtRestError {
        AtRestError::UnusableKey { id: self.id.clone(), what }
    }

    fn associated(&self) -> Vec<u8> {
        [b"longtide root key ", self.id.as_bytes()].concat()
    }
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyEncryptionKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl KeyEncryptionKeys {
    /// The configured keys, and the name of the one to be used.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn new(keys: Vec<KeyEncryptionKey>, current: String) -> Result<Self, AtRestError> {
        let keys = Self { keys, current };
        keys.named(&keys.current)?;
        Ok(keys)
    }

    pub(crate) fn current(&self) -> Result<&KeyEncryptionKey, AtRestError> {
        self.named(&self.current)
    }

    pub(crate) fn named(&self, id: &str) -> Result<&KeyEncryptionKey, AtRestError> {
        let found = self.keys.iter().find(|key| key.id == id);
        found.ok_or_else(|| AtRestError::MissingKey(id.to_owned()))
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(KeyEncryptionKey::id)
    }
}

fn secret(bytes: &[u8]) -> Option<Secret> {
    if let Ok(secret) = bytes.try_into() {
        return Some(secret);
    }
    let text = std::str::from_utf8(bytes).ok()?.trim();
    if text.len() == 2 * KEY_BYTES {
        let digits = text.as_bytes().chunks_exact(2);
        let bytes: Option<Vec<u8>> = digits
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        return bytes?.try_into().ok();
    }
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_in_every_form() {
        let bytes = [0xa7; 32];
        let hexadecimal = "a7".repeat(32) + "\n";
        let base64 = STANDARD.encode(bytes) + "\n";
        for form in [&bytes[..], hexadecimal.as_bytes(), base64.as_bytes()] {
            assert_eq!(secret(form), Some(bytes));
        }
        for bad in [&b""[..], b"secret", &[1; 31], "zz".repeat(32).as_bytes()] {
            let error = KeyEncryptionKey::from_bytes("k1", bad).unwrap_err().to_string();
            assert!(error.starts_with("key `k1`: a key has 32 bytes"), "{error}");
        }
    }
}
