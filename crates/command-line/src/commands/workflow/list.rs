//! `workflow list` and `workflow count`.

use api::workflowservice::v1::{
    CountWorkflowExecutionsRequest, ListArchivedWorkflowExecutionsRequest,
    ListWorkflowExecutionsRequest,
};
use clap::Args;

use crate::{
    columns::{Column, enumeration, plain, time},
    commands::{
        count,
        paging::{self, Limits, Shape},
        watch::Watch,
    },
    context::Context,
    error::Result,
};

/// The columns of a list of workflows.
pub(crate) const COLUMNS: &[Column] = &[
    enumeration("Status", "/status", "WORKFLOW_EXECUTION_STATUS_"),
    plain("WorkflowId", "/execution/workflowId"),
    plain("Type", "/type/name"),
    time("StartTime", "/startTime"),
];

/// See `workflow list`.
#[derive(Debug, Args)]
pub struct List {
    /// List filter.
    #[arg(long, short = 'q', value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
    /// Look among archived workflows.
    #[arg(long)]
    archived: bool,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    watch: Watch,
}

impl List {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let shorthand = context.output.shorthand;
        let shape = Shape { field: "executions", columns: COLUMNS, shorthand };
        loop {
            self.once(context, shape).await?;
            if !self.watch.again(context).await? {
                return Ok(());
            }
        }
    }

    async fn once(&self, context: &mut Context, shape: Shape<'_>) -> Result {
        let namespace = context.namespace();
        let (query, page_size) = (self.query.clone(), self.limits.page_size());
        let limit = self.limits.limit;
        if self.archived {
            let request = ListArchivedWorkflowExecutionsRequest {
                namespace,
                query,
                page_size,
                ..ListArchivedWorkflowExecutionsRequest::default()
            };
            paging::print(context, request, limit, shape).await?;
        } else {
            let request = ListWorkflowExecutionsRequest {
                namespace,
                query,
                page_size,
                ..ListWorkflowExecutionsRequest::default()
            };
            paging::print(context, request, limit, shape).await?;
        }
        Ok(())
    }
}

/// See `workflow count`.
#[derive(Debug, Args)]
pub struct Count {
    /// List filter; it may end with GROUP BY.
    #[arg(long, short = 'q', value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
}

impl Count {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let namespace = context.namespace();
        let request = CountWorkflowExecutionsRequest { namespace, query: self.query };
        let answer = context.call(request).await?;
        count::print(context, answer)
    }
}
