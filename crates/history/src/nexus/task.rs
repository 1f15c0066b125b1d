//! One Nexus task, from the one who asks to the worker and back.

use std::sync::Arc;

use api::{
    failure::v1::Failure,
    nexus::v1::{HandlerError, Request, Response},
};
use authz::Permit;
use matching::{TaskQueueKey, TaskQueueKind};
use model::{NamespaceId, Time};
use namespace::Namespace;
use uuid::Uuid;

use crate::{Delivery, History, HistoryError};

/// A request on its way to a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct NexusDelivery {
    /// The namespace of the worker.
    pub namespace_id: NamespaceId,
    /// What the worker's answer names: see [`History::respond_nexus_task`].
    pub task_id: Uuid,
    /// What is asked.
    pub request: Request,
}

/// A worker's answer to a Nexus task.
#[derive(Debug, Clone, PartialEq)]
pub enum NexusTaskAnswer {
    /// It handled the request.
    Completed(Response),
    /// It could not. The failure says which kind of handler error it is.
    Failed(Failure),
    /// As `Failed`, in the form of older workers.
    Refused(HandlerError),
}

impl History {
    /// Asks the workers of a task queue; none when nobody answered by the deadline.
    pub(crate) async fn ask_nexus_workers(
        &self,
        namespace: &Arc<Namespace>,
        task_queue: &str,
        request: Request,
        deadline: Time,
    ) -> Result<Option<NexusTaskAnswer>, HistoryError> {
        let task_id = self.node.environment.entropy.uuid_v4();
        let mut waiting = self.node.nexus_tasks.await_answer(task_id)?;
        let mut key = TaskQueueKey::nexus(namespace.id, task_queue);
        // A ramp takes its part of the requests, not of the workflows behind them.
        key.version = {
            let routes = self.node.matching.routes();
            routes.routes.route(&key, &task_id.to_string()).version
        };
        let delivery = NexusDelivery { namespace_id: namespace.id, task_id, request };
        let dispatched = self.node.matching.dispatch(
            &key,
            TaskQueueKind::Normal,
            Delivery::Nexus(Box::new(delivery)),
            deadline,
        );
        let Ok(_ticket) = dispatched else {
            let text = "too many Nexus tasks wait at the task queue".to_owned();
            return Err(HistoryError::ResourceExhausted(text));
        };
        tokio::select! {
            biased;
            answer = &mut waiting.answer => Ok(answer.ok()),
            () = self.node.stopping.cancelled() => Err(HistoryError::stopping()),
            () = self.node.environment.clock.sleep_until(deadline) => Ok(None),
        }
    }

    /// As [`History::ask_nexus_workers`], for a caller outside.
    ///
    /// # Errors
    /// When too many requests wait, or the server stops.
    pub async fn dispatch_nexus_task(
        &self,
        _permit: &Permit,
        namespace: &Arc<Namespace>,
        task_queue: &str,
        request: Request,
        deadline: Time,
    ) -> Result<Option<NexusTaskAnswer>, HistoryError> {
        self.ask_nexus_workers(namespace, task_queue, request, deadline).await
    }

    /// Hands a worker's answer to the one who asked; false when nobody waits for it.
    pub fn respond_nexus_task(
        &self,
        _permit: &Permit,
        task_id: &Uuid,
        answer: NexusTaskAnswer,
    ) -> bool {
        self.node.nexus_tasks.answer(task_id, answer)
    }
}
