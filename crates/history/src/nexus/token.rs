//! How the completion of an operation finds the run that waits for it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use model::{NamespaceId, RunId, WorkflowKey};
use prost::Message;

use crate::RunKey;

/// Where completions are sent that stay inside the server.
pub(crate) const SYSTEM_CALLBACK_URL: &str = "temporal://system";

/// Names an operation. It is no secret and proves nothing: the request id has to be the one that
/// started the operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackToken {
    pub(crate) run: RunKey,
    pub(crate) scheduled_event_id: i64,
    pub(crate) request_id: String,
}

/// Handlers hold tokens over an upgrade: never reuse a tag.
#[derive(Clone, PartialEq, Message)]
struct Wire {
    #[prost(bytes = "bytes", tag = "1")]
    namespace_id: Bytes,
    #[prost(string, tag = "2")]
    workflow_id: String,
    #[prost(bytes = "bytes", tag = "3")]
    run_id: Bytes,
    #[prost(int64, tag = "4")]
    scheduled_event_id: i64,
    #[prost(string, tag = "5")]
    request_id: String,
}

impl CallbackToken {
    /// The namespace of the caller.
    pub fn namespace_id(&self) -> NamespaceId {
        self.run.workflow.namespace_id
    }

    /// The token as a header's value.
    pub(crate) fn encode(&self) -> String {
        let RunKey { workflow, run_id } = &self.run;
        let wire = Wire {
            namespace_id: Bytes::copy_from_slice(workflow.namespace_id.as_bytes()),
            workflow_id: workflow.workflow_id.clone(),
            run_id: Bytes::copy_from_slice(run_id.as_bytes()),
            scheduled_event_id: self.scheduled_event_id,
            request_id: self.request_id.clone(),
        };
        URL_SAFE_NO_PAD.encode(wire.encode_to_vec())
    }

    /// Reads a token; none when it is none of ours.
    pub fn decode(text: &str) -> Option<Self> {
        let wire = Wire::decode(URL_SAFE_NO_PAD.decode(text).ok()?.as_slice()).ok()?;
        let namespace_id = NamespaceId::from_bytes(wire.namespace_id.as_ref().try_into().ok()?);
        let run_id = RunId::from_bytes(wire.run_id.as_ref().try_into().ok()?);
        let workflow = WorkflowKey { namespace_id, workflow_id: wire.workflow_id };
        Some(Self {
            run: RunKey { workflow, run_id },
            scheduled_event_id: wire.scheduled_event_id,
            request_id: wire.request_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_garbage_does_not() {
        let token = CallbackToken {
            run: RunKey {
                workflow: WorkflowKey {
                    namespace_id: NamespaceId::from_bytes([1; 16]),
                    workflow_id: "order".to_owned(),
                },
                run_id: RunId::from_bytes([2; 16]),
            },
            scheduled_event_id: 5,
            request_id: "request".to_owned(),
        };
        assert_eq!(CallbackToken::decode(&token.encode()), Some(token));
        assert_eq!(CallbackToken::decode("not a token"), None);
        assert_eq!(CallbackToken::decode(""), None);
    }
}
