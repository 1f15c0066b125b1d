//! Payload codecs for Temporal: what a team puts between its data and whoever runs the server.
//!
//! A [`Codec`] turns payloads into payloads: [`Encryption`] and [`EnvelopeEncryption`] make them
//! unreadable, [`Compression`] makes them small, [`Chain`] does several things in a row, and
//! [`RequireEncryption`] refuses what should have been encrypted and is not. The formats of the SDKs'
//! published samples (`binary/encrypted`, `binary/zlib`) are read and written byte for byte, so that
//! workers in Go, Java, Python and TypeScript share data with these.
//!
//! ```
//! use longtide_codec::{Chain, CodecError, Compression, Encryption, KeyRing};
//!
//! # fn main() -> Result<(), CodecError> {
//! let keys = KeyRing::new("2026-11", *b"test-key-test-key-test-key-test!")
//!     .with("2026-05", *b"an-older-key-an-older-key-older!")?;
//! let codec = Chain::of(Encryption::new(&keys)?).after(Compression::zlib());
//! # drop(codec);
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `temporalio` (on by default) each codec is one of the official Rust SDK's, see
//! [`SdkCodec`]. Without it nothing of the SDK is compiled. With `pkcs11`, the keys that wrap data keys
//! may be in tokens that never give them away: hardware security modules, smart cards, SoftHSM.
//!
//! [`Visitor`] finds every payload in every message of the API by the API's own description: a
//! message that a later version adds is no exception.

mod buffers;
mod chain;
mod codec;
mod compression;
mod encryption;
mod envelope;
mod error;
mod failure;
mod http_body;
mod key_file;
mod key_ring;
mod key_service;
mod metadata;
mod nonces;
mod payload;
mod required;
#[cfg(feature = "temporalio")]
mod sdk;
mod sealing;
#[cfg(feature = "pkcs11")]
mod token_keys;
mod visitor;
mod wire;

pub use chain::Chain;
pub use codec::{Codec, Coded, Context};
pub use compression::{Compression, INFLATED_BYTES_MAX};
pub use encryption::{ENCRYPTED, Encryption};
pub use envelope::{ENVELOPE, EnvelopeEncryption, PAYLOADS_PER_DATA_KEY_MAX};
pub use error::CodecError;
pub use failure::{CommonAttributes, ENCODED_FAILURE};
pub use http_body::{BodyError, read_body, write_body};
pub use key_file::{new_key_line, read_key_file, read_key_text};
pub use key_ring::{KEYS_MAX, KeyError, KeyRing};
pub use key_service::{KeyService, PlainKey, WrappedKey};
pub use metadata::Metadata;
pub use payload::{ENCODING, ExternalPayload, Payload};
pub use required::RequireEncryption;
#[cfg(feature = "temporalio")]
pub use sdk::SdkCodec;
#[cfg(feature = "pkcs11")]
pub use token_keys::{Pkcs11Error, Pkcs11Key, Pkcs11Pin, Pkcs11Token, TokenKeys};
pub use visitor::{
    DescriptorError, Found, Places, UnknownField, VisitError, Visitor, Vocabulary,
    decode_common_attributes, encode_common_attributes,
};
