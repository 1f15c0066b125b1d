//! `nexus operation describe`, `list` and `count`.

use api::workflowservice::v1::{
    CountNexusOperationExecutionsRequest, DescribeNexusOperationExecutionRequest,
    ListNexusOperationExecutionsRequest,
};
use clap::Args;
use serde_json::Value;

use super::Reference;
use crate::{
    columns::{Column, enumeration, plain, time},
    commands::{
        count, leaves,
        paging::{self, Limits, Shape},
    },
    context::Context,
    error::Result,
};

/// See `nexus operation describe`.
#[derive(Debug, Args)]
pub struct Describe {
    #[command(flatten)]
    operation: Reference,
    /// Show the answer as the server sent it.
    #[arg(long)]
    raw: bool,
}

impl Describe {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let request = DescribeNexusOperationExecutionRequest {
            namespace: context.namespace(),
            operation_id: self.operation.operation_id,
            run_id: self.operation.run_id,
            ..DescribeNexusOperationExecutionRequest::default()
        };
        let answer = context.call(request).await?;
        let info = context.json(&answer)?.get_mut("info").map(Value::take).unwrap_or_default();
        if context.output.is_data() {
            return context.output.data(&info);
        }
        if self.raw {
            return context.output.document(&info);
        }
        leaves::print(context, &info, "  ")
    }
}

const COLUMNS: &[Column] = &[
    enumeration("Status", "/status", "NEXUS_OPERATION_EXECUTION_STATUS_"),
    plain("OperationId", "/operationId"),
    plain("Endpoint", "/endpoint"),
    plain("Service", "/service"),
    plain("Operation", "/operation"),
    time("StartTime", "/scheduleTime"),
];

/// See `nexus operation list`.
#[derive(Debug, Args)]
pub struct List {
    /// List filter.
    #[arg(long, short = 'q', value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
    #[command(flatten)]
    limits: Limits,
}

impl List {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let request = ListNexusOperationExecutionsRequest {
            namespace: context.namespace(),
            page_size: self.limits.page_size(),
            query: self.query,
            ..ListNexusOperationExecutionsRequest::default()
        };
        let shorthand = context.output.shorthand;
        let shape = Shape { field: "operations", columns: COLUMNS, shorthand };
        paging::print(context, request, self.limits.limit, shape).await?;
        Ok(())
    }
}

/// See `nexus operation count`.
#[derive(Debug, Args)]
pub struct Count {
    /// List filter; it may end with GROUP BY.
    #[arg(long, short = 'q', value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
}

impl Count {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let namespace = context.namespace();
        let request = CountNexusOperationExecutionsRequest { namespace, query: self.query };
        let answer = context.call(request).await?;
        count::print(context, answer)
    }
}
