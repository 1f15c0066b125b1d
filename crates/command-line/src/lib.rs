//! The client commands of `longtide`.
//!
//! They are those of the `temporal` CLI: the same tree, options, environment variables and
//! profiles, and the same JSON; over gRPC, so that they work with any server that speaks Temporal's
//! protocol. What differs is meant to help: exit codes tell causes apart, and a connection that
//! fails says at which step.
//!
//! [`Command`] is for the binary to put into its own tree; [`run`] does what it says.

mod calls;
mod client;
mod codec;
mod columns;
mod commands;
mod complete;
mod completion;
mod connection;
mod context;
mod diagnosis;
mod environments;
mod error;
mod login;
mod options;
mod order;
mod output;
mod paint;
mod private_file;
mod profile;
mod progress;
mod proto_json;
mod reference;
mod settings;
mod status_details;
mod surroundings;
mod table;
mod tctl;
mod times;
mod upstream;
mod values;

use clap::{Args, Subcommand};
use environment::Environment;

pub use commands::{
    ActivityCommand, BatchCommand, ConfigCommand, DataConverterCommand, EnvironmentCommand,
    HistoryCommand, Login, Logout, NexusCommand, OperatorCommand, ScheduleCommand,
    TaskQueueCommand, WorkerCommand, WorkflowCommand,
};
pub use complete::Complete;
pub use completion::Completion;
pub use environments::with_environment;
pub use error::Error;
pub use options::{CommonOptions, Options};
pub use order::with_options_last;
pub use reference::print_reference;
pub use surroundings::Surroundings;
pub use tctl::from_tctl;
pub use upstream::Upstream;

use crate::{context::Context, error::Result};

/// The client commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Workflow executions: start, look at, talk to and end them.
    Workflow(Group<WorkflowCommand>),
    /// Histories of workflows, for other programs.
    History(Group<HistoryCommand>),
    /// Activities of workflows, and activities that stand alone.
    Activity(Group<ActivityCommand>),
    /// Schedules: workflows at times.
    Schedule(Group<ScheduleCommand>),
    /// Nexus operations that stand alone.
    Nexus(Group<NexusCommand>),
    /// Operations on many workflows or activities, done by the server.
    Batch(Group<BatchCommand>),
    /// Task queues: who polls, what waits, and with which limits.
    TaskQueue(Group<TaskQueueCommand>),
    /// Workers, and their deployments.
    Worker(Group<WorkerCommand>),
    /// What operators do: namespaces, search attributes, clusters, Nexus endpoints.
    Operator(Group<OperatorCommand>),
    /// Payloads for other programs.
    DataConverter(Group<DataConverterCommand>),
    /// Log in with an identity provider: its token goes with every call to the server.
    Login(Single<Login>),
    /// Forget a login.
    Logout(Single<Logout>),
    /// Environments: options in a YAML file. Profiles (`config`) are the newer way.
    Env(Group<EnvironmentCommand>),
    /// Print the options that all commands have.
    Options,
}

/// Commands about one subject, with the options that they have in common.
#[derive(Debug, Args)]
pub struct Group<C: Subcommand> {
    #[command(flatten)]
    options: Box<Options>,
    #[command(subcommand)]
    command: C,
}

/// A command with the options that all have in common.
#[derive(Debug, Args)]
pub struct Single<C: Args> {
    #[command(flatten)]
    options: Box<Options>,
    #[command(flatten)]
    command: C,
}

/// Runs a command that talks to a server.
macro_rules! connected {
    ($group:ident, $around:ident) => {{
        let Group { options, command } = $group;
        let mut context = Context::new(&options, $around, Environment::system())?;
        limited(&options, Box::pin(command.run(&mut context))).await
    }};
}

/// Does what a command says.
///
/// # Errors
/// When the command fails; [`Error::exit_code`] says how.
pub fn run(command: Command, around: Surroundings) -> Result {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Err(Error::Usage("this machine gives no resources to start".to_owned()));
    };
    runtime.block_on(Box::pin(dispatch(command, around)))
}

/// Does what a command about profiles says.
///
/// # Errors
/// When the command fails; [`Error::exit_code`] says how.
pub fn run_config(
    command: ConfigCommand,
    options: &CommonOptions,
    around: &Surroundings,
) -> Result {
    let now = context::now(&Environment::system());
    let mut output = output::Output::new(options, around, now);
    command.run(options, around, &mut output)
}

async fn dispatch(command: Command, around: Surroundings) -> Result {
    match command {
        Command::Workflow(group) => connected!(group, around),
        Command::History(group) => connected!(group, around),
        Command::Activity(group) => connected!(group, around),
        Command::Schedule(group) => connected!(group, around),
        Command::Nexus(group) => connected!(group, around),
        Command::Batch(group) => connected!(group, around),
        Command::TaskQueue(group) => connected!(group, around),
        Command::Worker(group) => connected!(group, around),
        Command::Operator(group) => connected!(group, around),
        Command::DataConverter(group) => connected!(group, around),
        Command::Login(Single { options, command }) => {
            let mut context = Context::new(&options, around, Environment::system())?;
            limited(&options, Box::pin(command.run(&mut context))).await
        }
        Command::Logout(Single { options, command }) => {
            command.run(&mut Context::new(&options, around, Environment::system())?)
        }
        Command::Env(Group { options, command }) => {
            let now = context::now(&Environment::system());
            let mut output = output::Output::new(&options.common, &around, now);
            command.run(&options.common, &around, &mut output)
        }
        Command::Options => options::print(),
    }
}

/// Ends a command after `--command-timeout`.
async fn limited(options: &Options, work: impl Future<Output = Result>) -> Result {
    match options.common.command_timeout {
        None => work.await,
        Some(limit) => match tokio::time::timeout(limit.0, work).await {
            Ok(result) => result,
            Err(_) => Err(Error::TimedOut),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_consistent() {
        Command::augment_subcommands(clap::Command::new("longtide")).debug_assert();
        let config = CommonOptions::augment_args(clap::Command::new("config"));
        ConfigCommand::augment_subcommands(config).debug_assert();
    }
}
