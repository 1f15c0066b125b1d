//! Why payloads could not be encoded or decoded.

use crate::KeyError;

/// See the module. No variant holds data of a payload or of a key.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The key that a payload names is not among the known ones.
    #[error("the encryption key {0:?} is not known")]
    UnknownKey(String),
    /// A payload says nothing about its key.
    #[error("an encrypted payload names no key")]
    NoKeyId,
    /// The data is shorter than what encryption adds.
    #[error("an encrypted payload has {0} bytes, too few to be one")]
    TooShort(usize),
    /// Somebody changed the data or its metadata, or it was encrypted with another key of that id
    /// or for another place.
    #[error(
        "a payload encrypted with the key {0:?} does not open: it was changed, is of another key, or of another place"
    )]
    DoesNotOpen(String),
    /// A version of the envelope that this code does not know.
    #[error("an encrypted payload has the format {0:?}, which is not known")]
    UnknownFormat(String),
    /// What was inside is no payload.
    #[error("the content of an encoded payload is no payload")]
    NoPayloadInside,
    /// Compressed data that is broken.
    #[error("a payload does not decompress: {0}")]
    Decompression(String),
    /// It would take more memory than anybody's payload may.
    #[error("a payload decompresses to more than {0} bytes")]
    TooLarge(usize),
    /// A payload came readable that must not.
    #[error("a payload with the encoding {0:?} is not encrypted, and must be")]
    NotEncrypted(String),
    /// A codec changed how many payloads there are.
    #[error("received {received} payloads from remote codec, expected {expected}")]
    WrongCount {
        /// How many came back.
        received: usize,
        /// How many there were.
        expected: usize,
    },
    /// The key service or the machine's random numbers failed.
    #[error("encryption is not possible: {0}")]
    Unavailable(String),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}
