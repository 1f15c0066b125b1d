//! `task-queue`: who polls, what waits, and with which limits.

mod build_ids;
mod legacy;
mod versioning;

use api::{
    enums::v1::{DescribeTaskQueueMode, TaskQueueType},
    taskqueue::v1::{RateLimit, TaskQueueStats, TaskQueueVersionSelection},
    workflowservice::v1::{
        DescribeTaskQueueRequest, ListTaskQueuePartitionsRequest, UpdateTaskQueueConfigRequest,
        update_task_queue_config_request::RateLimitUpdate,
    },
};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use self::{
    build_ids::{GetBuildIds, GetReachability, UpdateBuildIds},
    legacy::Legacy,
    versioning::Versioning,
};
use super::{go, start_options::task_queue};
use crate::{
    columns::{Column, plain, time},
    context::Context,
    error::{Error, Result},
    values,
};

/// Commands about task queues.
#[derive(Debug, Subcommand)]
pub enum TaskQueueCommand {
    /// Show who polls and what waits.
    Describe(Describe),
    /// Rate limits and weights.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// List partitions.
    ListPartition(ListPartition),
    /// Show which build ids can stand in for each other. Deprecated.
    GetBuildIds(GetBuildIds),
    /// Show which build ids are still needed. Deprecated.
    GetBuildIdReachability(GetReachability),
    /// Change which build ids can stand in for each other. Deprecated.
    UpdateBuildIds {
        #[command(subcommand)]
        command: UpdateBuildIds,
    },
    /// Rules that give workflows to build ids. Deprecated.
    Versioning(Versioning),
}

/// Commands about a task queue's settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show the settings.
    Get(Get),
    /// Change the settings.
    Set(Set),
}

impl TaskQueueCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        match self {
            Self::Describe(command) => command.run(context).await,
            Self::Config { command: ConfigCommand::Get(command) } => command.run(context).await,
            Self::Config { command: ConfigCommand::Set(command) } => command.run(context).await,
            Self::ListPartition(command) => command.run(context).await,
            Self::GetBuildIds(command) => command.run(context).await,
            Self::GetBuildIdReachability(command) => command.run(context).await,
            Self::UpdateBuildIds { command } => command.run(context).await,
            Self::Versioning(command) => command.run(context).await,
        }
    }
}

/// Says that there is a newer way.
fn warn(context: &mut Context) -> Result {
    context.output.warning("versions of task queues are deprecated: use worker deployments")
}

/// What a task queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Workflow tasks.
    Workflow,
    /// Activity tasks.
    Activity,
    /// Nexus tasks.
    Nexus,
}

impl From<Kind> for TaskQueueType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Workflow => Self::Workflow,
            Kind::Activity => Self::Activity,
            Kind::Nexus => Self::Nexus,
        }
    }
}

fn name(kind: i32) -> &'static str {
    match TaskQueueType::try_from(kind) {
        Ok(TaskQueueType::Workflow) => "workflow",
        Ok(TaskQueueType::Activity) => "activity",
        Ok(TaskQueueType::Nexus) => "nexus",
        _ => "unspecified",
    }
}

/// See `task-queue describe`.
#[derive(Debug, Args)]
pub struct Describe {
    /// Task queue.
    #[arg(long, short = 't', value_name = "NAME")]
    task_queue: String,
    /// What it holds; workflow and activity tasks when missing. May be repeated.
    #[arg(long, value_enum)]
    task_queue_type: Vec<Kind>,
    /// Only these versions of workers. May be repeated.
    #[arg(long, value_name = "ID")]
    select_build_id: Vec<String>,
    /// Workers without a version, too.
    #[arg(long)]
    select_unversioned: bool,
    /// All versions with recent tasks or polls.
    #[arg(long)]
    select_all_active: bool,
    /// Say which versions can still get tasks.
    #[arg(long)]
    report_reachability: bool,
    /// Say nothing about what waits.
    #[arg(long)]
    disable_stats: bool,
    #[command(flatten)]
    legacy: Legacy,
}

const STATS: &[Column] = &[
    plain("BuildID", "/buildId"),
    plain("TaskQueueType", "/taskQueueType"),
    plain("ApproximateBacklogCount", "/approximateBacklogCount"),
    plain("ApproximateBacklogAge", "/approximateBacklogAge"),
    plain("BacklogIncreaseRate", "/backlogIncreaseRate"),
    plain("TasksAddRate", "/tasksAddRate"),
    plain("TasksDispatchRate", "/tasksDispatchRate"),
];

const POLLERS: &[Column] = &[
    plain("BuildID", "/buildId"),
    plain("TaskQueueType", "/taskQueueType"),
    plain("Identity", "/identity"),
    time("LastAccessTime", "/lastAccessTime"),
    plain("RatePerSecond", "/ratePerSecond"),
];

const REACHABILITY: &[Column] =
    &[plain("BuildID", "/buildId"), plain("Reachability", "/reachability")];

impl Describe {
    async fn run(self, context: &mut Context) -> Result {
        if self.legacy.legacy_mode {
            return self.legacy.run(context, &self.task_queue).await;
        }
        let kinds = self.task_queue_type.iter();
        let kinds = kinds.map(|kind| TaskQueueType::from(*kind).into()).collect();
        let selected =
            !self.select_build_id.is_empty() || self.select_unversioned || self.select_all_active;
        let request = DescribeTaskQueueRequest {
            namespace: context.namespace(),
            task_queue: Some(task_queue(&self.task_queue)),
            api_mode: DescribeTaskQueueMode::Enhanced.into(),
            versions: selected.then(|| TaskQueueVersionSelection {
                build_ids: self.select_build_id.clone(),
                unversioned: self.select_unversioned,
                all_active: self.select_all_active,
            }),
            task_queue_types: kinds,
            report_pollers: true,
            report_stats: !self.disable_stats,
            report_task_reachability: self.report_reachability,
            ..DescribeTaskQueueRequest::default()
        };
        let answer = context.call(request).await?;
        let (mut stats, mut pollers, mut reachability) = (Vec::new(), Vec::new(), Vec::new());
        for (build_id, version) in &answer.versions_info {
            let build_id = if build_id.is_empty() { "UNVERSIONED" } else { build_id };
            let reachable = match version.task_reachability {
                1 => "reachable",
                2 => "closedWorkflowsOnly",
                3 => "unreachable",
                _ => "unspecified",
            };
            reachability.push(json!({ "buildId": build_id, "reachability": reachable }));
            for (kind, info) in &version.types_info {
                let kind = name(*kind);
                if !self.disable_stats {
                    stats.push(stats_row(build_id, kind, info.stats.as_ref()));
                }
                for poller in &info.pollers {
                    pollers.push(json!({
                        "buildId": build_id,
                        "taskQueueType": kind,
                        "identity": poller.identity,
                        "lastAccessTime": go::time(poller.last_access_time.as_ref()),
                        "ratePerSecond": go::number(poller.rate_per_second),
                    }));
                }
            }
        }
        if context.output.is_data() {
            let list = |rows: Vec<Value>| if rows.is_empty() { Value::Null } else { rows.into() };
            let reachability = if self.report_reachability { reachability } else { Vec::new() };
            return context.output.data(&json!({
                "reachability": list(reachability),
                "pollers": list(pollers),
                "stats": list(stats),
            }));
        }
        if self.report_reachability {
            context.output.heading("Task Reachability:")?;
            context.output.list(REACHABILITY, &reachability)?;
        }
        if !self.disable_stats {
            context.output.heading("Task Queue Statistics:")?;
            context.output.list(STATS, &stats)?;
        }
        context.output.heading("Pollers:")?;
        context.output.list(POLLERS, &pollers)
    }
}

fn stats_row(build_id: &str, kind: &str, stats: Option<&TaskQueueStats>) -> Value {
    let none = TaskQueueStats::default();
    let known = stats.unwrap_or(&none);
    let age = known.approximate_backlog_age.as_ref();
    json!({
        "buildId": build_id,
        "taskQueueType": kind,
        "approximateBacklogCount": known.approximate_backlog_count,
        "approximateBacklogAge": if stats.is_some() { go::spaced_length(age) } else { String::new() },
        "backlogIncreaseRate": go::number(f64::from(known.tasks_add_rate - known.tasks_dispatch_rate)),
        "tasksAddRate": go::number(f64::from(known.tasks_add_rate)),
        "tasksDispatchRate": go::number(f64::from(known.tasks_dispatch_rate)),
    })
}

/// A task queue of one kind.
#[derive(Debug, Args)]
struct One {
    /// Task queue.
    #[arg(long, short = 't', value_name = "NAME")]
    task_queue: String,
    /// What it holds.
    #[arg(long, value_enum)]
    task_queue_type: Kind,
}

impl One {
    fn request(&self, context: &Context) -> DescribeTaskQueueRequest {
        DescribeTaskQueueRequest {
            namespace: context.namespace(),
            task_queue: Some(task_queue(&self.task_queue)),
            task_queue_type: TaskQueueType::from(self.task_queue_type).into(),
            report_config: true,
            ..DescribeTaskQueueRequest::default()
        }
    }
}

/// See `task-queue config get`.
#[derive(Debug, Args)]
pub struct Get {
    #[command(flatten)]
    queue: One,
}

impl Get {
    async fn run(self, context: &mut Context) -> Result {
        let answer = context.call(self.queue.request(context)).await?;
        let Some(config) = answer.config else {
            return context.output.line("No configuration found for task queue");
        };
        let value = context.json(&config)?;
        if context.output.is_data() {
            return context.output.data(&value);
        }
        super::leaves::print(context, &value, "  ")
    }
}

/// A limit, or the end of one.
#[derive(Debug, Clone, Copy)]
struct Limit(Option<f32>);

fn limit(text: &str) -> std::result::Result<Limit, String> {
    if text.eq_ignore_ascii_case("default") {
        return Ok(Limit(None));
    }
    match text.parse::<f32>() {
        Ok(limit) if limit >= 0.0 => Ok(Limit(Some(limit))),
        _ => Err("must be a non-negative number or 'default'".to_owned()),
    }
}

/// See `task-queue config set`.
#[derive(Debug, Args)]
pub struct Set {
    #[command(flatten)]
    queue: One,
    /// Most tasks a second, or `default`.
    #[arg(long, value_name = "NUMBER", value_parser = limit)]
    queue_rps_limit: Option<Limit>,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    queue_rps_limit_reason: String,
    /// Most tasks a second of a fairness key, or `default`.
    #[arg(long, value_name = "NUMBER", value_parser = limit)]
    fairness_key_rps_limit_default: Option<Limit>,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    fairness_key_rps_limit_reason: String,
    /// The weight of a fairness key, or `default`. May be repeated.
    #[arg(long, value_name = "KEY=NUMBER", value_parser = values::pair)]
    fairness_key_weight: Vec<(String, String)>,
    /// Take back all weights.
    #[arg(long, conflicts_with = "fairness_key_weight")]
    fairness_key_weight_clear_all: bool,
}

impl Set {
    async fn run(self, context: &mut Context) -> Result {
        let nothing = self.queue_rps_limit.is_none()
            && self.fairness_key_rps_limit_default.is_none()
            && self.fairness_key_weight.is_empty()
            && !self.fairness_key_weight_clear_all;
        if nothing {
            return Err(Error::usage(
                "at least one configuration update must be specified (use --help to see available \
                 options)",
            ));
        }
        for limit in [self.queue_rps_limit, self.fairness_key_rps_limit_default] {
            if matches!(limit, Some(Limit(Some(0.0)))) {
                context.output.warning("a limit of 0 stops all tasks of this queue")?;
            }
        }
        let mut request = UpdateTaskQueueConfigRequest {
            namespace: context.namespace(),
            identity: context.identity(),
            task_queue: self.queue.task_queue.clone(),
            task_queue_type: TaskQueueType::from(self.queue.task_queue_type).into(),
            update_queue_rate_limit: update(self.queue_rps_limit, &self.queue_rps_limit_reason),
            update_fairness_key_rate_limit_default: update(
                self.fairness_key_rps_limit_default,
                &self.fairness_key_rps_limit_reason,
            ),
            ..UpdateTaskQueueConfigRequest::default()
        };
        for (key, weight) in self.fairness_key_weight {
            if weight.eq_ignore_ascii_case("default") {
                request.unset_fairness_weight_overrides.push(key);
                continue;
            }
            let wrong = || Error::usage(format!("weight for key `{key}` must be positive"));
            let weight: f32 = weight.parse().map_err(|_| wrong())?;
            if weight <= 0.0 {
                return Err(wrong());
            }
            request.set_fairness_weight_overrides.insert(key, weight);
        }
        if self.fairness_key_weight_clear_all {
            let known = context.call(self.queue.request(context)).await?.config;
            let known = known.unwrap_or_default().fairness_weight_overrides;
            request.unset_fairness_weight_overrides = known.into_keys().collect();
        }
        let answer = context.call(request).await?;
        context.output.line("Successfully updated task queue configuration")?;
        let value = context.json(&answer)?;
        context.output.value(&value)
    }
}

fn update(limit: Option<Limit>, reason: &str) -> Option<RateLimitUpdate> {
    let Limit(limit) = limit?;
    Some(RateLimitUpdate {
        rate_limit: limit.map(|requests_per_second| RateLimit { requests_per_second }),
        reason: reason.to_owned(),
    })
}

/// See `task-queue list-partition`.
#[derive(Debug, Args)]
pub struct ListPartition {
    /// Task queue.
    #[arg(long, short = 't', value_name = "NAME")]
    task_queue: String,
}

const PARTITIONS: &[Column] = &[plain("Key", "/key"), plain("OwnerHostName", "/ownerHostName")];

impl ListPartition {
    async fn run(self, context: &mut Context) -> Result {
        let request = ListTaskQueuePartitionsRequest {
            namespace: context.namespace(),
            task_queue: Some(task_queue(&self.task_queue)),
        };
        let answer = context.call(request).await?;
        let value = context.json(&answer)?;
        if context.output.is_data() {
            return context.output.data(&value);
        }
        for (heading, field) in [
            ("Workflow Task Queue Partitions", "workflowTaskQueuePartitions"),
            ("Activity Task Queue Partitions", "activityTaskQueuePartitions"),
        ] {
            context.output.heading(heading)?;
            let rows = crate::context::rows(value.clone(), field);
            context.output.list(PARTITIONS, &rows)?;
        }
        Ok(())
    }
}
