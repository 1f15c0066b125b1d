//! The command-line program around the library.

#![expect(clippy::print_stderr, reason = "a command-line tool reports its failure there")]

use std::process::ExitCode;

use clap::Parser as _;
use load_generator::{
    bench,
    options::{Command, Options},
};
// The allocator of the whole process: a tenth of the generator's time went into the system's.
use mimalloc as _;

/// One thread: the generator shares the machine with the server and must stay cheap.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = match Options::parse().command {
        Command::Run(options) => bench::run(&options).await,
        Command::Bench(options) => Box::pin(bench::bench(&options)).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
