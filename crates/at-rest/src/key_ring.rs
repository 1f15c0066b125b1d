//! The keys of a running server.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use bytes::{Bytes, BytesMut};
use model::NamespaceId;
use parking_lot::Mutex;
use storage::{Cipher, Fate, Opened, envelope::PLAIN_KEY_ID};

use crate::{
    AtRestError, DataKeyState, DataKeyStatus, KeyEncryptionKeys, KeyStatus, VALUES_MAX,
    VALUES_RESERVED,
    aead::{Aead, Secret, new_secret},
    data_key::DataKey,
    key_file::{KeyFile, WrappedKey},
};

/// Most data keys of a directory: one for each namespace, and the former ones.
pub const DATA_KEYS_MAX: usize = 100_000;

/// The keys of one data directory.
#[derive(Debug)]
pub struct KeyRing {
    directory: PathBuf,
    keys: ArcSwap<Keys>,
    changing: Mutex<Changing>,
}

/// What sealing and opening look at.
#[derive(Debug, Default)]
struct Keys {
    by_id: HashMap<u32, Arc<DataKey>>,
    current: HashMap<Option<NamespaceId>, Arc<DataKey>>,
    destroyed: BTreeSet<u32>,
    plain_values: bool,
}

/// What changes of the keys look at.
struct Changing {
    file: KeyFile,
    root: Secret,
    configured: KeyEncryptionKeys,
    /// What the file held when it was read or written last.
    on_disk: Option<Vec<u8>>,
    /// The store owns the directory.
    begun: bool,
}

/// What is left of former times, as it was when the store was begun to be gone through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftovers {
    former: Vec<u32>,
    destroyed: Vec<u32>,
    /// There may be values that are not encrypted.
    pub plain_values: bool,
}

impl KeyRing {
    /// Reads and checks the keys of a directory, or makes the first ones. Writes nothing: that is
    /// done when the store has the directory for itself.
    ///
    /// # Errors
    /// When the key-encryption key is missing or another one, or the file is damaged.
    pub async fn open(
        directory: &Path,
        configured: KeyEncryptionKeys,
    ) -> Result<Arc<Self>, AtRestError> {
        let current = configured.current()?;
        let changing = match KeyFile::read(directory)? {
            None => {
                let root = new_secret()?;
                let file = KeyFile::new(current.id(), current.wrap(&root).await?);
                Changing { file, root, configured, on_disk: None, begun: false }
            }
            Some((bytes, file)) => {
                let root = configured.named(&file.key_encryption_key)?;
                let root = root.unwrap(&file.root_key).await?;
                file.check(&Aead::new(&root)?)?;
                let (on_disk, begun) = (Some(bytes), false);
                if file.key_encryption_key == current.id() {
                    Changing { file, root, configured, on_disk, begun }
                } else {
                    let new_root = new_secret()?;
                    let wrapped = current.wrap(&new_root).await?;
                    let file = rewrapped(&file, &root, &new_root, current.id(), wrapped)?;
                    Changing { file, root: new_root, configured, on_disk, begun }
                }
            }
        };
        let keys = Keys::of(&changing.file, &Aead::new(&changing.root)?, &Keys::default())?;
        let keys = ArcSwap::from_pointee(keys);
        Ok(Arc::new(Self { directory: directory.to_owned(), keys, changing: changing.into() }))
    }

    /// What is there, without the keys themselves.
    pub fn status(&self) -> KeyStatus {
        let changing = self.changing.lock();
        let file = &changing.file;
        let known = file.data_keys.iter().map(|key| DataKeyStatus {
            id: key.id,
            namespace: key.namespace_id().ok().flatten(),
            state: if key.current { DataKeyState::Current } else { DataKeyState::Former },
            values: key.values,
        });
        let destroyed = file.destroyed.iter().map(|id| DataKeyStatus {
            id: *id,
            namespace: None,
            state: DataKeyState::Destroyed,
            values: 0,
        });
        let mut data_keys: Vec<_> = known.chain(destroyed).collect();
        data_keys.sort_by_key(|key| key.id);
        KeyStatus {
            key_encryption_key: file.key_encryption_key.clone(),
            configured: changing.configured.ids().map(str::to_owned).collect(),
            data_keys,
            plain_values: file.plain_values,
        }
    }

    /// Makes a new root key, wraps it with the current one of these keys, and wraps every data key
    /// with it: at once, however large the data is. The former key-encryption key opens nothing
    /// any more but old copies of `KEYS`.
    ///
    /// # Errors
    /// When the key cannot be used or the file cannot be written; then the former key stays.
    pub async fn rewrap(&self, configured: KeyEncryptionKeys) -> Result<(), AtRestError> {
        let current = configured.current()?;
        let root = new_secret()?;
        let wrapped = current.wrap(&root).await?;
        let mut changing = self.changing.lock();
        let next = rewrapped(&changing.file, &changing.root, &root, current.id(), wrapped)?;
        let former = std::mem::replace(&mut changing.root, root);
        if let Err(error) = self.write(&mut changing, next) {
            changing.root = former;
            return Err(error);
        }
        changing.configured = configured;
        Ok(())
    }

    /// Makes new data keys, for one namespace or for all and for what is of none. New values are
    /// sealed with them from now on; says how many there are.
    ///
    /// # Errors
    /// When the namespace has none, or the file cannot be written.
    pub fn rotate_data_keys(&self, only: Option<NamespaceId>) -> Result<usize, AtRestError> {
        let mut changing = self.changing.lock();
        let mut next = changing.file.clone();
        let root = Aead::new(&changing.root)?;
        let mut namespaces = Vec::new();
        for key in next.data_keys.iter_mut().filter(|key| key.current) {
            let namespace = key.namespace_id()?;
            if only.is_none() || only == namespace {
                key.current = false;
                namespaces.push(namespace);
            }
        }
        if let (Some(only), []) = (only, namespaces.as_slice()) {
            return Err(AtRestError::NoKey(only.to_string()));
        }
        for namespace in &namespaces {
            add_key(&mut next, &root, *namespace)?;
        }
        self.write(&mut changing, next)?;
        Ok(namespaces.len())
    }

    /// Destroys the keys of a namespace: what they sealed is gone, wherever it is, but where an old
    /// copy of `KEYS` is together with its key-encryption key. Says how many there were.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn destroy(&self, namespace: NamespaceId) -> Result<usize, AtRestError> {
        let mut changing = self.changing.lock();
        let mut next = changing.file.clone();
        let text = namespace.to_string();
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut next.data_keys)
            .into_iter()
            .partition(|key| key.namespace.as_deref() == Some(text.as_str()));
        if gone.is_empty() {
            return Ok(0);
        }
        next.data_keys = kept;
        next.destroyed.extend(gone.iter().map(|key| key.id));
        self.write(&mut changing, next)?;
        Ok(gone.len())
    }

    /// What the store has to be gone through for; none when there is nothing.
    pub fn leftovers(&self) -> Option<Leftovers> {
        let changing = self.changing.lock();
        let file = &changing.file;
        let former: Vec<u32> =
            file.data_keys.iter().filter(|key| !key.current).map(|key| key.id).collect();
        let destroyed = file.destroyed.clone();
        let any = !former.is_empty() || !destroyed.is_empty() || file.plain_values;
        any.then_some(Leftovers { former, destroyed, plain_values: file.plain_values })
    }

    /// The store was gone through since these were told: nothing of them is left.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget(&self, leftovers: &Leftovers) -> Result<(), AtRestError> {
        let mut changing = self.changing.lock();
        let mut next = changing.file.clone();
        next.data_keys.retain(|key| key.current || !leftovers.former.contains(&key.id));
        next.destroyed.retain(|id| !leftovers.destroyed.contains(id));
        next.plain_values &= !leftovers.plain_values;
        self.write(&mut changing, next)
    }

    /// The current key of a namespace, with values counted ahead.
    fn make_room(&self, namespace: Option<NamespaceId>) -> Result<u32, AtRestError> {
        let mut changing = self.changing.lock();
        if !changing.begun {
            return Err(AtRestError::File("the store has not begun".to_owned()));
        }
        if let Some(key) = self.keys.load().current.get(&namespace)
            && key.has_room()
        {
            return Ok(key.id);
        }
        let found = self.keys.load().current.get(&namespace).map(|key| key.id);
        let full = |key: &&mut WrappedKey| {
            Some(key.id) == found && key.values.saturating_add(VALUES_RESERVED) > VALUES_MAX
        };
        let mut next = changing.file.clone();
        let mut spent = false;
        if let Some(key) = next.data_keys.iter_mut().find(full) {
            key.current = false;
            spent = true;
        }
        let id = match found {
            Some(id) if !spent => id,
            _ => {
                let root = Aead::new(&changing.root)?;
                let id = add_key(&mut next, &root, namespace)?;
                // It is written before anything is counted: see `Keys::of`.
                self.write(&mut changing, next.clone())?;
                id
            }
        };
        self.count_ahead(&mut changing, next, |key| key.id == id)?;
        Ok(id)
    }

    /// Counts values ahead for the current keys that are meant.
    fn count_ahead(
        &self,
        changing: &mut Changing,
        mut next: KeyFile,
        is_meant: impl Fn(&WrappedKey) -> bool,
    ) -> Result<(), AtRestError> {
        let mut counted = Vec::new();
        for key in next.data_keys.iter_mut().filter(|key| key.current && is_meant(key)) {
            if key.values.saturating_add(VALUES_RESERVED) <= VALUES_MAX {
                key.values += VALUES_RESERVED;
                counted.push((key.id, key.values));
            }
        }
        self.write(changing, next)?;
        let keys = self.keys.load();
        for (id, values) in counted {
            if let Some(key) = keys.by_id.get(&id) {
                key.reserve(values);
            }
        }
        Ok(())
    }

    /// Writes the file, and only then puts what it says in force.
    fn write(&self, changing: &mut Changing, mut next: KeyFile) -> Result<(), AtRestError> {
        let root = Aead::new(&changing.root)?;
        let keys = Keys::of(&next, &root, &self.keys.load())?;
        changing.on_disk = Some(next.write(&self.directory, &root)?);
        changing.file = next;
        self.keys.store(Arc::new(keys));
        Ok(())
    }
}

impl Keys {
    /// The keys of a file. Those that are in use stay: they know how many values they sealed.
    fn of(file: &KeyFile, root: &Aead, known: &Self) -> Result<Self, AtRestError> {
        let mut keys = Self {
            destroyed: file.destroyed.iter().copied().collect(),
            plain_values: file.plain_values,
            ..Self::default()
        };
        for wrapped in &file.data_keys {
            let key = match known.by_id.get(&wrapped.id) {
                Some(key) => Arc::clone(key),
                None => {
                    let (secret, namespace) = (wrapped.unwrap(root)?, wrapped.namespace_id()?);
                    // What was counted ahead by somebody else may have been sealed.
                    Arc::new(DataKey::new(wrapped.id, namespace, &secret, wrapped.values)?)
                }
            };
            if wrapped.current {
                keys.current.insert(key.namespace, Arc::clone(&key));
            }
            keys.by_id.insert(wrapped.id, key);
        }
        Ok(keys)
    }
}

impl Cipher for KeyRing {
    fn begin(&self, has_data: bool) -> Result<(), String> {
        let mut changing = self.changing.lock();
        let found = KeyFile::read(&self.directory).map_err(|error| error.to_string())?;
        if found.map(|(bytes, _)| bytes) != changing.on_disk {
            return Err("its `KEYS` file was changed meanwhile; start again".to_owned());
        }
        let mut next = changing.file.clone();
        if changing.on_disk.is_none() {
            next.plain_values = has_data;
        }
        self.count_ahead(&mut changing, next, |_| true).map_err(|error| error.to_string())?;
        changing.begun = true;
        Ok(())
    }

    fn key_for(&self, namespace: Option<NamespaceId>) -> Result<u32, String> {
        if let Some(key) = self.keys.load().current.get(&namespace)
            && key.has_room()
        {
            return Ok(key.id);
        }
        self.make_room(namespace).map_err(|error| error.to_string())
    }

    fn seal(
        &self,
        key_id: u32,
        associated: &[u8],
        value: &[u8],
        sealed: &mut BytesMut,
    ) -> Result<(), String> {
        let keys = self.keys.load();
        let key = keys.by_id.get(&key_id).ok_or_else(|| format!("data key {key_id} is gone"))?;
        key.seal(associated, value, sealed).map_err(|_| AtRestError::Library.to_string())
    }

    fn open(&self, key_id: u32, associated: &[u8], sealed: &[u8]) -> Opened {
        let keys = self.keys.load();
        if key_id == PLAIN_KEY_ID {
            return if keys.plain_values {
                Opened::Value(Bytes::new())
            } else {
                Opened::Damaged("it is not encrypted, as all records are here".to_owned())
            };
        }
        match keys.by_id.get(&key_id) {
            Some(key) => match key.open(associated, sealed) {
                Ok(value) => Opened::Value(value.into()),
                Err(_) => Opened::Damaged(format!("it does not open with data key {key_id}")),
            },
            None if keys.destroyed.contains(&key_id) => Opened::Erased,
            None => {
                Opened::Damaged(format!("it is encrypted with data key {key_id}, which is lost"))
            }
        }
    }

    fn fate(&self, key_id: u32) -> Fate {
        let keys = self.keys.load();
        if key_id == PLAIN_KEY_ID {
            return if keys.plain_values { Fate::SealAgain(None) } else { Fate::Keep };
        }
        match keys.by_id.get(&key_id) {
            Some(key) => {
                let current = keys.current.get(&key.namespace);
                match current {
                    Some(current) if current.id == key_id => Fate::Keep,
                    _ => Fate::SealAgain(key.namespace),
                }
            }
            None if keys.destroyed.contains(&key_id) => Fate::Remove,
            None => Fate::Keep,
        }
    }
}

impl std::fmt::Debug for Changing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Changing")
            .field("key_encryption_key", &self.file.key_encryption_key)
            .finish_non_exhaustive()
    }
}

/// Adds a current key; gives its number.
fn add_key(
    file: &mut KeyFile,
    root: &Aead,
    namespace: Option<NamespaceId>,
) -> Result<u32, AtRestError> {
    if file.data_keys.len() >= DATA_KEYS_MAX {
        return Err(AtRestError::TooMany(DATA_KEYS_MAX));
    }
    let id = file.next_id;
    file.next_id = id.checked_add(1).ok_or(AtRestError::TooMany(DATA_KEYS_MAX))?;
    file.data_keys.push(WrappedKey::new(root, id, namespace, &new_secret()?)?);
    Ok(id)
}

/// The same keys under another root key.
fn rewrapped(
    file: &KeyFile,
    root: &Secret,
    new_root: &Secret,
    key_encryption_key: &str,
    root_key: String,
) -> Result<KeyFile, AtRestError> {
    let (root, new_root) = (Aead::new(root)?, Aead::new(new_root)?);
    let key_encryption_key = key_encryption_key.to_owned();
    let mut next = KeyFile { key_encryption_key, root_key, ..file.clone() };
    for key in &mut next.data_keys {
        let secret = key.unwrap(&root)?;
        key.wrap(&new_root, &secret)?;
    }
    Ok(next)
}
