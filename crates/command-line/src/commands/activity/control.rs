//! `activity pause`, `unpause`, `reset` and `update-options`.

use api::{
    activity::v1::ActivityOptions,
    batch::v1::{
        BatchOperationResetActivities, BatchOperationUnpauseActivities,
        BatchOperationUpdateActivityOptions, batch_operation_reset_activities,
        batch_operation_unpause_activities, batch_operation_update_activity_options,
    },
    common::v1::{Payload, RetryPolicy},
    workflowservice::v1::{
        PauseActivityExecutionRequest, ResetActivityExecutionRequest,
        UnpauseActivityExecutionRequest, UpdateActivityExecutionOptionsRequest,
        start_batch_operation_request::Operation,
    },
};
use clap::Args;
use prost_types::{Duration, FieldMask};
use serde_json::json;

use crate::{
    calls::Call,
    commands::{
        go::nanos,
        start_options::task_queue,
        target::{Allowed, Batch, SingleOrBatch, Target, start_batch},
    },
    context::Context,
    error::{Error, Result},
    values::{self, Length},
};

/// One activity.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Activity id.
    #[arg(long, short = 'a', value_name = "ID")]
    activity_id: String,
    /// Workflow id; none for a standalone activity.
    #[arg(long, short = 'w', value_name = "ID", default_value = "", hide_default_value = true)]
    workflow_id: String,
    /// Run id; the latest run when missing.
    #[arg(long, short = 'r', value_name = "ID", default_value = "", hide_default_value = true)]
    run_id: String,
}

impl One {
    /// What the server routes the request by.
    fn resource_id(&self) -> String {
        if self.workflow_id.is_empty() {
            format!("activity:{}", self.activity_id)
        } else {
            format!("workflow:{}", self.workflow_id)
        }
    }
}

/// One activity, or those of all workflows that a query finds.
#[derive(Debug, Args)]
pub(crate) struct OneOrMany {
    /// Activity id.
    #[arg(long, short = 'a', value_name = "ID")]
    activity_id: Option<String>,
    #[command(flatten)]
    target: SingleOrBatch,
    /// Header, its value as JSON. May be repeated.
    #[arg(long, value_name = "KEY=JSON", value_parser = values::json_pair)]
    headers: Vec<(String, Payload)>,
}

enum Which {
    One(One),
    Many(Box<Batch>),
}

impl OneOrMany {
    async fn which(&self, context: &mut Context) -> Result<Which> {
        let missing = || {
            Error::usage(
                "must specify --activity-id to target a single Activity (optionally with \
                 --workflow-id and/or --run-id), or --query to target a batch of Activities",
            )
        };
        if self.target.query.is_some() || self.target.workflow_id.is_some() {
            let target = self.target.target(context, Allowed::default()).await?;
            if let Target::Many(request) = target {
                return Ok(Which::Many(request));
            }
        }
        Ok(Which::One(One {
            activity_id: self.activity_id.clone().ok_or_else(missing)?,
            workflow_id: self.target.workflow_id.clone().unwrap_or_default(),
            run_id: self.target.run_id.clone().unwrap_or_default(),
        }))
    }

    /// Asks the server about one activity and gives its answer, or starts the batch operation for many.
    async fn ask<Q: Call>(
        &self,
        context: &mut Context,
        of_one: impl FnOnce(One, &Context) -> Q,
        of_many: Operation,
    ) -> Result<Option<Q::Answer>> {
        match self.which(context).await? {
            Which::One(activity) => {
                let request = of_one(activity, context);
                context.call(request).await.map(Some)
            }
            Which::Many(batch) => {
                start_batch(context, *batch, of_many).await?;
                Ok(None)
            }
        }
    }
}

/// See `activity pause`.
#[derive(Debug, Args)]
pub struct Pause {
    #[command(flatten)]
    activity: One,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
}

impl Pause {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let request = PauseActivityExecutionRequest {
            namespace: context.namespace(),
            resource_id: self.activity.resource_id(),
            workflow_id: self.activity.workflow_id,
            activity_id: self.activity.activity_id,
            run_id: self.activity.run_id,
            identity: context.identity(),
            reason: self.reason,
            request_id: context.id(),
        };
        context.call(request).await?;
        Ok(())
    }
}

/// By how much a start is varied.
#[derive(Debug, Args)]
pub(crate) struct Jitter {
    /// Start at any time within this.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    jitter: Option<Length>,
}

impl Jitter {
    fn proto(&self) -> Option<Duration> {
        self.jitter.and_then(Length::proto)
    }
}

/// See `activity unpause`.
#[derive(Debug, Args)]
pub struct Unpause {
    #[command(flatten)]
    activities: OneOrMany,
    #[command(flatten)]
    jitter: Jitter,
}

impl Unpause {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let (jitter, reason) = (self.jitter.proto(), self.activities.target.reason.clone());
        let of_many = BatchOperationUnpauseActivities {
            identity: context.identity(),
            jitter,
            activity: Some(batch_operation_unpause_activities::Activity::MatchAll(true)),
            ..BatchOperationUnpauseActivities::default()
        };
        let of_one = |activity: One, context: &Context| UnpauseActivityExecutionRequest {
            namespace: context.namespace(),
            resource_id: activity.resource_id(),
            workflow_id: activity.workflow_id,
            activity_id: activity.activity_id,
            run_id: activity.run_id,
            identity: context.identity(),
            reason: reason.unwrap_or_default(),
            jitter,
            request_id: context.id(),
        };
        let of_many = Operation::UnpauseActivitiesOperation(of_many);
        self.activities.ask(context, of_one, of_many).await?;
        Ok(())
    }
}

/// See `activity reset`.
#[derive(Debug, Args)]
pub struct Reset {
    #[command(flatten)]
    activities: OneOrMany,
    #[command(flatten)]
    jitter: Jitter,
    /// Forget the details of heartbeats, too.
    #[arg(long, visible_alias = "reset-heartbeats")]
    clear_heartbeat_details: bool,
    /// Stay paused.
    #[arg(long)]
    keep_paused: bool,
    /// Take back the options with which it was scheduled.
    #[arg(long)]
    restore_original_options: bool,
}

impl Reset {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let (jitter, keep_paused) = (self.jitter.proto(), self.keep_paused);
        let reset_heartbeat = self.clear_heartbeat_details;
        let restore_original_options = self.restore_original_options;
        let of_many = BatchOperationResetActivities {
            identity: context.identity(),
            reset_heartbeat,
            keep_paused,
            jitter,
            restore_original_options,
            activity: Some(batch_operation_reset_activities::Activity::MatchAll(true)),
            ..BatchOperationResetActivities::default()
        };
        let of_one = |activity: One, context: &Context| ResetActivityExecutionRequest {
            namespace: context.namespace(),
            resource_id: activity.resource_id(),
            workflow_id: activity.workflow_id,
            activity_id: activity.activity_id,
            run_id: activity.run_id,
            identity: context.identity(),
            keep_paused,
            jitter,
            restore_original_options,
            request_id: context.id(),
            reset_heartbeat,
        };
        let of_many = Operation::ResetActivitiesOperation(of_many);
        match self.activities.ask(context, of_one, of_many).await? {
            Some(_) => context.output.value(&json!({ "keepPaused": keep_paused })),
            None => Ok(()),
        }
    }
}

/// See `activity update-options`.
#[derive(Debug, Args)]
pub struct UpdateOptions {
    #[command(flatten)]
    activities: OneOrMany,
    /// Task queue.
    #[arg(long, value_name = "NAME")]
    task_queue: Option<String>,
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
    /// How long a standalone activity waits before its first attempt.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    start_delay: Option<Length>,
    /// Pause before the second attempt.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    retry_initial_interval: Option<Length>,
    /// Longest pause between attempts.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    retry_maximum_interval: Option<Length>,
    /// By what each pause is longer than the one before.
    #[arg(long, value_name = "NUMBER")]
    retry_backoff_coefficient: Option<f64>,
    /// Most attempts.
    #[arg(long, value_name = "NUMBER")]
    retry_maximum_attempts: Option<i32>,
    /// Take back the options with which it was scheduled.
    #[arg(long)]
    restore_original_options: bool,
}

impl UpdateOptions {
    /// The options that change, and their paths.
    fn changes(&self) -> (ActivityOptions, FieldMask) {
        let mut paths = Vec::new();
        let mut changed = |is_given: bool, path: &str| {
            if is_given {
                paths.push(path.to_owned());
            }
        };
        let lengths = [
            (self.schedule_to_close_timeout, "schedule_to_close_timeout"),
            (self.schedule_to_start_timeout, "schedule_to_start_timeout"),
            (self.start_to_close_timeout, "start_to_close_timeout"),
            (self.heartbeat_timeout, "heartbeat_timeout"),
            (self.start_delay, "start_delay"),
            (self.retry_initial_interval, "retry_policy.initial_interval"),
            (self.retry_maximum_interval, "retry_policy.maximum_interval"),
        ];
        changed(self.task_queue.is_some(), "task_queue.name");
        for (length, path) in lengths {
            changed(length.is_some(), path);
        }
        let coefficient = self.retry_backoff_coefficient;
        changed(coefficient.is_some(), "retry_policy.backoff_coefficient");
        changed(self.retry_maximum_attempts.is_some(), "retry_policy.maximum_attempts");
        let retries = paths.iter().any(|path| path.starts_with("retry_policy."));
        let options = ActivityOptions {
            task_queue: self.task_queue.as_deref().map(task_queue),
            schedule_to_close_timeout: set(self.schedule_to_close_timeout),
            schedule_to_start_timeout: set(self.schedule_to_start_timeout),
            start_to_close_timeout: set(self.start_to_close_timeout),
            heartbeat_timeout: set(self.heartbeat_timeout),
            start_delay: set(self.start_delay),
            retry_policy: retries.then(|| RetryPolicy {
                initial_interval: set(self.retry_initial_interval),
                maximum_interval: set(self.retry_maximum_interval),
                backoff_coefficient: coefficient.unwrap_or_default(),
                maximum_attempts: self.retry_maximum_attempts.unwrap_or_default(),
                ..RetryPolicy::default()
            }),
            ..ActivityOptions::default()
        };
        (options, FieldMask { paths })
    }

    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let (options, mask) = self.changes();
        let of_workflows =
            self.activities.target.workflow_id.is_some() || self.activities.target.query.is_some();
        if self.start_delay.is_some() && of_workflows {
            return Err(Error::usage(
                "--start-delay is only supported for Standalone Activities, so it cannot be used \
                 with --workflow-id or --query",
            ));
        }
        let of_many = BatchOperationUpdateActivityOptions {
            identity: context.identity(),
            activity_options: Some(options.clone()),
            update_mask: Some(mask.clone()),
            restore_original: self.restore_original_options,
            activity: Some(batch_operation_update_activity_options::Activity::MatchAll(true)),
        };
        let of_one = |activity: One, context: &Context| UpdateActivityExecutionOptionsRequest {
            namespace: context.namespace(),
            resource_id: activity.resource_id(),
            workflow_id: activity.workflow_id,
            activity_id: activity.activity_id,
            run_id: activity.run_id,
            identity: context.identity(),
            activity_options: Some(options),
            update_mask: Some(mask),
            restore_original: self.restore_original_options,
            request_id: context.id(),
        };
        let of_many = Operation::UpdateActivityOptionsOperation(of_many);
        match self.activities.ask(context, of_one, of_many).await? {
            Some(answer) => print(context, &answer.activity_options.unwrap_or_default()),
            None => Ok(()),
        }
    }
}

/// A length that was given, be it nothing.
fn set(given: Option<Length>) -> Option<Duration> {
    given.map(|length| length.proto().unwrap_or_default())
}

/// Prints the options of an activity, under the names of the reference's answer.
fn print(context: &mut Context, options: &ActivityOptions) -> Result {
    let retry = options.retry_policy.clone().unwrap_or_default();
    context.output.value(&json!({
        "TaskQueue": options.task_queue.as_ref().map(|queue| &queue.name),
        "ScheduleToCloseTimeout": nanos(options.schedule_to_close_timeout.as_ref()),
        "ScheduleToStartTimeout": nanos(options.schedule_to_start_timeout.as_ref()),
        "StartToCloseTimeout": nanos(options.start_to_close_timeout.as_ref()),
        "HeartbeatTimeout": nanos(options.heartbeat_timeout.as_ref()),
        "StartDelay": nanos(options.start_delay.as_ref()),
        "InitialInterval": nanos(retry.initial_interval.as_ref()),
        "BackoffCoefficient": retry.backoff_coefficient,
        "MaximumInterval": nanos(retry.maximum_interval.as_ref()),
        "MaximumAttempts": retry.maximum_attempts,
    }))
}
