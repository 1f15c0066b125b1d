//! Standalone activities: `activity start`, `execute`, `result`, `describe`, `list`, `count`,
//! `cancel`, `terminate` and `delete`.

use api::{
    activity::v1::{ActivityExecutionOutcome, activity_execution_outcome},
    batch::v1::{
        BatchOperationCancelActivities, BatchOperationDeleteActivities,
        BatchOperationTerminateActivities,
    },
    common::v1::{ActivityType, Payload, Payloads, RetryPolicy},
    enums::v1::{ActivityIdConflictPolicy, ActivityIdReusePolicy},
    workflowservice::v1::{
        CountActivityExecutionsRequest, DeleteActivityExecutionRequest,
        DescribeActivityExecutionRequest, ListActivityExecutionsRequest,
        PollActivityExecutionRequest, RequestCancelActivityExecutionRequest,
        StartActivityExecutionRequest, StartBatchOperationRequest,
        TerminateActivityExecutionRequest, start_batch_operation_request::Operation,
    },
};
use clap::Args;
use serde_json::{Map, Value, json};

use crate::{
    columns::{Column, enumeration, plain, time},
    commands::{
        count, leaves,
        outcome::{self, Completed},
        paging::{self, Limits, Shape},
        payload_input::{PayloadInput, some_header},
        start_options::{priority, search_attributes, task_queue, user_metadata},
        target::{Batch, Waiting, start_batch},
    },
    context::Context,
    error::{Error, Result},
    proto_json,
    values::{self, Length},
};

values::enumeration!(reuse, ActivityIdReusePolicy, "ACTIVITY_ID_REUSE_POLICY_");
values::enumeration!(conflict, ActivityIdConflictPolicy, "ACTIVITY_ID_CONFLICT_POLICY_");

/// See `activity start`.
#[derive(Debug, Args)]
pub struct Start {
    /// Activity id.
    #[arg(long, short = 'a', value_name = "ID")]
    activity_id: String,
    /// Activity type.
    #[arg(long = "type", value_name = "NAME")]
    activity_type: String,
    /// Task queue.
    #[arg(long, short = 't', value_name = "NAME")]
    task_queue: String,
    /// How long all attempts may take.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    schedule_to_close_timeout: Option<Length>,
    /// How long a task may wait for a worker.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    schedule_to_start_timeout: Option<Length>,
    /// How long an attempt may take.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    start_to_close_timeout: Option<Length>,
    /// How long a worker may be silent.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    heartbeat_timeout: Option<Length>,
    /// How long to wait before the first attempt.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    start_delay: Option<Length>,
    /// Pause before the second attempt.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    retry_initial_interval: Option<Length>,
    /// Longest pause between attempts.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    retry_maximum_interval: Option<Length>,
    /// By what each pause is longer than the one before.
    #[arg(long, value_name = "NUMBER", default_value_t = 0.0, hide_default_value = true)]
    retry_backoff_coefficient: f64,
    /// Most attempts.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    retry_maximum_attempts: i32,
    /// When the id of a closed activity may be used again: AllowDuplicate,
    /// AllowDuplicateFailedOnly or RejectDuplicate.
    #[arg(long, value_name = "POLICY", value_parser = reuse)]
    id_reuse_policy: Option<i32>,
    /// What to do with an open activity of the id: Fail or UseExisting.
    #[arg(long, value_name = "POLICY", value_parser = conflict)]
    id_conflict_policy: Option<i32>,
    /// Search attribute, its value as JSON. May be repeated.
    #[arg(long, value_name = "KEY=JSON", value_parser = values::json_pair)]
    search_attribute: Vec<(String, Payload)>,
    /// Header, its value as JSON. May be repeated.
    #[arg(long, value_name = "KEY=JSON", value_parser = values::json_pair)]
    headers: Vec<(String, Payload)>,
    /// What it is for, in one line.
    #[arg(long, value_name = "TEXT")]
    static_summary: Option<String>,
    /// What it is for, at length.
    #[arg(long, value_name = "TEXT")]
    static_details: Option<String>,
    /// Priority, 1 (highest) to 5.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    priority_key: i32,
    /// Whom its tasks belong to, for fairness.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    fairness_key: String,
    /// The weight of that key.
    #[arg(long, value_name = "NUMBER", default_value_t = 0.0, hide_default_value = true)]
    fairness_weight: f32,
    #[command(flatten)]
    input: PayloadInput,
}

impl Start {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let run_id = self.start(context).await?;
        self.print(context, &run_id)
    }

    async fn start(&self, context: &mut Context) -> Result<String> {
        let retry = RetryPolicy {
            initial_interval: self.retry_initial_interval.and_then(Length::proto),
            maximum_interval: self.retry_maximum_interval.and_then(Length::proto),
            backoff_coefficient: self.retry_backoff_coefficient,
            maximum_attempts: self.retry_maximum_attempts,
            ..RetryPolicy::default()
        };
        let request = StartActivityExecutionRequest {
            namespace: context.namespace(),
            identity: context.identity(),
            request_id: context.id(),
            activity_id: self.activity_id.clone(),
            activity_type: Some(ActivityType { name: self.activity_type.clone() }),
            task_queue: Some(task_queue(&self.task_queue)),
            schedule_to_close_timeout: self.schedule_to_close_timeout.and_then(Length::proto),
            schedule_to_start_timeout: self.schedule_to_start_timeout.and_then(Length::proto),
            start_to_close_timeout: self.start_to_close_timeout.and_then(Length::proto),
            heartbeat_timeout: self.heartbeat_timeout.and_then(Length::proto),
            retry_policy: (retry != RetryPolicy::default()).then_some(retry),
            input: self.input.some_payloads()?,
            id_reuse_policy: self.id_reuse_policy.unwrap_or_default(),
            id_conflict_policy: self.id_conflict_policy.unwrap_or_default(),
            search_attributes: search_attributes(&self.search_attribute),
            header: Some(some_header(&self.headers)),
            user_metadata: user_metadata(
                self.static_summary.as_deref(),
                self.static_details.as_deref(),
            ),
            priority: priority(self.priority_key, &self.fairness_key, self.fairness_weight),
            start_delay: values::or_zero(self.start_delay),
            ..StartActivityExecutionRequest::default()
        };
        Ok(context.call(request).await?.run_id)
    }

    fn print(&self, context: &mut Context, run_id: &str) -> Result {
        let value = json!({
            "activityId": self.activity_id,
            "runId": run_id,
            "namespace": context.settings.namespace,
        });
        context.output.heading("Running execution:")?;
        context.output.value(&value)
    }
}

/// See `activity execute`.
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
        result(context, &self.start.activity_id, &run_id).await
    }
}

/// One standalone activity.
#[derive(Debug, Args)]
pub(crate) struct Reference {
    /// Activity id.
    #[arg(long, short = 'a', value_name = "ID")]
    activity_id: String,
    /// Run id; the latest run when missing.
    #[arg(long, short = 'r', value_name = "ID", default_value = "", hide_default_value = true)]
    run_id: String,
}

/// See `activity result`.
#[derive(Debug, Args)]
pub struct ShowResult {
    #[command(flatten)]
    activity: Reference,
}

impl ShowResult {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        result(context, &self.activity.activity_id, &self.activity.run_id).await
    }
}

/// Waits for what comes of an activity, and prints it.
async fn result(context: &mut Context, activity_id: &str, run_id: &str) -> Result {
    let request = PollActivityExecutionRequest {
        namespace: context.namespace(),
        activity_id: activity_id.to_owned(),
        run_id: run_id.to_owned(),
    };
    context.begin("waiting until the activity ends", None);
    let outcome = loop {
        if let Some(outcome) = context.call(request.clone()).await?.outcome {
            break outcome;
        }
    };
    context.end();
    let mut object = Map::new();
    object.insert("activityId".to_owned(), json!(activity_id));
    object.insert("runId".to_owned(), json!(run_id));
    print_outcome(context, object, outcome)
}

fn print_outcome(
    context: &mut Context,
    object: Map<String, Value>,
    outcome: ActivityExecutionOutcome,
) -> Result {
    let outcome = match &outcome.value {
        Some(activity_execution_outcome::Value::Result(payloads)) => {
            let value = if context.output.shorthand || context.output.is_text() {
                first(context, payloads)?
            } else {
                context.json(payloads)?
            };
            Ok(Completed { text: value.to_string(), data: value })
        }
        Some(activity_execution_outcome::Value::Failure(failure)) => Err(failure),
        None => return Err(Error::Answer("an outcome without a value".to_owned())),
    };
    outcome::print(context, object, outcome, "activity failed")
}

fn first(context: &Context, payloads: &Payloads) -> Result<Value> {
    match payloads.payloads.first() {
        Some(payload) if context.output.is_text() => Ok(proto_json::value(payload)),
        Some(payload) => context.json(payload),
        None => Ok(Value::Null),
    }
}

/// See `activity describe`.
#[derive(Debug, Args)]
pub struct Describe {
    #[command(flatten)]
    activity: Reference,
    /// Show the answer as the server sent it.
    #[arg(long)]
    raw: bool,
}

impl Describe {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let request = DescribeActivityExecutionRequest {
            namespace: context.namespace(),
            activity_id: self.activity.activity_id,
            run_id: self.activity.run_id,
            include_input: true,
            include_outcome: true,
            include_heartbeat_details: true,
            include_last_failure: true,
            ..DescribeActivityExecutionRequest::default()
        };
        let answer = context.call(request).await?;
        let value = context.json(&answer)?;
        if self.raw && context.output.is_text() {
            return context.output.document(&value);
        }
        if context.output.is_data() {
            return context.output.data(&value);
        }
        context.output.heading("Activity Execution Info:")?;
        leaves::print(context, value.get("info").unwrap_or(&Value::Null), "  ")
    }
}

const COLUMNS: &[Column] = &[
    enumeration("Status", "/status", "ACTIVITY_EXECUTION_STATUS_"),
    plain("ActivityId", "/activityId"),
    plain("Type", "/activityType/name"),
    time("StartTime", "/scheduleTime"),
];

/// See `activity list`.
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
        let request = ListActivityExecutionsRequest {
            namespace: context.namespace(),
            query: self.query,
            page_size: self.limits.page_size(),
            ..ListActivityExecutionsRequest::default()
        };
        let shorthand = context.output.shorthand;
        let shape = Shape { field: "executions", columns: COLUMNS, shorthand };
        paging::print(context, request, self.limits.limit, shape).await?;
        Ok(())
    }
}

/// See `activity count`.
#[derive(Debug, Args)]
pub struct Count {
    /// List filter; it may end with GROUP BY.
    #[arg(long, short = 'q', value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
}

impl Count {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let namespace = context.namespace();
        let request = CountActivityExecutionsRequest { namespace, query: self.query };
        let answer = context.call(request).await?;
        count::print(context, answer)
    }
}

/// See `activity cancel`, `activity terminate` and `activity delete`.
#[derive(Debug, Args)]
pub struct End {
    /// Activity id.
    #[arg(long, short = 'a', value_name = "ID")]
    activity_id: Option<String>,
    /// Run id; the latest run when missing.
    #[arg(long, short = 'r', value_name = "ID", default_value = "", hide_default_value = true)]
    run_id: String,
    /// Do it, in a batch operation, with all standalone activities that this list filter finds.
    #[arg(long, short = 'q', value_name = "QUERY")]
    query: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Most activities a second.
    #[arg(long, value_name = "NUMBER")]
    rps: Option<f32>,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
    #[command(flatten)]
    waiting: Waiting,
}

impl End {
    /// The batch operation, after a question; none for one activity.
    async fn batch(&self, context: &mut Context, yes_for_one: bool) -> Result<Option<Batch>> {
        if self.activity_id.is_some() {
            let excess = [
                (self.query.is_some(), "query"),
                (self.yes && !yes_for_one, "'yes'"),
                (self.rps.is_some(), "rps"),
                (self.waiting.wait, "'wait'"),
            ];
            return match excess.iter().find(|(given, _)| *given) {
                Some((_, name)) => {
                    Err(Error::usage(format!("cannot set {name} when activity ID is set")))
                }
                None => Ok(None),
            };
        }
        let Some(query) = self.query.clone() else {
            return Err(Error::usage("must set either activity ID or query"));
        };
        if !self.run_id.is_empty() {
            return Err(Error::usage("cannot set run ID when query is set"));
        }
        let namespace = context.namespace();
        let question = if self.yes {
            format!("Start batch against standalone activities matching query {query:?}? y/N")
        } else {
            let query = query.clone();
            let request = CountActivityExecutionsRequest { namespace: namespace.clone(), query };
            let count = context.call(request).await?.count;
            format!("Start batch against approximately {count} standalone activities(s)? y/N")
        };
        context.output.confirm(&question, self.yes)?;
        let request = StartBatchOperationRequest {
            namespace,
            visibility_query: query,
            job_id: context.id(),
            reason: self.reason_or_default(context),
            max_operations_per_second: self.rps.unwrap_or_default(),
            ..StartBatchOperationRequest::default()
        };
        Ok(Some(Batch { request, waiting: self.waiting }))
    }

    fn reason_or_default(&self, context: &Context) -> String {
        self.reason.clone().unwrap_or_else(|| context.default_reason())
    }

    pub(crate) async fn cancel(self, context: &mut Context) -> Result {
        let reason = self.reason.clone().unwrap_or_default();
        if let Some(request) = self.batch(context, false).await? {
            let identity = context.identity();
            let operation = BatchOperationCancelActivities { identity, reason };
            let operation = Operation::CancelActivitiesOperation(operation);
            return start_batch(context, request, operation).await;
        }
        let request = RequestCancelActivityExecutionRequest {
            namespace: context.namespace(),
            activity_id: self.activity_id.unwrap_or_default(),
            run_id: self.run_id,
            identity: context.identity(),
            request_id: context.id(),
            reason,
        };
        context.call(request).await?;
        context.output.line("Cancellation requested")
    }

    pub(crate) async fn terminate(self, context: &mut Context) -> Result {
        let reason = self.reason_or_default(context);
        if let Some(request) = self.batch(context, false).await? {
            let identity = context.identity();
            let operation = BatchOperationTerminateActivities { identity, reason };
            let operation = Operation::TerminateActivitiesOperation(operation);
            return start_batch(context, request, operation).await;
        }
        let request = TerminateActivityExecutionRequest {
            namespace: context.namespace(),
            activity_id: self.activity_id.unwrap_or_default(),
            run_id: self.run_id,
            identity: context.identity(),
            request_id: context.id(),
            reason,
        };
        context.call(request).await?;
        context.output.line("Activity terminated")
    }

    pub(crate) async fn delete(self, context: &mut Context) -> Result {
        if let Some(request) = self.batch(context, true).await? {
            let operation = BatchOperationDeleteActivities::default();
            let operation = Operation::DeleteActivitiesOperation(operation);
            return start_batch(context, request, operation).await;
        }
        let activity_id = self.activity_id.clone().unwrap_or_default();
        let run = match self.run_id.as_str() {
            "" => String::new(),
            run_id => format!(" with Run ID {run_id:?}"),
        };
        let question = format!("Delete standalone Activity {activity_id:?}{run}? y/N");
        context.output.confirm(&question, self.yes)?;
        let namespace = context.namespace();
        let request =
            DeleteActivityExecutionRequest { namespace, activity_id, run_id: self.run_id };
        context.call(request).await?;
        context.output.line("Delete activity succeeded")
    }
}
