//! Checkpoints: the signature over all that came before.

use model::Time;
use serde::Deserialize;

use crate::{
    Body, Closing, PublicKey, SigningKey,
    chain::{Chain, Placed, written_time},
};

/// What a checkpoint says, read from its line.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Checkpoint {
    pub(crate) public_key: String,
    signature: String,
}

/// The checkpoint that goes to the end of a chain.
pub(crate) fn checkpoint(chain: &Chain, now: Time, key: &SigningKey, closing: bool) -> Body {
    let text = signed_text(chain.next, &chain.last, &written_time(now));
    Body::Checkpoint {
        public_key: key.public().to_string(),
        signature: key.sign(&text),
        closing: Closing(closing),
    }
}

impl Checkpoint {
    /// True when the key in it has signed what stands before it.
    pub(crate) fn is_signed(&self, placed: &Placed) -> bool {
        let text = signed_text(placed.seq, &placed.prev, &placed.time);
        let key = PublicKey::from_text(&self.public_key);
        key.is_ok_and(|key| key.has_signed(&text, &self.signature))
    }
}

/// The hash of the record before stands for all of them.
fn signed_text(seq: u64, prev: &str, time: &str) -> Vec<u8> {
    format!("longtide audit checkpoint 1\n{seq}\n{prev}\n{time}\n").into_bytes()
}
