//! `workflow`: everything about workflow executions.

mod describe;
mod diff;
mod end;
mod fix_history;
mod history;
mod list;
mod options;
mod outcome;
mod pause;
mod query;
mod reset;
mod show;
mod signal;
mod start;
mod top;
mod trace;
mod update;
mod update_with_start;

use clap::Subcommand;

use self::{
    describe::Describe,
    diff::Diff,
    end::{Cancel, Delete, Terminate},
    fix_history::FixHistoryJson,
    list::{Count, List},
    options::UpdateOptions,
    pause::Pause,
    query::{Metadata, Query, Stack},
    reset::Reset,
    show::{Show, ShowResult},
    signal::Signal,
    start::{Execute, SignalWithStart, Start},
    top::ShowTop,
    trace::Trace,
    update::UpdateCommand,
    update_with_start::{ExecuteUpdateWithStart, StartUpdateWithStart},
};
use crate::{context::Context, error::Result};

pub(crate) use self::outcome::failure as failure_text;

/// Commands about workflow executions.
#[derive(Debug, Subcommand)]
pub enum WorkflowCommand {
    /// Start a workflow.
    Start(Box<Start>),
    /// Start a workflow, show its events, and wait for its result.
    Execute(Box<Execute>),
    /// Signal a workflow; start it if it does not run.
    SignalWithStart(Box<SignalWithStart>),
    /// Start a workflow if it does not run, send it an update, and wait until that is accepted.
    StartUpdateWithStart(Box<StartUpdateWithStart>),
    /// Start a workflow if it does not run, send it an update, and wait for the result.
    ExecuteUpdateWithStart(Box<ExecuteUpdateWithStart>),
    /// List workflows.
    List(List),
    /// Count workflows.
    Count(Count),
    /// Show a workflow's history.
    Show(Show),
    /// Show a workflow's state and its pending work.
    Describe(Describe),
    /// Follow a workflow with its children, as a tree.
    Trace(Trace),
    /// Watch workflows in the terminal: list, counts, pending work.
    Top(ShowTop),
    /// Show where two histories part.
    Diff(Diff),
    /// Wait for a workflow's result.
    Result(ShowResult),
    /// Send a signal.
    Signal(Signal),
    /// Ask a workflow's worker about its state.
    Query(Query),
    /// Ask where a workflow's code stands.
    Stack(Stack),
    /// Ask a workflow which queries, signals and updates it takes.
    Metadata(Metadata),
    /// Send and follow updates.
    Update {
        #[command(subcommand)]
        command: UpdateCommand,
    },
    /// Ask a workflow to stop.
    Cancel(Cancel),
    /// End a workflow at once.
    Terminate(Terminate),
    /// Remove a workflow with its history.
    Delete(Delete),
    /// Start a workflow again from a point of its past.
    Reset(Box<Reset>),
    /// Hold a workflow's tasks.
    Pause(Pause),
    /// Let a workflow go on.
    Unpause(Pause),
    /// Say on which version of its workers a workflow runs.
    UpdateOptions(UpdateOptions),
    /// Rewrite a history that an old version wrote as JSON.
    FixHistoryJson(FixHistoryJson),
}

impl WorkflowCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        match self {
            Self::Start(command) => command.run(context).await,
            Self::Execute(command) => command.run(context).await,
            Self::SignalWithStart(command) => command.run(context).await,
            Self::StartUpdateWithStart(command) => command.run(context).await,
            Self::ExecuteUpdateWithStart(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Count(command) => command.run(context).await,
            Self::Show(command) => command.run(context).await,
            Self::Describe(command) => command.run(context).await,
            Self::Top(command) => command.run(context).await,
            Self::Trace(command) => command.run(context).await,
            Self::Diff(command) => command.run(context).await,
            Self::Result(command) => command.run(context).await,
            Self::Signal(command) => command.run(context).await,
            Self::Query(command) => command.run(context).await,
            Self::Stack(command) => command.run(context).await,
            Self::Metadata(command) => command.run(context).await,
            Self::Update { command } => command.run(context).await,
            Self::Cancel(command) => command.run(context).await,
            Self::Terminate(command) => command.run(context).await,
            Self::Delete(command) => command.run(context).await,
            Self::Reset(command) => command.run(context).await,
            Self::Pause(command) => command.pause(context).await,
            Self::Unpause(command) => command.unpause(context).await,
            Self::UpdateOptions(command) => command.run(context).await,
            Self::FixHistoryJson(command) => command.run(context).await,
        }
    }
}

/// All events of a history as it is now.
pub(crate) async fn all_events(
    context: &mut Context,
    execution: api::common::v1::WorkflowExecution,
) -> Result<Vec<api::history::v1::HistoryEvent>> {
    show::all_events(context, execution, history::Direction::Forwards).await
}
