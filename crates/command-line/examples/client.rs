//! The client commands alone, to try them without building the server.

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

use clap::{CommandFactory as _, Parser as _};

#[derive(Debug, clap::Parser)]
#[command(name = "longtide")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    #[command(flatten)]
    Client(command_line::Command),
    /// Profiles of clients.
    Config {
        #[command(flatten)]
        options: command_line::CommonOptions,
        #[command(subcommand)]
        command: command_line::ConfigCommand,
    },
    Completion(command_line::Completion),
    #[command(hide = true)]
    Complete(command_line::Complete),
    /// Print the tree of client commands as a page: docs/reference/cli.md.
    #[command(hide = true)]
    Reference,
}

fn main() -> ExitCode {
    let around =
        command_line::Surroundings::new(std::env::vars_os(), std::io::stdout().is_terminal());
    let line = command_line::from_tctl(std::env::args_os().collect(), &around);
    let line = line.map(command_line::with_options_last);
    let line =
        line.and_then(|line| command_line::with_environment(Arguments::command, line, &around));
    let line = match line {
        Ok(line) => line,
        Err(error) => return failed(&error),
    };
    let arguments = Arguments::parse_from(line);
    let done = match arguments.command {
        Command::Client(command) => command_line::run(command, around),
        Command::Config { options, command } => {
            command_line::run_config(command, &options, &around)
        }
        Command::Completion(completion) => completion.run(Arguments::command()),
        Command::Complete(complete) => complete.run(Arguments::command(), around),
        Command::Reference => command_line::print_reference(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &command_line::Error) -> ExitCode {
    drop(writeln!(std::io::stderr().lock(), "error: {error}"));
    ExitCode::from(error.exit_code())
}
