//! `workflow start-update-with-start` and `execute-update-with-start`.

use std::path::PathBuf;

use api::{
    common::v1::WorkflowExecution,
    enums::v1::UpdateWorkflowExecutionLifecycleStage as Stage,
    update::v1::{Input, Meta, Request, WaitPolicy},
    workflowservice::v1::{
        ExecuteMultiOperationRequest, StartWorkflowExecutionRequest,
        UpdateWorkflowExecutionRequest,
        execute_multi_operation_request::{Operation, operation},
        execute_multi_operation_response::response::Response,
    },
};
use clap::Args;
use serde_json::{Value, json};

use super::update::{self, Progress, WaitForStage};
use crate::{
    commands::{
        payload_input::{self, PayloadInput, some_header},
        start_options::{SharedStart, StartPolicy},
    },
    context::Context,
    error::{Error, Result},
    values,
};

/// A start and an update.
#[derive(Debug, Args)]
pub(crate) struct UpdateWithStart {
    /// Update's name.
    #[arg(long, alias = "update-type", value_name = "NAME")]
    update_name: String,
    /// Update's id; made up when missing.
    #[arg(long, value_name = "ID")]
    update_id: Option<String>,
    /// Run id that the update is for.
    #[arg(long, short = 'r', value_name = "ID", default_value = "", hide_default_value = true)]
    run_id: String,
    /// Send it only when the workflow's runs began with this one.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    update_first_execution_run_id: String,
    /// An argument of the update, as JSON. May be repeated.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    update_input: Vec<String>,
    /// File with an argument of the update. May be repeated.
    #[arg(long, value_name = "PATH", conflicts_with = "update_input")]
    update_input_file: Vec<PathBuf>,
    /// Metadata of the update's arguments.
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::pair)]
    update_input_meta: Vec<(String, String)>,
    /// The update's arguments are in base64.
    #[arg(long)]
    update_input_base64: bool,
    #[command(flatten)]
    shared: SharedStart,
    #[command(flatten)]
    policy: StartPolicy,
    #[command(flatten)]
    input: PayloadInput,
}

/// See `workflow start-update-with-start`.
#[derive(Debug, Args)]
pub struct StartUpdateWithStart {
    #[command(flatten)]
    both: UpdateWithStart,
    /// How far to wait.
    #[arg(long, value_enum, value_name = "STAGE")]
    update_wait_for_stage: WaitForStage,
}

/// See `workflow execute-update-with-start`.
#[derive(Debug, Args)]
pub struct ExecuteUpdateWithStart {
    #[command(flatten)]
    both: UpdateWithStart,
}

impl StartUpdateWithStart {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let WaitForStage::Accepted = self.update_wait_for_stage;
        let (run_id, progress) = self.both.send(context, Stage::Accepted).await?;
        update::success(context, progress.outcome.as_ref())?;
        let update_id = progress.reference.update_id;
        self.both.print(context, &run_id, &update_id, None)
    }
}

impl ExecuteUpdateWithStart {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let (run_id, progress) = self.both.send(context, Stage::Completed).await?;
        let update_id = progress.reference.update_id.clone();
        let outcome = update::outcome(context, progress).await?;
        let result = update::success(context, Some(&outcome))?;
        self.both.print(context, &run_id, &update_id, Some(result))
    }
}

impl UpdateWithStart {
    async fn send(&self, context: &mut Context, stage: Stage) -> Result<(String, Progress)> {
        if self.shared.workflow_id.is_none() {
            return Err(Error::usage("--workflow-id flag must be provided"));
        }
        if self.policy.id_conflict_policy.is_none() {
            return Err(Error::usage("--id-conflict-policy flag must be provided"));
        }
        let start = StartWorkflowExecutionRequest {
            input: self.input.some_payloads()?,
            ..self.shared.request(&self.policy, context)
        };
        let update = UpdateWorkflowExecutionRequest {
            namespace: context.namespace(),
            workflow_execution: Some(WorkflowExecution {
                workflow_id: start.workflow_id.clone(),
                run_id: self.run_id.clone(),
            }),
            first_execution_run_id: self.update_first_execution_run_id.clone(),
            wait_policy: Some(WaitPolicy { lifecycle_stage: stage.into() }),
            request: Some(Request {
                meta: Some(Meta {
                    update_id: self.update_id.clone().unwrap_or_else(|| context.id()),
                    identity: context.identity(),
                }),
                input: Some(Input {
                    header: Some(some_header(&self.shared.headers)),
                    name: self.update_name.clone(),
                    args: Some(payload_input::payloads(
                        &self.update_input,
                        &self.update_input_file,
                        &self.update_input_meta,
                        self.update_input_base64,
                    )?)
                    .filter(|payloads| !payloads.payloads.is_empty()),
                }),
                ..Request::default()
            }),
        };
        let operations = [
            operation::Operation::StartWorkflow(start),
            operation::Operation::UpdateWorkflow(update),
        ];
        let request = ExecuteMultiOperationRequest {
            namespace: context.namespace(),
            operations: operations.map(|operation| Operation { operation: Some(operation) }).into(),
            ..ExecuteMultiOperationRequest::default()
        };
        loop {
            let answer = context.call(request.clone()).await?;
            let mut run_id = String::new();
            let mut progress = None;
            for response in answer.responses {
                match response.response {
                    Some(Response::StartWorkflow(started)) => run_id = started.run_id,
                    Some(Response::UpdateWorkflow(updated))
                        if updated.stage >= Stage::Accepted.into() || updated.outcome.is_some() =>
                    {
                        let reference = updated.update_ref.unwrap_or_default();
                        progress = Some(Progress { reference, outcome: updated.outcome });
                    }
                    _ => {}
                }
            }
            if let Some(progress) = progress {
                return Ok((run_id, progress));
            }
        }
    }

    fn print(
        &self,
        context: &mut Context,
        run_id: &str,
        update_id: &str,
        result: Option<Value>,
    ) -> Result {
        let mut value = json!({
            "workflowId": self.shared.workflow_id,
            "runId": run_id,
            "type": self.shared.workflow_type,
            "namespace": context.settings.namespace,
            "updateName": self.update_name,
            "updateId": update_id,
        });
        if let (Some(result), Value::Object(object)) = (result, &mut value) {
            object.insert("updateResult".to_owned(), result);
        }
        context.output.heading("Running execution:")?;
        context.output.value(&value)
    }
}
