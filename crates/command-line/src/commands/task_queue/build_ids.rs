//! `task-queue get-build-ids`, `get-build-id-reachability` and `update-build-ids`: versions of
//! workers as sets of build ids that can stand in for each other. Deprecated.

use api::{
    enums::v1::TaskReachability,
    workflowservice::v1::{
        GetWorkerBuildIdCompatibilityRequest, GetWorkerTaskReachabilityRequest,
        UpdateWorkerBuildIdCompatibilityRequest,
        update_worker_build_id_compatibility_request::{AddNewCompatibleVersion, Operation},
    },
};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::warn;
use crate::{
    columns::{Column, plain},
    context::Context,
    error::Result,
    values::camel,
};

const SETS: &[Column] = &[
    plain("BuildIds", "/buildIds"),
    plain("DefaultForSet", "/defaultForSet"),
    plain("IsDefaultSet", "/isDefaultSet"),
];

/// See `task-queue get-build-ids`.
#[derive(Debug, Args)]
pub struct GetBuildIds {
    /// Task queue.
    #[arg(long, short = 't', value_name = "NAME")]
    task_queue: String,
    /// Most sets; 1 for the default one, 0 for all.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    max_sets: i32,
}

impl GetBuildIds {
    pub(super) async fn run(self, context: &mut Context) -> Result {
        warn(context)?;
        let request = GetWorkerBuildIdCompatibilityRequest {
            namespace: context.namespace(),
            task_queue: self.task_queue,
            max_sets: self.max_sets,
        };
        let sets = context.call(request).await?.major_version_sets;
        let last = sets.len();
        let rows = sets.iter().enumerate().map(|(index, set)| {
            json!({
                "buildIds": set.build_ids,
                "defaultForSet": set.build_ids.last().cloned().unwrap_or_default(),
                "isDefaultSet": index + 1 == last,
            })
        });
        let rows = rows.collect();
        context.output.heading("Version Sets:")?;
        print(context, SETS, rows)
    }
}

/// Prints rows; none at all are no list for programs.
fn print(context: &mut Context, columns: &[Column], rows: Vec<Value>) -> Result {
    if rows.is_empty() && context.output.is_data() {
        return context.output.data(&Value::Null);
    }
    context.output.table_of(columns, rows)
}

/// Which workflows a build id is reached by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReachedBy {
    Open,
    Closed,
    Existing,
}

const REACHABILITY: &[Column] = &[
    plain("BuildId", "/buildId"),
    plain("TaskQueue", "/taskQueue"),
    plain("Reachability", "/reachability"),
];

/// See `task-queue get-build-id-reachability`.
#[derive(Debug, Args)]
pub struct GetReachability {
    /// Build id. May be repeated.
    #[arg(long, value_name = "ID")]
    build_id: Vec<String>,
    /// By which workflows it is reached, beside new ones.
    #[arg(long, value_enum, value_name = "KIND", default_value = "existing")]
    reachability_type: ReachedBy,
    /// Only these task queues. May be repeated.
    #[arg(long, short = 't', value_name = "NAME")]
    task_queue: Vec<String>,
}

impl GetReachability {
    pub(super) async fn run(self, context: &mut Context) -> Result {
        warn(context)?;
        let reachability = match self.reachability_type {
            ReachedBy::Open => TaskReachability::OpenWorkflows,
            ReachedBy::Closed => TaskReachability::ClosedWorkflows,
            ReachedBy::Existing => TaskReachability::ExistingWorkflows,
        };
        let request = GetWorkerTaskReachabilityRequest {
            namespace: context.namespace(),
            build_ids: self.build_id,
            task_queues: self.task_queue,
            reachability: reachability.into(),
        };
        let answer = context.call(request).await?;
        let mut rows = Vec::new();
        for build_id in &answer.build_id_reachability {
            for queue in &build_id.task_queue_reachability {
                let reached: Vec<_> = queue.reachability.iter().map(|kind| name(*kind)).collect();
                rows.push(json!({
                    "buildId": build_id.build_id,
                    "taskQueue": queue.task_queue,
                    "reachability": reached,
                }));
            }
        }
        context.output.heading("Reachability:")?;
        print(context, REACHABILITY, rows)
    }
}

fn name(kind: i32) -> String {
    let known = TaskReachability::try_from(kind).unwrap_or_default().as_str_name();
    camel(known.strip_prefix("TASK_REACHABILITY_").unwrap_or(known))
}

/// Commands that change sets of build ids.
#[derive(Debug, Subcommand)]
pub enum UpdateBuildIds {
    /// Add a build id to the set of another.
    AddNewCompatible {
        #[command(flatten)]
        change: Change,
        /// A build id of the set.
        #[arg(long, value_name = "ID")]
        existing_compatible_build_id: String,
        /// Make the set the default one.
        #[arg(long)]
        set_as_default: bool,
    },
    /// Make a new set, which is the default one.
    AddNewDefault(Change),
    /// Make a build id the default one of its set.
    PromoteIdInSet(Change),
    /// Make the set of a build id the default one.
    PromoteSet(Change),
}

/// What is changed.
#[derive(Debug, Args)]
pub struct Change {
    /// Task queue.
    #[arg(long, short = 't', value_name = "NAME")]
    task_queue: String,
    /// Build id.
    #[arg(long, value_name = "ID")]
    build_id: String,
}

impl UpdateBuildIds {
    pub(super) async fn run(self, context: &mut Context) -> Result {
        warn(context)?;
        let (task_queue, operation) = match self {
            Self::AddNewCompatible { change, existing_compatible_build_id, set_as_default } => {
                let added = AddNewCompatibleVersion {
                    new_build_id: change.build_id,
                    existing_compatible_build_id,
                    make_set_default: set_as_default,
                };
                (change.task_queue, Operation::AddNewCompatibleBuildId(added))
            }
            Self::AddNewDefault(Change { task_queue, build_id }) => {
                (task_queue, Operation::AddNewBuildIdInNewDefaultSet(build_id))
            }
            Self::PromoteIdInSet(Change { task_queue, build_id }) => {
                (task_queue, Operation::PromoteBuildIdWithinSet(build_id))
            }
            Self::PromoteSet(Change { task_queue, build_id }) => {
                (task_queue, Operation::PromoteSetByBuildId(build_id))
            }
        };
        let request = UpdateWorkerBuildIdCompatibilityRequest {
            namespace: context.namespace(),
            task_queue,
            operation: Some(operation),
        };
        context.call(request).await?;
        context.output.line("Successfully updated task queue build IDs")
    }
}
