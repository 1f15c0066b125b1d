//! All API keys of a cell.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use authz::{Caller, CustomRoles};
use bytes::Bytes;
use environment::Environment;
use model::Time;
use storage::{CommitError, MetaChange, MetaChanges, MetaError, MetaRecord, Store, StoreError};
use tokio::sync::watch;

use crate::{
    ApiKey, ApiKeyRequest, CredentialError,
    api_key::{PREFIX, parts},
};

/// Most keys of a cell: all of them are kept in memory.
const KEYS_MAX: usize = 10_000;

/// Longest name, in bytes, and most permissions of one key.
const NAME_BYTES_MAX: usize = 200;
const PERMISSIONS_MAX: usize = 100;

/// The API keys of a cell. Changes are durable before they are in force, and in force when the call
/// that made them returns.
#[derive(Debug)]
pub struct ApiKeys {
    store: Arc<dyn Store>,
    environment: Environment,
    current: ArcSwap<BTreeMap<String, Arc<ApiKey>>>,
    roles: CustomRoles,
    changing: MetaChanges,
    /// Tells those who wait for the end of a key that there may be one.
    changed: watch::Sender<()>,
}

/// A key that was just made.
#[derive(Clone)]
pub struct NewApiKey {
    /// The key.
    pub key: Arc<ApiKey>,
    /// Its text. Nobody can ask for it again.
    pub text: String,
}

impl std::fmt::Debug for NewApiKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("NewApiKey").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Why a key was not made, found or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// No key has this id.
    #[error("no API key has the id `{0}`")]
    NotFound(String),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// There is no room for another key.
    #[error("there are {0} API keys already, which is the limit")]
    TooMany(usize),
    /// The store did not take the record.
    #[error("the API key was not stored: {0}")]
    Unavailable(String),
    /// A stored record cannot be read.
    #[error("the record of an API key cannot be read: {0}")]
    Damaged(String),
}

impl ApiKeys {
    /// Reads all keys of the store.
    ///
    /// # Errors
    /// When the store cannot be read, or holds a record that is damaged.
    pub async fn open(
        store: Arc<dyn Store>,
        environment: Environment,
    ) -> Result<Self, ApiKeyError> {
        let mut current = BTreeMap::new();
        for (key, stored) in store.scan_meta(Bytes::from_static(PREFIX)).await? {
            let key = ApiKey::decode(&key, stored.value, stored.version)?;
            current.insert(key.id.clone(), Arc::new(key));
        }
        let current = ArcSwap::from_pointee(current);
        let roles = CustomRoles::default();
        let (changing, (changed, _)) = (MetaChanges::default(), watch::channel(()));
        Ok(Self { store, environment, current, roles, changing, changed })
    }

    /// The same, where keys may have these roles beside the reference's.
    #[must_use]
    pub fn with_roles(self, roles: CustomRoles) -> Self {
        Self { roles, ..self }
    }

    /// Makes a key.
    ///
    /// # Errors
    /// When the request makes no sense, or the store does not take the record.
    pub async fn create(&self, request: ApiKeyRequest) -> Result<NewApiKey, ApiKeyError> {
        self.make(&mut self.begin().await?, request).await
    }

    /// Makes another key like this one, and lets this one end at `old_until`.
    ///
    /// # Errors
    /// When there is no such key, or the store does not take the records.
    pub async fn rotate(
        &self,
        id: &str,
        expires: Time,
        old_until: Time,
    ) -> Result<NewApiKey, ApiKeyError> {
        let mut turn = self.begin().await?;
        let former = self.required(id)?;
        let request = ApiKeyRequest { expires, ..former.request.clone() };
        let made = self.make(&mut turn, request).await?;
        self.end(&mut turn, former, old_until).await?;
        Ok(made)
    }

    /// Lets a key end at this time, if it does not end before.
    ///
    /// # Errors
    /// When there is no such key, or the store does not take the record.
    pub async fn expire(&self, id: &str, at: Time) -> Result<Arc<ApiKey>, ApiKeyError> {
        let mut turn = self.begin().await?;
        self.end(&mut turn, self.required(id)?, at).await
    }

    /// Forgets a key: nobody can use it again.
    ///
    /// # Errors
    /// When there is no such key, or the store does not forget it.
    pub async fn revoke(&self, id: &str) -> Result<Arc<ApiKey>, ApiKeyError> {
        let mut turn = self.begin().await?;
        let former = self.required(id)?;
        turn.write(former.key(), former.version, None).await?;
        let mut next = BTreeMap::clone(&self.current.load());
        next.remove(id);
        self.put_in_force(next);
        Ok(former)
    }

    /// All keys by their ids, those included that have expired.
    pub fn all(&self) -> Vec<Arc<ApiKey>> {
        self.current.load().values().cloned().collect()
    }

    /// Says who holds the key of this text.
    pub(crate) fn identify(&self, text: &str) -> Result<Caller, CredentialError> {
        Ok(self.find(text)?.caller())
    }

    /// Waits until the key of this text is taken no longer, and says why.
    pub(crate) async fn withdrawal(self: Arc<Self>, text: String) -> CredentialError {
        let mut changed = self.changed.subscribe();
        loop {
            let expires = match self.find(&text) {
                Ok(key) => key.request.expires,
                Err(reason) => return reason,
            };
            tokio::select! {
                // The sender is ours: there is no other answer than that something has changed.
                _ = changed.changed() => {}
                () = self.environment.clock.sleep_until(expires), if expires.is_set() => {}
            }
        }
    }

    fn find(&self, text: &str) -> Result<Arc<ApiKey>, CredentialError> {
        let (id, secret) = parts(text).ok_or(CredentialError::UnknownApiKey)?;
        let current = self.current.load();
        let key = current.get(id).filter(|key| key.is_opened_by(secret));
        let key = key.ok_or(CredentialError::UnknownApiKey)?;
        if key.is_expired(self.environment.clock.now()) {
            return Err(CredentialError::Expired);
        }
        Ok(Arc::clone(key))
    }

    fn required(&self, id: &str) -> Result<Arc<ApiKey>, ApiKeyError> {
        let found = self.current.load().get(id).cloned();
        found.ok_or_else(|| ApiKeyError::NotFound(id.to_owned()))
    }

    /// Waits for its turn to change something. What the last one left in doubt is read again.
    async fn begin(&self) -> Result<MetaChange<'_>, ApiKeyError> {
        let read_again = |key: &Bytes, record: Option<MetaRecord>| {
            let mut next = BTreeMap::clone(&self.current.load());
            next.retain(|_, known| known.key() != *key);
            if let Some(MetaRecord { version, value }) = record {
                let found = ApiKey::decode(key, value, version)?;
                next.insert(found.id.clone(), Arc::new(found));
            }
            self.put_in_force(next);
            Ok(())
        };
        self.changing.begin(self.store.as_ref(), read_again).await
    }

    async fn make(
        &self,
        turn: &mut MetaChange<'_>,
        request: ApiKeyRequest,
    ) -> Result<NewApiKey, ApiKeyError> {
        let now = self.environment.clock.now();
        check(&request, &self.roles, now)?;
        if self.current.load().len() >= KEYS_MAX {
            return Err(ApiKeyError::TooMany(KEYS_MAX));
        }
        let (key, text) = ApiKey::make(request, now, self.environment.entropy.as_ref());
        Ok(NewApiKey { key: self.write(turn, key).await?, text })
    }

    async fn end(
        &self,
        turn: &mut MetaChange<'_>,
        former: Arc<ApiKey>,
        at: Time,
    ) -> Result<Arc<ApiKey>, ApiKeyError> {
        if former.request.expires.is_set() && former.request.expires <= at {
            return Ok(former);
        }
        let mut ending = ApiKey::clone(&former);
        ending.request.expires = at;
        self.write(turn, ending).await
    }

    /// Stores a version, then puts it in force.
    async fn write(
        &self,
        turn: &mut MetaChange<'_>,
        mut key: ApiKey,
    ) -> Result<Arc<ApiKey>, ApiKeyError> {
        turn.write(key.key(), key.version, Some(key.encode())).await?;
        key.version += 1;
        let key = Arc::new(key);
        let mut next = BTreeMap::clone(&self.current.load());
        next.insert(key.id.clone(), Arc::clone(&key));
        self.put_in_force(next);
        Ok(key)
    }

    fn put_in_force(&self, next: BTreeMap<String, Arc<ApiKey>>) {
        self.current.store(Arc::new(next));
        self.changed.send_replace(());
    }
}

fn check(request: &ApiKeyRequest, roles: &CustomRoles, now: Time) -> Result<(), ApiKeyError> {
    let invalid = |text: String| Err(ApiKeyError::Invalid(text));
    let ApiKeyRequest { name, permissions, expires } = request;
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return invalid(format!("a name has 1 to {NAME_BYTES_MAX} bytes"));
    }
    if permissions.is_empty() || permissions.len() > PERMISSIONS_MAX {
        return invalid(format!("a key has 1 to {PERMISSIONS_MAX} permissions"));
    }
    if let Some(bad) = permissions.iter().find(|text| !roles.knows(text)) {
        return invalid(format!("`{bad}` is no permission such as `orders:write`"));
    }
    if expires.is_set() && *expires <= now {
        return invalid("the key would have expired before it was made".to_owned());
    }
    Ok(())
}

impl From<MetaError> for ApiKeyError {
    fn from(error: MetaError) -> Self {
        match error {
            MetaError::Store(error) => error.into(),
            MetaError::Commit(CommitError::Refused { reason }) => Self::Unavailable(reason),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<StoreError> for ApiKeyError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged(damage) => Self::Damaged(damage.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use authz::Role;
    use model::Span;
    use storage_memory::MemoryStore;

    use super::*;
    use crate::api_key::MARK;

    fn request(permission: &str) -> ApiKeyRequest {
        let permissions = vec![permission.to_owned()];
        ApiKeyRequest { name: "ci".to_owned(), permissions, expires: Time::UNSET }
    }

    async fn open(store: &Arc<dyn Store>, seed: u64) -> ApiKeys {
        let environment = Environment::simulated(Time::from_nanos(1), seed);
        ApiKeys::open(Arc::clone(store), environment).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn keys_survive_a_restart_and_their_revocation_too() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let keys = open(&store, 1).await;
        let kept = keys.create(request("orders:write")).await.unwrap();
        let gone = keys.create(request("orders:read")).await.unwrap();
        assert!(keys.identify(&gone.text).is_ok());
        keys.revoke(&gone.key.id).await.unwrap();
        for keys in [keys, open(&store, 2).await] {
            let caller = keys.identify(&kept.text).unwrap();
            assert_eq!(caller.claims().on("orders"), Role::WRITER);
            assert_eq!(caller.principal().stamp(), Some(("api-key", "ci")));
            assert_eq!(keys.identify(&gone.text), Err(CredentialError::UnknownApiKey));
            assert_eq!(keys.all().len(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rotated_key_goes_on_for_a_while() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let keys = open(&store, 1).await;
        let old = keys.create(request("orders:write")).await.unwrap();
        let soon = keys.environment.clock.now() + Span::from_secs(60);
        let new = keys.rotate(&old.key.id, Time::UNSET, soon).await.unwrap();
        assert!(keys.identify(&old.text).is_ok() && keys.identify(&new.text).is_ok());
        tokio::time::advance(std::time::Duration::from_secs(61)).await;
        assert_eq!(keys.identify(&old.text), Err(CredentialError::Expired));
        assert!(keys.identify(&new.text).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_hears_of_the_end_of_a_key_at_once() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let keys = Arc::new(open(&store, 1).await);
        let revoked = keys.create(request("orders:write")).await.unwrap();
        let ended = keys.create(request("orders:read")).await.unwrap();
        let waits =
            |made: &NewApiKey| tokio::spawn(Arc::clone(&keys).withdrawal(made.text.clone()));
        let (first, second) = (waits(&revoked), waits(&ended));
        keys.create(request("orders:read")).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        assert!(!first.is_finished() && !second.is_finished());
        keys.revoke(&revoked.key.id).await.unwrap();
        assert_eq!(first.await.unwrap(), CredentialError::UnknownApiKey);
        let soon = keys.environment.clock.now() + Span::from_secs(60);
        keys.expire(&ended.key.id, soon).await.unwrap();
        assert_eq!(second.await.unwrap(), CredentialError::Expired);
        assert!(keys.environment.clock.now() >= soon);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_key_opens_nothing() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let keys = open(&store, 1).await;
        let made = keys.create(request("orders:write")).await.unwrap();
        let (start, _) = made.text.rsplit_once('_').unwrap();
        for text in
            ["", "ltk_", "ltk_a_b", start, &format!("{start}_"), made.text.trim_start_matches(MARK)]
        {
            assert_eq!(keys.identify(text), Err(CredentialError::UnknownApiKey), "{text}");
        }
        for permission in ["orders", ":admin", "orders:own"] {
            assert!(keys.create(request(permission)).await.is_err(), "{permission}");
        }
        assert!(keys.revoke("nothing").await.is_err());
    }
}
