//! The command-line program around the library.

use clap::Parser as _;
use load_generator::{
    bench,
    options::{Command, Options},
};

/// One thread: the generator shares the machine with the server and must stay cheap.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Options::parse().command {
        Command::Run(options) => bench::run(&options).await,
        Command::Bench(options) => Box::pin(bench::bench(&options)).await,
    }
}
