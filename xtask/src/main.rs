//! The one entry point for building, testing and measuring Longtide: `cargo xtask --help`.

#![expect(clippy::print_stdout, reason = "a tool for the terminal")]
#![expect(clippy::disallowed_methods, reason = "a tool: it times its stages and reads HOME")]

mod bench;
mod ci;
mod conformance;
mod generate;
mod http_rules;
mod reference;
mod shell;
mod stage;
mod tidy;
mod web_ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{shell::Workspace, stage::Stage};

/// Builds, tests and measures Longtide.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the server and its web UI, and run `longtide server start-dev` with these arguments.
    Dev {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run every check and every test, or only the named stages.
    Test { stages: Vec<Stage> },
    /// What continuous integration runs: the same as `test`.
    Ci { stages: Vec<Stage> },
    /// Build the program as it is released: optimised, and with its web UI.
    Release,
    /// Check the tree's rules; `--write` brings the generated documents up to date first.
    Tidy {
        #[arg(long)]
        write: bool,
    },
    /// Run the simulator with these arguments, for example `--seed 7`.
    Sim {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measure Longtide beside the reference server, with these arguments for the load generator.
    /// `--secured`: what all of security costs, in place of the reference.
    Bench {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run third-party suites, unmodified, or compare with the reference (`--oracle`).
    Conformance(conformance::Options),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    match command {
        Command::Dev { arguments } => {
            web_ui::build(&workspace)?;
            workspace
                .cargo(&["run", "--package", "server", "--bin", "longtide", "--"])
                .args(["server", "start-dev"])
                .args(arguments)
                .run()?;
        }
        Command::Test { stages } | Command::Ci { stages } => ci::run(&workspace, &stages)?,
        Command::Release => {
            web_ui::build(&workspace)?;
            workspace.cargo(&["build", "--release", "--package", "server"]).run()?;
            println!("built {}", workspace.target()?.join("release/longtide").display());
        }
        Command::Tidy { write } => {
            if write {
                generate::write(&workspace)?;
            }
            tidy::run(&workspace)?;
        }
        Command::Sim { arguments } => {
            workspace.command(ci::simulator(&workspace)?).args(arguments).run()?;
        }
        Command::Bench { arguments } => bench::run(&workspace, &arguments)?,
        Command::Conformance(options) => conformance::run(&workspace, &options)?,
    }
    Ok(())
}
