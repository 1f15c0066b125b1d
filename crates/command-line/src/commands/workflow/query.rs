//! `workflow query`, `stack` and `metadata`.

use api::{
    common::v1::{Payload, Payloads},
    enums::v1::WorkflowExecutionStatus,
    query::v1::WorkflowQuery,
    sdk::v1::WorkflowMetadata,
    workflowservice::v1::{QueryWorkflowRequest, QueryWorkflowResponse},
};
use clap::Args;
use serde_json::Value;

use crate::{
    columns::{Column, plain},
    commands::{
        payload_input::{PayloadInput, header},
        target::{Headers, WorkflowReference},
    },
    context::Context,
    error::{Error, Result},
    proto_json,
    values::{self, camel},
};

/// When a query is not answered.
#[derive(Debug, Args)]
pub(crate) struct Rejecting {
    /// Refuse to ask workflows that are closed (`not_open`) or did not complete
    /// (`not_completed_cleanly`).
    #[arg(long, value_name = "CONDITION", value_parser = values::reject_condition)]
    reject_condition: Option<i32>,
}

/// See `workflow query`.
#[derive(Debug, Args)]
pub struct Query {
    #[command(flatten)]
    workflow: WorkflowReference,
    /// Query's name.
    #[arg(long, alias = "type", value_name = "NAME")]
    name: String,
    #[command(flatten)]
    input: PayloadInput,
    #[command(flatten)]
    rejecting: Rejecting,
    #[command(flatten)]
    headers: Headers,
}

impl Query {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let query = WorkflowQuery {
            query_type: self.name,
            query_args: Some(self.input.payloads()?),
            header: header(&self.headers.headers),
        };
        let answer = ask(context, &self.workflow, query, &self.rejecting).await?;
        print(context, &answer)
    }
}

/// See `workflow stack`.
#[derive(Debug, Args)]
pub struct Stack {
    #[command(flatten)]
    workflow: WorkflowReference,
    #[command(flatten)]
    rejecting: Rejecting,
}

impl Stack {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let answer = ask(context, &self.workflow, of_sdk("__stack_trace"), &self.rejecting).await?;
        if !context.output.is_text() {
            return print(context, &answer);
        }
        let result = answer.query_result.unwrap_or_default();
        let trace: Vec<_> = result.payloads.iter().map(proto_json::value).collect();
        let trace: Vec<_> = trace.iter().map(crate::columns::text).collect();
        context.output.line(&trace.join("\n"))
    }
}

/// See `workflow metadata`.
#[derive(Debug, Args)]
pub struct Metadata {
    #[command(flatten)]
    workflow: WorkflowReference,
    #[command(flatten)]
    rejecting: Rejecting,
    #[command(flatten)]
    headers: Headers,
}

const DEFINITIONS: &[Column] = &[plain("Name", "/name"), plain("Description", "/description")];

impl Metadata {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let mut query = of_sdk("__temporal_workflow_metadata");
        query.header = header(&self.headers.headers);
        let answer = ask(context, &self.workflow, query, &self.rejecting).await?;
        if !context.output.is_text() {
            return print(context, &answer);
        }
        let result = answer.query_result.unwrap_or_default();
        let data = result.payloads.first().map(|payload| &payload.data[..]).unwrap_or_default();
        let metadata: WorkflowMetadata = proto_json::from_json(data).map_err(Error::Answer)?;
        let value = context.json(&metadata)?;
        context.output.heading("Metadata:")?;
        let lists = [
            ("Query Definitions", "queryDefinitions"),
            ("Signal Definitions", "signalDefinitions"),
            ("Update Definitions", "updateDefinitions"),
        ];
        for (heading, field) in lists {
            let rows = value.pointer(&format!("/definition/{field}")).and_then(Value::as_array);
            if let Some(rows) = rows {
                context.output.heading(&format!("{heading}:"))?;
                context.output.list(DEFINITIONS, rows)?;
            }
        }
        if !metadata.current_details.is_empty() {
            context.output.heading("Current Details:")?;
            context.output.line(&metadata.current_details)?;
        }
        Ok(())
    }
}

/// A query that SDKs answer by themselves.
fn of_sdk(name: &str) -> WorkflowQuery {
    let query_args = Some(Payloads::default());
    WorkflowQuery { query_type: name.to_owned(), query_args, ..WorkflowQuery::default() }
}

async fn ask(
    context: &mut Context,
    workflow: &WorkflowReference,
    query: WorkflowQuery,
    rejecting: &Rejecting,
) -> Result<QueryWorkflowResponse> {
    let request = QueryWorkflowRequest {
        namespace: context.namespace(),
        execution: workflow.execution(),
        query: Some(query),
        query_reject_condition: rejecting.reject_condition.unwrap_or_default(),
    };
    let answer = context.call(request).await?;
    match &answer.query_rejected {
        None => Ok(answer),
        Some(rejected) => {
            let status = WorkflowExecutionStatus::try_from(rejected.status).unwrap_or_default();
            let status = status.as_str_name();
            let status = camel(status.strip_prefix("WORKFLOW_EXECUTION_STATUS_").unwrap_or(status));
            let text = format!("query was rejected, workflow has status: {status}");
            Err(Error::Outcome(text))
        }
    }
}

fn print(context: &mut Context, answer: &QueryWorkflowResponse) -> Result {
    if context.output.is_data() {
        let value = context.json(answer)?;
        return context.output.data(&value);
    }
    let result: Option<&Payloads> = answer.query_result.as_ref();
    let value = match result.map(|result| &result.payloads[..]) {
        Some([one]) => one_value(one),
        _ => proto_json::result(result, context.output.shorthand)?,
    };
    context.output.heading("Query result:")?;
    context.output.card(&[("QueryResult", value.to_string())])
}

fn one_value(payload: &Payload) -> Value {
    proto_json::value(payload)
}
