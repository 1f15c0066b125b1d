//! What must be encrypted.

use std::collections::BTreeSet;

use crate::{
    Codec, CodecError, Context, ENCRYPTED, ENVELOPE, Payload,
    codec::{Coded, at_once},
};

/// Stands before the codec that encrypts (nearest to the server) and refuses payloads that are not
/// encrypted: a worker without a codec, or somebody with access to the server, cannot slip readable
/// data in.
#[derive(Debug, Clone, Default)]
pub struct RequireEncryption {
    exempt: BTreeSet<Vec<u8>>,
}

impl RequireEncryption {
    /// Nothing may be readable.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets payloads of an encoding pass, such as `binary/null`, which holds no data.
    #[must_use]
    pub fn except(mut self, encoding: &str) -> Self {
        self.exempt.insert(encoding.as_bytes().to_vec());
        self
    }

    fn check(&self, payload: &Payload) -> Result<(), CodecError> {
        let encoding = payload.encoding();
        let is_encrypted = [ENCRYPTED, ENVELOPE].iter().any(|known| known.as_bytes() == encoding);
        if is_encrypted || self.exempt.contains(encoding) {
            return Ok(());
        }
        Err(CodecError::NotEncrypted(String::from_utf8_lossy(encoding).into_owned()))
    }
}

impl Codec for RequireEncryption {
    fn encode<'a>(&'a self, _: &'a Context, payloads: Vec<Payload>) -> Coded<'a> {
        at_once(payloads, |all| all.iter().try_for_each(|payload| self.check(payload)))
    }

    fn decode<'a>(&'a self, _: &'a Context, payloads: Vec<Payload>) -> Coded<'a> {
        at_once(payloads, |all| all.iter().try_for_each(|payload| self.check(payload)))
    }
}
