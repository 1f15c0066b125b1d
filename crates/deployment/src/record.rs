//! A deployment and its versions, as they are stored. Tags are part of the format: never reuse one.

use std::collections::BTreeMap;

use api::{
    deployment::v1::{
        RoutingConfig, VersionDrainageInfo, VersionMetadata, WorkerDeploymentVersion,
    },
    enums::v1::TaskQueueType as ApiTaskQueueType,
};
use bytes::Bytes;
use matching::{TaskQueueKey, TaskQueueType};
use model::{NamespaceId, Time};
use prost::Message;

/// A worker deployment.
#[derive(Clone, PartialEq, Message)]
pub struct Deployment {
    /// Its name, unique in its namespace.
    #[prost(string, tag = "1")]
    pub name: String,
    /// When it was made, explicitly or by its first poll.
    #[prost(message, required, tag = "2")]
    pub create_time: Time,
    /// Which version is current and which is ramping; the texts for older clients are left out.
    #[prost(message, required, tag = "3")]
    pub routing: RoutingConfig,
    /// Its versions by build id.
    #[prost(btree_map = "string, message", tag = "4")]
    pub versions: BTreeMap<String, Version>,
    /// Who alone may change its routing; empty for anybody.
    #[prost(string, tag = "5")]
    pub manager_identity: String,
    /// Who changed it last.
    #[prost(string, tag = "6")]
    pub last_modifier_identity: String,
    /// When its routing or manager last changed: what a conflict token stands for.
    #[prost(message, required, tag = "7")]
    pub change_time: Time,
    /// The request that made it; empty when a poll did.
    #[prost(string, tag = "8")]
    pub create_request_id: String,
}

/// A version of a deployment.
#[derive(Clone, PartialEq, Message)]
pub struct Version {
    /// When it was made.
    #[prost(message, required, tag = "1")]
    pub create_time: Time,
    /// The task queues that its workers poll or polled.
    #[prost(message, repeated, tag = "2")]
    pub queues: Vec<ServedQueue>,
    /// Since when it is current; unset while it is not.
    #[prost(message, required, tag = "3")]
    pub current_since: Time,
    /// Since when it is ramping; unset while it is not.
    #[prost(message, required, tag = "4")]
    pub ramping_since: Time,
    /// When the routing last changed for it.
    #[prost(message, required, tag = "5")]
    pub routing_change_time: Time,
    /// When it first became current or ramping.
    #[prost(message, required, tag = "6")]
    pub first_activation_time: Time,
    /// When it last became current.
    #[prost(message, required, tag = "7")]
    pub last_current_time: Time,
    /// When it was last neither current nor ramping any more.
    #[prost(message, required, tag = "8")]
    pub last_deactivation_time: Time,
    /// Whether open runs are still pinned to it, once it is neither current nor ramping.
    #[prost(message, optional, tag = "9")]
    pub drainage: Option<VersionDrainageInfo>,
    /// What users wrote about it.
    #[prost(message, optional, tag = "10")]
    pub metadata: Option<VersionMetadata>,
    /// Who changed it last.
    #[prost(string, tag = "11")]
    pub last_modifier_identity: String,
    /// The request that made it; empty when a poll did.
    #[prost(string, tag = "12")]
    pub create_request_id: String,
    /// True until its first poll, when a request made it.
    #[prost(bool, tag = "13")]
    pub awaits_poll: bool,
}

/// A task queue that a version serves.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct ServedQueue {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its type, a `TaskQueueType` of the API.
    #[prost(enumeration = "ApiTaskQueueType", tag = "2")]
    pub task_type: i32,
}

impl Deployment {
    /// A deployment without versions.
    pub fn new(name: &str, now: Time) -> Self {
        Self { name: name.to_owned(), create_time: now, change_time: now, ..Self::default() }
    }

    /// What the API calls a version of it.
    pub fn version_of(&self, build_id: &str) -> WorkerDeploymentVersion {
        let (deployment_name, build_id) = (self.name.clone(), build_id.to_owned());
        WorkerDeploymentVersion { build_id, deployment_name }
    }

    /// True for the current version.
    pub fn is_current(&self, build_id: &str) -> bool {
        let current = self.routing.current_deployment_version.as_ref();
        current.is_some_and(|version| version.build_id == build_id)
    }

    /// True for the ramping version, whatever its percentage.
    pub fn is_ramping(&self, build_id: &str) -> bool {
        let ramping = self.routing.ramping_deployment_version.as_ref();
        ramping.is_some_and(|version| version.build_id == build_id)
    }

    /// What a change of its routing or manager may name, so that it fails if another came first.
    pub fn conflict_token(&self) -> Bytes {
        Bytes::copy_from_slice(&self.change_time.nanos().to_be_bytes())
    }

    /// The queues of all versions, without a version of their own.
    pub fn queue_keys(&self, namespace_id: NamespaceId) -> impl Iterator<Item = TaskQueueKey> + '_ {
        let queues = self.versions.values().flat_map(|version| &version.queues);
        queues.map(move |queue| queue.key(namespace_id))
    }
}

impl Version {
    /// True when its workers poll or polled the queue.
    pub fn serves(&self, key: &TaskQueueKey) -> bool {
        self.queues.iter().any(|queue| {
            *queue.name == *key.name && queue.task_type == api_type(key.task_type) as i32
        })
    }
}

impl ServedQueue {
    /// The queue with this key.
    pub fn of(key: &TaskQueueKey) -> Self {
        Self { name: key.name.as_ref().to_owned(), task_type: api_type(key.task_type) as i32 }
    }

    /// The key of the queue, without a version.
    pub fn key(&self, namespace_id: NamespaceId) -> TaskQueueKey {
        let task_type = match self.task_type() {
            ApiTaskQueueType::Activity => TaskQueueType::Activity,
            ApiTaskQueueType::Nexus => TaskQueueType::Nexus,
            ApiTaskQueueType::Workflow | ApiTaskQueueType::Unspecified => TaskQueueType::Workflow,
        };
        TaskQueueKey::new(namespace_id, self.name.as_str(), task_type)
    }
}

fn api_type(task_type: TaskQueueType) -> ApiTaskQueueType {
    match task_type {
        TaskQueueType::Workflow => ApiTaskQueueType::Workflow,
        TaskQueueType::Activity => ApiTaskQueueType::Activity,
        TaskQueueType::Nexus => ApiTaskQueueType::Nexus,
    }
}
