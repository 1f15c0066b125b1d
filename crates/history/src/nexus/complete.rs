//! The news that an operation has ended, on its way to who waits for it.

use std::sync::Arc;

use ::entity::{EntityKey, EntityKind};
use authz::Permit;
use engine::{CompleteNexusOperation, Input, NexusOperationEnd, Rejection};
use model::RunId;
use namespace::Namespace;
use nexus_protocol::{Completion, CompletionEnd};
use standalone_nexus_operation::{Complete, StandaloneNexusOperation};

use super::{CallbackToken, Waiter, link::to_common_links};
use crate::{EntityError, Execution, History, HistoryError, context::Caller};

/// The end of an operation, as its handler tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct NexusCompletion {
    /// What the handler calls the operation; may be empty.
    pub operation_token: String,
    /// Links to what the handler did.
    pub links: Vec<api::common::v1::Link>,
    /// How it ended.
    pub end: NexusOperationEnd,
}

impl NexusCompletion {
    /// What came over HTTP.
    pub fn received(completion: Completion) -> Self {
        let end = match completion.end {
            CompletionEnd::Succeeded(result) => {
                NexusOperationEnd::Succeeded { result, links: Vec::new() }
            }
            CompletionEnd::Unsuccessful { failure, is_canceled: true } => {
                NexusOperationEnd::Canceled(*failure)
            }
            CompletionEnd::Unsuccessful { failure, is_canceled: false } => {
                NexusOperationEnd::Failed(*failure)
            }
        };
        let links = to_common_links(completion.links);
        Self { operation_token: completion.operation_token, links, end }
    }
}

impl History {
    /// Ends the operation that a token names. Durable when this returns.
    ///
    /// # Errors
    /// When nobody waits for it any more, among others because it has been told already.
    pub async fn complete_nexus_operation(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        token: &CallbackToken,
        completion: NexusCompletion,
    ) -> Result<(), HistoryError> {
        self.tell_caller(&Caller::new(permit, namespace), token, completion).await
    }

    /// As [`History::complete_nexus_operation`], on whose behalf ever.
    pub(crate) async fn tell_caller(
        &self,
        caller: &Caller,
        token: &CallbackToken,
        completion: NexusCompletion,
    ) -> Result<(), HistoryError> {
        let (run, scheduled_event_id) = match &token.waiter {
            Waiter::Run { run, scheduled_event_id } => (run, *scheduled_event_id),
            Waiter::Entity { key, instance } => {
                let request_id = token.request_id.clone();
                return self.complete_alone(caller, key, *instance, request_id, completion).await;
            }
        };
        let input = Input::CompleteNexusOperation(Box::new(CompleteNexusOperation {
            scheduled_event_id,
            request_id: token.request_id.clone(),
            operation_token: completion.operation_token,
            links: completion.links,
            end: completion.end,
        }));
        let workflow_id = run.workflow.workflow_id.clone();
        let execution = Execution::run(workflow_id.clone(), run.run_id);
        match self.apply_checked(caller, &execution, "", input.clone()).await {
            // A reset has taken the operation along to the run that follows.
            Err(HistoryError::Rejected(
                rejection @ (Rejection::WorkflowClosed | Rejection::RunNotFound { .. }),
            )) => {
                let execution = Execution::current(workflow_id);
                match self.apply_checked(caller, &execution, "", input).await {
                    Err(HistoryError::Rejected(_)) => Err(rejection.into()),
                    told => told.map(drop),
                }
            }
            told => told.map(drop),
        }
    }

    /// Completes an operation that no workflow waits for.
    async fn complete_alone(
        &self,
        caller: &Caller,
        key: &EntityKey,
        instance: RunId,
        request_id: String,
        completion: NexusCompletion,
    ) -> Result<(), HistoryError> {
        if key.kind != EntityKind::NexusOperation {
            return Err(Rejection::NexusOperationNotFound.into());
        }
        let NexusCompletion { operation_token, links, end } = completion;
        let complete = Complete { request_id, operation_token, links, end };
        let input = standalone_nexus_operation::Input::Complete(Box::new(complete));
        match self
            .request_instance_for::<StandaloneNexusOperation>(
                caller,
                &key.id,
                Some(instance),
                input,
            )
            .await
        {
            Ok(_) => Ok(()),
            Err(EntityError::History(error)) => Err(error),
            // Whatever it is: it waits for no completion.
            Err(EntityError::Rejected(_)) => Err(Rejection::NexusOperationNotFound.into()),
        }
    }
}
