//! The stored pointer from a workflow to its latest run.

use bytes::Bytes;
use model::{RunId, SlotId, WorkflowKey};
use prost::Message;
use storage::{Damage, Table, Write, current_key, damage};

use crate::Execution;

/// Tags are part of the stored format: never reuse one.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct CurrentRecord {
    /// The full id: the key holds its hash.
    #[prost(string, tag = "1")]
    pub(crate) workflow_id: String,
    /// The run's 16 bytes.
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) run_id: Bytes,
}

pub(crate) fn key(slot: SlotId, workflow: &WorkflowKey) -> Bytes {
    current_key(slot, workflow.namespace_id, &workflow.workflow_id)
}

/// Makes a run the current one.
pub(crate) fn write(slot: SlotId, workflow: &WorkflowKey, run_id: RunId) -> Write {
    let record = CurrentRecord {
        workflow_id: workflow.workflow_id.clone(),
        run_id: Bytes::copy_from_slice(run_id.as_bytes()),
    };
    Write::Put {
        table: Table::Current,
        namespace: Some(workflow.namespace_id),
        key: key(slot, workflow),
        value: record.encode_to_vec().into(),
    }
}

/// Reads the stored form. Another workflow whose id has the same hash counts as none.
pub(crate) fn read(
    slot: SlotId,
    workflow: &WorkflowKey,
    value: Bytes,
) -> Result<Option<RunId>, Damage> {
    let damaged = |what: &str| damage(Table::Current, &key(slot, workflow), what);
    let record = CurrentRecord::decode(value).map_err(|error| damaged(&error.to_string()))?;
    if record.workflow_id != workflow.workflow_id {
        return Ok(None);
    }
    run_id(&record.run_id).map(Some).ok_or_else(|| damaged("its run id is not 16 bytes"))
}

/// The run that a stored pointer names.
pub(crate) fn execution(value: Bytes) -> Option<Execution> {
    let record = CurrentRecord::decode(value).ok()?;
    Some(Execution::run(record.workflow_id, run_id(&record.run_id)?))
}

/// Reads a run id of 16 bytes.
pub(crate) fn run_id(bytes: &[u8]) -> Option<RunId> {
    <[u8; 16]>::try_from(bytes).ok().map(RunId::from_bytes)
}

#[cfg(test)]
mod tests {
    use model::NamespaceId;

    use super::*;

    #[test]
    fn a_pointer_is_read_back_for_its_workflow_only() {
        let workflow = |id: &str| WorkflowKey {
            namespace_id: NamespaceId::from_bytes([1; 16]),
            workflow_id: id.to_owned(),
        };
        let slot = SlotId::of(&workflow("a"));
        let run = RunId::from_bytes([7; 16]);
        let Write::Put { value, .. } = write(slot, &workflow("a"), run) else { panic!() };
        assert_eq!(read(slot, &workflow("a"), value.clone()), Ok(Some(run)));
        assert_eq!(read(slot, &workflow("b"), value.clone()), Ok(None));
        assert!(read(slot, &workflow("a"), value.slice(..4)).is_err());
    }
}
