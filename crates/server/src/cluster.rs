//! The id of the cluster: made once, kept in the store.

use anyhow::{Context, bail};
use bytes::Bytes;
use environment::Environment;
use storage::{MetaError, Store};

const KEY: &[u8] = b"cluster/id";

/// The id of the cluster that a store belongs to.
pub(crate) async fn id(store: &dyn Store, environment: &Environment) -> anyhow::Result<String> {
    let key = Bytes::from_static(KEY);
    for _ in 0..2 {
        let found = store.read_meta(key.clone()).await.context("the cluster's id")?;
        if let Some(record) = found {
            return String::from_utf8(record.value.into()).context("the cluster's id");
        }
        let id = environment.entropy.uuid_v4().to_string();
        match store.write_meta(key.clone(), 0, Some(id.clone().into())).await {
            Ok(()) => return Ok(id),
            // Somebody else made it in between: theirs counts.
            Err(MetaError::Conflict) => {}
            Err(error) => return Err(error).context("the cluster's id"),
        }
    }
    bail!("the cluster's id cannot be settled")
}
