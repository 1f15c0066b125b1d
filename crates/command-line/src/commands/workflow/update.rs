//! `workflow update`: start, execute, result, describe.

use api::{
    common::v1::Payloads,
    enums::v1::UpdateWorkflowExecutionLifecycleStage as Stage,
    failure::v1::Failure,
    update::v1::{Input, Meta, Outcome, Request, UpdateRef, WaitPolicy, outcome::Value as Came},
    workflowservice::v1::{PollWorkflowExecutionUpdateRequest, UpdateWorkflowExecutionRequest},
};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::{
    commands::{
        payload_input::{PayloadInput, some_header},
        target::{Headers, WorkflowReference},
    },
    context::Context,
    error::{Error, Result},
    proto_json,
};

/// See `workflow update`.
#[derive(Debug, Subcommand)]
pub enum UpdateCommand {
    /// Send an update, and wait until it is accepted or rejected.
    Start(StartUpdate),
    /// Send an update, and wait for its result.
    Execute(ExecuteUpdate),
    /// Wait for the result of an update that was sent before.
    Result(UpdateReference),
    /// Show how far an update is.
    Describe(UpdateReference),
}

impl UpdateCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        match self {
            Self::Start(command) => command.run(context).await,
            Self::Execute(command) => command.run(context).await,
            Self::Result(command) => command.result(context).await,
            Self::Describe(command) => command.describe(context).await,
        }
    }
}

/// An update that is sent.
#[derive(Debug, Args)]
pub(crate) struct Sending {
    #[command(flatten)]
    workflow: WorkflowReference,
    /// Update's name.
    #[arg(long, alias = "type", value_name = "NAME")]
    name: String,
    /// Update's id; made up when missing.
    #[arg(long, value_name = "ID")]
    update_id: Option<String>,
    /// Send it only when the workflow's runs began with this one.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    first_execution_run_id: String,
    #[command(flatten)]
    input: PayloadInput,
    #[command(flatten)]
    headers: Headers,
}

/// How far an update is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WaitForStage {
    /// Until a worker took it.
    Accepted,
}

/// See `workflow update start`.
#[derive(Debug, Args)]
pub struct StartUpdate {
    #[command(flatten)]
    sending: Sending,
    /// How far to wait.
    #[arg(long, value_enum, value_name = "STAGE")]
    wait_for_stage: WaitForStage,
}

/// See `workflow update execute`.
#[derive(Debug, Args)]
pub struct ExecuteUpdate {
    #[command(flatten)]
    sending: Sending,
}

/// An update that was sent.
#[derive(Debug, Args)]
pub struct UpdateReference {
    #[command(flatten)]
    workflow: WorkflowReference,
    /// Update's id.
    #[arg(long, value_name = "ID")]
    update_id: String,
}

/// What is known of an update.
pub(crate) struct Progress {
    pub(crate) reference: UpdateRef,
    pub(crate) outcome: Option<Outcome>,
}

impl Sending {
    fn request(&self, context: &Context, stage: Stage) -> Result<UpdateWorkflowExecutionRequest> {
        Ok(UpdateWorkflowExecutionRequest {
            namespace: context.namespace(),
            workflow_execution: self.workflow.execution(),
            first_execution_run_id: self.first_execution_run_id.clone(),
            wait_policy: Some(WaitPolicy { lifecycle_stage: stage.into() }),
            request: Some(Request {
                meta: Some(Meta {
                    update_id: self.update_id.clone().unwrap_or_else(|| context.id()),
                    identity: context.identity(),
                }),
                input: Some(Input {
                    header: Some(some_header(&self.headers.headers)),
                    name: self.name.clone(),
                    args: self.input.some_payloads()?,
                }),
                ..Request::default()
            }),
        })
    }

    /// Sends the update until it is accepted or rejected.
    async fn send(&self, context: &mut Context, stage: Stage) -> Result<Progress> {
        let request = self.request(context, stage)?;
        loop {
            let answer = context.call(request.clone()).await?;
            if answer.stage >= Stage::Accepted.into() || answer.outcome.is_some() {
                let reference = answer.update_ref.unwrap_or_default();
                return Ok(Progress { reference, outcome: answer.outcome });
            }
        }
    }
}

/// Waits for what comes of an update.
pub(crate) async fn outcome(context: &mut Context, progress: Progress) -> Result<Outcome> {
    if let Some(outcome) = progress.outcome {
        return Ok(outcome);
    }
    let request = PollWorkflowExecutionUpdateRequest {
        namespace: context.namespace(),
        update_ref: Some(progress.reference),
        identity: context.identity(),
        wait_policy: Some(WaitPolicy { lifecycle_stage: Stage::Completed.into() }),
    };
    loop {
        if let Some(outcome) = context.call(request.clone()).await?.outcome {
            return Ok(outcome);
        }
    }
}

/// The result of an update that did not fail.
pub(crate) fn success(context: &Context, outcome: Option<&Outcome>) -> Result<Value> {
    match outcome.and_then(|outcome| outcome.value.as_ref()) {
        Some(Came::Failure(failure)) => Err(failed(failure)),
        Some(Came::Success(payloads)) => one(context, payloads),
        None => Ok(Value::Null),
    }
}

fn failed(failure: &Failure) -> Error {
    Error::Outcome(format!("unable to update workflow: {}", failure.message))
}

/// The first value of a result.
fn one(context: &Context, payloads: &Payloads) -> Result<Value> {
    match payloads.payloads.first() {
        Some(payload) => proto_json::to_json(payload, context.output.shorthand),
        None => Ok(Value::Null),
    }
}

impl StartUpdate {
    async fn run(self, context: &mut Context) -> Result {
        let WaitForStage::Accepted = self.wait_for_stage;
        let progress = self.sending.send(context, Stage::Accepted).await?;
        success(context, progress.outcome.as_ref())?;
        let value = json!({ "name": self.sending.name, "updateId": progress.reference.update_id });
        context.output.value(&value)
    }
}

impl ExecuteUpdate {
    async fn run(self, context: &mut Context) -> Result {
        let progress = self.sending.send(context, Stage::Completed).await?;
        let update_id = progress.reference.update_id.clone();
        let outcome = outcome(context, progress).await?;
        let result = success(context, Some(&outcome))?;
        let value = json!({ "name": self.sending.name, "updateId": update_id, "result": result });
        context.output.value(&value)
    }
}

impl UpdateReference {
    fn reference(&self) -> UpdateRef {
        UpdateRef {
            workflow_execution: self.workflow.execution(),
            update_id: self.update_id.clone(),
        }
    }

    async fn result(self, context: &mut Context) -> Result {
        let progress = Progress { reference: self.reference(), outcome: None };
        let outcome = outcome(context, progress).await?;
        let mut object = Map::new();
        object.insert("updateId".to_owned(), json!(self.update_id));
        let failure = add_outcome(&mut object, context, &outcome)?;
        context.output.value(&Value::Object(object))?;
        match failure {
            true => Err(Error::Outcome("update is failed".to_owned())),
            false => Ok(()),
        }
    }

    async fn describe(self, context: &mut Context) -> Result {
        let request = PollWorkflowExecutionUpdateRequest {
            namespace: context.namespace(),
            update_ref: Some(self.reference()),
            identity: context.identity(),
            wait_policy: None,
        };
        let answer = context.call(request).await?;
        let stage = answer.stage().as_str_name();
        let stage = stage.strip_prefix("UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_");
        let mut object = Map::new();
        object.insert("updateId".to_owned(), json!(self.update_id));
        object.insert("stage".to_owned(), crate::values::camel(stage.unwrap_or_default()).into());
        if let Some(outcome) = &answer.outcome {
            add_outcome(&mut object, context, outcome)?;
        }
        context.output.value(&Value::Object(object))
    }
}

/// Puts what came of an update into an object; true when it failed.
fn add_outcome(
    object: &mut Map<String, Value>,
    context: &Context,
    outcome: &Outcome,
) -> Result<bool> {
    match &outcome.value {
        Some(Came::Success(payloads)) => {
            let value = one(context, payloads)?;
            if !value.is_null() {
                object.insert("result".to_owned(), value);
            }
            Ok(false)
        }
        Some(Came::Failure(failure)) => {
            let value = if context.output.is_data() {
                context.json(failure)?
            } else {
                failure.message.clone().into()
            };
            object.insert("failure".to_owned(), value);
            Ok(true)
        }
        None => Ok(false),
    }
}
