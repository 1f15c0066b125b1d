//! `encryption_at_rest`: the keys that what is stored is encrypted with.

use std::{collections::BTreeSet, path::PathBuf};

use serde::Deserialize;

/// Encryption of what is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncryptionAtRest {
    /// The id of the key that is used from now on.
    pub current: String,
    /// The keys: the current one, and the former one for as long as `longtide keys status` names it.
    pub keys: Vec<KeyEncryptionKey>,
    /// Keeps the index behind lists in a file, where workflow ids, types, memos and search
    /// attributes can be read; in memory otherwise.
    #[serde(default, alias = "dangerousPlaintextIndex")]
    pub dangerous_plaintext_index: bool,
}

/// A key-encryption key: exactly one place where it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEncryptionKey {
    /// Its name; never given to another key.
    pub id: String,
    /// A file with 32 bytes, as they are or in base64 or hexadecimal.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// An environment variable with 32 bytes in base64 or hexadecimal.
    #[serde(default)]
    pub environment: Option<String>,
    /// A key of a Vault-like service.
    #[serde(default, alias = "vaultTransit")]
    pub vault_transit: Option<VaultTransit>,
    /// A key of a token.
    #[serde(default)]
    pub pkcs11: Option<Pkcs11>,
}

/// A key of a token that is spoken to by PKCS#11.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pkcs11 {
    /// The token's library; an absolute path.
    pub module: PathBuf,
    /// The token's label.
    #[serde(default)]
    pub token: Option<String>,
    /// Its slot, in place of the label.
    #[serde(default)]
    pub slot: Option<u64>,
    /// The key's label: one AES key of 256 bits.
    pub key: String,
    /// A file with the PIN.
    #[serde(default, alias = "pinFile")]
    pub pin_file: Option<PathBuf>,
    /// An environment variable with the PIN, in place of the file.
    #[serde(default, alias = "pinEnvironment")]
    pub pin_environment: Option<String>,
}

/// A key of the `transit` engine of a Vault-like service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultTransit {
    /// Where the service is; https, or on loopback.
    pub address: String,
    /// Where the engine is mounted.
    #[serde(default = "transit")]
    pub mount: String,
    /// The key's name there.
    pub key: String,
    /// A file with the token to show.
    #[serde(alias = "tokenFile")]
    pub token_file: PathBuf,
}

fn transit() -> String {
    "transit".to_owned()
}

impl EncryptionAtRest {
    /// Notes everything that is wrong and that the form of the file cannot tell.
    pub(crate) fn check(&self, problems: &mut Vec<String>) {
        let mut ids = BTreeSet::new();
        for key in &self.keys {
            let id = &key.id;
            if id.is_empty() {
                problems.push("encryption_at_rest.keys: an id is empty".to_owned());
            }
            if !ids.insert(id) {
                problems.push(format!("encryption_at_rest.keys: `{id}` is there twice"));
            }
            let places = [
                key.file.is_some(),
                key.environment.is_some(),
                key.vault_transit.is_some(),
                key.pkcs11.is_some(),
            ];
            if places.iter().filter(|is_there| **is_there).count() != 1 {
                problems.push(format!(
                    "encryption_at_rest.keys: `{id}` needs one of file, environment, \
                     vault_transit and pkcs11"
                ));
            }
            if let Some(pkcs11) = &key.pkcs11 {
                pkcs11.check(&format!("encryption_at_rest.keys: `{id}`"), problems);
            }
        }
        if !ids.contains(&self.current) {
            let current = &self.current;
            problems.push(format!("encryption_at_rest.current: `{current}` is none of the keys"));
        }
    }
}

impl Pkcs11 {
    pub(crate) fn check(&self, place: &str, problems: &mut Vec<String>) {
        let mut wrong = |what: String| problems.push(format!("{place}: pkcs11: {what}"));
        if !self.module.is_absolute() {
            wrong(format!("module: `{}` is no absolute path", self.module.display()));
        }
        if self.token.is_some() == self.slot.is_some() {
            wrong("one of token and slot is needed".to_owned());
        }
        if self.key.is_empty() {
            wrong("key: is empty".to_owned());
        }
        if self.pin_file.is_some() == self.pin_environment.is_some() {
            wrong("one of pin_file and pin_environment is needed".to_owned());
        }
    }
}
