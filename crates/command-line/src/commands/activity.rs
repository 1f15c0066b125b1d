//! `activity`: activities of workflows, and activities that stand alone.

mod control;
mod lone;
mod respond;

use clap::Subcommand;

use self::{
    control::{Pause, Reset, Unpause, UpdateOptions},
    lone::{Count, Describe, End, Execute, List, ShowResult, Start},
    respond::{Complete, Fail},
};
use crate::{context::Context, error::Result};

/// Commands about activities.
#[derive(Debug, Subcommand)]
pub enum ActivityCommand {
    /// Start a standalone activity.
    Start(Box<Start>),
    /// Start a standalone activity, and wait for its result.
    Execute(Box<Execute>),
    /// Wait for the result of a standalone activity.
    Result(ShowResult),
    /// Show a standalone activity.
    Describe(Describe),
    /// List standalone activities.
    List(List),
    /// Count standalone activities.
    Count(Count),
    /// Ask a standalone activity to stop.
    Cancel(End),
    /// End a standalone activity at once.
    Terminate(End),
    /// Remove a standalone activity.
    Delete(End),
    /// Complete an activity from outside.
    Complete(Complete),
    /// Fail an activity from outside.
    Fail(Fail),
    /// Hold an activity's attempts.
    Pause(Pause),
    /// Let an activity go on.
    Unpause(Unpause),
    /// Begin an activity's attempts anew.
    Reset(Reset),
    /// Change an activity's task queue, time-outs and retries.
    UpdateOptions(Box<UpdateOptions>),
}

impl ActivityCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        match self {
            Self::Start(command) => command.run(context).await,
            Self::Execute(command) => command.run(context).await,
            Self::Result(command) => command.run(context).await,
            Self::Describe(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Count(command) => command.run(context).await,
            Self::Cancel(command) => command.cancel(context).await,
            Self::Terminate(command) => command.terminate(context).await,
            Self::Delete(command) => command.delete(context).await,
            Self::Complete(command) => command.run(context).await,
            Self::Fail(command) => command.run(context).await,
            Self::Pause(command) => command.run(context).await,
            Self::Unpause(command) => command.run(context).await,
            Self::Reset(command) => command.run(context).await,
            Self::UpdateOptions(command) => command.run(context).await,
        }
    }
}
