//! How an entity hears of the end of a workflow that it started.

use api::{
    common::v1::{Callback, Payloads, callback},
    enums::v1::WorkflowExecutionStatus,
    failure::v1::Failure,
};
use model::{NamespaceId, RunId, Time};
use prost::Message;

use crate::{EntityKey, EntityKind};

/// Who wants to know when a chain of runs has closed. It travels as a completion callback of the
/// internal kind, which only the server can make, and follows the chain from run to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watcher {
    /// The entity.
    pub key: EntityKey,
    /// What tells it from earlier and later entities of the same id.
    pub instance: RunId,
}

/// The stored form. Tags are part of the format.
#[derive(Clone, PartialEq, Message)]
struct WatcherRecord {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(bytes = "vec", tag = "2")]
    namespace_id: Vec<u8>,
    #[prost(string, tag = "3")]
    id: String,
    #[prost(bytes = "vec", tag = "4")]
    instance: Vec<u8>,
}

/// The last run of a chain, as it closed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClosedWorkflow {
    /// The workflow.
    pub workflow_id: String,
    /// Its last run.
    pub run_id: String,
    /// The first run of the chain.
    pub first_execution_run_id: String,
    /// How it closed.
    pub status: WorkflowExecutionStatus,
    /// Its result, if it completed with one.
    pub result: Option<Payloads>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// When it closed.
    pub close_time: Time,
}

impl Watcher {
    /// The callback that a run carries.
    pub fn to_callback(&self) -> Callback {
        let record = WatcherRecord {
            kind: self.key.kind.number().into(),
            namespace_id: self.key.namespace_id.as_bytes().to_vec(),
            id: self.key.id.clone(),
            instance: self.instance.as_bytes().to_vec(),
        };
        let internal = callback::Internal { data: record.encode_to_vec().into() };
        Callback { variant: Some(callback::Variant::Internal(internal)), ..Callback::default() }
    }

    /// Reads a callback; none when it is of another kind, or nothing this program has written.
    pub fn from_callback(callback: &Callback) -> Option<Self> {
        let Some(callback::Variant::Internal(internal)) = &callback.variant else { return None };
        let record = WatcherRecord::decode(internal.data.as_ref()).ok()?;
        let namespace_id = NamespaceId::from_bytes(record.namespace_id.try_into().ok()?);
        let kind = EntityKind::from_number(record.kind)?;
        let instance = RunId::from_bytes(record.instance.try_into().ok()?);
        Some(Self { key: EntityKey { kind, namespace_id, id: record.id }, instance })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watcher_is_read_back_from_its_callback() {
        let watcher = Watcher {
            key: EntityKey {
                kind: EntityKind::Schedule,
                namespace_id: NamespaceId::from_bytes([3; 16]),
                id: "daily".to_owned(),
            },
            instance: RunId::from_bytes([7; 16]),
        };
        assert_eq!(Watcher::from_callback(&watcher.to_callback()), Some(watcher));
        assert_eq!(Watcher::from_callback(&Callback::default()), None);
    }
}
