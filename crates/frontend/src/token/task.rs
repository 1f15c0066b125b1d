//! Task tokens: how a worker names the task that it holds.
//!
//! A token proves that this cluster gave it to somebody; history checks what it says against the run.

use bytes::Bytes;
use engine::{HeldActivity, HeldWorkflowTask};
use history::{RunKey, StandaloneActivityDelivery};
use model::{NamespaceId, RunId, Time, WorkflowKey};
use prost::Message;
use standalone_activity::Held;
use token_keys::{Purpose, TokenKeys};
use uuid::Uuid;

use super::foreign;
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
    pub(crate) fn workflow_task(keys: &TokenKeys, run: &RunKey, task: &HeldWorkflowTask) -> Bytes {
        seal(keys, run, WireTask::Workflow(WireWorkflowTask::from(task)))
    }

    /// The token of an activity attempt.
    pub(crate) fn activity(
        keys: &TokenKeys,
        run: &RunKey,
        scheduled_event_id: i64,
        attempt: i32,
    ) -> Bytes {
        history::activity_task_token(keys, run, scheduled_event_id, attempt)
    }

    /// The token of an attempt of an activity that no workflow runs.
    pub(crate) fn standalone_activity(
        keys: &TokenKeys,
        started: &StandaloneActivityDelivery,
    ) -> Bytes {
        let workflow = WorkflowKey {
            namespace_id: started.namespace_id,
            workflow_id: started.activity.scheduled.activity_id.clone(),
        };
        let (attempt, stamp) = (started.activity.attempt, started.stamp);
        let run = RunKey { workflow, run_id: started.run_id };
        let task = WireTask::StandaloneActivity(WireStandaloneActivity { attempt, stamp });
        seal(keys, &run, task)
    }

    /// The token of a query that comes alone.
    pub(crate) fn query(keys: &TokenKeys, run: &RunKey, query_id: Uuid) -> Bytes {
        seal(keys, run, WireTask::Query(Bytes::copy_from_slice(query_id.as_bytes())))
    }

    /// The token of a Nexus task.
    pub(crate) fn nexus(keys: &TokenKeys, namespace_id: NamespaceId, task_id: Uuid) -> Bytes {
        let workflow = WorkflowKey { namespace_id, workflow_id: String::new() };
        let run = RunKey { workflow, run_id: RunId::from_bytes([0; 16]) };
        seal(keys, &run, WireTask::Nexus(Bytes::copy_from_slice(task_id.as_bytes())))
    }

    /// Reads a token.
    ///
    /// # Errors
    /// When there is none, or it is none of ours.
    pub(crate) fn decode(keys: &TokenKeys, encoded: &[u8]) -> ApiResult<Self> {
        if encoded.is_empty() {
            return Err(ApiError::invalid("Task token not set on request."));
        }
        keys.open(Purpose::Task, NamespaceId::default(), encoded).and_then(Self::read).ok_or_else(
            || match foreign::refusal(encoded) {
                Some(rejection) => rejection.into(),
                None => ApiError::invalid("Error deserializing task token."),
            },
        )
    }

    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        read(Wire::decode(body).ok()?)
    }

    /// True when the token reads the same after it is written again.
    pub(crate) fn survives(&self) -> bool {
        let task = match &self.task {
            HeldTask::Workflow(task) => WireTask::Workflow(task.into()),
            HeldTask::Activity(HeldActivity::Token { scheduled_event_id, attempt }) => {
                let (scheduled_event_id, attempt) = (*scheduled_event_id, *attempt);
                WireTask::Activity(WireActivity { scheduled_event_id, attempt })
            }
            HeldTask::StandaloneActivity(Held::Token { attempt, stamp }) => {
                let (attempt, stamp) = (*attempt, *stamp);
                WireTask::StandaloneActivity(WireStandaloneActivity { attempt, stamp })
            }
            // Tokens never name an activity by its user's id.
            HeldTask::Activity(HeldActivity::Id(_))
            | HeldTask::StandaloneActivity(Held::Current) => return false,
            HeldTask::Query(id) => WireTask::Query(Bytes::copy_from_slice(id.as_bytes())),
            HeldTask::Nexus(id) => WireTask::Nexus(Bytes::copy_from_slice(id.as_bytes())),
        };
        Self::read(&body(&self.run, task)).as_ref() == Some(self)
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

impl From<&HeldWorkflowTask> for WireWorkflowTask {
    fn from(task: &HeldWorkflowTask) -> Self {
        Self {
            scheduled_event_id: task.scheduled_event_id,
            started_event_id: task.started_event_id,
            attempt: task.attempt,
            started_nanos: task.started_time.nanos(),
        }
    }
}

/// The body names its namespace: the code covers it there.
fn seal(keys: &TokenKeys, run: &RunKey, task: WireTask) -> Bytes {
    keys.seal(Purpose::Task, NamespaceId::default(), &body(run, task))
}

fn body(run: &RunKey, task: WireTask) -> Vec<u8> {
    let wire = Wire {
        namespace_id: Bytes::copy_from_slice(run.workflow.namespace_id.as_bytes()),
        workflow_id: run.workflow.workflow_id.clone(),
        run_id: Bytes::copy_from_slice(run.run_id.as_bytes()),
        task: Some(task),
    };
    wire.encode_to_vec()
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

    fn keys() -> TokenKeys {
        TokenKeys::of(&[[1; 32]])
    }

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
        let read = |token: &Bytes| TaskToken::decode(&keys(), token).unwrap();
        let token = read(&TaskToken::workflow_task(&keys(), &run(), &held));
        assert_eq!(token.run, run());
        assert_eq!(token.held_workflow_task(), Ok(held));
        assert!(token.held_activity().is_err());
        let token = read(&TaskToken::activity(&keys(), &run(), 5, 2));
        let activity = HeldActivity::Token { scheduled_event_id: 5, attempt: 2 };
        assert_eq!(token.held_activity(), Ok(activity));
        let id = Uuid::from_u128(9);
        assert_eq!(read(&TaskToken::query(&keys(), &run(), id)).held_query(), Ok(id));
        let token = TaskToken::nexus(&keys(), NamespaceId::from_bytes([1; 16]), id);
        assert_eq!(read(&token).held_nexus_task(), Ok(id));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let token = TaskToken::activity(&keys(), &run(), 5, 2);
        let of_others = TaskToken::activity(&TokenKeys::of(&[[2; 32]]), &run(), 5, 2);
        let alone = &token[token_keys::CODE_BYTES..];
        for bad in [b"garbage".as_slice(), &[0; 40], &token[..10], &token[1..], alone, &of_others] {
            let text = "Error deserializing task token.";
            assert_eq!(TaskToken::decode(&keys(), bad), Err(ApiError::invalid(text)), "{bad:?}");
        }
        let text = "Task token not set on request.";
        assert_eq!(TaskToken::decode(&keys(), b""), Err(ApiError::invalid(text)));
    }
}
