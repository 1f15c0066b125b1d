//! The news that an operation has ended, on its way to the run that waits for it.

use std::sync::Arc;

use authz::Permit;
use engine::{CompleteNexusOperation, Input, NexusOperationEnd, Rejection};
use namespace::Namespace;
use nexus_protocol::{Completion, CompletionEnd};

use super::{CallbackToken, link::to_common_links};
use crate::{Execution, History, HistoryError, context::Caller};

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
        let workflow_id = token.run.workflow.workflow_id.clone();
        let execution = Execution::run(workflow_id.clone(), token.run.run_id);
        match self.apply_completion(caller, &execution, token, completion.clone()).await {
            // A reset has taken the operation along to the run that follows.
            Err(HistoryError::Rejected(
                rejection @ (Rejection::WorkflowClosed | Rejection::RunNotFound { .. }),
            )) => {
                let execution = Execution::current(workflow_id);
                match self.apply_completion(caller, &execution, token, completion).await {
                    Err(HistoryError::Rejected(_)) => Err(rejection.into()),
                    told => told,
                }
            }
            told => told,
        }
    }

    async fn apply_completion(
        &self,
        caller: &Caller,
        execution: &Execution,
        token: &CallbackToken,
        completion: NexusCompletion,
    ) -> Result<(), HistoryError> {
        let NexusCompletion { operation_token, links, end } = completion;
        let input = Input::CompleteNexusOperation(Box::new(CompleteNexusOperation {
            scheduled_event_id: token.scheduled_event_id,
            request_id: token.request_id.clone(),
            operation_token,
            links,
            end,
        }));
        self.apply_checked(caller, execution, "", input).await?;
        Ok(())
    }
}
