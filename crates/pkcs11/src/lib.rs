//! Keys of a token that is spoken to by PKCS#11: a hardware security module, a smart card, SoftHSM.
//! The token encrypts and decrypts by AES-GCM, and never gives the key away. What it encrypts here are
//! other keys, of 32 bytes: [`Pkcs11Key::wrap`] and [`Pkcs11Key::unwrap`].
//!
//! A token may lock itself after a few wrong PINs, so a PIN is shown once for each use, never again
//! once it was refused, and never where the token says that one attempt is left.
//!
//! Waiting needs a runtime of tokio with its clock.

mod module;

use std::{fmt, path::PathBuf, thread, time::Duration};

use aws_lc_rs::{
    digest::{Digest, SHA256, digest},
    rand,
};
use cryptoki::{
    error::{Error, RvError},
    mechanism::{Mechanism, aead::GcmParams},
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session,
    slot::{Slot, TokenInfo},
    types::AuthPin,
};
use tokio::{sync::oneshot, time::timeout};
use zeroize::Zeroizing;

use self::module::Module;

/// How long a token may take for one use of a key.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Length of a key, in bytes.
pub const KEY_BYTES: usize = 32;

/// Length of a nonce, in bytes.
const NONCE_BYTES: usize = 12;

/// Length of a tag, in bytes.
const TAG_BYTES: usize = 16;

/// A key that is wrapped by another. It is overwritten when it is not needed any more.
pub type Secret = Zeroizing<[u8; KEY_BYTES]>;

/// Why a token does not do its work: the token, the key, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Pkcs11Error {
    /// The data was changed, or encrypted with another key, or for another place.
    #[error("{0}")]
    DoesNotOpen(String),
    /// Anything else: the module, the token, the PIN, the key.
    #[error("{0}")]
    Unusable(String),
}

/// A key of a token.
#[derive(Debug, Clone)]
pub struct Pkcs11Key {
    /// The token's module, which is loaded when the key is used first and stays.
    pub module: PathBuf,
    /// The token.
    pub token: Pkcs11Token,
    /// The key's label: there is one AES key of 256 bits that has it.
    pub label: String,
    /// What the token wants to see.
    pub pin: Pkcs11Pin,
}

/// Which token of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pkcs11Token {
    /// The one of this label.
    Label(String),
    /// The one in this slot.
    Slot(u64),
}

/// The PIN of a token. It is never shown, and overwritten when it is not needed any more.
#[derive(Clone)]
pub struct Pkcs11Pin {
    pin: AuthPin,
    /// By which it is known again.
    hash: Digest,
}

/// What a token is asked for.
enum Work {
    Wrap(Secret),
    Unwrap(Vec<u8>),
}

/// What it answers.
type Answer = Result<Zeroizing<Vec<u8>>, Failure>;

/// Why it does not do it.
enum Failure {
    DoesNotOpen(String),
    Unusable(String),
}

impl From<String> for Failure {
    fn from(what: String) -> Self {
        Self::Unusable(what)
    }
}

impl From<&str> for Failure {
    fn from(what: &str) -> Self {
        Self::Unusable(what.to_owned())
    }
}

impl Pkcs11Key {
    /// Encrypts a key: `nonce ‖ ciphertext ‖ tag`.
    ///
    /// # Errors
    /// When the token does not do it.
    pub async fn wrap(&self, associated: &[u8], secret: &Secret) -> Result<Vec<u8>, Pkcs11Error> {
        let wrapped = self.ask(associated, Work::Wrap(secret.clone())).await?;
        Ok(wrapped.to_vec())
    }

    /// Decrypts a key that [`Self::wrap`] encrypted with the same associated data.
    ///
    /// # Errors
    /// When the token does not do it, or the key is another one.
    pub async fn unwrap(&self, associated: &[u8], wrapped: &[u8]) -> Result<Secret, Pkcs11Error> {
        let opened = self.ask(associated, Work::Unwrap(wrapped.to_vec())).await?;
        let secret = <[u8; KEY_BYTES]>::try_from(opened.as_slice());
        let no_key = |_| self.error(Failure::DoesNotOpen("what it opens is no key".to_owned()));
        Ok(Zeroizing::new(secret.map_err(no_key)?))
    }

    /// Asks on a thread of its own: one that never comes back keeps nobody from ending.
    async fn ask(&self, associated: &[u8], work: Work) -> Result<Zeroizing<Vec<u8>>, Pkcs11Error> {
        let (key, associated) = (self.clone(), associated.to_vec());
        let (answer, wait) = oneshot::channel();
        let ask = move || drop(answer.send(key.perform(&associated, &work)));
        let thread = thread::Builder::new().name("pkcs11".to_owned());
        thread.spawn(ask).map_err(|error| self.error(error.to_string().into()))?;
        let answer = match timeout(TIMEOUT, wait).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("its module broke off".into()),
            Err(_) => Err(format!("no answer within {} s", TIMEOUT.as_secs()).into()),
        };
        answer.map_err(|failure| self.error(failure))
    }

    fn error(&self, failure: Failure) -> Pkcs11Error {
        match failure {
            Failure::DoesNotOpen(what) => Pkcs11Error::DoesNotOpen(format!("{self}: {what}")),
            Failure::Unusable(what) => Pkcs11Error::Unusable(format!("{self}: {what}")),
        }
    }

    fn perform(&self, associated: &[u8], work: &Work) -> Answer {
        let module = Module::loaded(&self.module)?;
        let mut module = module.try_lock_for(TIMEOUT).ok_or("its module is busy")?;
        let (slot, token) = self.find_token(&module)?;
        let session = module.open_session(slot)?;
        module.log_in(&session, &token, &self.pin)?;
        let key = self.find_key(&session)?;
        match work {
            Work::Wrap(secret) => encrypt(&session, key, associated, secret),
            Work::Unwrap(wrapped) => decrypt(&session, key, associated, wrapped),
        }
    }

    fn find_token(&self, module: &Module) -> Result<(Slot, TokenInfo), String> {
        let mut all = module.tokens()?;
        let labels: Vec<String> =
            all.iter().map(|(slot, token)| format!("`{}` in slot {slot}", token.label())).collect();
        all.retain(|(slot, token)| match &self.token {
            Pkcs11Token::Label(label) => token.label() == label,
            Pkcs11Token::Slot(id) => slot.id() == *id,
        });
        match (all.pop(), all.len()) {
            (Some(found), 0) => Ok(found),
            (None, _) if labels.is_empty() => Err("there is no token at all".to_owned()),
            (None, _) => Err(format!("there is no such token, but {}", labels.join(", "))),
            (Some(_), _) => Err("several tokens have this label: name the slot".to_owned()),
        }
    }

    fn find_key(&self, session: &Session) -> Result<ObjectHandle, String> {
        let wanted = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Token(true),
            Attribute::Label(self.label.clone().into_bytes()),
        ];
        let found = session.find_objects(&wanted).map_err(told)?;
        let [key] = found.as_slice() else {
            return Err(match found.len() {
                0 => "the token has no AES key of this label".to_owned(),
                count => format!("the token has {count} AES keys of this label"),
            });
        };
        let known = session.get_attributes(*key, &[AttributeType::ValueLen]).map_err(told)?;
        match known.as_slice() {
            [Attribute::ValueLen(bytes)] if usize::from(*bytes) != KEY_BYTES => {
                let (bits, wanted) = (usize::from(*bytes) * 8, KEY_BYTES * 8);
                Err(format!("the key has {bits} bits, and {wanted} are needed"))
            }
            // A token that does not tell will say so when the key is used.
            _ => Ok(*key),
        }
    }
}

fn encrypt(session: &Session, key: ObjectHandle, associated: &[u8], secret: &Secret) -> Answer {
    let mut nonce = [0; NONCE_BYTES];
    rand::fill(&mut nonce).map_err(|_| "there is no randomness")?;
    let mut wrapped = nonce.to_vec();
    let sealed = session.encrypt(&gcm(&mut nonce, associated)?, key, secret.as_slice());
    wrapped.extend(sealed.map_err(told)?);
    Ok(Zeroizing::new(wrapped))
}

fn decrypt(session: &Session, key: ObjectHandle, associated: &[u8], wrapped: &[u8]) -> Answer {
    let (nonce, sealed) = wrapped
        .split_first_chunk()
        .ok_or_else(|| Failure::DoesNotOpen("what was wrapped is cut off".to_owned()))?;
    let mut nonce: [u8; NONCE_BYTES] = *nonce;
    let opened = session.decrypt(&gcm(&mut nonce, associated)?, key, sealed);
    opened.map(Zeroizing::new).map_err(|error| match error {
        // Tokens differ in how they say that the tag is wrong.
        Error::Pkcs11(
            what @ (RvError::EncryptedDataInvalid
            | RvError::EncryptedDataLenRange
            | RvError::GeneralError),
            _,
        ) => Failure::DoesNotOpen(format!(
            "the key does not open the data: it is another one than the data was encrypted with \
             ({what:?}; nothing was changed)"
        )),
        other => told(other).into(),
    })
}

fn gcm<'a>(nonce: &'a mut [u8], associated: &'a [u8]) -> Result<Mechanism<'a>, String> {
    let tag_bits = (TAG_BYTES * 8).try_into().map_err(told)?;
    Ok(Mechanism::AesGcm(GcmParams::new(nonce, associated, tag_bits).map_err(told)?))
}

/// What an operator can do something about, in their words; the rest as the standard names it.
fn told(error: Error) -> String {
    match error {
        Error::Pkcs11(RvError::MechanismInvalid | RvError::MechanismParamInvalid, _) => {
            "the token does not offer AES-GCM with nonces of the caller's".to_owned()
        }
        Error::Pkcs11(RvError::KeyFunctionNotPermitted, _) => {
            "the key may not be used for encryption and decryption".to_owned()
        }
        Error::Pkcs11(what, function) => format!("C_{function:?} fails: {what:?}"),
        Error::LibraryLoading(error) => format!("its module cannot be loaded: {error}"),
        other => format!("its module fails: {other}"),
    }
}

impl Pkcs11Pin {
    /// A PIN as it was read.
    pub fn new(text: &str) -> Self {
        Self { pin: AuthPin::new(text.into()), hash: digest(&SHA256, text.as_bytes()) }
    }
}

impl fmt::Debug for Pkcs11Pin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pkcs11Pin")
    }
}

impl fmt::Display for Pkcs11Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.token {
            Pkcs11Token::Label(label) => write!(formatter, "token `{label}`")?,
            Pkcs11Token::Slot(id) => write!(formatter, "the token in slot {id}")?,
        }
        write!(formatter, ", key label `{}`", self.label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Pkcs11Key {
        Pkcs11Key {
            module: "/nowhere/libtoken.so".into(),
            token: Pkcs11Token::Label("vault".to_owned()),
            label: "at-rest".to_owned(),
            pin: Pkcs11Pin::new("4711"),
        }
    }

    #[tokio::test]
    async fn a_library_that_is_not_there_is_named_with_the_token_and_the_key() {
        let secret = Zeroizing::new([7; KEY_BYTES]);
        let error = key().wrap(b"", &secret).await.unwrap_err().to_string();
        let expected = "token `vault`, key label `at-rest`: its module cannot be loaded: ";
        assert!(error.starts_with(expected), "{error}");
        assert!(error.contains("/nowhere/libtoken.so"), "{error}");
    }

    #[test]
    fn a_pin_is_never_shown() {
        assert!(!format!("{:?}", key()).contains("4711"));
    }
}
