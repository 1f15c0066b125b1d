//! `workflow cancel`, `terminate` and `delete`.

use api::{
    batch::v1::{BatchOperationCancellation, BatchOperationDeletion, BatchOperationTermination},
    common::v1::WorkflowExecution,
    workflowservice::v1::{
        DeleteWorkflowExecutionRequest, RequestCancelWorkflowExecutionRequest,
        TerminateWorkflowExecutionRequest, start_batch_operation_request::Operation,
    },
};
use clap::Args;

use crate::{
    commands::target::{Allowed, Headers, SingleOrBatch, Target, start_batch},
    context::Context,
    error::Result,
};

/// See `workflow cancel`.
#[derive(Debug, Args)]
pub struct Cancel {
    #[command(flatten)]
    target: SingleOrBatch,
    #[command(flatten)]
    headers: Headers,
}

impl Cancel {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        match self.target.target(context, Allowed::default()).await? {
            Target::One(execution) => {
                let request = RequestCancelWorkflowExecutionRequest {
                    namespace: context.namespace(),
                    workflow_execution: Some(execution),
                    identity: context.identity(),
                    request_id: context.id(),
                    ..RequestCancelWorkflowExecutionRequest::default()
                };
                context.call(request).await?;
                context.output.line("Canceled workflow")
            }
            Target::Many(request) => {
                let identity = context.identity();
                let operation = BatchOperationCancellation { identity };
                start_batch(context, *request, Operation::CancellationOperation(operation)).await
            }
        }
    }
}

/// See `workflow terminate`.
#[derive(Debug, Args)]
pub struct Terminate {
    #[command(flatten)]
    target: SingleOrBatch,
}

impl Terminate {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let allowed = Allowed { reason: true, ..Allowed::default() };
        match self.target.target(context, allowed).await? {
            Target::One(execution) => {
                let reason = self.target.reason.unwrap_or_else(|| context.default_reason());
                let request = TerminateWorkflowExecutionRequest {
                    namespace: context.namespace(),
                    workflow_execution: Some(execution),
                    reason,
                    identity: context.identity(),
                    ..TerminateWorkflowExecutionRequest::default()
                };
                context.call(request).await?;
                context.output.line("Workflow terminated")
            }
            Target::Many(request) => {
                let identity = context.identity();
                let operation =
                    BatchOperationTermination { identity, ..BatchOperationTermination::default() };
                start_batch(context, *request, Operation::TerminationOperation(operation)).await
            }
        }
    }
}

/// See `workflow delete`.
#[derive(Debug, Args)]
pub struct Delete {
    #[command(flatten)]
    target: SingleOrBatch,
    #[command(flatten)]
    headers: Headers,
}

impl Delete {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let allowed = Allowed { yes: true, ..Allowed::default() };
        match self.target.target(context, allowed).await? {
            Target::One(execution) => {
                context.output.confirm(&question(&execution), self.target.yes)?;
                let request = DeleteWorkflowExecutionRequest {
                    namespace: context.namespace(),
                    workflow_execution: Some(execution),
                };
                context.call(request).await?;
                context.output.line("Delete workflow succeeded")
            }
            Target::Many(request) => {
                let operation = BatchOperationDeletion { identity: context.identity() };
                start_batch(context, *request, Operation::DeletionOperation(operation)).await
            }
        }
    }
}

fn question(execution: &WorkflowExecution) -> String {
    let WorkflowExecution { workflow_id, run_id } = execution;
    if run_id.is_empty() {
        format!("Delete Workflow {workflow_id:?}? y/N")
    } else {
        format!("Delete Workflow {workflow_id:?} with Run ID {run_id:?}? y/N")
    }
}
