//! Task tokens: how a worker names the task that it holds.
//!
//! A token is no secret and proves nothing: history checks what it says against the run.

use bytes::Bytes;
use engine::{HeldActivity, HeldWorkflowTask};
use history::{RunKey, StandaloneActivityDelivery};
use model::{NamespaceId, RunId, Time, WorkflowKey};
use prost::Message;
use standalone_activity::Held;
use uuid::Uuid;

use crate::error::{ApiError, ApiResult};

/// A decoded task token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskToken {
    /// The namespace of the run.
    pub(crate) namespace_id: NamespaceId,
    /// The run.
    pub(crate) run: RunKey,
    /// The task of the run.
    pub(crate) task: HeldTask,
}

/// Which task of a run a worker holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeldTask {
    /// A workflow task.
    Workflow(HeldWorkflowTask),
    /// An activity attempt.
    Activity(HeldActivity),
    /// An attempt of an activity that no workflow runs: its id stands where a run has that of its
    /// workflow.
    StandaloneActivity(Held),
    /// A query that came alone.
    Query(Uuid),
    /// A Nexus task; the run stands for its namespace only.
    Nexus(Uuid),
}

/// The wire form. Workers hold tokens over an upgrade: never reuse a tag.
#[derive(Clone, PartialEq, Message)]
struct Wire {
    #[prost(bytes = "bytes", tag = "1")]
    namespace_id: Bytes,
    #[prost(string, tag = "2")]
    workflow_id: String,
    #[prost(bytes = "bytes", tag = "3")]
    run_id: Bytes,
    #[prost(oneof = "WireTask", tags = "4, 5, 6, 7, 8")]
    task: Option<WireTask>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum WireTask {
    #[prost(message, tag = "4")]
    Workflow(WireWorkflowTask),
    #[prost(message, tag = "5")]
    Activity(WireActivity),
    #[prost(bytes = "bytes", tag = "6")]
    Query(Bytes),
    #[prost(bytes = "bytes", tag = "7")]
    Nexus(Bytes),
    #[prost(message, tag = "8")]
    StandaloneActivity(WireStandaloneActivity),
}

#[derive(Clone, Copy, PartialEq, Message)]
struct WireWorkflowTask {
    #[prost(int64, tag = "1")]
    scheduled_event_id: i64,
    #[prost(int64, tag = "2")]
    started_event_id: i64,
    #[prost(int32, tag = "3")]
    attempt: i32,
    #[prost(int64, tag = "4")]
    started_nanos: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct WireActivity {
    #[prost(int64, tag = "1")]
    scheduled_event_id: i64,
    #[prost(int32, tag = "2")]
    attempt: i32,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct WireStandaloneActivity {
    #[prost(int32, tag = "1")]
    attempt: i32,
    #[prost(uint32, tag = "2")]
    stamp: u32,
}

impl TaskToken {
    /// The token of a workflow task.
    pub(crate) fn workflow_task(run: &RunKey, task: &HeldWorkflowTask) -> Bytes {
        let task = WireWorkflowTask {
            scheduled_event_id: task.scheduled_event_id,
            started_event_id: task.started_event_id,
            attempt: task.attempt,
            started_nanos: task.started_time.nanos(),
        };
        encode(run, WireTask::Workflow(task))
    }

    /// The token of an activity attempt.
    pub(crate) fn activity(run: &RunKey, scheduled_event_id: i64, attempt: i32) -> Bytes {
        history::activity_task_token(run, scheduled_event_id, attempt)
    }

    /// The token of an attempt of an activity that no workflow runs.
    pub(crate) fn standalone_activity(started: &StandaloneActivityDelivery) -> Bytes {
        let workflow = WorkflowKey {
            namespace_id: started.namespace_id,
            workflow_id: started.activity.scheduled.activity_id.clone(),
        };
        let (attempt, stamp) = (started.activity.attempt, started.stamp);
        let run = RunKey { workflow, run_id: started.run_id };
        encode(&run, WireTask::StandaloneActivity(WireStandaloneActivity { attempt, stamp }))
    }

    /// The token of a query that comes alone.
    pub(crate) fn query(run: &RunKey, query_id: Uuid) -> Bytes {
        encode(run, WireTask::Query(Bytes::copy_from_slice(query_id.as_bytes())))
    }

    /// The token of a Nexus task.
    pub(crate) fn nexus(namespace_id: NamespaceId, task_id: Uuid) -> Bytes {
        let workflow = WorkflowKey { namespace_id, workflow_id: String::new() };
        let run = RunKey { workflow, run_id: RunId::from_bytes([0; 16]) };
        encode(&run, WireTask::Nexus(Bytes::copy_from_slice(task_id.as_bytes())))
    }

    /// Reads a token.
    ///
    /// # Errors
    /// When there is none, or it is none of ours.
    pub(crate) fn decode(encoded: &[u8]) -> ApiResult<Self> {
        if encoded.is_empty() {
            return Err(ApiError::invalid("Task token not set on request."));
        }
        Wire::decode(encoded)
            .ok()
            .and_then(read)
            .ok_or_else(|| ApiError::invalid("Error deserializing task token."))
    }

    /// True when the token reads the same after it is written again.
    pub(crate) fn survives(&self) -> bool {
        let again = match &self.task {
            HeldTask::Workflow(task) => Self::workflow_task(&self.run, task),
            HeldTask::Activity(HeldActivity::Token { scheduled_event_id, attempt }) => {
                Self::activity(&self.run, *scheduled_event_id, *attempt)
            }
            // Tokens never name an activity by its user's id.
            HeldTask::Activity(HeldActivity::Id(_)) => return false,
            HeldTask::StandaloneActivity(Held::Token { attempt, stamp }) => encode(
                &self.run,
                WireTask::StandaloneActivity(WireStandaloneActivity {
                    attempt: *attempt,
                    stamp: *stamp,
                }),
            ),
            HeldTask::StandaloneActivity(Held::Current) => return false,
            HeldTask::Query(query_id) => Self::query(&self.run, *query_id),
            HeldTask::Nexus(task_id) => {
                encode(&self.run, WireTask::Nexus(Bytes::copy_from_slice(task_id.as_bytes())))
            }
        };
        Self::decode(&again).as_ref() == Ok(self)
    }

    /// The workflow task; another kind of task is none that the run knows.
    pub(crate) fn held_workflow_task(&self) -> ApiResult<HeldWorkflowTask> {
        match &self.task {
            HeldTask::Workflow(task) => Ok(task.clone()),
            _ => Err(engine::Rejection::WorkflowTaskNotFound.into()),
        }
    }

    /// The activity; another kind of task is none that the run knows.
    pub(crate) fn held_activity(&self) -> ApiResult<HeldActivity> {
        match &self.task {
            HeldTask::Activity(activity) => Ok(activity.clone()),
            _ => Err(engine::Rejection::ActivityNotFound.into()),
        }
    }

    /// The query; another kind of task is none that anybody waits for.
    pub(crate) fn held_query(&self) -> ApiResult<Uuid> {
        match &self.task {
            HeldTask::Query(query_id) => Ok(*query_id),
            _ => Err(ApiError::not_found("query task not found, or already expired")),
        }
    }

    /// The Nexus task; another kind of task is none that anybody waits for.
    pub(crate) fn held_nexus_task(&self) -> ApiResult<Uuid> {
        match &self.task {
            HeldTask::Nexus(task_id) => Ok(*task_id),
            _ => Err(ApiError::not_found("Nexus task not found or already expired")),
        }
    }
}

fn encode(run: &RunKey, task: WireTask) -> Bytes {
    let wire = Wire {
        namespace_id: Bytes::copy_from_slice(run.workflow.namespace_id.as_bytes()),
        workflow_id: run.workflow.workflow_id.clone(),
        run_id: Bytes::copy_from_slice(run.run_id.as_bytes()),
        task: Some(task),
    };
    wire.encode_to_vec().into()
}

fn read(wire: Wire) -> Option<TaskToken> {
    let namespace_id = NamespaceId::from_bytes(wire.namespace_id.as_ref().try_into().ok()?);
    let run_id = RunId::from_bytes(wire.run_id.as_ref().try_into().ok()?);
    let task = match wire.task? {
        WireTask::Workflow(task) => HeldTask::Workflow(HeldWorkflowTask {
            scheduled_event_id: task.scheduled_event_id,
            started_event_id: task.started_event_id,
            attempt: task.attempt,
            started_time: Time::from_nanos(task.started_nanos),
        }),
        WireTask::Activity(task) => HeldTask::Activity(HeldActivity::Token {
            scheduled_event_id: task.scheduled_event_id,
            attempt: task.attempt,
        }),
        WireTask::StandaloneActivity(task) => {
            HeldTask::StandaloneActivity(Held::Token { attempt: task.attempt, stamp: task.stamp })
        }
        WireTask::Query(query_id) => HeldTask::Query(Uuid::from_slice(&query_id).ok()?),
        WireTask::Nexus(task_id) => HeldTask::Nexus(Uuid::from_slice(&task_id).ok()?),
    };
    let workflow = WorkflowKey { namespace_id, workflow_id: wire.workflow_id };
    Some(TaskToken { namespace_id, run: RunKey { workflow, run_id }, task })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunKey {
        let namespace_id = NamespaceId::from_bytes([1; 16]);
        RunKey {
            workflow: WorkflowKey { namespace_id, workflow_id: "order-1".to_owned() },
            run_id: RunId::from_bytes([2; 16]),
        }
    }

    #[test]
    fn a_token_names_the_task_it_was_made_for() {
        let held = HeldWorkflowTask {
            scheduled_event_id: 2,
            started_event_id: 3,
            attempt: 1,
            started_time: Time::from_nanos(4),
        };
        let token = TaskToken::decode(&TaskToken::workflow_task(&run(), &held)).unwrap();
        assert_eq!(token.run, run());
        assert_eq!(token.held_workflow_task(), Ok(held));
        assert!(token.held_activity().is_err());
        let token = TaskToken::decode(&TaskToken::activity(&run(), 5, 2)).unwrap();
        let activity = HeldActivity::Token { scheduled_event_id: 5, attempt: 2 };
        assert_eq!(token.held_activity(), Ok(activity));
        let id = Uuid::from_u128(9);
        assert_eq!(TaskToken::decode(&TaskToken::query(&run(), id)).unwrap().held_query(), Ok(id));
        let token = TaskToken::nexus(NamespaceId::from_bytes([1; 16]), id);
        assert_eq!(TaskToken::decode(&token).unwrap().held_nexus_task(), Ok(id));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let token = TaskToken::activity(&run(), 5, 2);
        for bad in [b"garbage".as_slice(), &[0; 40], &token[..10], &token[1..]] {
            let text = "Error deserializing task token.";
            assert_eq!(TaskToken::decode(bad), Err(ApiError::invalid(text)), "{bad:?}");
        }
        let text = "Task token not set on request.";
        assert_eq!(TaskToken::decode(b""), Err(ApiError::invalid(text)));
    }
}
