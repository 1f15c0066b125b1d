//! `batch`: operations on many workflows or activities, done by the server.

use api::workflowservice::v1::{
    DescribeBatchOperationRequest, ListBatchOperationsRequest, StopBatchOperationRequest,
};
use clap::{Args, Subcommand};
use tonic::{Code, Status};

use super::paging::{self, Shape};
use crate::{
    calls::Call,
    columns::{Column, enumeration, plain, time},
    context::Context,
    error::{Error, Result},
    values::camel,
};

/// Commands about batch operations.
#[derive(Debug, Subcommand)]
pub enum BatchCommand {
    /// Show how far a batch operation is.
    Describe(Describe),
    /// List batch operations.
    List(List),
    /// Stop a batch operation.
    Terminate(Terminate),
}

impl BatchCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        match self {
            Self::Describe(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Terminate(command) => command.run(context).await,
        }
    }
}

/// See `batch describe`.
#[derive(Debug, Args)]
pub struct Describe {
    /// Id of the batch operation.
    #[arg(long, value_name = "ID")]
    job_id: String,
}

impl Describe {
    async fn run(self, context: &mut Context) -> Result {
        let namespace = context.namespace();
        let request = DescribeBatchOperationRequest { namespace, job_id: self.job_id.clone() };
        let answer = call(context, request, &self.job_id).await?;
        if context.output.is_data() {
            let value = context.json(&answer)?;
            return context.output.data(&value);
        }
        let short = |name: &str, prefix| camel(name.strip_prefix(prefix).unwrap_or(name));
        let total = answer.total_operation_count;
        let fields = [
            ("State", short(answer.state().as_str_name(), "BATCH_OPERATION_STATE_")),
            ("Type", short(answer.operation_type().as_str_name(), "BATCH_OPERATION_TYPE_")),
            ("StartTime", context.output.proto_time(answer.start_time.as_ref())),
            ("CloseTime", context.output.proto_time(answer.close_time.as_ref())),
            ("CompletedCount", format!("{}/{total}", answer.complete_operation_count)),
            ("FailureCount", format!("{}/{total}", answer.failure_operation_count)),
        ];
        context.output.card(&fields)
    }
}

/// Calls a method about a batch operation that may not be there.
async fn call<Q: Call>(context: &mut Context, request: Q, job: &str) -> Result<Q::Answer> {
    context.try_call(request).await?.map_err(|status| match status.code() {
        Code::NotFound => {
            let status = Status::not_found(format!("could not find Batch Job '{job}'"));
            Error::Refused { doing: Q::METHOD.to_owned(), status: Box::new(status) }
        }
        _ => context.refused(Q::METHOD, status),
    })
}

const COLUMNS: &[Column] = &[
    plain("JobId", "/jobId"),
    enumeration("State", "/state", "BATCH_OPERATION_STATE_"),
    time("StartTime", "/startTime"),
    time("CloseTime", "/closeTime"),
];

/// See `batch list`.
#[derive(Debug, Args)]
pub struct List {
    /// Most rows.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    limit: usize,
}

impl List {
    async fn run(self, context: &mut Context) -> Result {
        let namespace = context.namespace();
        let request =
            ListBatchOperationsRequest { namespace, ..ListBatchOperationsRequest::default() };
        let shorthand = context.output.shorthand;
        let shape = Shape { field: "operationInfo", columns: COLUMNS, shorthand };
        paging::print(context, request, self.limit, shape).await?;
        Ok(())
    }
}

/// See `batch terminate`.
#[derive(Debug, Args)]
pub struct Terminate {
    /// Id of the batch operation.
    #[arg(long, value_name = "ID")]
    job_id: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Terminate {
    async fn run(self, context: &mut Context) -> Result {
        let request = StopBatchOperationRequest {
            namespace: context.namespace(),
            job_id: self.job_id.clone(),
            reason: self.reason,
            identity: context.identity(),
        };
        call(context, request, &self.job_id).await?;
        context.output.line(&format!("Terminated Batch Job '{}'", self.job_id))
    }
}
