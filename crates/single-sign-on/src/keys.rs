//! The secret of the cell that sign-ins under way are sealed with: made once, kept in the store.

use bytes::Bytes;
use environment::Entropy;
use prost::Message;
use storage::{MetaError, Store};

use crate::{
    OpenError,
    sealing::{KEY_BYTES, Secret, derived},
};

const KEY: &[u8] = b"single-sign-on/keys";

/// How often a write is tried that somebody else was in the way of.
const ATTEMPTS_MAX: usize = 3;

/// Tags are part of the stored format.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct Record {
    #[prost(bytes = "bytes", tag = "1")]
    secret: Bytes,
}

/// What follows from the secret.
pub(crate) struct Keys {
    /// Seals what a browser remembers of a sign-in.
    pub(crate) attempts: Secret,
    /// Turns names of people into what can be compared, and nothing else.
    pub(crate) people: Secret,
    /// Seals what administrators see of a session.
    pub(crate) listing: Secret,
}

impl Keys {
    /// Reads the secret, or makes it.
    pub(crate) async fn load(store: &dyn Store, entropy: &dyn Entropy) -> Result<Self, OpenError> {
        for _ in 0..ATTEMPTS_MAX {
            if let Some(found) = store.read_meta(Bytes::from_static(KEY)).await? {
                let record =
                    Record::decode(found.value).map_err(|_| OpenError::Damaged("not a record"))?;
                let secret = record.secret.as_ref().try_into();
                return Ok(Self::of(&secret.map_err(|_| OpenError::Damaged("not a secret"))?));
            }
            let mut secret = [0; KEY_BYTES];
            entropy.fill(&mut secret);
            let record = Record { secret: Bytes::copy_from_slice(&secret) };
            let written =
                store.write_meta(Bytes::from_static(KEY), 0, Some(record.encode_to_vec().into()));
            match written.await {
                Ok(()) => return Ok(Self::of(&secret)),
                Err(MetaError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(OpenError::Store("somebody else writes them".to_owned()))
    }

    fn of(secret: &Secret) -> Self {
        Self {
            attempts: derived(secret, &[b"attempts"]),
            people: derived(secret, &[b"people"]),
            listing: derived(secret, &[b"listing"]),
        }
    }

    /// What a person, or a session of the provider's, is known by.
    pub(crate) fn mark(&self, kind: &str, issuer: &str, name: &str) -> Bytes {
        let parts = [kind.as_bytes(), issuer.as_bytes(), name.as_bytes()];
        Bytes::copy_from_slice(&derived(&self.people, &parts))
    }
}
