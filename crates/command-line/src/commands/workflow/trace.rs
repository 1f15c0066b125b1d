//! `workflow trace`: a run with its children, as a tree that follows what happens.

mod draw;
mod state;

use std::{collections::BTreeMap, time::Duration};

use api::{
    common::v1::WorkflowExecution,
    workflowservice::v1::{
        DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse,
        GetWorkflowExecutionHistoryRequest,
    },
};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use self::{
    draw::Drawing,
    state::{Kind, Run, Status},
};
use crate::{
    client::Client,
    commands::target::WorkflowReference,
    context::Context,
    error::{Error, Result},
};

/// How long to wait before the next look.
const PAUSE: Duration = Duration::from_secs(1);

/// Most runs that are followed.
const RUNS_MAX: usize = 10_000;

/// A status whose runs are folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fold {
    Running,
    Completed,
    Failed,
    Canceled,
    Terminated,
    #[value(name = "timedout")]
    TimedOut,
    #[value(name = "continueasnew")]
    ContinuedAsNew,
}

/// See `workflow trace`.
#[derive(Debug, Args)]
pub struct Trace {
    #[command(flatten)]
    workflow: WorkflowReference,
    /// Show only the names of children with this status. May be repeated; completed, canceled and
    /// terminated ones when missing.
    #[arg(long, value_enum, value_name = "STATUS", ignore_case = true)]
    fold: Vec<Fold>,
    /// Show all children as a whole.
    #[arg(long)]
    no_fold: bool,
    /// How many generations of children are followed; -1 for all.
    #[arg(long, value_name = "NUMBER", default_value_t = -1, allow_negative_numbers = true)]
    depth: i64,
    /// How many histories are read at a time.
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    concurrency: usize,
}

impl Trace {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        if context.output.is_data() {
            return Err(Error::usage("JSON output not supported for trace command"));
        }
        let root = self.describe_root(context).await?;
        let mut runs = BTreeMap::new();
        let mut drawn = 0;
        loop {
            self.look(context, &root, &mut runs).await?;
            let over = is_over(&runs, &root.run_id);
            let on_terminal = context.around.terminal;
            if on_terminal || over {
                let lines = self.draw(context, &root, &runs);
                drawn = context.output.redraw(&lines, drawn)?;
            }
            if over {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Says what is traced, and finds its first run.
    async fn describe_root(&self, context: &mut Context) -> Result<WorkflowExecution> {
        let request = DescribeWorkflowExecutionRequest {
            namespace: context.namespace(),
            execution: self.workflow.execution(),
        };
        let info = context.call(request).await?.workflow_execution_info.unwrap_or_default();
        let execution = info.execution.unwrap_or_default();
        context.output.heading("Execution summary:")?;
        let kind = info.r#type.unwrap_or_default().name;
        let namespace = context.namespace();
        context.output.card(&[
            ("WorkflowId", execution.workflow_id.clone()),
            ("RunId", execution.run_id.clone()),
            ("Type", kind),
            ("Namespace", namespace),
            ("TaskQueue", info.task_queue),
        ])?;
        context.output.line("")?;
        context.output.heading("Progress:")?;
        Ok(execution)
    }

    /// Reads what is new of all runs that are not over, and of those not seen before.
    async fn look(
        &self,
        context: &mut Context,
        root: &WorkflowExecution,
        runs: &mut BTreeMap<String, Run>,
    ) -> Result {
        let namespace = context.namespace();
        let client = context.client().await?.clone();
        let mut seen = Vec::new();
        loop {
            let mut wanted = Vec::new();
            self.wanted(runs, root, 0, &mut wanted);
            wanted.retain(|execution| !seen.contains(&execution.run_id));
            if wanted.is_empty() || runs.len() >= RUNS_MAX {
                return Ok(());
            }
            seen.extend(wanted.iter().map(|execution| execution.run_id.clone()));
            let loads = wanted.into_iter().map(|execution| {
                let known = runs.get(&execution.run_id).cloned();
                load(client.clone(), namespace.clone(), execution, known)
            });
            let loads = stream::iter(loads).buffer_unordered(self.concurrency.max(1));
            for run in loads.try_collect::<Vec<_>>().await? {
                runs.insert(run.execution.run_id.clone(), run);
            }
        }
    }

    /// The runs that have to be looked at, within the depth.
    fn wanted(
        &self,
        runs: &BTreeMap<String, Run>,
        execution: &WorkflowExecution,
        depth: i64,
        wanted: &mut Vec<WorkflowExecution>,
    ) {
        let Some(run) = runs.get(&execution.run_id) else {
            wanted.push(execution.clone());
            return;
        };
        if !run.status.is_over() {
            wanted.push(execution.clone());
        }
        for item in &run.items {
            let depth = if item.kind == Kind::Next { depth } else { depth + 1 };
            if let Some(execution) = &item.run
                && (self.depth < 0 || depth <= self.depth)
            {
                self.wanted(runs, execution, depth, wanted);
            }
        }
    }

    fn draw(
        &self,
        context: &Context,
        root: &WorkflowExecution,
        runs: &BTreeMap<String, Run>,
    ) -> Vec<String> {
        let folded: Vec<Status> = if self.no_fold {
            Vec::new()
        } else if self.fold.is_empty() {
            vec![Status::Completed, Status::Canceled, Status::Terminated]
        } else {
            self.fold.iter().copied().map(status).collect()
        };
        let output = &context.output;
        let now = context.now();
        let mut drawing = Drawing { runs, fold: &folded, now, output, lines: Vec::new() };
        if let Some(run) = runs.get(&root.run_id) {
            drawing.run(run, 0);
        }
        drawing.lines
    }
}

fn status(fold: Fold) -> Status {
    match fold {
        Fold::Running => Status::Running,
        Fold::Completed => Status::Completed,
        Fold::Failed => Status::Failed,
        Fold::Canceled => Status::Canceled,
        Fold::Terminated => Status::Terminated,
        Fold::TimedOut => Status::TimedOut,
        Fold::ContinuedAsNew => Status::ContinuedAsNew,
    }
}

/// True when a run and all that go on after it are over.
fn is_over(runs: &BTreeMap<String, Run>, run_id: &str) -> bool {
    let mut next = Some(run_id);
    while let Some(run_id) = next {
        let Some(run) = runs.get(run_id).filter(|run| run.status.is_over()) else { return false };
        let following = run.items.iter().find(|item| item.kind == Kind::Next);
        next = following.and_then(|item| item.run.as_ref()).map(|run| run.run_id.as_str());
    }
    true
}

/// Reads a run, if there is more of it than is known.
async fn load(
    mut client: Client,
    namespace: String,
    execution: WorkflowExecution,
    known: Option<Run>,
) -> Result<Run> {
    let request = DescribeWorkflowExecutionRequest {
        namespace: namespace.clone(),
        execution: Some(execution.clone()),
    };
    let description = client.call(request).await?;
    let length = description.workflow_execution_info.as_ref().map(|info| info.history_length);
    let mut run = match known {
        Some(run) if Some(run.length) == length => run,
        _ => read(&mut client, namespace, execution).await?,
    };
    take_attempts(&mut run, &description);
    Ok(run)
}

async fn read(client: &mut Client, namespace: String, execution: WorkflowExecution) -> Result<Run> {
    let mut events = Vec::new();
    let mut token = Bytes::new();
    loop {
        let request = GetWorkflowExecutionHistoryRequest {
            namespace: namespace.clone(),
            execution: Some(execution.clone()),
            next_page_token: token,
            ..GetWorkflowExecutionHistoryRequest::default()
        };
        let answer = client.call(request).await?;
        events.extend(super::history::events(answer.history)?);
        token = answer.next_page_token;
        if token.is_empty() {
            return Ok(Run::of(execution, &events));
        }
    }
}

/// What histories do not show yet: activities between two attempts.
fn take_attempts(run: &mut Run, description: &DescribeWorkflowExecutionResponse) {
    for pending in &description.pending_activities {
        let open = run.items.iter_mut().filter(|item| !item.status.is_over());
        let mut activities = open.filter(|item| item.kind == Kind::Activity);
        if let Some(item) = activities.find(|item| item.id == pending.activity_id) {
            item.attempt = pending.attempt;
            if pending.last_started_time.is_some() {
                item.status = Status::Running;
            }
            item.failure = pending.last_failure.as_ref().map(|failure| failure.message.clone());
        }
    }
}
