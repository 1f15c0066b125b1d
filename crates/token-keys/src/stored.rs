//! The keys as they are kept: made once, rotated by hand.

use bytes::Bytes;
use environment::Entropy;
use prost::Message;
use storage::{MetaError, Store, StoreError};

use crate::{SECRET_BYTES, TokenKeys};

const KEY: &[u8] = b"cluster/token-keys";

/// Keys that are kept: the newest, and those whose tokens may still be out.
const KEYS_MAX: usize = 2;

/// How often a write is tried that somebody else was in the way of.
const ATTEMPTS_MAX: usize = 3;

/// Why the keys are not there.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TokenKeysError {
    /// The store did not give or take them.
    #[error("the keys of tokens: {0}")]
    Store(String),
    /// What is stored are no keys.
    #[error("the keys of tokens are damaged: {0}")]
    Damaged(&'static str),
}

/// Tags are part of the stored format.
#[derive(Clone, PartialEq, Message)]
struct Record {
    /// The newest first.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    secrets: Vec<Bytes>,
}

type Secrets = Vec<[u8; SECRET_BYTES]>;

impl TokenKeys {
    /// The keys of the cluster, made if there are none yet.
    ///
    /// # Errors
    /// When the store does not give or take them, or holds something else.
    pub async fn load(store: &dyn Store, entropy: &dyn Entropy) -> Result<Self, TokenKeysError> {
        for _ in 0..ATTEMPTS_MAX {
            if let Some((_, secrets)) = read(store).await? {
                return Ok(Self::of(&secrets));
            }
            let secrets = vec![secret(entropy)];
            if write(store, 0, &secrets).await? {
                return Ok(Self::of(&secrets));
            }
        }
        Err(TokenKeysError::Store("somebody else writes them".to_owned()))
    }

    /// Makes a new key. Tokens of the former one open until the next rotation.
    ///
    /// # Errors
    /// As [`TokenKeys::load`].
    pub async fn rotate(
        &self,
        store: &dyn Store,
        entropy: &dyn Entropy,
    ) -> Result<(), TokenKeysError> {
        for _ in 0..ATTEMPTS_MAX {
            let (version, former) = read(store).await?.unwrap_or_default();
            let mut secrets = vec![secret(entropy)];
            secrets.extend(former.into_iter().take(KEYS_MAX - 1));
            if write(store, version, &secrets).await? {
                self.replace(&secrets);
                return Ok(());
            }
        }
        Err(TokenKeysError::Store("somebody else writes them".to_owned()))
    }
}

fn secret(entropy: &dyn Entropy) -> [u8; SECRET_BYTES] {
    let mut secret = [0; SECRET_BYTES];
    entropy.fill(&mut secret);
    secret
}

async fn read(store: &dyn Store) -> Result<Option<(u64, Secrets)>, TokenKeysError> {
    let found = store.read_meta(Bytes::from_static(KEY)).await;
    let failed = |error: StoreError| TokenKeysError::Store(error.to_string());
    let Some(found) = found.map_err(failed)? else { return Ok(None) };
    let record =
        Record::decode(found.value).map_err(|_| TokenKeysError::Damaged("not a record"))?;
    let secrets: Option<Secrets> =
        record.secrets.iter().map(|secret| secret.as_ref().try_into().ok()).collect();
    match secrets {
        Some(secrets) if !secrets.is_empty() => Ok(Some((found.version, secrets))),
        _ => Err(TokenKeysError::Damaged("a key has another length, or there is none")),
    }
}

/// False when somebody else was faster.
async fn write(
    store: &dyn Store,
    version: u64,
    secrets: &[[u8; SECRET_BYTES]],
) -> Result<bool, TokenKeysError> {
    let secrets = secrets.iter().map(|secret| Bytes::copy_from_slice(secret)).collect();
    let value = Record { secrets }.encode_to_vec().into();
    match store.write_meta(Bytes::from_static(KEY), version, Some(value)).await {
        Ok(()) => Ok(true),
        Err(MetaError::Conflict) => Ok(false),
        Err(error) => Err(TokenKeysError::Store(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use environment::Environment;
    use model::{NamespaceId, Time};
    use storage_memory::MemoryStore;

    use super::*;
    use crate::Purpose;

    #[tokio::test]
    async fn tokens_outlive_a_restart_and_one_rotation() {
        let store = MemoryStore::new();
        let entropy = Environment::simulated(Time::from_nanos(1), 1).entropy;
        let namespace = NamespaceId::from_bytes([1; 16]);
        let first = TokenKeys::load(&store, entropy.as_ref()).await.unwrap();
        let token = first.seal(Purpose::Task, namespace, b"body");
        let again = TokenKeys::load(&store, entropy.as_ref()).await.unwrap();
        assert!(again.open(Purpose::Task, namespace, &token).is_some());
        again.rotate(&store, entropy.as_ref()).await.unwrap();
        let later = TokenKeys::load(&store, entropy.as_ref()).await.unwrap();
        assert!(later.open(Purpose::Task, namespace, &token).is_some());
        later.rotate(&store, entropy.as_ref()).await.unwrap();
        assert!(later.open(Purpose::Task, namespace, &token).is_none());
        let other = TokenKeys::load(&MemoryStore::new(), entropy.as_ref()).await.unwrap();
        assert!(other.open(Purpose::Task, namespace, &token).is_none());
    }
}
