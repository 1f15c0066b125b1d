//! `nexus operation start`, `execute` and `result`.

use api::{
    common::v1::Payload,
    enums::v1::{
        NexusOperationIdConflictPolicy, NexusOperationIdReusePolicy, NexusOperationWaitStage,
    },
    workflowservice::v1::{
        PollNexusOperationExecutionRequest, StartNexusOperationExecutionRequest,
        poll_nexus_operation_execution_response::Outcome,
    },
};
use clap::Args;
use serde_json::{Map, Value, json};

use super::Reference;
use crate::{
    commands::{
        outcome::{self, Completed},
        payload_input::PayloadInput,
        start_options::{search_attributes, user_metadata},
    },
    context::Context,
    error::{Error, Result},
    proto_json,
    values::{self, Length},
};

values::enumeration!(reuse, NexusOperationIdReusePolicy, "NEXUS_OPERATION_ID_REUSE_POLICY_");
values::enumeration!(
    conflict,
    NexusOperationIdConflictPolicy,
    "NEXUS_OPERATION_ID_CONFLICT_POLICY_"
);

/// See `nexus operation start`.
#[derive(Debug, Args)]
pub struct Start {
    /// Operation id.
    #[arg(long, value_name = "ID")]
    operation_id: String,
    /// Endpoint.
    #[arg(long, value_name = "NAME")]
    endpoint: String,
    /// Service.
    #[arg(long, value_name = "NAME")]
    service: String,
    /// Operation.
    #[arg(long, value_name = "NAME")]
    operation: String,
    /// How long it may take in all.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    schedule_to_close_timeout: Option<Length>,
    /// How long it may wait until a handler has started it.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    schedule_to_start_timeout: Option<Length>,
    /// How long it may take once it is started.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    start_to_close_timeout: Option<Length>,
    /// When the id of a closed operation may be used again: AllowDuplicate,
    /// AllowDuplicateFailedOnly or RejectDuplicate.
    #[arg(long, value_name = "POLICY", value_parser = reuse)]
    id_reuse_policy: Option<i32>,
    /// What to do with an open operation of the id: Fail or UseExisting.
    #[arg(long, value_name = "POLICY", value_parser = conflict)]
    id_conflict_policy: Option<i32>,
    /// Search attribute, its value as JSON. May be repeated.
    #[arg(long, value_name = "KEY=JSON", value_parser = values::json_pair)]
    search_attribute: Vec<(String, Payload)>,
    /// What it is for, in one line.
    #[arg(long, value_name = "TEXT")]
    static_summary: Option<String>,
    #[command(flatten)]
    input: PayloadInput,
}

impl Start {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let run_id = self.start(context).await?;
        self.print(context, &run_id)
    }

    async fn start(&self, context: &mut Context) -> Result<String> {
        let mut inputs = self.input.payloads()?.payloads;
        if inputs.len() > 1 {
            return Err(Error::usage(format!(
                "an operation takes one input, and {} are given",
                inputs.len()
            )));
        }
        // SDKs send nothing as a payload, too.
        let input = inputs.pop().unwrap_or_else(|| values::json_payload(&Value::Null));
        let request = StartNexusOperationExecutionRequest {
            namespace: context.namespace(),
            identity: context.identity(),
            request_id: context.id(),
            operation_id: self.operation_id.clone(),
            endpoint: self.endpoint.clone(),
            service: self.service.clone(),
            operation: self.operation.clone(),
            schedule_to_close_timeout: self.schedule_to_close_timeout.and_then(Length::proto),
            schedule_to_start_timeout: self.schedule_to_start_timeout.and_then(Length::proto),
            start_to_close_timeout: self.start_to_close_timeout.and_then(Length::proto),
            input: Some(input),
            id_reuse_policy: self.id_reuse_policy.unwrap_or_default(),
            id_conflict_policy: self.id_conflict_policy.unwrap_or_default(),
            search_attributes: search_attributes(&self.search_attribute),
            user_metadata: user_metadata(self.static_summary.as_deref(), None),
            ..StartNexusOperationExecutionRequest::default()
        };
        Ok(context.call(request).await?.run_id)
    }

    fn print(&self, context: &mut Context, run_id: &str) -> Result {
        let value = json!({
            "endpoint": self.endpoint,
            "service": self.service,
            "operation": self.operation,
            "operationId": self.operation_id,
            "runId": run_id,
            "namespace": context.settings.namespace,
        });
        context.output.heading("Started Nexus Operation:")?;
        context.output.value(&value)
    }
}

/// See `nexus operation execute`.
#[derive(Debug, Args)]
pub struct Execute {
    #[command(flatten)]
    start: Start,
}

impl Execute {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let run_id = self.start.start(context).await?;
        if context.output.is_text() {
            self.start.print(context, &run_id)?;
        }
        result(context, self.start.operation_id, run_id).await
    }
}

/// See `nexus operation result`.
#[derive(Debug, Args)]
pub struct ShowResult {
    #[command(flatten)]
    operation: Reference,
}

impl ShowResult {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        result(context, self.operation.operation_id, self.operation.run_id).await
    }
}

/// Waits for what comes of an operation, and prints it.
async fn result(context: &mut Context, operation_id: String, run_id: String) -> Result {
    let request = PollNexusOperationExecutionRequest {
        namespace: context.namespace(),
        operation_id: operation_id.clone(),
        run_id: run_id.clone(),
        wait_stage: NexusOperationWaitStage::Closed.into(),
    };
    let (outcome, found) = loop {
        let answer = context.call(request.clone()).await?;
        if let Some(outcome) = answer.outcome {
            break (outcome, answer.run_id);
        }
    };
    let run_id = if run_id.is_empty() { found } else { run_id };
    let mut object = Map::new();
    object.insert("operationId".to_owned(), json!(operation_id));
    object.insert("runId".to_owned(), json!(run_id));
    let outcome = match &outcome {
        Outcome::Result(payload) => Ok(Completed {
            data: context.json(payload)?,
            text: proto_json::value(payload).to_string(),
        }),
        Outcome::Failure(failure) => Err(failure),
    };
    outcome::print(context, object, outcome, "nexus operation failed")
}
