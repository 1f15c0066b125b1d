//! All endpoints of the cell.

use std::{collections::BTreeMap, sync::Arc};

use api::nexus::v1::EndpointSpec;
use arc_swap::ArcSwap;
use bytes::Bytes;
use environment::Environment;
use model::Time;
use storage::{MetaChange, MetaChanges, MetaRecord, Store};
use uuid::Uuid;

use crate::{Endpoint, EndpointError, endpoint};

/// Most endpoints of a cell: all of them are kept in memory.
const ENDPOINTS_MAX: usize = 10_000;

/// The endpoints of a cell. Look-ups take no lock; changes happen one after the other and are
/// durable before anybody sees them.
#[derive(Debug)]
pub struct Endpoints {
    store: Arc<dyn Store>,
    environment: Environment,
    current: ArcSwap<Snapshot>,
    changing: MetaChanges,
}

#[derive(Debug, Default, Clone)]
struct Snapshot {
    by_id: BTreeMap<Uuid, Arc<Endpoint>>,
    by_name: BTreeMap<String, Arc<Endpoint>>,
}

impl Snapshot {
    fn insert(&mut self, endpoint: Arc<Endpoint>) {
        self.remove(endpoint.id);
        self.by_name.insert(endpoint.name().to_owned(), Arc::clone(&endpoint));
        self.by_id.insert(endpoint.id, endpoint);
    }

    fn remove(&mut self, id: Uuid) {
        if let Some(former) = self.by_id.remove(&id) {
            self.by_name.remove(former.name());
        }
    }
}

impl Endpoints {
    /// Reads all endpoints of the store.
    ///
    /// # Errors
    /// When the store cannot be read, or holds a record that is damaged.
    pub async fn open(
        store: Arc<dyn Store>,
        environment: Environment,
    ) -> Result<Self, EndpointError> {
        let mut snapshot = Snapshot::default();
        for (key, stored) in store.scan_meta(Bytes::from_static(endpoint::PREFIX)).await? {
            snapshot.insert(Arc::new(Endpoint::decode(&key, &stored)?));
        }
        Ok(Self {
            store,
            environment,
            current: ArcSwap::from_pointee(snapshot),
            changing: MetaChanges::default(),
        })
    }

    /// The endpoint with this name.
    pub fn by_name(&self, name: &str) -> Option<Arc<Endpoint>> {
        self.current.load().by_name.get(name).cloned()
    }

    /// The endpoint with this id.
    pub fn by_id(&self, id: Uuid) -> Option<Arc<Endpoint>> {
        self.current.load().by_id.get(&id).cloned()
    }

    /// An endpoint that points at workers of this namespace, if there is one.
    pub fn targeting(&self, namespace: &str) -> Option<Arc<Endpoint>> {
        let current = self.current.load();
        let targets = |endpoint: &&Arc<Endpoint>| endpoint.target_namespace() == Some(namespace);
        current.by_id.values().find(targets).cloned()
    }

    /// Up to `most` endpoints in the order of their ids, from the one that follows `after` on.
    pub fn page(&self, after: Option<Uuid>, most: usize) -> Vec<Arc<Endpoint>> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let current = self.current.load();
        let rest = current.by_id.range((from, std::ops::Bound::Unbounded));
        rest.take(most).map(|(_, endpoint)| Arc::clone(endpoint)).collect()
    }

    /// Makes an endpoint. The caller has checked the specification.
    ///
    /// # Errors
    /// When the name is taken, or the store does not take the record.
    pub async fn create(&self, spec: EndpointSpec) -> Result<Arc<Endpoint>, EndpointError> {
        let turn = self.begin().await?;
        self.check_name(&spec.name, None)?;
        if self.current.load().by_id.len() >= ENDPOINTS_MAX {
            return Err(EndpointError::TooMany(ENDPOINTS_MAX));
        }
        let endpoint = Endpoint {
            id: self.environment.entropy.uuid_v4(),
            version: 0,
            spec,
            created_time: self.environment.clock.now(),
            last_modified_time: Time::UNSET,
        };
        self.write(turn, endpoint).await
    }

    /// Replaces the specification of an endpoint.
    ///
    /// # Errors
    /// When there is no such endpoint, it has another version, the name is taken, or the store does
    /// not take the record.
    pub async fn update(
        &self,
        id: Uuid,
        version: i64,
        spec: EndpointSpec,
    ) -> Result<Arc<Endpoint>, EndpointError> {
        let turn = self.begin().await?;
        let former = self.required(id, version)?;
        self.check_name(&spec.name, Some(id))?;
        let last_modified_time = self.environment.clock.now();
        let endpoint = Endpoint { spec, last_modified_time, ..Endpoint::clone(&former) };
        self.write(turn, endpoint).await
    }

    /// Removes an endpoint.
    ///
    /// # Errors
    /// When there is no such endpoint, or the store does not forget it.
    pub async fn delete(&self, id: Uuid) -> Result<(), EndpointError> {
        let mut turn = self.begin().await?;
        let former = self.by_id(id).ok_or(EndpointError::NotFound(id))?;
        turn.write(endpoint::key(id), unsigned(former.version), None).await?;
        let mut next = Snapshot::clone(&self.current.load());
        next.remove(id);
        self.current.store(Arc::new(next));
        Ok(())
    }

    fn required(&self, id: Uuid, received: i64) -> Result<Arc<Endpoint>, EndpointError> {
        let endpoint = self.by_id(id).ok_or(EndpointError::NotFound(id))?;
        if endpoint.version != received {
            let expected = endpoint.version;
            return Err(EndpointError::VersionMismatch { received, expected });
        }
        Ok(endpoint)
    }

    fn check_name(&self, name: &str, own: Option<Uuid>) -> Result<(), EndpointError> {
        match self.by_name(name) {
            Some(other) if Some(other.id) != own => {
                Err(EndpointError::AlreadyExists(name.to_owned()))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Waits for its turn to change something. What the last one left in doubt is read again.
    async fn begin(&self) -> Result<MetaChange<'_>, EndpointError> {
        let read_again = |key: &Bytes, record: Option<MetaRecord>| {
            let mut next = Snapshot::clone(&self.current.load());
            match record {
                Some(record) => next.insert(Arc::new(Endpoint::decode(key, &record)?)),
                None => {
                    let gone = next.by_id.keys().find(|id| endpoint::key(**id) == *key).copied();
                    gone.into_iter().for_each(|id| next.remove(id));
                }
            }
            self.current.store(Arc::new(next));
            Ok(())
        };
        self.changing.begin(self.store.as_ref(), read_again).await
    }

    /// Stores a new version, then shows it.
    async fn write(
        &self,
        mut turn: MetaChange<'_>,
        mut endpoint: Endpoint,
    ) -> Result<Arc<Endpoint>, EndpointError> {
        let (key, value) = (endpoint::key(endpoint.id), endpoint.encode());
        turn.write(key, unsigned(endpoint.version), Some(value)).await?;
        endpoint.version += 1;
        let endpoint = Arc::new(endpoint);
        let mut next = Snapshot::clone(&self.current.load());
        next.insert(Arc::clone(&endpoint));
        self.current.store(Arc::new(next));
        Ok(endpoint)
    }
}

fn unsigned(version: i64) -> u64 {
    u64::try_from(version).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use storage_memory::MemoryStore;

    use super::*;

    async fn open(store: &Arc<dyn Store>) -> Endpoints {
        let environment = Environment::simulated(Time::from_nanos(1), 1);
        Endpoints::open(Arc::clone(store), environment).await.unwrap()
    }

    fn spec(name: &str) -> EndpointSpec {
        EndpointSpec { name: name.to_owned(), ..EndpointSpec::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn endpoints_survive_a_restart() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let endpoints = open(&store).await;
        let kept = endpoints.create(spec("kept")).await.unwrap();
        let gone = endpoints.create(spec("gone")).await.unwrap();
        let renamed = endpoints.update(kept.id, 1, spec("renamed")).await.unwrap();
        endpoints.delete(gone.id).await.unwrap();
        assert_eq!((renamed.version, renamed.created_time), (2, kept.created_time));

        let reopened = open(&store).await;
        assert_eq!(reopened.by_name("renamed"), Some(Arc::clone(&renamed)));
        assert_eq!(reopened.by_name("kept"), None);
        assert_eq!(reopened.page(None, 10), [renamed]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_taken_and_a_version_is_compared() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let endpoints = open(&store).await;
        let first = endpoints.create(spec("first")).await.unwrap();
        let second = endpoints.create(spec("second")).await.unwrap();
        let again = endpoints.create(spec("first")).await;
        assert!(matches!(again, Err(EndpointError::AlreadyExists(name)) if name == "first"));
        let taken = endpoints.update(second.id, 1, spec("first")).await;
        assert!(matches!(taken, Err(EndpointError::AlreadyExists(_))));
        let stale = endpoints.update(first.id, 7, spec("other")).await;
        let Err(EndpointError::VersionMismatch { received: 7, expected: 1 }) = stale else {
            panic!("{stale:?}");
        };
        assert_eq!(endpoints.by_name("first"), Some(first));
    }

    #[tokio::test(start_paused = true)]
    async fn pages_follow_each_other() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let endpoints = open(&store).await;
        for name in ["a", "b", "c"] {
            endpoints.create(spec(name)).await.unwrap();
        }
        let all = endpoints.page(None, 10);
        let first = endpoints.page(None, 2);
        assert_eq!(first, all[..2]);
        assert_eq!(endpoints.page(Some(first[1].id), 2), all[2..]);
    }
}
