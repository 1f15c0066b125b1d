//! Which workflows a command is about: one, or all that a query finds.

use api::{
    common::v1::{Payload, WorkflowExecution},
    workflowservice::v1::{
        CountWorkflowExecutionsRequest, StartBatchOperationRequest,
        start_batch_operation_request::Operation,
    },
};
use clap::Args;
use serde_json::json;

use super::batch;
use crate::{
    context::Context,
    error::{Error, Result},
    values,
};

/// One workflow.
#[derive(Debug, Clone, Args)]
pub(crate) struct WorkflowReference {
    /// Workflow id.
    #[arg(long, short = 'w', value_name = "ID")]
    pub(crate) workflow_id: String,
    /// Run id; the latest run when missing.
    #[arg(long, short = 'r', value_name = "ID", default_value = "", hide_default_value = true)]
    pub(crate) run_id: String,
}

impl WorkflowReference {
    pub(crate) fn execution(&self) -> Option<WorkflowExecution> {
        Some(WorkflowExecution {
            workflow_id: self.workflow_id.clone(),
            run_id: self.run_id.clone(),
        })
    }
}

/// One workflow, or all that a query finds.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SingleOrBatch {
    /// Workflow id.
    #[arg(long, short = 'w', value_name = "ID")]
    pub(crate) workflow_id: Option<String>,
    /// Run id; the latest run when missing.
    #[arg(long, short = 'r', value_name = "ID")]
    pub(crate) run_id: Option<String>,
    /// Do it, in a batch operation, with all workflows that this list filter finds.
    #[arg(long, short = 'q', value_name = "QUERY")]
    pub(crate) query: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Most workflows a second.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) rps: Option<f32>,
    /// Do not ask.
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// Whether a command waits for the batch operation that it starts.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Waiting {
    /// Wait until the batch operation is over.
    #[arg(long)]
    pub(crate) wait: bool,
}

/// A batch operation that is about to be started.
pub(crate) struct Batch {
    pub(crate) request: StartBatchOperationRequest,
    pub(crate) waiting: Waiting,
}

/// Headers of a request.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Headers {
    /// Header, its value as JSON. May be repeated.
    #[arg(long, value_name = "KEY=JSON", value_parser = values::json_pair)]
    pub(crate) headers: Vec<(String, Payload)>,
}

/// What may stand beside a workflow id.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Allowed {
    pub(crate) reason: bool,
    pub(crate) yes: bool,
}

/// What a command is about.
pub(crate) enum Target {
    One(WorkflowExecution),
    Many(Box<Batch>),
}

impl SingleOrBatch {
    /// Finds out what the command is about; asks before many workflows are touched.
    pub(crate) async fn target(&self, context: &mut Context, allowed: Allowed) -> Result<Target> {
        if let Some(workflow_id) = self.workflow_id.clone().filter(|id| !id.is_empty()) {
            let excess = [
                (self.query.is_some(), "query"),
                (self.reason.is_some() && !allowed.reason, "reason"),
                (self.yes && !allowed.yes, "'yes'"),
                (self.rps.is_some(), "rps"),
                (self.waiting.wait, "'wait'"),
            ];
            if let Some((_, name)) = excess.iter().find(|(given, _)| *given) {
                return Err(Error::usage(format!("cannot set {name} when workflow ID is set")));
            }
            let run_id = self.run_id.clone().unwrap_or_default();
            return Ok(Target::One(WorkflowExecution { workflow_id, run_id }));
        }
        let Some(query) = self.query.clone() else {
            return Err(Error::usage("must set either workflow ID or query"));
        };
        if self.run_id.is_some() {
            return Err(Error::usage("cannot set run ID when query is set"));
        }
        confirm(context, &query, self.yes).await?;
        let reason = self.reason.clone();
        let request = StartBatchOperationRequest {
            namespace: context.namespace(),
            visibility_query: query,
            job_id: context.id(),
            reason: reason.unwrap_or_else(|| context.default_reason()),
            max_operations_per_second: self.rps.unwrap_or_default(),
            ..StartBatchOperationRequest::default()
        };
        Ok(Target::Many(Box::new(Batch { request, waiting: self.waiting })))
    }
}

/// Asks, with the number of workflows, unless told not to.
pub(crate) async fn confirm(context: &mut Context, query: &str, yes: bool) -> Result {
    let question = if yes {
        format!("Start batch against workflows matching query {query:?}? y/N")
    } else {
        let request = CountWorkflowExecutionsRequest {
            namespace: context.namespace(),
            query: query.to_owned(),
        };
        let count = context.call(request).await?.count;
        format!("Start batch against approximately {count} workflow(s)? y/N")
    };
    context.output.confirm(&question, yes)
}

/// Starts a batch operation, and waits for it if the command does.
pub(crate) async fn start_batch(
    context: &mut Context,
    batch: Batch,
    operation: Operation,
) -> Result {
    let Batch { mut request, waiting } = batch;
    let job = request.job_id.clone();
    request.operation = Some(operation);
    context.call(request).await?;
    context.output.line(&format!("Started batch for job ID: {job}"))?;
    if waiting.wait {
        return batch::wait_and_print(context, &job).await;
    }
    context.output.data(&json!({ "batchJobId": job }))
}
