//! Encryption at rest (design decision D7).
//!
//! Values are sealed with AES-256-GCM under *data keys*: one for each namespace, and one for what
//! is of no namespace. Data keys are wrapped by the *root key* of the data directory, and that by a
//! *key-encryption key*, which is outside: in a file, an environment variable, or in a token (PKCS#11)
//! or a service that never gives it away. The wrapped keys are in the file `KEYS` of the data
//! directory. Whoever has the directory alone has nothing.
//!
//! - [`KeyRing`] holds the keys of a running server and is the store's [`storage::Cipher`].
//! - [`KeyEncryptionKey`] wraps and unwraps the root key.

mod aead;
mod data_key;
mod error;
mod key_encryption;
mod key_file;
mod key_ring;
mod status;
mod vault;

pub use data_key::{VALUES_MAX, VALUES_RESERVED};
pub use error::AtRestError;
pub use key_encryption::{KeyEncryptionKey, KeyEncryptionKeys};
pub use key_ring::{DATA_KEYS_MAX, KeyRing, Leftovers};
pub use status::{DataKeyState, DataKeyStatus, KeyStatus};
pub use vault::VaultTransit;
