//! `workflow reset`.

use api::{
    batch::v1::BatchOperationReset,
    common::v1::{ResetOptions, WorkflowExecution, reset_options::Target},
    enums::v1::{EventType, ResetReapplyExcludeType, ResetReapplyType},
    history::v1::history_event::Attributes,
    workflow::v1::{PostResetOperation, post_reset_operation},
    workflowservice::v1::{
        ResetWorkflowExecutionRequest, StartBatchOperationRequest,
        start_batch_operation_request::Operation,
    },
};
use clap::{Args, Subcommand, ValueEnum};

use super::{
    history::{Direction, HistoryReader},
    options::{VersioningOverride, update_mask},
};
use crate::{
    commands::target::{self, Batch, Waiting},
    context::Context,
    error::{Error, Result},
    values,
};

values::enumeration!(exclude_type, ResetReapplyExcludeType, "RESET_REAPPLY_EXCLUDE_TYPE_");
values::enumeration!(reapply_type, ResetReapplyType, "RESET_REAPPLY_TYPE_");

/// To where a run is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub(crate) enum ResetType {
    FirstWorkflowTask,
    LastWorkflowTask,
    LastContinuedAsNew,
    BuildId,
}

/// See `workflow reset`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = false)]
pub struct Reset {
    /// Workflow id.
    #[arg(long, short = 'w', value_name = "ID", global = true)]
    workflow_id: Option<String>,
    /// Run id; the latest run when missing.
    #[arg(long, short = 'r', value_name = "ID", global = true)]
    run_id: Option<String>,
    /// Event of a workflow task to go back to.
    #[arg(long, short = 'e', value_name = "NUMBER", global = true)]
    event_id: Option<i64>,
    /// Why.
    #[arg(long, value_name = "TEXT", global = true)]
    reason: Option<String>,
    /// What happened since the point and is done again: None or Signal.
    #[arg(long, value_name = "TYPE", value_parser = reapply_type, hide = true, global = true)]
    reapply_type: Option<i32>,
    /// What happened since the point and is not done again: All, Signal, Update. May be repeated.
    #[arg(long, value_name = "TYPE", value_delimiter = ',', global = true)]
    reapply_exclude: Vec<String>,
    /// The point to go back to.
    #[arg(long = "type", short = 't', value_enum, ignore_case = true, global = true)]
    reset_type: Option<ResetType>,
    /// Build id, for `--type BuildId`.
    #[arg(long, value_name = "ID", global = true)]
    build_id: Option<String>,
    /// Reset, in a batch operation, all workflows that this list filter finds.
    #[arg(long, short = 'q', value_name = "QUERY", global = true)]
    query: Option<String>,
    /// Do not ask.
    #[arg(long, short = 'y', global = true)]
    yes: bool,
    /// Wait until the batch operation is over.
    #[arg(long, global = true)]
    wait: bool,
    #[command(subcommand)]
    command: Option<ResetCommand>,
}

/// What else a reset does.
#[derive(Debug, Subcommand)]
pub(crate) enum ResetCommand {
    /// Reset, and change the options of the new run.
    WithWorkflowUpdateOptions(VersioningOverride),
}

impl Reset {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let operations = match &self.command {
            None => Vec::new(),
            Some(ResetCommand::WithWorkflowUpdateOptions(options)) => {
                let variant = post_reset_operation::Variant::UpdateWorkflowOptions(
                    post_reset_operation::UpdateWorkflowOptions {
                        workflow_execution_options: Some(options.execution_options()?),
                        update_mask: Some(update_mask()),
                    },
                );
                vec![PostResetOperation { variant: Some(variant) }]
            }
        };
        if self.reason.is_none() {
            return Err(Error::usage("--reason is required"));
        }
        match &self.workflow_id {
            Some(workflow_id) => self.one(context, workflow_id.clone(), operations).await,
            None => self.many(context, operations).await,
        }
    }

    /// What is done again, and what not.
    fn reapply(&self) -> Result<(i32, Vec<i32>)> {
        if let Some(kind) = self.reapply_type {
            if !self.reapply_exclude.is_empty() {
                return Err(Error::usage(
                    "--reapply-type cannot be used with --reapply-exclude. Use --reapply-exclude",
                ));
            }
            return Ok((kind, Vec::new()));
        }
        let mut excluded = Vec::new();
        for name in &self.reapply_exclude {
            if name.eq_ignore_ascii_case("all") {
                excluded =
                    (1..16).filter(|it| ResetReapplyExcludeType::try_from(*it).is_ok()).collect();
                break;
            }
            excluded.push(exclude_type(name).map_err(Error::Usage)?);
        }
        Ok((ResetReapplyType::AllEligible.into(), excluded))
    }

    async fn one(
        &self,
        context: &mut Context,
        workflow_id: String,
        operations: Vec<PostResetOperation>,
    ) -> Result {
        let run_id = self.run_id.clone().unwrap_or_default();
        let execution = WorkflowExecution { workflow_id, run_id };
        let (execution, event_id) = match (self.reset_type, self.event_id) {
            (Some(kind), _) => point(context, execution, kind).await?,
            (None, Some(event_id)) if event_id > 0 => (execution, event_id),
            _ => return Err(Error::usage("must specify either valid event id or reset type")),
        };
        let (reset_reapply_type, reset_reapply_exclude_types) = self.reapply()?;
        let workflow_id = &execution.workflow_id;
        context.output.line(&format!("Resetting workflow {workflow_id} to event ID {event_id}"))?;
        let reason = self.reason.as_deref().unwrap_or_default();
        let request = ResetWorkflowExecutionRequest {
            namespace: context.namespace(),
            workflow_execution: Some(execution),
            reason: format!("{}: {reason}", context.around.user()),
            workflow_task_finish_event_id: event_id,
            request_id: context.id(),
            reset_reapply_type,
            reset_reapply_exclude_types,
            post_reset_operations: operations,
            identity: context.identity(),
        };
        let answer = context.call(request).await?;
        let value = context.json(&answer)?;
        context.output.data(&value)
    }

    async fn many(&self, context: &mut Context, operations: Vec<PostResetOperation>) -> Result {
        let wrong = |text: &str| Err(Error::usage(text));
        let Some(kind) = self.reset_type else { return wrong("must specify reset type") };
        if self.run_id.is_some() {
            return wrong("must not specify run Id");
        }
        if self.event_id.is_some() {
            return wrong("must not specify event Id");
        }
        let target = match (kind, &self.build_id) {
            (ResetType::FirstWorkflowTask, _) => Target::FirstWorkflowTask(()),
            (ResetType::LastWorkflowTask, _) => Target::LastWorkflowTask(()),
            (ResetType::BuildId, Some(build_id)) => Target::BuildId(build_id.clone()),
            (ResetType::BuildId, None) => {
                return wrong("must specify build Id for BuildId based batch reset");
            }
            (ResetType::LastContinuedAsNew, _) => {
                return wrong("LastContinuedAsNew is for one workflow at a time");
            }
        };
        let query = self.query.clone().unwrap_or_default();
        let (reset_reapply_type, reset_reapply_exclude_types) = self.reapply()?;
        target::confirm(context, &query, self.yes).await?;
        let request = StartBatchOperationRequest {
            namespace: context.namespace(),
            visibility_query: query,
            job_id: context.id(),
            reason: self.reason.clone().unwrap_or_default(),
            ..StartBatchOperationRequest::default()
        };
        let operation = BatchOperationReset {
            identity: context.identity(),
            options: Some(ResetOptions {
                target: Some(target),
                reset_reapply_type,
                reset_reapply_exclude_types,
                ..ResetOptions::default()
            }),
            post_reset_operations: operations,
            ..BatchOperationReset::default()
        };
        let batch = Batch { request, waiting: Waiting { wait: self.wait } };
        target::start_batch(context, batch, Operation::ResetOperation(operation)).await
    }
}

/// The run and the event to which a reset of a type goes.
async fn point(
    context: &mut Context,
    mut execution: WorkflowExecution,
    kind: ResetType,
) -> Result<(WorkflowExecution, i64)> {
    match kind {
        ResetType::FirstWorkflowTask => {
            let mut reader = HistoryReader::new(execution.clone(), Direction::Forwards);
            let mut scheduled = None;
            while let Some(events) = reader.page(context).await? {
                for event in events {
                    match event.event_type() {
                        EventType::WorkflowTaskCompleted => return Ok((execution, event.event_id)),
                        EventType::WorkflowTaskScheduled => {
                            scheduled.get_or_insert(event.event_id + 1);
                        }
                        _ => {}
                    }
                }
            }
            Ok((execution, scheduled.ok_or_else(none)?))
        }
        ResetType::LastWorkflowTask => {
            let mut reader = HistoryReader::new(execution.clone(), Direction::Backwards);
            let mut scheduled = None;
            while let Some(events) = reader.page(context).await? {
                for event in events {
                    match event.event_type() {
                        EventType::WorkflowTaskCompleted => return Ok((execution, event.event_id)),
                        EventType::WorkflowTaskScheduled => scheduled = Some(event.event_id + 1),
                        _ => {}
                    }
                }
            }
            Ok((execution, scheduled.ok_or_else(none)?))
        }
        ResetType::LastContinuedAsNew => {
            let mut reader = HistoryReader::new(execution.clone(), Direction::Forwards);
            let first = reader.page(context).await?.and_then(|events| events.into_iter().next());
            execution.run_id = match first.and_then(|event| event.attributes) {
                Some(Attributes::WorkflowExecutionStartedEventAttributes(attributes)) => {
                    attributes.continued_execution_run_id
                }
                _ => String::new(),
            };
            if execution.run_id.is_empty() {
                return Err(Error::Outcome(
                    "cannot use LastContinuedAsNew for workflow; workflow was not continued from \
                     another"
                        .to_owned(),
                ));
            }
            Box::pin(point(context, execution, ResetType::LastWorkflowTask)).await
        }
        ResetType::BuildId => Err(Error::usage("BuildId is for resets with --query")),
    }
}

fn none() -> Error {
    Error::Outcome("unable to find any scheduled or completed task".to_owned())
}
