//! All namespaces of the cell.

use std::{collections::BTreeMap, sync::Arc};

use api::enums::v1::NamespaceState;
use arc_swap::ArcSwap;
use bytes::Bytes;
use environment::Environment;
use model::{Limits, NamespaceId, Span, Time};
use storage::{MetaChange, MetaChanges, MetaRecord, Store};
use tokio::sync::Notify;
use uuid::Uuid;
use visibility_query::{AttributeType, Schema};

use crate::{
    Namespace, NamespaceDetails, NamespaceError, SYSTEM_NAMESPACE, SearchAttributeError, record,
    search_attributes,
};

/// Most namespaces of a cell: all of them are kept in memory.
const NAMESPACES_MAX: usize = 10_000;

/// The id of the system namespace, the same in every cell and in the reference.
const SYSTEM_NAMESPACE_ID: NamespaceId =
    NamespaceId::new(Uuid::from_u128(0x3204_9b68_7872_4094_8e63_d0dd_5989_6a83));

/// How long the system namespace keeps closed runs, as in the reference.
const SYSTEM_RETENTION: Span = Span::from_secs(7 * 24 * 3600);

/// What a new namespace starts with.
#[derive(Debug, Clone, Default)]
pub struct Registration {
    /// Its name; must be free.
    pub name: String,
    /// What people write about it.
    pub details: NamespaceDetails,
    /// How long closed runs are kept.
    pub retention: Span,
    /// Its first search attributes.
    pub search_attributes: BTreeMap<String, AttributeType>,
}

/// The namespaces of a cell. Look-ups take no lock; changes happen one after the other and are
/// durable before anybody sees them.
#[derive(Debug)]
pub struct Namespaces {
    store: Arc<dyn Store>,
    environment: Environment,
    limits: Limits,
    current: ArcSwap<Snapshot>,
    changing: MetaChanges,
    deleted: Notify,
}

#[derive(Debug, Default, Clone)]
struct Snapshot {
    by_name: BTreeMap<String, Arc<Namespace>>,
    by_id: BTreeMap<NamespaceId, Arc<Namespace>>,
}

impl Snapshot {
    fn insert(&mut self, namespace: Arc<Namespace>) {
        if let Some(former) = self.by_id.insert(namespace.id, Arc::clone(&namespace)) {
            self.by_name.remove(&former.name);
        }
        self.by_name.insert(namespace.name.clone(), namespace);
    }
}

impl Namespaces {
    /// Reads all namespaces of the store, and makes the system's one when it is missing.
    ///
    /// # Errors
    /// When the store cannot be read or written, or holds a record that is damaged.
    pub async fn open(
        store: Arc<dyn Store>,
        environment: Environment,
        limits: Limits,
    ) -> Result<Self, NamespaceError> {
        let mut snapshot = Snapshot::default();
        for (key, stored) in store.scan_meta(Bytes::from_static(record::PREFIX)).await? {
            snapshot.insert(Arc::new(record::decode(&key, &stored, &limits)?));
        }
        let registry = Self {
            store,
            environment,
            limits,
            current: ArcSwap::from_pointee(snapshot),
            changing: MetaChanges::default(),
            deleted: Notify::new(),
        };
        if registry.by_id(SYSTEM_NAMESPACE_ID).is_none() {
            let registration = Registration {
                name: SYSTEM_NAMESPACE.to_owned(),
                details: NamespaceDetails {
                    description: "The server's own workflows".to_owned(),
                    ..NamespaceDetails::default()
                },
                retention: SYSTEM_RETENTION,
                ..Registration::default()
            };
            registry.insert(SYSTEM_NAMESPACE_ID, registration).await?;
        }
        Ok(registry)
    }

    /// The namespace with this name.
    pub fn by_name(&self, name: &str) -> Option<Arc<Namespace>> {
        self.current.load().by_name.get(name).cloned()
    }

    /// The namespace with this id.
    pub fn by_id(&self, id: NamespaceId) -> Option<Arc<Namespace>> {
        self.current.load().by_id.get(&id).cloned()
    }

    /// All namespaces, ordered by id, deleted ones included.
    pub fn all(&self) -> Vec<Arc<Namespace>> {
        self.current.load().by_id.values().cloned().collect()
    }

    /// Makes a namespace.
    ///
    /// # Errors
    /// When the name is taken, or the store does not take the record.
    pub async fn register(
        &self,
        registration: Registration,
    ) -> Result<Arc<Namespace>, NamespaceError> {
        self.insert(NamespaceId::new(self.environment.entropy.uuid_v4()), registration).await
    }

    /// Changes a namespace: its details, state or retention.
    ///
    /// # Errors
    /// When there is no such namespace, or the store does not take the record.
    pub async fn update(
        &self,
        id: NamespaceId,
        change: impl FnOnce(&mut Namespace),
    ) -> Result<Arc<Namespace>, NamespaceError> {
        let turn = self.begin().await?;
        let mut namespace = self.required(id)?;
        change(&mut namespace);
        self.write(turn, namespace).await
    }

    /// Marks a namespace as deleted and gives it another name, so that its name is free again. Its
    /// record stays until all that it holds is gone, and this long at least.
    ///
    /// # Errors
    /// When there is no such namespace, it is the system's, or the store does not take the record.
    pub async fn delete(
        &self,
        id: NamespaceId,
        stays: Span,
    ) -> Result<Arc<Namespace>, NamespaceError> {
        if id == SYSTEM_NAMESPACE_ID {
            return Err(NamespaceError::SystemNamespace);
        }
        let delete_after = self.environment.clock.now() + stays;
        let deleted = self
            .update(id, |namespace| {
                let suffix: String = namespace.id_text.chars().take(5).collect();
                let suffix = format!("-deleted-{suffix}");
                if !namespace.name.ends_with(&suffix) {
                    namespace.name.push_str(&suffix);
                }
                namespace.state = NamespaceState::Deleted;
                namespace.delete_after = delete_after;
            })
            .await?;
        self.deleted.notify_one();
        Ok(deleted)
    }

    /// The deleted namespaces whose records are still there.
    pub fn deleted(&self) -> Vec<Arc<Namespace>> {
        let all = self.all().into_iter();
        all.filter(|namespace| namespace.state == NamespaceState::Deleted).collect()
    }

    /// Waits until a namespace is deleted; one that was deleted since the last call counts.
    pub async fn one_was_deleted(&self) {
        self.deleted.notified().await;
    }

    /// Removes the record of a deleted namespace.
    ///
    /// # Errors
    /// When there is no such namespace, or the store does not take it.
    pub async fn remove(&self, id: NamespaceId) -> Result<(), NamespaceError> {
        let mut turn = self.begin().await?;
        let namespace = self.required(id)?;
        turn.write(record::key(id), namespace.version, None).await?;
        let mut next = Snapshot::clone(&self.current.load());
        next.by_id.remove(&id);
        next.by_name.remove(&namespace.name);
        self.current.store(Arc::new(next));
        Ok(())
    }

    /// Adds search attributes to a namespace.
    ///
    /// # Errors
    /// The inner error when a name or a type is refused: nothing is added then.
    pub async fn add_search_attributes(
        &self,
        id: NamespaceId,
        added: BTreeMap<String, AttributeType>,
    ) -> Result<Result<Arc<Namespace>, SearchAttributeError>, NamespaceError> {
        let turn = self.begin().await?;
        let mut namespace = self.required(id)?;
        match search_attributes::with_added(&namespace.schema, added) {
            Ok(schema) => namespace.schema = schema,
            Err(refused) => return Ok(Err(refused)),
        }
        self.write(turn, namespace).await.map(Ok)
    }

    /// Removes search attributes from a namespace; unknown names change nothing.
    ///
    /// # Errors
    /// When there is no such namespace, or the store does not take the record.
    pub async fn remove_search_attributes(
        &self,
        id: NamespaceId,
        removed: &[String],
    ) -> Result<Arc<Namespace>, NamespaceError> {
        let change = |namespace: &mut Namespace| {
            namespace.schema = search_attributes::without(&namespace.schema, removed);
        };
        self.update(id, change).await
    }

    pub(crate) fn required(&self, id: NamespaceId) -> Result<Namespace, NamespaceError> {
        let found = self.by_id(id).ok_or_else(|| NamespaceError::NotFound(id.to_string()))?;
        Ok(Namespace::clone(&found))
    }

    async fn insert(
        &self,
        id: NamespaceId,
        registration: Registration,
    ) -> Result<Arc<Namespace>, NamespaceError> {
        let turn = self.begin().await?;
        let current = self.current.load_full();
        if current.by_name.contains_key(&registration.name) {
            return Err(NamespaceError::AlreadyExists(registration.name));
        }
        if current.by_id.len() >= NAMESPACES_MAX {
            return Err(NamespaceError::TooMany(NAMESPACES_MAX));
        }
        let namespace = Namespace {
            id,
            id_text: id.to_string(),
            name: registration.name,
            state: NamespaceState::Registered,
            details: registration.details,
            retention: registration.retention,
            delete_after: Time::UNSET,
            limits: self.limits.clone(),
            schema: Schema::new(registration.search_attributes),
            rules: Vec::new(),
            version: 0,
        };
        self.write(turn, namespace).await
    }

    /// Waits for its turn to change something. What the last one left in doubt is read again.
    pub(crate) async fn begin(&self) -> Result<MetaChange<'_>, NamespaceError> {
        let read_again = |key: &Bytes, record: Option<MetaRecord>| {
            let mut next = Snapshot::clone(&self.current.load());
            match record {
                Some(record) => {
                    next.insert(Arc::new(record::decode(key, &record, &self.limits)?));
                }
                None => next.by_id.retain(|id, namespace| {
                    let stays = record::key(*id) != *key;
                    if !stays {
                        next.by_name.remove(&namespace.name);
                    }
                    stays
                }),
            }
            self.current.store(Arc::new(next));
            Ok(())
        };
        self.changing.begin(self.store.as_ref(), read_again).await
    }

    /// Stores a new version, then shows it.
    pub(crate) async fn write(
        &self,
        mut turn: MetaChange<'_>,
        mut namespace: Namespace,
    ) -> Result<Arc<Namespace>, NamespaceError> {
        let value = record::encode(&namespace);
        turn.write(record::key(namespace.id), namespace.version, Some(value)).await?;
        namespace.version += 1;
        let namespace = Arc::new(namespace);
        let mut next = Snapshot::clone(&self.current.load());
        next.insert(Arc::clone(&namespace));
        self.current.store(Arc::new(next));
        Ok(namespace)
    }
}

#[cfg(test)]
mod tests {
    use model::Time;
    use storage_memory::MemoryStore;

    use super::*;

    async fn open(store: &Arc<dyn Store>) -> Namespaces {
        let environment = Environment::simulated(Time::from_nanos(1), 1);
        Namespaces::open(Arc::clone(store), environment, Limits::default()).await.unwrap()
    }

    fn registration(name: &str) -> Registration {
        Registration {
            name: name.to_owned(),
            retention: Span::from_secs(24 * 3600),
            search_attributes: BTreeMap::from([("City".to_owned(), AttributeType::Keyword)]),
            ..Registration::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn namespaces_survive_a_restart() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let registry = open(&store).await;
        let registered = registry.register(registration("shop")).await.unwrap();
        let changed = registry
            .update(registered.id, |namespace| namespace.details.owner_email = "a@b.c".to_owned())
            .await
            .unwrap();
        assert_eq!(changed.version, 2);

        let reopened = open(&store).await;
        assert_eq!(reopened.by_name("shop"), Some(changed));
        assert_eq!(reopened.by_name(SYSTEM_NAMESPACE).unwrap().retention, SYSTEM_RETENTION);
        assert_eq!(reopened.all().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_taken_until_its_namespace_is_deleted() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let registry = open(&store).await;
        let first = registry.register(registration("shop")).await.unwrap();
        let again = registry.register(registration("shop")).await;
        assert!(matches!(again, Err(NamespaceError::AlreadyExists(name)) if name == "shop"));

        let deleted = registry.delete(first.id, Span::ZERO).await.unwrap();
        assert!(deleted.name.starts_with("shop-deleted-"));
        assert_eq!(registry.by_name("shop"), None);
        assert_eq!(registry.by_id(first.id).unwrap().state, NamespaceState::Deleted);
        let second = registry.register(registration("shop")).await.unwrap();

        assert_eq!(registry.deleted(), std::slice::from_ref(&deleted));
        let again = registry.delete(first.id, Span::ZERO).await.unwrap();
        assert_eq!(again.name, deleted.name);
        registry.remove(first.id).await.unwrap();
        for registry in [registry, open(&store).await] {
            assert_eq!(registry.by_id(first.id), None);
            assert_eq!(registry.by_name(&deleted.name), None);
            assert_eq!(registry.by_name("shop").map(|found| found.id), Some(second.id));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_system_namespace_cannot_be_deleted() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let registry = open(&store).await;
        let deleted = registry.delete(SYSTEM_NAMESPACE_ID, Span::ZERO).await;
        assert!(matches!(deleted, Err(NamespaceError::SystemNamespace)));
    }
}
