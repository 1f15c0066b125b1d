//! `longtide`: one binary for the whole server.

mod admin_client;
mod admin_messages;
mod admin_service;
mod arguments;
mod at_rest;
mod audit_commands;
mod auditing;
mod auth_commands;
mod authorities;
mod belongings;
mod certificate_commands;
mod cluster;
mod codec_authority;
mod codec_command;
mod codec_commands;
mod codec_json;
mod codec_keys;
mod codec_proxy_command;
mod configured;
mod development;
mod doctor;
mod dynamic_config;
mod explain;
mod files;
mod ignored;
mod init;
mod keys_commands;
mod keys_messages;
mod keys_service;
mod limits;
mod metrics_endpoint;
mod node;
mod output;
mod queue_metrics;
mod remote;
mod renewal;
mod security;
mod sessions_commands;
mod sessions_service;
mod signing_in;
mod stop;
mod test_server;
mod tokens;
mod ui;
mod ui_command;
mod ui_sign_in;

use std::{io::IsTerminal as _, process::ExitCode};

use clap::{CommandFactory as _, Parser as _};
// The allocator of the whole process.
use mimalloc as _;

use crate::arguments::{Arguments, Command, ConfigCommand, ServerCommand};

fn main() -> ExitCode {
    // The allocator asks for huge pages, of which an idle server would fill a few percent: 30 MB
    // resident instead of 20. A kernel that cannot say no changes nothing else.
    let _supported = rustix::thread::disable_transparent_huge_pages(true).is_ok();
    let terminal = std::io::stdout().is_terminal();
    let around = command_line::Surroundings::new(std::env::vars_os(), terminal);
    let line = command_line::from_tctl(std::env::args_os().collect(), &around);
    let line = line.map(command_line::with_options_last);
    let line =
        line.and_then(|line| command_line::with_environment(Arguments::command, line, &around));
    let line = match line {
        Ok(line) => line,
        Err(error) => return failed(error),
    };
    let arguments = Arguments::parse_from(arguments::with_command(line));
    let command = match client(arguments.command, around) {
        Ok(code) => return code,
        Err(command) => *command,
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Runs a client command, whose exit code tells causes apart; gives other commands back.
fn client(command: Command, around: command_line::Surroundings) -> Result<ExitCode, Box<Command>> {
    let done = match command {
        Command::Client(command) => command_line::run(command, around),
        Command::Config { options, command: ConfigCommand::Client(command) } => {
            command_line::run_config(command, &options, &around)
        }
        Command::Completion(completion) => completion.run(Arguments::command()),
        Command::Complete(complete) => complete.run(Arguments::command(), around),
        other => return Err(Box::new(other)),
    };
    Ok(match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error),
    })
}

/// Says what went wrong with a client command; the exit code tells causes apart.
fn failed(error: command_line::Error) -> ExitCode {
    if error.is_reader_gone() {
        return ExitCode::SUCCESS;
    }
    let code = error.exit_code();
    output::error(&error.into());
    ExitCode::from(code)
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Client(_)
        | Command::Completion(_)
        | Command::Complete(_)
        | Command::Config { command: ConfigCommand::Client(_), .. } => {
            anyhow::bail!("a client command is run by itself")
        }
        Command::Server { command: ServerCommand::StartDev(options) } => {
            development::start(*options)
        }
        Command::Server { command: ServerCommand::Start(options) } => {
            configured::start(&options.config)
        }
        Command::Server { command: ServerCommand::Init(options) } => init::run(&options),
        Command::Doctor(options) => doctor::run(&options),
        Command::Codec { command } => codec_commands::run(*command),
        Command::CodecServer(arguments) => codec_command::start(&arguments),
        Command::CodecProxy(arguments) => codec_proxy_command::start(arguments),
        Command::Ui(arguments) => ui_command::start(*arguments),
        Command::TestServer(options) => test_server::start(&options),
        Command::Config { command: ConfigCommand::Check { file }, .. } => configured::check(&file),
        Command::Audit { command } => audit_commands::run(command),
        Command::Auth { command } => auth_commands::run(*command),
        Command::Keys { command } => keys_commands::run(command),
        Command::Config { command: ConfigCommand::Explain, .. } => configured::explain(),
    }
}
