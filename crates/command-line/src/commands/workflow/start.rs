//! `workflow start`, `execute` and `signal-with-start`.

use std::path::PathBuf;

use api::{
    common::v1::WorkflowExecution,
    errordetails::v1::WorkflowExecutionAlreadyStartedFailure,
    workflowservice::v1::{SignalWithStartWorkflowExecutionRequest, StartWorkflowExecutionRequest},
};
use clap::Args;
use prost::Message as _;
use serde_json::{Map, Value, json};
use tonic::{Code, Status};

use super::{
    history::{self, Direction, HistoryReader},
    outcome, show,
};
use crate::{
    commands::{
        payload_input::{self, PayloadInput, header},
        start_options::{SharedStart, StartPolicy},
    },
    context::Context,
    error::{Error, Result},
    proto_json, status_details, values,
};

/// See `workflow start`.
#[derive(Debug, Args)]
pub struct Start {
    #[command(flatten)]
    shared: SharedStart,
    #[command(flatten)]
    policy: StartPolicy,
    #[command(flatten)]
    input: PayloadInput,
}

impl Start {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let execution = self.start(context).await?;
        let value = self.running(context, &execution);
        context.output.heading("Running execution:")?;
        context.output.value(&value)
    }

    /// Starts the workflow, or finds the one that runs already.
    async fn start(&self, context: &mut Context) -> Result<WorkflowExecution> {
        let request = StartWorkflowExecutionRequest {
            input: self.input.some_payloads()?,
            ..self.shared.request(&self.policy, context)
        };
        let workflow_id = request.workflow_id.clone();
        let run_id = match context.try_call(request).await? {
            Ok(answer) => answer.run_id,
            Err(status) => match running_already(&status) {
                Some(run_id) if !self.policy.fail_existing => run_id,
                _ => return Err(context.refused("failed starting workflow", status)),
            },
        };
        Ok(WorkflowExecution { workflow_id, run_id })
    }

    fn running(&self, context: &Context, execution: &WorkflowExecution) -> Value {
        json!({
            "workflowId": execution.workflow_id,
            "runId": execution.run_id,
            "type": self.shared.workflow_type,
            "namespace": context.settings.namespace,
            "taskQueue": self.shared.task_queue,
        })
    }
}

/// The run that stands in the way of a start.
fn running_already(status: &Status) -> Option<String> {
    if status.code() != Code::AlreadyExists {
        return None;
    }
    let details = status_details::first(status)?;
    let failure = WorkflowExecutionAlreadyStartedFailure::decode(details.as_slice()).ok()?;
    Some(failure.run_id).filter(|run_id| !run_id.is_empty())
}

/// See `workflow execute`.
#[derive(Debug, Args)]
pub struct Execute {
    #[command(flatten)]
    start: Start,
    /// Show the events with all they hold; with JSON, the history.
    #[arg(long)]
    detailed: bool,
}

impl Execute {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let begin = context.now();
        let execution = self.start.start(context).await?;
        if context.output.is_text() {
            let running = self.start.running(context, &execution);
            context.output.heading("Running execution:")?;
            context.output.value(&running)?;
            context.output.line("")?;
            context.output.heading("Progress:")?;
            let reader = HistoryReader::new(execution.clone(), Direction::Following);
            show::print_events(context, reader, self.detailed).await?;
            context.output.line("")?;
        }
        let event = history::close_event(context, execution.clone()).await?;
        let millis = context.now().as_millisecond() - begin.as_millisecond();
        if context.output.is_data() {
            let mut object = match self.start.running(context, &execution) {
                Value::Object(object) => object,
                _ => Map::new(),
            };
            if millis > 0 {
                object.insert("durationMillis".to_owned(), millis.into());
            }
            outcome::add_to(&mut object, context, &event)?;
            if self.detailed {
                let events = show::all_events(context, execution, Direction::Forwards).await?;
                let history = proto_json::to_json(&api::History { events }, false)?;
                object.insert("history".to_owned(), history);
            }
            context.output.data(&Value::Object(object))?;
        } else {
            outcome::print(context, &event, Some(millis))?;
        }
        outcome::check(&event)
    }
}

/// Arguments of the signal.
#[derive(Debug, Args)]
pub(crate) struct SignalInput {
    /// Signal's name.
    #[arg(long, alias = "signal-type", value_name = "NAME")]
    signal_name: String,
    /// An argument of the signal, as JSON. May be repeated.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    signal_input: Vec<String>,
    /// File with an argument of the signal. May be repeated.
    #[arg(long, value_name = "PATH", conflicts_with = "signal_input")]
    signal_input_file: Vec<PathBuf>,
    /// Metadata of the signal's arguments.
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::pair)]
    signal_input_meta: Vec<(String, String)>,
    /// The signal's arguments are in base64.
    #[arg(long)]
    signal_input_base64: bool,
}

/// See `workflow signal-with-start`.
#[derive(Debug, Args)]
pub struct SignalWithStart {
    #[command(flatten)]
    signal: SignalInput,
    #[command(flatten)]
    shared: SharedStart,
    #[command(flatten)]
    policy: StartPolicy,
    #[command(flatten)]
    input: PayloadInput,
}

impl SignalWithStart {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        if self.shared.workflow_id.is_none() {
            return Err(Error::usage("--workflow-id flag must be provided"));
        }
        let start = self.shared.request(&self.policy, context);
        let signal = &self.signal;
        let request = SignalWithStartWorkflowExecutionRequest {
            namespace: start.namespace,
            workflow_id: start.workflow_id.clone(),
            workflow_type: start.workflow_type,
            task_queue: start.task_queue,
            input: Some(self.input.payloads()?),
            workflow_execution_timeout: start.workflow_execution_timeout,
            workflow_run_timeout: start.workflow_run_timeout,
            workflow_task_timeout: start.workflow_task_timeout,
            identity: start.identity,
            request_id: start.request_id,
            workflow_id_reuse_policy: start.workflow_id_reuse_policy,
            workflow_id_conflict_policy: start.workflow_id_conflict_policy,
            signal_name: signal.signal_name.clone(),
            signal_input: Some(payload_input::payloads(
                &signal.signal_input,
                &signal.signal_input_file,
                &signal.signal_input_meta,
                signal.signal_input_base64,
            )?),
            cron_schedule: start.cron_schedule,
            memo: start.memo,
            search_attributes: start.search_attributes,
            header: header(&self.shared.headers),
            workflow_start_delay: start.workflow_start_delay,
            user_metadata: start.user_metadata,
            priority: start.priority,
            ..SignalWithStartWorkflowExecutionRequest::default()
        };
        let run_id = context.call(request).await?.run_id;
        context.output.heading("Running execution:")?;
        context.output.value(&json!({
            "workflowId": start.workflow_id,
            "runId": run_id,
            "type": self.shared.workflow_type,
            "namespace": context.settings.namespace,
        }))
    }
}
