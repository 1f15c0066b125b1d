//! All deployments of the cell.

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use arc_swap::ArcSwap;
use bytes::Bytes;
use environment::Environment;
use matching::{Matching, QueueSettings, Routes, TaskQueueKey, WorkerVersion};
use model::{NamespaceId, Time};
use prost::Message;
use storage::{MetaChange, MetaChanges, MetaRecord, Store};

use crate::{DEPLOYMENTS_MAX, Deployment, DeploymentError, Version, routes::queue_routes};

/// What the keys of deployments start with: 16 bytes of the namespace's id and the name follow.
const PREFIX: &[u8] = b"worker-deployment/";

/// Where routes and settings are put in force.
pub trait TaskQueues: Send + Sync + Debug {
    /// Puts routes in force, for tasks that wait already too.
    fn set_routes(&self, routes: Routes);
    /// Puts the settings of a queue in force.
    fn configure(&self, key: &TaskQueueKey, settings: QueueSettings);
    /// True when workers polled the queue of this very version lately.
    fn has_pollers(&self, key: &TaskQueueKey) -> bool;
    /// True when tasks wait at the queue of this very version, or came in lately.
    fn is_in_use(&self, key: &TaskQueueKey) -> bool;
}

impl<D: Debug + Send + 'static> TaskQueues for Matching<D> {
    fn set_routes(&self, routes: Routes) {
        Matching::set_routes(self, routes);
    }

    fn configure(&self, key: &TaskQueueKey, settings: QueueSettings) {
        Matching::configure(self, key, settings);
    }

    fn has_pollers(&self, key: &TaskQueueKey) -> bool {
        self.describe(key).is_some_and(|found| !found.pollers.is_empty())
    }

    fn is_in_use(&self, key: &TaskQueueKey) -> bool {
        self.describe(key).is_some_and(|found| {
            found.stats.approximate_backlog_count > 0 || found.stats.tasks_add_rate > 0.0
        })
    }
}

/// The deployments of a cell. Look-ups take no lock; changes happen one after the other, and are
/// durable before they are in force.
#[derive(Debug)]
pub struct Deployments {
    store: Arc<dyn Store>,
    environment: Environment,
    queues: Arc<dyn TaskQueues>,
    current: ArcSwap<Snapshot>,
    changing: MetaChanges,
}

#[derive(Debug, Default, Clone)]
struct Snapshot {
    /// By namespace and name, with the version of the stored record.
    deployments: BTreeMap<(NamespaceId, String), (u64, Arc<Deployment>)>,
    routes: Routes,
}

impl Deployments {
    /// Reads all deployments and puts their routes in force.
    ///
    /// # Errors
    /// When the store cannot be read, or holds a record that is damaged.
    pub async fn open(
        store: Arc<dyn Store>,
        environment: Environment,
        queues: Arc<dyn TaskQueues>,
    ) -> Result<Self, DeploymentError> {
        let mut snapshot = Snapshot::default();
        for (key, record) in store.scan_meta(Bytes::from_static(PREFIX)).await? {
            let (namespace_id, _) = decode_key(&key)?;
            let deployment = decode_value(&record)?;
            let key = (namespace_id, deployment.name.clone());
            snapshot.deployments.insert(key, (record.version, Arc::new(deployment)));
        }
        let served: Vec<TaskQueueKey> = snapshot
            .deployments
            .iter()
            .flat_map(|((namespace_id, _), (_, deployment))| deployment.queue_keys(*namespace_id))
            .collect();
        snapshot.route(&served);
        queues.set_routes(snapshot.routes.clone());
        Ok(Self {
            store,
            environment,
            queues,
            current: ArcSwap::from_pointee(snapshot),
            changing: MetaChanges::default(),
        })
    }

    /// The deployment of this name, if there is one.
    pub fn find(&self, namespace_id: NamespaceId, name: &str) -> Option<Arc<Deployment>> {
        let key = (namespace_id, name.to_owned());
        self.current.load().deployments.get(&key).map(|(_, found)| Arc::clone(found))
    }

    /// The deployment of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(
        &self,
        namespace_id: NamespaceId,
        name: &str,
    ) -> Result<Arc<Deployment>, DeploymentError> {
        self.find(namespace_id, name).ok_or_else(|| DeploymentError::NotFound(name.to_owned()))
    }

    /// The deployments of a namespace, by name.
    pub fn of_namespace(&self, namespace_id: NamespaceId) -> Vec<Arc<Deployment>> {
        let snapshot = self.current.load();
        snapshot.in_namespace(namespace_id).map(|(_, (_, found))| Arc::clone(found)).collect()
    }

    /// True when a worker's version is known to serve the queue: there is nothing to register.
    pub fn is_registered(&self, version: &WorkerVersion, key: &TaskQueueKey) -> bool {
        self.current.load().routes.serves(version, key)
    }

    /// A worker of a version polls a queue: makes what is missing of the deployment.
    ///
    /// # Errors
    /// When there is no room, or the store does not take the record.
    pub async fn register(
        &self,
        version: &WorkerVersion,
        key: &TaskQueueKey,
    ) -> Result<(), DeploymentError> {
        if self.is_registered(version, key) {
            return Ok(());
        }
        let now = self.environment.clock.now();
        let build_id = &version.build_id;
        self.change_or_make(key.namespace_id, &version.deployment_name, |deployment, pollers| {
            deployment.register(build_id, key, now, pollers)
        })
        .await?;
        Ok(())
    }

    /// Makes a deployment that does not exist; the same request may ask twice.
    ///
    /// # Errors
    /// When it exists, there is no room, or the store does not take the record.
    pub async fn create(
        &self,
        namespace_id: NamespaceId,
        name: &str,
        identity: &str,
        request_id: &str,
    ) -> Result<Arc<Deployment>, DeploymentError> {
        if let Some(found) = self.find(namespace_id, name) {
            if found.create_request_id == request_id {
                return Ok(found);
            }
            let by_poll = found.create_request_id.is_empty();
            let how = if by_poll { " (auto-created from worker polls)" } else { "" };
            let text = format!("Worker Deployment with name \"{name}\" already exists{how}");
            return Err(DeploymentError::AlreadyExists(text));
        }
        self.change_or_make(namespace_id, name, |deployment, _| {
            identity.clone_into(&mut deployment.last_modifier_identity);
            request_id.clone_into(&mut deployment.create_request_id);
            Ok(())
        })
        .await?;
        self.get(namespace_id, name)
    }

    /// Changes a deployment: durable, and in force, when done.
    ///
    /// # Errors
    /// When there is none, the change is refused, or the store does not take the record.
    pub async fn change<T>(
        &self,
        namespace_id: NamespaceId,
        name: &str,
        change: impl FnOnce(&mut Deployment, &dyn Fn(&Version) -> bool) -> Result<T, DeploymentError>,
    ) -> Result<T, DeploymentError> {
        let turn = self.begin().await?;
        self.get(namespace_id, name)?;
        self.apply(turn, namespace_id, name, change).await
    }

    /// The same for a deployment that may not exist yet.
    ///
    /// # Errors
    /// When there is no room for it, the change is refused, or the store does not take the record.
    pub async fn change_or_make<T>(
        &self,
        namespace_id: NamespaceId,
        name: &str,
        change: impl FnOnce(&mut Deployment, &dyn Fn(&Version) -> bool) -> Result<T, DeploymentError>,
    ) -> Result<T, DeploymentError> {
        let turn = self.begin().await?;
        let is_new = self.find(namespace_id, name).is_none();
        if is_new && self.of_namespace(namespace_id).len() >= DEPLOYMENTS_MAX {
            let text = format!("reached maximum deployments in namespace ({DEPLOYMENTS_MAX})");
            return Err(DeploymentError::TooMany(text));
        }
        self.apply(turn, namespace_id, name, change).await
    }

    /// Deletes a deployment without versions; one that does not exist is deleted already.
    ///
    /// # Errors
    /// When it has versions, or the store does not take it.
    pub async fn delete(
        &self,
        namespace_id: NamespaceId,
        name: &str,
    ) -> Result<(), DeploymentError> {
        let mut turn = self.begin().await?;
        let mut snapshot = Snapshot::clone(&self.current.load());
        let key = (namespace_id, name.to_owned());
        let Some((version, found)) = snapshot.deployments.remove(&key) else { return Ok(()) };
        if !found.versions.is_empty() {
            let text = "deployment has versions, can't be deleted".to_owned();
            return Err(DeploymentError::Precondition(text));
        }
        turn.write(encode_key(namespace_id, name), version, None).await?;
        self.current.store(Arc::new(snapshot));
        Ok(())
    }

    /// A namespace is gone: deletes its deployments, versions and all.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn forget_namespace(&self, namespace_id: NamespaceId) -> Result<(), DeploymentError> {
        let mut turn = self.begin().await?;
        let mut snapshot = Snapshot::clone(&self.current.load());
        let mut touched = Vec::new();
        for deployment in self.of_namespace(namespace_id) {
            let key = (namespace_id, deployment.name.clone());
            let Some((version, found)) = snapshot.deployments.remove(&key) else { continue };
            let stored = encode_key(namespace_id, &found.name);
            turn.write(stored, version, None).await?;
            touched.extend(found.queue_keys(namespace_id));
            snapshot.route(&touched);
            self.current.store(Arc::new(snapshot.clone()));
        }
        if !touched.is_empty() {
            self.queues.set_routes(snapshot.routes);
        }
        Ok(())
    }

    /// True when a queue that one version of a deployment serves, and not the other, is in use and
    /// has not moved to another deployment.
    pub fn misses_queue(
        &self,
        namespace_id: NamespaceId,
        deployment: &Deployment,
        old: &str,
        new: &str,
    ) -> bool {
        let (Some(old_version), new_version) =
            (deployment.versions.get(old), deployment.versions.get(new))
        else {
            return false;
        };
        let old = WorkerVersion::new(deployment.name.as_str(), old);
        let snapshot = self.current.load();
        old_version.queues.iter().any(|queue| {
            let key = queue.key(namespace_id);
            let routes = snapshot.routes.queue(&key);
            let is_current =
                routes.is_some_and(|routes| routes.current.version.as_ref() == Some(&old));
            new_version.is_none_or(|version| !version.serves(&key))
                && is_current
                && self.queues.is_in_use(&key.with_version(Some(old.clone())))
        })
    }

    /// Waits for its turn to change something. What the last one left in doubt is read again.
    async fn begin(&self) -> Result<MetaChange<'_>, DeploymentError> {
        let read_again = |key: &Bytes, record: Option<MetaRecord>| {
            let mut snapshot = Snapshot::clone(&self.current.load());
            let (namespace_id, name) = decode_key(key)?;
            let key = (namespace_id, name.to_owned());
            let before = match record {
                Some(record) => {
                    let found = (record.version, Arc::new(decode_value(&record)?));
                    snapshot.deployments.insert(key.clone(), found)
                }
                None => snapshot.deployments.remove(&key),
            };
            let after = snapshot.deployments.get(&key);
            let both = before.as_ref().into_iter().chain(after);
            let touched: Vec<TaskQueueKey> =
                both.flat_map(|(_, found)| found.queue_keys(namespace_id)).collect();
            snapshot.route(&touched);
            let routes = snapshot.routes.clone();
            self.current.store(Arc::new(snapshot));
            self.queues.set_routes(routes);
            Ok(())
        };
        self.changing.begin(self.store.as_ref(), read_again).await
    }

    /// Carries a change out in its turn.
    async fn apply<T>(
        &self,
        mut turn: MetaChange<'_>,
        namespace_id: NamespaceId,
        name: &str,
        change: impl FnOnce(&mut Deployment, &dyn Fn(&Version) -> bool) -> Result<T, DeploymentError>,
    ) -> Result<T, DeploymentError> {
        let mut snapshot = Snapshot::clone(&self.current.load());
        let key = (namespace_id, name.to_owned());
        let (version, before) = match snapshot.deployments.get(&key) {
            Some((version, before)) => (*version, Deployment::clone(before)),
            None => (0, Deployment::new(name, self.environment.clock.now())),
        };
        let mut after = before.clone();
        let (all, queues) = (before.clone(), Arc::clone(&self.queues));
        // A version is looked up by what it is: the closure knows no build id.
        let has_pollers = move |asked: &Version| {
            let found = all.versions.iter().find(|(_, version)| *version == asked);
            found.is_some_and(|(build_id, version)| {
                let worker = WorkerVersion::new(all.name.as_str(), build_id.as_str());
                version.queues.iter().any(|queue| {
                    queues.has_pollers(&queue.key(namespace_id).with_version(Some(worker.clone())))
                })
            })
        };
        let answer = change(&mut after, &has_pollers)?;
        if version != 0 && after == before {
            return Ok(answer);
        }
        let value = after.encode_to_vec().into();
        turn.write(encode_key(namespace_id, name), version, Some(value)).await?;
        let touched: Vec<TaskQueueKey> =
            before.queue_keys(namespace_id).chain(after.queue_keys(namespace_id)).collect();
        snapshot.deployments.insert(key, (version + 1, Arc::new(after)));
        snapshot.route(&touched);
        let routes = snapshot.routes.clone();
        self.current.store(Arc::new(snapshot));
        self.queues.set_routes(routes);
        Ok(answer)
    }

    /// The time, for changes.
    pub fn now(&self) -> Time {
        self.environment.clock.now()
    }
}

impl Snapshot {
    fn in_namespace(
        &self,
        namespace_id: NamespaceId,
    ) -> impl Iterator<Item = (&(NamespaceId, String), &(u64, Arc<Deployment>))> {
        let from = (namespace_id, String::new());
        self.deployments.range(from..).take_while(move |((other, _), _)| *other == namespace_id)
    }

    /// Works out the routes of these queues anew.
    fn route(&mut self, keys: &[TaskQueueKey]) {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let deployments =
                self.in_namespace(key.namespace_id).map(|(_, (_, found))| found.as_ref());
            let routes = queue_routes(deployments, &key);
            self.routes.set(&key, routes);
        }
    }
}

fn encode_key(namespace_id: NamespaceId, name: &str) -> Bytes {
    [PREFIX, namespace_id.as_bytes().as_slice(), name.as_bytes()].concat().into()
}

fn decode_key(key: &[u8]) -> Result<(NamespaceId, &str), DeploymentError> {
    let damaged = |what: &str| DeploymentError::Damaged(what.to_owned());
    let (namespace_id, name) = key
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_first_chunk::<16>())
        .ok_or_else(|| damaged("its key holds no namespace id"))?;
    let name = std::str::from_utf8(name).map_err(|_| damaged("its key holds no name"))?;
    Ok((NamespaceId::from_bytes(*namespace_id), name))
}

fn decode_value(record: &MetaRecord) -> Result<Deployment, DeploymentError> {
    Deployment::decode(record.value.clone())
        .map_err(|error| DeploymentError::Damaged(error.to_string()))
}
