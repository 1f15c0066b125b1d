//! How a worker names the activity attempt that it holds.
//!
//! Tokens of all tasks are read by the frontend, which knows the whole form; this one is also made
//! here, because a worker that is to stop an attempt is told which one by its token.

use bytes::Bytes;
use model::NamespaceId;
use prost::Message;
use token_keys::{Purpose, TokenKeys};

use crate::RunKey;

/// A part of the wire form of task tokens. Workers hold tokens over an upgrade: never reuse a tag.
#[derive(Clone, PartialEq, Message)]
struct Wire {
    #[prost(bytes = "bytes", tag = "1")]
    namespace_id: Bytes,
    #[prost(string, tag = "2")]
    workflow_id: String,
    #[prost(bytes = "bytes", tag = "3")]
    run_id: Bytes,
    #[prost(message, optional, tag = "5")]
    activity: Option<WireActivity>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct WireActivity {
    #[prost(int64, tag = "1")]
    scheduled_event_id: i64,
    #[prost(int32, tag = "2")]
    attempt: i32,
}

/// The token of an activity attempt.
pub fn activity_task_token(
    keys: &TokenKeys,
    run: &RunKey,
    scheduled_event_id: i64,
    attempt: i32,
) -> Bytes {
    let wire = Wire {
        namespace_id: Bytes::copy_from_slice(run.workflow.namespace_id.as_bytes()),
        workflow_id: run.workflow.workflow_id.clone(),
        run_id: Bytes::copy_from_slice(run.run_id.as_bytes()),
        activity: Some(WireActivity { scheduled_event_id, attempt }),
    };
    keys.seal(Purpose::Task, NamespaceId::default(), &wire.encode_to_vec())
}
