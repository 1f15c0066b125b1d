//! What the API has set for task queues.

use std::{collections::BTreeMap, sync::Arc};

use api::taskqueue::v1::{RateLimitConfig, TaskQueueConfig};
use arc_swap::ArcSwap;
use bytes::{BufMut, Bytes, BytesMut};
use matching::{QueueSettings, TaskQueueKey, TaskQueueType};
use model::NamespaceId;
use prost::Message;
use storage::{MetaChange, MetaChanges, MetaRecord, Store};

use crate::{DeploymentError, TaskQueues};

/// What the keys of these records start with: 16 bytes of the namespace's id, one of the queue's
/// type and its name follow.
const PREFIX: &[u8] = b"task-queue/";

/// Most queues of a cell that have settings: all of them are kept in memory.
const CONFIGS_MAX: usize = 10_000;

type Configs = BTreeMap<TaskQueueKey, (u64, Arc<TaskQueueConfig>)>;

/// The settings of all queues that have some.
#[derive(Debug)]
pub struct QueueConfigs {
    store: Arc<dyn Store>,
    queues: Arc<dyn TaskQueues>,
    current: ArcSwap<Configs>,
    changing: MetaChanges,
}

impl QueueConfigs {
    /// Reads the settings of all queues and puts them in force.
    ///
    /// # Errors
    /// When the store cannot be read, or holds a record that is damaged.
    pub async fn open(
        store: Arc<dyn Store>,
        queues: Arc<dyn TaskQueues>,
    ) -> Result<Self, DeploymentError> {
        let mut configs = Configs::new();
        for (key, record) in store.scan_meta(Bytes::from_static(PREFIX)).await? {
            let key = decode_key(&key)?;
            let config = decode_value(&key, &record)?;
            queues.configure(&key, queue_settings(&config));
            configs.insert(key, (record.version, Arc::new(config)));
        }
        let current = ArcSwap::from_pointee(configs);
        Ok(Self { store, queues, current, changing: MetaChanges::default() })
    }

    /// The settings of a queue, if it has any.
    pub fn get(&self, key: &TaskQueueKey) -> Option<Arc<TaskQueueConfig>> {
        self.current.load().get(key).map(|(_, config)| Arc::clone(config))
    }

    /// Changes the settings of a queue: durable, and in force, when done.
    ///
    /// # Errors
    /// When the change is refused, or the store does not take the record.
    pub async fn update(
        &self,
        key: &TaskQueueKey,
        change: impl FnOnce(&mut TaskQueueConfig) -> Result<(), DeploymentError>,
    ) -> Result<Arc<TaskQueueConfig>, DeploymentError> {
        let mut turn = self.begin().await?;
        let mut configs = Configs::clone(&self.current.load());
        let (version, before) = configs.get(key).cloned().unwrap_or_default();
        let mut config = TaskQueueConfig::clone(&before);
        change(&mut config)?;
        if config == *before {
            return Ok(before);
        }
        if version == 0 && configs.len() >= CONFIGS_MAX {
            let text = format!("there are settings for {CONFIGS_MAX} task queues already");
            return Err(DeploymentError::TooMany(text));
        }
        let value = config.encode_to_vec().into();
        turn.write(encode_key(key), version, Some(value)).await?;
        let config = Arc::new(config);
        configs.insert(key.clone(), (version + 1, Arc::clone(&config)));
        self.current.store(Arc::new(configs));
        self.queues.configure(key, queue_settings(&config));
        Ok(config)
    }

    /// A namespace is gone: deletes the settings of its queues.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn forget_namespace(&self, namespace_id: NamespaceId) -> Result<(), DeploymentError> {
        let mut turn = self.begin().await?;
        let mut configs = Configs::clone(&self.current.load());
        let of_it = |key: &&TaskQueueKey| key.namespace_id == namespace_id;
        let keys: Vec<TaskQueueKey> = configs.keys().filter(of_it).cloned().collect();
        for key in keys {
            let Some((version, _)) = configs.remove(&key) else { continue };
            turn.write(encode_key(&key), version, None).await?;
            self.current.store(Arc::new(configs.clone()));
            self.queues.configure(&key, QueueSettings::default());
        }
        Ok(())
    }

    /// Waits for its turn to change something. What the last one left in doubt is read again.
    async fn begin(&self) -> Result<MetaChange<'_>, DeploymentError> {
        let read_again = |key: &Bytes, record: Option<MetaRecord>| {
            let queue = decode_key(key)?;
            let mut configs = Configs::clone(&self.current.load());
            let settings = match record {
                Some(record) => {
                    let config = decode_value(&queue, &record)?;
                    let settings = queue_settings(&config);
                    configs.insert(queue.clone(), (record.version, Arc::new(config)));
                    settings
                }
                None => {
                    configs.remove(&queue);
                    QueueSettings::default()
                }
            };
            self.current.store(Arc::new(configs));
            self.queues.configure(&queue, settings);
            Ok(())
        };
        self.changing.begin(self.store.as_ref(), read_again).await
    }
}

/// What matching needs of a queue's settings.
pub fn queue_settings(config: &TaskQueueConfig) -> QueueSettings {
    let limit = |limit: &Option<RateLimitConfig>| {
        let limit = limit.as_ref().and_then(|limit| limit.rate_limit.as_ref());
        limit.map(|limit| f64::from(limit.requests_per_second))
    };
    QueueSettings {
        tasks_per_second: limit(&config.queue_rate_limit),
        tasks_per_second_per_key: limit(&config.fairness_keys_rate_limit_default),
        fairness_weights: config
            .fairness_weight_overrides
            .iter()
            .map(|(key, weight)| (key.as_str().into(), *weight))
            .collect(),
    }
}

fn encode_key(key: &TaskQueueKey) -> Bytes {
    let mut bytes = BytesMut::with_capacity(PREFIX.len() + 17 + key.name.len());
    bytes.put_slice(PREFIX);
    bytes.put_slice(key.namespace_id.as_bytes());
    bytes.put_u8(match key.task_type {
        TaskQueueType::Workflow => 1,
        TaskQueueType::Activity => 2,
        TaskQueueType::Nexus => 3,
    });
    bytes.put_slice(key.name.as_bytes());
    bytes.freeze()
}

fn decode_key(key: &[u8]) -> Result<TaskQueueKey, DeploymentError> {
    let damaged = |what: &str| DeploymentError::Damaged(what.to_owned());
    let rest = key.strip_prefix(PREFIX).ok_or_else(|| damaged("its key has another prefix"))?;
    let (namespace_id, rest) =
        rest.split_first_chunk::<16>().ok_or_else(|| damaged("its key holds no namespace id"))?;
    let (task_type, name) =
        rest.split_first().ok_or_else(|| damaged("its key holds no queue type"))?;
    let task_type = match task_type {
        1 => TaskQueueType::Workflow,
        2 => TaskQueueType::Activity,
        3 => TaskQueueType::Nexus,
        _ => return Err(damaged("its key holds an unknown queue type")),
    };
    let name = std::str::from_utf8(name).map_err(|_| damaged("its key holds no queue name"))?;
    Ok(TaskQueueKey::new(NamespaceId::from_bytes(*namespace_id), name, task_type))
}

fn decode_value(
    key: &TaskQueueKey,
    record: &MetaRecord,
) -> Result<TaskQueueConfig, DeploymentError> {
    TaskQueueConfig::decode(record.value.clone())
        .map_err(|error| DeploymentError::Damaged(format!("{}: {error}", key.name)))
}
