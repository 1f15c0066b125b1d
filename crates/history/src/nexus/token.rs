//! How the completion of an operation finds who waits for it.

use ::entity::{EntityKey, EntityKind};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use model::{NamespaceId, RunId, WorkflowKey};
use prost::Message;
use token_keys::{Purpose, TokenKeys};

use crate::RunKey;

/// Where completions are sent that stay inside the server.
pub(crate) const SYSTEM_CALLBACK_URL: &str = "temporal://system";

/// Names an operation, and proves that this cluster asked for it. The request id in it has to be the
/// one that started the operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackToken {
    pub(crate) waiter: Waiter,
    pub(crate) request_id: String,
}

/// Who waits for an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// A run.
    Run {
        run: RunKey,
        /// The event that scheduled the operation.
        scheduled_event_id: i64,
    },
    /// Nobody but the operation itself.
    Entity {
        key: EntityKey,
        /// What tells it from others of its id.
        instance: RunId,
    },
}

/// Handlers hold tokens over an upgrade: never reuse a tag.
#[derive(Clone, PartialEq, Message)]
struct Wire {
    #[prost(bytes = "bytes", tag = "1")]
    namespace_id: Bytes,
    /// The workflow's id, or the entity's.
    #[prost(string, tag = "2")]
    id: String,
    /// The run, or the instance of the entity.
    #[prost(bytes = "bytes", tag = "3")]
    run_id: Bytes,
    #[prost(int64, tag = "4")]
    scheduled_event_id: i64,
    #[prost(string, tag = "5")]
    request_id: String,
    /// The kind of the entity; none for a run.
    #[prost(uint32, tag = "6")]
    entity_kind: u32,
}

impl CallbackToken {
    /// The namespace of the caller.
    pub fn namespace_id(&self) -> NamespaceId {
        match &self.waiter {
            Waiter::Run { run, .. } => run.workflow.namespace_id,
            Waiter::Entity { key, .. } => key.namespace_id,
        }
    }

    /// The workflow that waits; none when no workflow does.
    pub fn workflow_id(&self) -> Option<&str> {
        match &self.waiter {
            Waiter::Run { run, .. } => Some(&run.workflow.workflow_id),
            Waiter::Entity { .. } => None,
        }
    }

    /// The operation that no workflow waits for.
    pub fn operation_id(&self) -> Option<&str> {
        match &self.waiter {
            Waiter::Run { .. } => None,
            Waiter::Entity { key, .. } => Some(&key.id),
        }
    }

    /// The run that waits, or that of the operation.
    pub const fn run_id(&self) -> RunId {
        match &self.waiter {
            Waiter::Run { run, .. } => run.run_id,
            Waiter::Entity { instance, .. } => *instance,
        }
    }

    /// The token as a header's value.
    pub(crate) fn encode(&self, keys: &TokenKeys) -> String {
        let (id, run_id, scheduled_event_id, entity_kind) = match &self.waiter {
            Waiter::Run { run, scheduled_event_id } => {
                (&run.workflow.workflow_id, run.run_id, *scheduled_event_id, 0)
            }
            Waiter::Entity { key, instance } => (&key.id, *instance, 0, key.kind.number().into()),
        };
        let wire = Wire {
            namespace_id: Bytes::copy_from_slice(self.namespace_id().as_bytes()),
            id: id.clone(),
            run_id: Bytes::copy_from_slice(run_id.as_bytes()),
            scheduled_event_id,
            request_id: self.request_id.clone(),
            entity_kind,
        };
        // The body names its namespace and run: the code covers them there.
        let body = wire.encode_to_vec();
        URL_SAFE_NO_PAD.encode(keys.seal(Purpose::Callback, NamespaceId::default(), &body))
    }

    /// Reads a token; none when this cluster did not make it.
    pub fn decode(keys: &TokenKeys, text: &str) -> Option<Self> {
        let token = URL_SAFE_NO_PAD.decode(text).ok()?;
        let body = keys.open(Purpose::Callback, NamespaceId::default(), &token)?;
        let wire = Wire::decode(body).ok()?;
        let namespace_id = NamespaceId::from_bytes(wire.namespace_id.as_ref().try_into().ok()?);
        let run_id = RunId::from_bytes(wire.run_id.as_ref().try_into().ok()?);
        let waiter = if wire.entity_kind == 0 {
            let workflow = WorkflowKey { namespace_id, workflow_id: wire.id };
            let run = RunKey { workflow, run_id };
            Waiter::Run { run, scheduled_event_id: wire.scheduled_event_id }
        } else {
            let kind = EntityKind::from_number(wire.entity_kind)?;
            Waiter::Entity { key: EntityKey { kind, namespace_id, id: wire.id }, instance: run_id }
        };
        Some(Self { waiter, request_id: wire.request_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMESPACE: NamespaceId = NamespaceId::from_bytes([1; 16]);
    const RUN: RunId = RunId::from_bytes([2; 16]);

    fn token(waiter: Waiter) -> CallbackToken {
        CallbackToken { waiter, request_id: "request".to_owned() }
    }

    #[test]
    fn a_token_reads_back_and_garbage_does_not() {
        let workflow = WorkflowKey { namespace_id: NAMESPACE, workflow_id: "order".to_owned() };
        let run = RunKey { workflow, run_id: RUN };
        let key = EntityKey {
            kind: EntityKind::NexusOperation,
            namespace_id: NAMESPACE,
            id: "order".to_owned(),
        };
        for waiter in
            [Waiter::Run { run, scheduled_event_id: 5 }, Waiter::Entity { key, instance: RUN }]
        {
            let token = token(waiter);
            assert_eq!(CallbackToken::decode(&keys(), &token.encode(&keys())), Some(token));
        }
        assert_eq!(CallbackToken::decode(&keys(), "not a token"), None);
        assert_eq!(CallbackToken::decode(&keys(), ""), None);
    }

    #[test]
    fn a_callback_token_that_was_not_made_here_is_none() {
        let workflow = WorkflowKey { namespace_id: NAMESPACE, workflow_id: "order".to_owned() };
        let run = RunKey { workflow, run_id: RUN };
        let text = token(Waiter::Run { run, scheduled_event_id: 5 }).encode(&keys());
        let genuine = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for bit in 0..genuine.len() * 8 {
            let mut forged = genuine.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let forged = URL_SAFE_NO_PAD.encode(forged);
            assert_eq!(CallbackToken::decode(&keys(), &forged), None, "bit {bit}");
        }
        let body = &genuine[token_keys::CODE_BYTES..];
        assert_eq!(CallbackToken::decode(&keys(), &URL_SAFE_NO_PAD.encode(body)), None);
        for purpose in [Purpose::Task, Purpose::LongPoll] {
            let other = keys().seal(purpose, NamespaceId::default(), body);
            assert_eq!(CallbackToken::decode(&keys(), &URL_SAFE_NO_PAD.encode(other)), None);
        }
        assert_eq!(CallbackToken::decode(&TokenKeys::of(&[[2; 32]]), &text), None);
    }

    fn keys() -> TokenKeys {
        TokenKeys::of(&[[1; 32]])
    }
}
