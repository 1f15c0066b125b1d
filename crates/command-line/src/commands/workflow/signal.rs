//! `workflow signal`.

use api::{
    batch::v1::BatchOperationSignal,
    workflowservice::v1::{
        SignalWorkflowExecutionRequest, start_batch_operation_request::Operation,
    },
};
use clap::Args;

use crate::{
    commands::{
        payload_input::{PayloadInput, header},
        target::{Allowed, Headers, SingleOrBatch, Target, start_batch},
    },
    context::Context,
    error::Result,
};

/// See `workflow signal`.
#[derive(Debug, Args)]
pub struct Signal {
    #[command(flatten)]
    target: SingleOrBatch,
    /// Signal's name.
    #[arg(long, alias = "type", value_name = "NAME")]
    name: String,
    #[command(flatten)]
    input: PayloadInput,
    #[command(flatten)]
    headers: Headers,
}

impl Signal {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let input = Some(self.input.payloads()?);
        match self.target.target(context, Allowed::default()).await? {
            Target::One(execution) => {
                let request = SignalWorkflowExecutionRequest {
                    namespace: context.namespace(),
                    workflow_execution: Some(execution),
                    signal_name: self.name,
                    input,
                    identity: context.identity(),
                    request_id: context.id(),
                    header: header(&self.headers.headers),
                    ..SignalWorkflowExecutionRequest::default()
                };
                context.call(request).await?;
                context.output.line("Signal workflow succeeded")
            }
            Target::Many(request) => {
                let operation = BatchOperationSignal {
                    signal: self.name,
                    input,
                    header: header(&self.headers.headers),
                    identity: context.identity(),
                };
                start_batch(context, *request, Operation::SignalOperation(operation)).await
            }
        }
    }
}
