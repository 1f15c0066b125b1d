//! `task-queue versioning`: rules that assign and redirect workflows to versions of workers.
//! Deprecated.

use api::{
    taskqueue::v1::{
        BuildIdAssignmentRule, CompatibleBuildIdRedirectRule, RampByPercentage,
        TimestampedBuildIdAssignmentRule, TimestampedCompatibleBuildIdRedirectRule,
        build_id_assignment_rule::Ramp,
    },
    workflowservice::v1::{
        GetWorkerVersioningRulesRequest, GetWorkerVersioningRulesResponse,
        UpdateWorkerVersioningRulesRequest,
        update_worker_versioning_rules_request::{
            AddCompatibleBuildIdRedirectRule, CommitBuildId, DeleteBuildIdAssignmentRule,
            DeleteCompatibleBuildIdRedirectRule, InsertBuildIdAssignmentRule, Operation,
            ReplaceBuildIdAssignmentRule, ReplaceCompatibleBuildIdRedirectRule,
        },
    },
};
use bytes::Bytes;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::warn;
use crate::{
    columns::{Column, plain, time},
    commands::go,
    context::Context,
    error::{Error, Result},
};

/// The share of a version that gets everything.
const WHOLE: f32 = 100.0;

/// See `task-queue versioning`.
#[derive(Debug, Args)]
pub struct Versioning {
    /// Task queue.
    #[arg(long, short = 't', value_name = "NAME", global = true)]
    task_queue: Option<String>,
    #[command(subcommand)]
    command: RuleCommand,
}

/// Commands about rules.
#[derive(Debug, Subcommand)]
enum RuleCommand {
    /// Show the rules.
    GetRules,
    /// Add a rule that sends workflows from a build id to another.
    AddRedirectRule(Redirect),
    /// Change where workflows are sent from a build id.
    ReplaceRedirectRule(Redirect),
    /// Remove the rule that sends workflows from a build id to another.
    DeleteRedirectRule {
        /// Where from.
        #[arg(long, value_name = "ID")]
        source_build_id: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Add a rule that gives new workflows to a build id.
    InsertAssignmentRule {
        #[command(flatten)]
        assignment: Assignment,
        /// Before which rule; 0 is the first.
        #[arg(
            long,
            short = 'i',
            value_name = "NUMBER",
            default_value_t = 0,
            hide_default_value = true
        )]
        rule_index: i32,
    },
    /// Change the rule that gives new workflows to a build id.
    ReplaceAssignmentRule {
        #[command(flatten)]
        assignment: Assignment,
        /// Which rule; 0 is the first.
        #[arg(long, short = 'i', value_name = "NUMBER")]
        rule_index: i32,
        /// Even if no rule is left that gives out everything.
        #[arg(long)]
        force: bool,
    },
    /// Remove a rule that gives new workflows to a build id.
    DeleteAssignmentRule {
        /// Which rule; 0 is the first.
        #[arg(long, short = 'i', value_name = "NUMBER")]
        rule_index: i32,
        /// Even if no rule is left that gives out everything.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        ask: Ask,
    },
    /// Give all new workflows to a build id.
    CommitBuildId {
        /// Build id.
        #[arg(long, value_name = "ID")]
        build_id: String,
        /// Even if nobody polled for it of late.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        ask: Ask,
    },
}

/// Whether the command asks first.
#[derive(Debug, Clone, Copy, Args)]
struct Ask {
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
}

/// A rule that sends workflows to another build id.
#[derive(Debug, Args)]
struct Redirect {
    /// Where from.
    #[arg(long, value_name = "ID")]
    source_build_id: String,
    /// Where to.
    #[arg(long, value_name = "ID")]
    target_build_id: String,
    #[command(flatten)]
    ask: Ask,
}

impl Redirect {
    fn rule(&self) -> Option<CompatibleBuildIdRedirectRule> {
        Some(CompatibleBuildIdRedirectRule {
            source_build_id: self.source_build_id.clone(),
            target_build_id: self.target_build_id.clone(),
        })
    }
}

/// A rule that gives new workflows to a build id.
#[derive(Debug, Args)]
struct Assignment {
    /// Build id.
    #[arg(long, value_name = "ID")]
    build_id: String,
    /// How many of a hundred.
    #[arg(long, value_name = "NUMBER", default_value_t = WHOLE)]
    percentage: f32,
    #[command(flatten)]
    ask: Ask,
}

impl Assignment {
    fn rule(&self) -> Option<BuildIdAssignmentRule> {
        let ramp = RampByPercentage { ramp_percentage: self.percentage };
        Some(BuildIdAssignmentRule {
            target_build_id: self.build_id.clone(),
            ramp: (self.percentage < WHOLE).then_some(Ramp::PercentageRamp(ramp)),
        })
    }
}

/// A change, and how it is asked about.
struct Change {
    what: &'static str,
    of_assignments: bool,
    yes: bool,
    operation: Operation,
}

impl RuleCommand {
    /// The change; none for a command that only shows.
    fn change(self) -> Option<Change> {
        let of = |what, of_assignments, ask: Ask, operation| {
            Some(Change { what, of_assignments, yes: ask.yes, operation })
        };
        match self {
            Self::GetRules => None,
            Self::AddRedirectRule(redirect) => {
                let added = AddCompatibleBuildIdRedirectRule { rule: redirect.rule() };
                let operation = Operation::AddCompatibleRedirectRule(added);
                of("adding a redirect rule", false, redirect.ask, operation)
            }
            Self::ReplaceRedirectRule(redirect) => {
                let replaced = ReplaceCompatibleBuildIdRedirectRule { rule: redirect.rule() };
                let operation = Operation::ReplaceCompatibleRedirectRule(replaced);
                of("replacing a redirect rule", false, redirect.ask, operation)
            }
            Self::DeleteRedirectRule { source_build_id, ask } => {
                let deleted = DeleteCompatibleBuildIdRedirectRule { source_build_id };
                let operation = Operation::DeleteCompatibleRedirectRule(deleted);
                of("deleting a redirect rule", false, ask, operation)
            }
            Self::InsertAssignmentRule { assignment, rule_index } => {
                let rule = assignment.rule();
                let operation = Operation::InsertAssignmentRule(InsertBuildIdAssignmentRule {
                    rule_index,
                    rule,
                });
                of("inserting an assignment rule", true, assignment.ask, operation)
            }
            Self::ReplaceAssignmentRule { assignment, rule_index, force } => {
                let rule = assignment.rule();
                let replaced = ReplaceBuildIdAssignmentRule { rule_index, rule, force };
                let operation = Operation::ReplaceAssignmentRule(replaced);
                of("replacing an assignment rule", true, assignment.ask, operation)
            }
            Self::DeleteAssignmentRule { rule_index, force, ask } => {
                let deleted = DeleteBuildIdAssignmentRule { rule_index, force };
                let operation = Operation::DeleteAssignmentRule(deleted);
                of("deleting an assignment rule", true, ask, operation)
            }
            Self::CommitBuildId { build_id, force, ask } => {
                let committed = CommitBuildId { target_build_id: build_id, force };
                of("committing a Build ID", true, ask, Operation::CommitBuildId(committed))
            }
        }
    }
}

const ASSIGNMENTS: &[Column] = &[
    plain("Index", "/index"),
    plain("TargetBuildID", "/targetBuildID"),
    plain("RampPercentage", "/rampPercentage"),
    time("CreateTime", "/createTime"),
];

const REDIRECTS: &[Column] = &[
    plain("SourceBuildID", "/sourceBuildID"),
    plain("TargetBuildID", "/targetBuildID"),
    time("CreateTime", "/createTime"),
];

impl Versioning {
    pub(super) async fn run(self, context: &mut Context) -> Result {
        warn(context)?;
        let task_queue = self.task_queue.ok_or_else(|| Error::usage("--task-queue is required"))?;
        let request = GetWorkerVersioningRulesRequest {
            namespace: context.namespace(),
            task_queue: task_queue.clone(),
        };
        let rules = context.call(request).await?;
        let Some(change) = self.command.change() else {
            return print(context, &rules.assignment_rules, &rules.compatible_redirect_rules);
        };
        confirm(context, &change, &rules)?;
        update(context, task_queue, rules.conflict_token, change.operation).await
    }
}

/// Shows what a change is about, and asks.
fn confirm(
    context: &mut Context,
    change: &Change,
    rules: &GetWorkerVersioningRulesResponse,
) -> Result {
    if change.yes {
        return Ok(());
    }
    if change.of_assignments {
        context.output.heading("Current Assignment Rules:")?;
        context.output.list(ASSIGNMENTS, &assignments(&rules.assignment_rules, true))?;
    } else {
        context.output.heading("Current Redirect Rules:")?;
        context.output.list(REDIRECTS, &redirects(&rules.compatible_redirect_rules))?;
    }
    let question = format!("Continue with rules update {}? y/N", change.what);
    context.output.confirm(&question, false)
}

async fn update(
    context: &mut Context,
    task_queue: String,
    conflict_token: Bytes,
    operation: Operation,
) -> Result {
    let request = UpdateWorkerVersioningRulesRequest {
        namespace: context.namespace(),
        task_queue,
        conflict_token,
        operation: Some(operation),
    };
    let rules = context.call(request).await?;
    print(context, &rules.assignment_rules, &rules.compatible_redirect_rules)?;
    context.output.line("Successfully updated task queue build ID rules")
}

fn print(
    context: &mut Context,
    assigned: &[TimestampedBuildIdAssignmentRule],
    redirected: &[TimestampedCompatibleBuildIdRedirectRule],
) -> Result {
    if context.output.is_data() {
        let list = |rows: Vec<Value>| if rows.is_empty() { Value::Null } else { rows.into() };
        return context.output.data(&json!({
            "assignmentRules": list(assignments(assigned, false)),
            "redirectRules": list(redirects(redirected)),
        }));
    }
    context.output.heading("Assignment Rules:")?;
    context.output.list(ASSIGNMENTS, &assignments(assigned, true))?;
    context.output.line("")?;
    context.output.heading("Redirection Rules:")?;
    context.output.list(REDIRECTS, &redirects(redirected))
}

fn assignments(rules: &[TimestampedBuildIdAssignmentRule], with_index: bool) -> Vec<Value> {
    let row = |(index, timed): (usize, &TimestampedBuildIdAssignmentRule)| {
        let rule = timed.rule.clone().unwrap_or_default();
        let share = match rule.ramp {
            Some(Ramp::PercentageRamp(ramp)) => ramp.ramp_percentage,
            None => WHOLE,
        };
        let mut row = json!({
            "targetBuildID": rule.target_build_id,
            "rampPercentage": go::half(share),
            "createTime": go::time(timed.create_time.as_ref()),
        });
        if let (true, Value::Object(row)) = (with_index, &mut row) {
            row.insert("index".to_owned(), index.into());
        }
        row
    };
    rules.iter().enumerate().map(row).collect()
}

fn redirects(rules: &[TimestampedCompatibleBuildIdRedirectRule]) -> Vec<Value> {
    let row = |timed: &TimestampedCompatibleBuildIdRedirectRule| {
        let rule = timed.rule.clone().unwrap_or_default();
        json!({
            "sourceBuildID": rule.source_build_id,
            "targetBuildID": rule.target_build_id,
            "createTime": go::time(timed.create_time.as_ref()),
        })
    };
    rules.iter().map(row).collect()
}
