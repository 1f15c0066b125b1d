//! What belongs to namespaces besides their runs.

use std::sync::Arc;

use deployment::{Deployments, QueueConfigs};
use frontend::Frontend;
use futures_util::future::BoxFuture;
use history::NamespaceBelongings;
use model::NamespaceId;

use crate::at_rest::AtRest;

/// Deployments, settings of task queues, and what the frontend knows of workers.
#[derive(Debug)]
pub(crate) struct Belongings {
    pub(crate) deployments: Arc<Deployments>,
    pub(crate) queue_configs: Arc<QueueConfigs>,
    pub(crate) frontend: Arc<Frontend>,
    pub(crate) at_rest: Option<Arc<AtRest>>,
}

impl NamespaceBelongings for Belongings {
    fn forget(&self, namespace_id: NamespaceId) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            self.frontend.forget_namespace(namespace_id);
            let deployments = self.deployments.forget_namespace(namespace_id).await;
            deployments.map_err(|error| error.to_string())?;
            let configs = self.queue_configs.forget_namespace(namespace_id).await;
            configs.map_err(|error| error.to_string())?;
            // Last: until here some of it may have to be read.
            match &self.at_rest {
                Some(at_rest) => at_rest.erase(namespace_id),
                None => Ok(()),
            }
        })
    }
}
