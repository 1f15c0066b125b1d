//! `batch`: operations on many workflows or activities, done by the server.

use std::time::Duration;

use api::{
    enums::v1::BatchOperationState,
    workflowservice::v1::{
        DescribeBatchOperationRequest, DescribeBatchOperationResponse, ListBatchOperationsRequest,
        StopBatchOperationRequest,
    },
};
use clap::{Args, Subcommand};
use tonic::{Code, Status};

use super::{
    paging::{self, Shape},
    target::Waiting,
};
use crate::{
    calls::Call,
    columns::{Column, enumeration, plain, time},
    context::Context,
    error::{Error, Result},
    values::camel,
};

/// How often a batch operation is looked at that is waited for.
const PAUSE: Duration = Duration::from_millis(500);

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
    #[command(flatten)]
    waiting: Waiting,
}

impl Describe {
    async fn run(self, context: &mut Context) -> Result {
        if self.waiting.wait {
            return wait_and_print(context, &self.job_id).await;
        }
        let answer = describe(context, &self.job_id).await?;
        print(context, &answer)
    }
}

async fn describe(context: &mut Context, job: &str) -> Result<DescribeBatchOperationResponse> {
    let namespace = context.namespace();
    let request = DescribeBatchOperationRequest { namespace, job_id: job.to_owned() };
    call(context, request, job).await
}

/// Waits until a batch operation is over, and prints how it ended.
pub(crate) async fn wait_and_print(context: &mut Context, job: &str) -> Result {
    context.begin("the batch operation", None);
    let answer = loop {
        let answer = describe(context, job).await?;
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        let done = count(answer.complete_operation_count) + count(answer.failure_operation_count);
        context.progress.set(done, count(answer.total_operation_count));
        if answer.state() != BatchOperationState::Running {
            break answer;
        }
        context.progress.during(tokio::time::sleep(PAUSE)).await;
    };
    context.end();
    print(context, &answer)?;
    match (answer.state(), answer.failure_operation_count) {
        (BatchOperationState::Completed, 0) => Ok(()),
        (BatchOperationState::Completed, failed) => Err(Error::Outcome(format!(
            "{failed} of {} operations failed",
            answer.total_operation_count
        ))),
        _ => Err(Error::Outcome("the batch operation failed".to_owned())),
    }
}

fn print(context: &mut Context, answer: &DescribeBatchOperationResponse) -> Result {
    if context.output.is_data() {
        let value = context.json(answer)?;
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
