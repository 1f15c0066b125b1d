//! `task-queue describe --legacy-mode`: what servers said before they knew versions of workers.

use api::{
    deployment::v1::WorkerDeploymentVersion,
    enums::v1::TaskQueueType,
    taskqueue::v1::{PollerInfo, TaskQueueStatus, TaskQueueVersioningInfo},
    workflowservice::v1::DescribeTaskQueueRequest,
};
use clap::{Args, ValueEnum};
use prost_types::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    columns::{Column, plain},
    commands::{go, start_options::task_queue},
    context::Context,
    error::Result,
};

/// Most partitions that are asked.
const PARTITIONS_MAX: u32 = 1_000;

/// The older way to describe a task queue.
#[derive(Debug, Clone, Args)]
pub(super) struct Legacy {
    /// Show only who polls, as old servers do.
    #[arg(long)]
    pub(super) legacy_mode: bool,
    /// With `--legacy-mode`: what the queue holds.
    #[arg(long, value_enum, value_name = "TYPE", default_value = "workflow")]
    task_queue_type_legacy: LegacyKind,
    /// With `--legacy-mode`: how many partitions are asked.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    partitions_legacy: u32,
    /// With `--legacy-mode`: show rate limits and weights, too.
    #[arg(long)]
    report_config: bool,
}

/// What a task queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LegacyKind {
    Workflow,
    Activity,
}

const STATUSES: &[Column] = &[
    plain("Partition", "/partition"),
    plain("RatePerSecond", "/rate_per_second"),
    plain("BacklogCountHint", "/backlog_count_hint"),
    plain("ReadLevel", "/read_level"),
    plain("AckLevel", "/ack_level"),
];

const POLLERS: &[Column] = &[
    plain("Partition", "/partition"),
    plain("Identity", "/identity"),
    plain("RatePerSecond", "/rate_per_second"),
];

impl Legacy {
    pub(super) async fn run(&self, context: &mut Context, queue: &str) -> Result {
        let kind = match self.task_queue_type_legacy {
            LegacyKind::Workflow => TaskQueueType::Workflow,
            LegacyKind::Activity => TaskQueueType::Activity,
        };
        let (mut statuses, mut pollers, mut root) = (Vec::new(), Vec::new(), None);
        for partition in 0..self.partitions_legacy.min(PARTITIONS_MAX) {
            let name = match partition {
                0 => queue.to_owned(),
                other => format!("/_sys/{queue}/{other}"),
            };
            let request = DescribeTaskQueueRequest {
                namespace: context.namespace(),
                task_queue: Some(task_queue(&name)),
                task_queue_type: kind.into(),
                include_task_queue_status: true,
                report_config: self.report_config,
                ..DescribeTaskQueueRequest::default()
            };
            let answer = context.call(request).await?;
            let status = answer.task_queue_status.unwrap_or_default();
            statuses.push(status_row(partition, &status));
            pollers.extend(answer.pollers.iter().map(|poller| poller_row(partition, poller)));
            root.get_or_insert(answer);
        }
        let root = root.unwrap_or_default();
        let mut object = Map::new();
        let list = |rows: Vec<Value>| if rows.is_empty() { Value::Null } else { rows.into() };
        if let Some(config) = root.config.filter(|_| self.report_config) {
            object.insert("config".to_owned(), context.json(&config)?);
        }
        if context.output.is_data() {
            if let Some(info) = &root.versioning_info {
                object.insert("versioning_info".to_owned(), versioning_row(info));
            }
            object.insert("taskQueues".to_owned(), list(statuses));
            object.insert("pollers".to_owned(), list(pollers));
            return context.output.data(&Value::Object(object));
        }
        context.output.heading("Pollers:")?;
        context.output.list(POLLERS, &pollers)?;
        context.output.heading("Task Queue Status:")?;
        context.output.list(STATUSES, &statuses)?;
        match object.get("config") {
            Some(config) => {
                context.output.heading("Task Queue Configuration:")?;
                context.output.fields(config)
            }
            None => Ok(()),
        }
    }
}

/// An object without what says nothing, as Go writes it.
fn known<const COUNT: usize>(fields: [(&str, Value); COUNT]) -> Map<String, Value> {
    let said = |value: &Value| *value != json!(0) && *value != json!("") && !value.is_null();
    let fields = fields.into_iter().filter(|(_, value)| said(value));
    fields.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What a partition says.
fn of_partition<const COUNT: usize>(partition: u32, fields: [(&str, Value); COUNT]) -> Value {
    let mut row = known(fields);
    row.insert("partition".to_owned(), json!(partition));
    row.into()
}

fn go_time(time: Option<&Timestamp>) -> Value {
    let time =
        time.map(|time| known([("seconds", json!(time.seconds)), ("nanos", json!(time.nanos))]));
    time.map_or(Value::Null, Value::Object)
}

fn versioning_row(info: &TaskQueueVersioningInfo) -> Value {
    let version = |version: Option<&WorkerDeploymentVersion>| {
        let version = version.map(|version| {
            known([
                ("build_id", json!(version.build_id)),
                ("deployment_name", json!(version.deployment_name)),
            ])
        });
        version.map_or(Value::Null, Value::Object)
    };
    let row = known([
        ("current_deployment_version", version(info.current_deployment_version.as_ref())),
        ("current_version", json!(info.current_version)),
        ("ramping_deployment_version", version(info.ramping_deployment_version.as_ref())),
        ("ramping_version", json!(info.ramping_version)),
        ("ramping_version_percentage", go::half(info.ramping_version_percentage)),
        ("update_time", go_time(info.update_time.as_ref())),
    ]);
    row.into()
}

fn status_row(partition: u32, status: &TaskQueueStatus) -> Value {
    let block = status.task_id_block.as_ref();
    let block = block
        .map(|block| known([("start_id", json!(block.start_id)), ("end_id", json!(block.end_id))]));
    let fields = [
        ("backlog_count_hint", json!(status.backlog_count_hint)),
        ("read_level", json!(status.read_level)),
        ("ack_level", json!(status.ack_level)),
        ("rate_per_second", go::number(status.rate_per_second)),
        ("task_id_block", block.map_or(Value::Null, Value::Object)),
    ];
    of_partition(partition, fields)
}

fn poller_row(partition: u32, poller: &PollerInfo) -> Value {
    let fields = [
        ("last_access_time", go_time(poller.last_access_time.as_ref())),
        ("identity", json!(poller.identity)),
        ("rate_per_second", go::number(poller.rate_per_second)),
    ];
    of_partition(partition, fields)
}
