//! The file `KEYS` of a data directory: every data key, wrapped.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::BytesMut;
use model::NamespaceId;
use serde::{Deserialize, Serialize};

use crate::{
    AtRestError,
    aead::{Aead, Secret, unwrap, wrap},
};

/// The file's name; the store looks for it, too.
pub(crate) const FILE: &str = "KEYS";

const TEMPORARY: &str = "KEYS.new";

/// The format that is written. This program reads no other.
const FORMAT: u32 = 1;

/// The whole file, as JSON. Its seal is made with the root key: nobody without it can change
/// anything here unseen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyFile {
    pub(crate) format: u32,
    /// The name of the key-encryption key.
    pub(crate) key_encryption_key: String,
    /// The root key, wrapped with it.
    pub(crate) root_key: String,
    /// The number of the next data key. Numbers are never used twice.
    pub(crate) next_id: u32,
    pub(crate) data_keys: Vec<WrappedKey>,
    /// Numbers of keys that are gone while values of theirs are left.
    pub(crate) destroyed: Vec<u32>,
    /// There may be values that are not encrypted.
    pub(crate) plain_values: bool,
    pub(crate) seal: String,
}

/// A data key, wrapped with the root key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrappedKey {
    pub(crate) id: u32,
    pub(crate) namespace: Option<String>,
    /// New values are sealed with it.
    pub(crate) current: bool,
    /// Values that it may have sealed.
    pub(crate) values: u64,
    wrapped: String,
}

impl KeyFile {
    pub(crate) fn new(key_encryption_key: &str, root_key: String) -> Self {
        Self {
            format: FORMAT,
            key_encryption_key: key_encryption_key.to_owned(),
            root_key,
            next_id: 1,
            data_keys: Vec::new(),
            destroyed: Vec::new(),
            plain_values: false,
            seal: String::new(),
        }
    }

    /// The file as it is and what it says; none when there is none.
    pub(crate) fn read(directory: &Path) -> Result<Option<(Vec<u8>, Self)>, AtRestError> {
        let bytes = match fs::read(directory.join(FILE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(AtRestError::File(error.to_string())),
        };
        let read: Self = serde_json::from_slice(&bytes)
            .map_err(|error| AtRestError::Damaged(error.to_string()))?;
        if read.format != FORMAT {
            let what = format!("it has format {}, and this release reads {FORMAT}", read.format);
            return Err(AtRestError::File(what));
        }
        Ok(Some((bytes, read)))
    }

    /// Refuses a file that was changed without the root key.
    pub(crate) fn check(&self, root: &Aead) -> Result<(), AtRestError> {
        let seal = STANDARD.decode(&self.seal).unwrap_or_default();
        match root.open(&self.sealed_text()?, &seal) {
            Ok(nothing) if nothing.is_empty() => Ok(()),
            _ => Err(AtRestError::Damaged("its seal does not fit".to_owned())),
        }
    }

    /// Seals and writes the file, so that a crash leaves this one or the one before. Gives what
    /// was written.
    pub(crate) fn write(&mut self, directory: &Path, root: &Aead) -> Result<Vec<u8>, AtRestError> {
        let mut seal = BytesMut::new();
        root.seal(&self.sealed_text()?, b"", &mut seal)?;
        self.seal = STANDARD.encode(seal);
        let bytes = self.text()?;
        let write = || -> io::Result<()> {
            let temporary = directory.join(TEMPORARY);
            let mut file = File::create(&temporary)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, directory.join(FILE))?;
            File::open(directory)?.sync_all()
        };
        write().map_err(|error| AtRestError::File(error.to_string()))?;
        Ok(bytes)
    }

    fn text(&self) -> Result<Vec<u8>, AtRestError> {
        let text = serde_json::to_vec_pretty(self);
        text.map_err(|error| AtRestError::File(error.to_string()))
    }

    fn sealed_text(&self) -> Result<Vec<u8>, AtRestError> {
        Self { seal: String::new(), ..self.clone() }.text()
    }
}

impl WrappedKey {
    pub(crate) fn new(
        root: &Aead,
        id: u32,
        namespace: Option<NamespaceId>,
        secret: &Secret,
    ) -> Result<Self, AtRestError> {
        let namespace = namespace.map(|id| id.to_string());
        let mut key = Self { id, namespace, current: true, values: 0, wrapped: String::new() };
        key.wrap(root, secret)?;
        Ok(key)
    }

    pub(crate) fn wrap(&mut self, root: &Aead, secret: &Secret) -> Result<(), AtRestError> {
        self.wrapped = STANDARD.encode(wrap(root, &self.associated(), secret)?);
        Ok(())
    }

    pub(crate) fn unwrap(&self, root: &Aead) -> Result<Secret, AtRestError> {
        let wrapped = STANDARD.decode(&self.wrapped).unwrap_or_default();
        unwrap(root, &self.associated(), &wrapped)
            .map_err(|_| AtRestError::Damaged(format!("data key {} does not open", self.id)))
    }

    pub(crate) fn namespace_id(&self) -> Result<Option<NamespaceId>, AtRestError> {
        let parse = |text: &String| text.parse();
        let parsed = self.namespace.as_ref().map(parse).transpose();
        parsed
            .map_err(|_| AtRestError::Damaged(format!("data key {} has a bad namespace", self.id)))
    }

    fn associated(&self) -> Vec<u8> {
        let namespace = self.namespace.as_deref().unwrap_or_default();
        format!("longtide data key {} {namespace}", self.id).into_bytes()
    }
}
