//! What operators do to the keys of a server.

use std::sync::Arc;

use at_rest::DataKeyState;
use environment::Entropy;
use model::NamespaceId;
use storage::Store;
use token_keys::TokenKeys;
use tonic::Status;

use crate::{
    at_rest::AtRest,
    keys_messages::{DataKey, GetKeyStatusRequest, KeyStatus, Progress, RotateKeysRequest},
};

/// The keys of a node.
#[derive(Debug, Clone)]
pub(crate) struct ServerKeys {
    pub(crate) at_rest: Option<Arc<AtRest>>,
    pub(crate) token_keys: Arc<TokenKeys>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// Answers GetKeyStatus.
pub(crate) async fn status(keys: ServerKeys, _: GetKeyStatusRequest) -> Result<KeyStatus, Status> {
    Ok(shown(&keys))
}

/// Answers RotateKeys.
pub(crate) async fn rotate(
    keys: ServerKeys,
    request: RotateKeysRequest,
) -> Result<KeyStatus, Status> {
    let unusable = |error: anyhow::Error| Status::failed_precondition(format!("{error:#}"));
    if request.key_encryption_key || request.data_keys {
        let Some(at_rest) = &keys.at_rest else {
            return Err(Status::failed_precondition("encryption at rest is not configured"));
        };
        if request.key_encryption_key {
            at_rest.rewrap().await.map_err(unusable)?;
            tracing::info!("data keys are wrapped with the current key-encryption key");
        }
        if request.data_keys {
            let made = at_rest.rotate_data_keys(only(&request.namespace_id)?).map_err(unusable)?;
            tracing::info!(made, "new data keys");
        }
    }
    if request.token_key {
        let rotated = keys.token_keys.rotate(keys.store.as_ref(), keys.entropy.as_ref()).await;
        rotated.map_err(|error| Status::unavailable(error.to_string()))?;
        tracing::info!("a new key for tokens");
    }
    Ok(shown(&keys))
}

fn only(namespace_id: &str) -> Result<Option<NamespaceId>, Status> {
    if namespace_id.is_empty() {
        return Ok(None);
    }
    let parsed = namespace_id.parse();
    parsed.map(Some).map_err(|_| Status::invalid_argument("namespace_id is no UUID"))
}

fn shown(keys: &ServerKeys) -> KeyStatus {
    let Some(at_rest) = &keys.at_rest else { return KeyStatus::default() };
    let (status, progress) = (at_rest.ring().status(), at_rest.progress());
    let data_keys = status.data_keys.iter().map(|key| DataKey {
        id: key.id,
        namespace_id: key.namespace.map(|id| id.to_string()).unwrap_or_default(),
        state: match key.state {
            DataKeyState::Current => "current",
            DataKeyState::Former => "former",
            DataKeyState::Destroyed => "destroyed",
        }
        .to_owned(),
        records: key.values,
    });
    KeyStatus {
        encrypted: true,
        data_keys: data_keys.collect(),
        key_encryption_key: status.key_encryption_key,
        configured: status.configured,
        plain_records: status.plain_values,
        progress: Some(Progress {
            is_running: progress.is_running,
            table: progress.table.to_owned(),
            records: progress.records,
            sealed: progress.sealed,
            removed: progress.removed,
            trouble: progress.trouble.unwrap_or_default(),
        }),
    }
}
