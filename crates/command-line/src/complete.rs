//! `complete`: ids that the server knows, for a shell that completes a word.
//!
//! Whoever presses a key does not wait: the server is asked for a moment, and no answer is as good
//! as an empty one.

use std::{collections::BTreeSet, ffi::OsString, io::Write as _, time::Duration};

use api::workflowservice::v1::{
    ListBatchOperationsRequest, ListNamespacesRequest, ListSchedulesRequest,
    ListWorkflowExecutionsRequest,
};
use clap::{Args, Command, FromArgMatches as _};
use environment::Environment;

use crate::{
    Options, Surroundings,
    context::Context,
    environments::command_of,
    error::{Error, Result},
    order::options_of,
};

/// How long the server may take.
const PATIENCE: Duration = Duration::from_millis(800);

/// Most ids that are offered.
const IDS_MAX: i32 = 100;

/// Print ids that complete a word.
#[derive(Debug, Args)]
pub struct Complete {
    /// The beginning of the word.
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    prefix: String,
    /// The words before it.
    #[arg(last = true)]
    words: Vec<OsString>,
}

/// What is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Workflow,
    Run,
    Schedule,
    Namespace,
    TaskQueue,
    WorkflowType,
    Job,
}

impl Complete {
    /// Prints what completes the word, if the option before it is one for ids.
    ///
    /// # Errors
    /// When there is nothing that completes it: the shell has its own ideas then.
    pub fn run(&self, mut tree: Command, around: Surroundings) -> Result {
        tree.build();
        let nothing = || Error::Outcome(String::new());
        let kind = kind(&tree, &self.words).ok_or_else(nothing)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let ids = async {
            tokio::time::timeout(PATIENCE, self.ids(kind, around)).await.map_err(|_| nothing())?
        };
        let ids = runtime.block_on(Box::pin(ids)).map_err(|_| nothing())?;
        let mut out = std::io::stdout().lock();
        for id in ids {
            writeln!(out, "{id}")?;
        }
        Ok(())
    }

    async fn ids(&self, kind: Kind, around: Surroundings) -> Result<BTreeSet<String>> {
        let words = options_of(&self.words);
        let tree = Options::augment_args(Command::new("")).no_binary_name(true);
        let wrong = |error: clap::Error| Error::usage(error.to_string());
        let options = tree.try_get_matches_from(words).map_err(wrong)?;
        let options = Options::from_arg_matches(&options).map_err(wrong)?;
        let mut context = Context::new(&options, around, Environment::system())?;
        let found = self.found(kind, &mut context).await?;
        Ok(found.into_iter().filter(|id| id.starts_with(&self.prefix)).collect())
    }

    async fn found(&self, kind: Kind, context: &mut Context) -> Result<Vec<String>> {
        let namespace = context.namespace();
        Ok(match kind {
            Kind::Schedule => {
                let request = ListSchedulesRequest {
                    namespace,
                    maximum_page_size: IDS_MAX,
                    ..ListSchedulesRequest::default()
                };
                let answer = context.call(request).await?;
                answer.schedules.into_iter().map(|schedule| schedule.schedule_id).collect()
            }
            Kind::Namespace => {
                let request = ListNamespacesRequest {
                    page_size: IDS_MAX,
                    ..ListNamespacesRequest::default()
                };
                let answer = context.call(request).await?;
                let infos = answer.namespaces.into_iter().filter_map(|one| one.namespace_info);
                infos.map(|info| info.name).collect()
            }
            Kind::Job => {
                let request = ListBatchOperationsRequest {
                    namespace,
                    page_size: IDS_MAX,
                    ..ListBatchOperationsRequest::default()
                };
                let answer = context.call(request).await?;
                answer.operation_info.into_iter().map(|job| job.job_id).collect()
            }
            Kind::Workflow | Kind::Run | Kind::TaskQueue | Kind::WorkflowType => {
                let request = ListWorkflowExecutionsRequest {
                    namespace,
                    query: self.query(kind),
                    page_size: IDS_MAX,
                    ..ListWorkflowExecutionsRequest::default()
                };
                let infos = context.call(request).await?.executions.into_iter();
                let id = |info: api::workflow::v1::WorkflowExecutionInfo| match kind {
                    Kind::TaskQueue => info.task_queue,
                    Kind::WorkflowType => info.r#type.unwrap_or_default().name,
                    Kind::Run => info.execution.unwrap_or_default().run_id,
                    _ => info.execution.unwrap_or_default().workflow_id,
                };
                infos.map(id).collect()
            }
        })
    }

    fn query(&self, kind: Kind) -> String {
        let quoted = |text: &str| text.replace('\'', "''");
        let workflow = value_of(&self.words, &["-w", "--workflow-id"]);
        match (kind, workflow) {
            (Kind::Run, Some(workflow)) => format!("WorkflowId = '{}'", quoted(&workflow)),
            (Kind::Workflow, _) if !self.prefix.is_empty() => {
                format!("WorkflowId STARTS_WITH '{}'", quoted(&self.prefix))
            }
            _ => String::new(),
        }
    }
}

/// What the last word wants: the ids of an option.
fn kind(tree: &Command, words: &[OsString]) -> Option<Kind> {
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    let last = *words.last()?;
    let command = command_of(tree, &words);
    let option = command.get_arguments().find(|option| match last.strip_prefix("--") {
        Some(long) => option.get_long() == Some(long),
        None => {
            let mut rest = last.strip_prefix('-').unwrap_or_default().chars();
            let short = rest.next();
            short.is_some() && rest.next().is_none() && option.get_short() == short
        }
    })?;
    Some(match option.get_long()? {
        "workflow-id" | "other-workflow-id" => Kind::Workflow,
        "run-id" | "other-run-id" => Kind::Run,
        "schedule-id" => Kind::Schedule,
        "namespace" => Kind::Namespace,
        "task-queue" => Kind::TaskQueue,
        "type" if command.get_arguments().any(|other| other.get_long() == Some("task-queue")) => {
            Kind::WorkflowType
        }
        "job-id" => Kind::Job,
        _ => return None,
    })
}

fn value_of(words: &[OsString], names: &[&str]) -> Option<String> {
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    let place = words.iter().position(|word| names.contains(word))?;
    words.get(place + 1).map(|word| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Subcommand as _;

    use super::*;

    #[test]
    fn an_option_says_what_completes_it() {
        let mut tree = crate::Command::augment_subcommands(Command::new("x"));
        tree.build();
        let of = |line: &str| kind(&tree, &line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of("x workflow show -w"), Some(Kind::Workflow));
        assert_eq!(of("x workflow show -w a --run-id"), Some(Kind::Run));
        assert_eq!(of("x schedule describe -s"), Some(Kind::Schedule));
        assert_eq!(of("x workflow list -n"), Some(Kind::Namespace));
        assert_eq!(of("x workflow start --type"), Some(Kind::WorkflowType));
        assert_eq!(of("x workflow reset --type"), None);
        assert_eq!(of("x history export -t"), None);
        assert_eq!(of("x workflow start -t"), Some(Kind::TaskQueue));
        assert_eq!(of("x batch describe --job-id"), Some(Kind::Job));
        assert_eq!(of("x workflow list"), None);
    }
}
