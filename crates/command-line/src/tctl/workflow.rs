//! `tctl workflow`.

use clap::{Args, Subcommand};
use serde::de::IgnoredAny;

use super::Words;
use crate::error::{Error, Result};

#[derive(Debug, Subcommand)]
pub(super) enum WorkflowCommand {
    /// Show a history.
    Show {
        #[command(flatten)]
        workflow: Workflow,
        #[command(flatten)]
        showing: Showing,
    },
    /// Show the history of the workflow with this id.
    Showid {
        workflow_id: String,
        run_id: Option<String>,
        #[command(flatten)]
        showing: Showing,
    },
    /// Start a workflow.
    Start(Start),
    /// Start a workflow, and wait for its result.
    Run(Start),
    /// List workflows.
    #[command(alias = "l")]
    List(List),
    /// List workflows, to the last.
    #[command(alias = "la")]
    Listall(List),
    /// Count workflows.
    #[command(alias = "cnt")]
    Count {
        #[arg(long, short = 'q')]
        query: Option<String>,
    },
    /// Show a workflow's state.
    #[command(alias = "desc")]
    Describe {
        #[command(flatten)]
        workflow: Workflow,
    },
    /// Show the state of the workflow with this id.
    #[command(alias = "descid")]
    Describeid { workflow_id: String, run_id: Option<String> },
    /// Send a signal.
    #[command(alias = "s")]
    Signal {
        #[command(flatten)]
        workflow: Workflow,
        #[arg(long, short = 'n')]
        name: String,
        #[command(flatten)]
        input: Input,
    },
    /// End a workflow at once.
    #[command(alias = "term")]
    Terminate {
        #[command(flatten)]
        workflow: Workflow,
        #[arg(long, alias = "re")]
        reason: Option<String>,
    },
    /// Ask a workflow to stop.
    #[command(alias = "c")]
    Cancel {
        #[command(flatten)]
        workflow: Workflow,
    },
    /// Ask a workflow's worker about its state.
    Query {
        #[command(flatten)]
        workflow: Workflow,
        #[arg(long = "query_type", alias = "qt")]
        query_type: String,
        #[arg(long = "query_reject_condition", alias = "qrc")]
        query_reject_condition: Option<String>,
        #[command(flatten)]
        input: Input,
    },
    /// Ask where a workflow's code stands.
    Stack {
        #[command(flatten)]
        workflow: Workflow,
    },
    /// Follow a workflow until it ends.
    #[command(alias = "ob")]
    Observe {
        #[command(flatten)]
        workflow: Workflow,
    },
    /// Follow the workflow with this id until it ends.
    #[command(alias = "obid")]
    Observeid { workflow_id: String, run_id: Option<String> },
}

/// One workflow.
#[derive(Debug, Args)]
pub(super) struct Workflow {
    /// Workflow id.
    #[arg(long = "workflow_id", alias = "wid", short = 'w')]
    workflow_id: String,
    /// Run id.
    #[arg(long = "run_id", alias = "rid", short = 'r')]
    run_id: Option<String>,
}

/// How a history is shown.
#[derive(Debug, Args)]
pub(super) struct Showing {
    /// Show all that events hold.
    #[arg(long = "print_full", alias = "pf")]
    print_full: bool,
    /// File to write the history to, as JSON.
    #[arg(long = "output_filename", alias = "of")]
    output_filename: Option<String>,
}

/// Arguments.
#[derive(Debug, Args)]
pub(super) struct Input {
    /// JSON; several values have blanks between them.
    #[arg(long, short = 'i', allow_hyphen_values = true)]
    input: Option<String>,
    /// File of JSON.
    #[arg(long = "input_file", alias = "if")]
    input_file: Option<String>,
}

/// How a workflow is started.
#[derive(Debug, Args)]
pub(super) struct Start {
    #[arg(long, alias = "tq")]
    taskqueue: String,
    #[arg(long = "workflow_id", alias = "wid", short = 'w')]
    workflow_id: Option<String>,
    #[arg(long = "workflow_type", alias = "wt")]
    workflow_type: String,
    /// Seconds.
    #[arg(long = "execution_timeout", alias = "et")]
    execution_timeout: Option<u64>,
    /// Seconds.
    #[arg(long = "workflow_task_timeout", alias = "wtt")]
    workflow_task_timeout: Option<u64>,
    #[arg(long)]
    cron: Option<String>,
    #[arg(long = "workflowidreusepolicy", alias = "wrp")]
    reuse_policy: Option<String>,
    #[command(flatten)]
    input: Input,
}

/// What is listed.
#[derive(Debug, Args)]
pub(super) struct List {
    #[arg(long, short = 'q')]
    query: Option<String>,
    /// Only those that are open.
    #[arg(long, alias = "op")]
    open: bool,
    /// Print further pages, too.
    #[arg(long, short = 'm')]
    more: bool,
    #[arg(long, alias = "ps")]
    pagesize: Option<u32>,
    #[arg(long = "workflow_id", alias = "wid", short = 'w')]
    workflow_id: Option<String>,
    #[arg(long = "workflow_type", alias = "wt")]
    workflow_type: Option<String>,
    #[arg(long, short = 's')]
    status: Option<String>,
}

/// How many rows a list has unless told otherwise.
const ROWS: u32 = 10;

impl WorkflowCommand {
    pub(super) fn words(self) -> Result<Words> {
        Ok(match self {
            Self::Show { workflow, showing } => showing.words(workflow),
            Self::Showid { workflow_id, run_id, showing } => {
                showing.words(Workflow { workflow_id, run_id })
            }
            Self::Start(start) => start.words("start")?,
            Self::Run(start) => start.words("execute")?,
            Self::List(list) => list.words(false),
            Self::Listall(list) => list.words(true),
            Self::Count { query } => Words::of(&["workflow", "count"]).option("query", query),
            Self::Describe { workflow } => workflow.words("describe"),
            Self::Describeid { workflow_id, run_id } => {
                Workflow { workflow_id, run_id }.words("describe")
            }
            Self::Signal { workflow, name, input } => {
                input.words(workflow.words("signal").option("name", Some(name)))?
            }
            Self::Terminate { workflow, reason } => {
                workflow.words("terminate").option("reason", reason)
            }
            Self::Cancel { workflow } => workflow.words("cancel"),
            Self::Query { workflow, query_type, query_reject_condition, input } => {
                let words = workflow.words("query").option("name", Some(query_type));
                input.words(words.option("reject-condition", query_reject_condition))?
            }
            Self::Stack { workflow } => workflow.words("stack"),
            Self::Observe { workflow } => workflow.words("show").flag("follow", true),
            Self::Observeid { workflow_id, run_id } => {
                Workflow { workflow_id, run_id }.words("show").flag("follow", true)
            }
        })
    }
}

impl Workflow {
    fn words(self, verb: &str) -> Words {
        Words::of(&["workflow", verb])
            .option("workflow-id", Some(self.workflow_id))
            .option("run-id", self.run_id)
    }
}

impl Showing {
    fn words(self, workflow: Workflow) -> Words {
        match self.output_filename {
            None => workflow.words("show").flag("detailed", self.print_full),
            Some(path) => Words::of(&["history", "export"])
                .option("workflow-id", Some(workflow.workflow_id))
                .option("run-id", workflow.run_id)
                .option("target", Some(path)),
        }
    }
}

impl Input {
    fn words(self, mut words: Words) -> Result<Words> {
        for one in values(self.input.as_deref().unwrap_or_default())? {
            words = words.option("input", Some(one));
        }
        Ok(words.option("input-file", self.input_file))
    }
}

/// Values of JSON that stand one behind the other.
fn values(text: &str) -> Result<Vec<&str>> {
    let mut found = Vec::new();
    let mut begin = 0;
    let mut read = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    while let Some(value) = read.next() {
        value.map_err(|error| Error::usage(format!("the input is no JSON: {error}")))?;
        let end = read.byte_offset();
        found.extend(text.get(begin..end).map(str::trim));
        begin = end;
    }
    Ok(found)
}

impl Start {
    fn words(self, verb: &str) -> Result<Words> {
        let seconds = |length: Option<u64>| length.map(|seconds| format!("{seconds}s"));
        let words = Words::of(&["workflow", verb])
            .option("task-queue", Some(self.taskqueue))
            .option("type", Some(self.workflow_type))
            .option("workflow-id", self.workflow_id)
            .option("execution-timeout", seconds(self.execution_timeout))
            .option("task-timeout", seconds(self.workflow_task_timeout))
            .option("cron", self.cron)
            .option("id-reuse-policy", self.reuse_policy);
        self.input.words(words)
    }
}

impl List {
    fn words(self, all: bool) -> Words {
        let mut conditions: Vec<String> = self.query.into_iter().collect();
        let mut equal = |name: &str, value: Option<String>| {
            conditions
                .extend(value.map(|value| format!("{name} = '{}'", value.replace('\'', "''"))));
        };
        equal("WorkflowId", self.workflow_id);
        equal("WorkflowType", self.workflow_type);
        equal("ExecutionStatus", self.status);
        equal("ExecutionStatus", self.open.then(|| "Running".to_owned()));
        let query = Some(conditions.join(" AND ")).filter(|query| !query.is_empty());
        let rows = self.pagesize.map(|rows| rows.to_string());
        let limit = rows.clone().or_else(|| Some(ROWS.to_string()));
        Words::of(&["workflow", "list"])
            .option("query", query)
            .option("page-size", rows)
            .option("limit", limit.filter(|_| !all && !self.more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_one_behind_the_other() {
        assert_eq!(values(r#""a b" {"c": 1} 2"#).unwrap(), [r#""a b""#, r#"{"c": 1}"#, "2"]);
        assert!(values("").unwrap().is_empty());
        assert!(values("{").is_err());
    }
}
