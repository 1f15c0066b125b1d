//! Third-party suites, fetched when they run and unmodified, against a server that this starts; and
//! the oracle diff.

mod go;
mod java;
mod oracle;
mod programs;
mod python;
mod report;
mod rust;
mod server;
mod typescript;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::{
    reference,
    shell::{Workspace, cache_folder},
};
use report::Outcomes;
use server::{Server, Wanted};

/// What to run, against which server.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The suites to run, in this order; all of them when none is named.
    #[arg(long, value_enum)]
    suite: Vec<Suite>,
    /// The server's executable; Longtide is built when there is none.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Run against the reference server instead, which is installed when it is missing.
    #[arg(long)]
    reference: bool,
    /// With --reference: keep which tests pass as the measure for Longtide. With --filter, only
    /// what ran is replaced.
    #[arg(long, requires = "reference")]
    record: bool,
    /// The folder with the repositories of SDKs whose tests no registry has: `sdk-python`, and
    /// `sdk-go`, `sdk-java` and `sdk-typescript` with their tests built.
    #[arg(long, value_name = "FOLDER")]
    sources: Option<PathBuf>,
    /// Compare Longtide with the reference, scenario by scenario, instead of running suites.
    #[arg(long)]
    oracle: bool,
    /// Only tests, files of tests or scenarios whose names match.
    #[arg(long = "filter", value_name = "NAME")]
    filters: Vec<String>,
}

/// A suite that others wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// The integration tests that the Rust SDK's core ships with its crate.
    Rust,
    /// The Python SDK's own tests.
    Python,
    /// The TypeScript SDK's own tests.
    Typescript,
    /// The Go SDK's integration tests.
    Go,
    /// The Java SDK's own tests.
    Java,
}

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Typescript => "typescript",
            Self::Go => "go",
            Self::Java => "java",
        }
    }

    /// What the suite expects of a server.
    fn wanted(self) -> &'static Wanted {
        match self {
            Self::Rust => &rust::WANTED,
            Self::Python => &python::WANTED,
            Self::Typescript => &typescript::WANTED,
            Self::Go => &go::WANTED,
            Self::Java => &java::WANTED,
        }
    }

    fn run(self, run: &Run<'_>) -> anyhow::Result<Outcomes> {
        match self {
            Self::Rust => rust::run(run),
            Self::Python => python::run(run),
            Self::Typescript => typescript::run(run),
            Self::Go => go::run(run),
            Self::Java => java::run(run),
        }
    }
}

/// What every suite gets.
struct Run<'a> {
    workspace: &'a Workspace,
    /// The suite's own folder in the user's cache.
    folder: PathBuf,
    /// The server's executable.
    program: &'a Path,
    is_reference: bool,
    address: String,
    /// Where the server speaks HTTP.
    http_address: String,
    sources: Option<&'a Path>,
    filters: &'a [String],
}

impl Run<'_> {
    /// A suite's folder among the sources.
    fn find(&self, folder: &str, version: &str) -> anyhow::Result<PathBuf> {
        let sources = self.sources.with_context(|| {
            format!("--sources names the folder with `{folder}` of the SDK's {version}, built")
        })?;
        let path = sources.join(folder);
        path.canonicalize().with_context(|| path.display().to_string())
    }

    /// True for what the filters let through.
    fn is_chosen(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter.as_str()))
    }
}

/// Runs the suites, or the oracle diff.
///
/// # Errors
/// When something cannot be fetched, built or started, or when Longtide fails too much of what the
/// reference passes.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<()> {
    let root = cache_folder()?.join("conformance");
    if options.oracle {
        let ours = longtide(workspace, options.server.as_deref())?;
        return oracle::run(workspace, &ours, &reference::binary(workspace)?, &options.filters);
    }
    let program = if options.reference {
        reference::binary(workspace)?
    } else {
        longtide(workspace, options.server.as_deref())?
    };
    let suites = if options.suite.is_empty() { Suite::value_variants() } else { &options.suite };
    let mut failed = Vec::new();
    for suite in suites {
        let folder = root.join(suite.name());
        fs::create_dir_all(&folder)?;
        let server = Server::start(&program, suite.wanted())?;
        let run = Run {
            workspace,
            folder,
            program: &program,
            is_reference: options.reference,
            address: server.address(),
            http_address: server.http_address(),
            sources: options.sources.as_deref(),
            filters: &options.filters,
        };
        let outcomes = suite.run(&run)?;
        if !judge(workspace, *suite, options, &outcomes)? {
            failed.push(suite.name());
        }
    }
    anyhow::ensure!(failed.is_empty(), "too much is lost of: {}", failed.join(", "));
    Ok(())
}

/// Prints what happened; true when enough of what passes on the reference passed.
fn judge(
    workspace: &Workspace,
    suite: Suite,
    options: &Options,
    outcomes: &Outcomes,
) -> anyhow::Result<bool> {
    let path = workspace.root().join(format!("tests/conformance/{}.txt", suite.name()));
    outcomes.print(suite.name());
    if options.record {
        // What runs in parts is recorded in parts.
        let earlier = if options.filters.is_empty() {
            String::new()
        } else {
            fs::read_to_string(&path).unwrap_or_default()
        };
        fs::write(&path, outcomes.passed_as_lines(&earlier))?;
        println!("recorded {}", path.display());
    }
    if options.reference {
        return Ok(true);
    }
    let measure = fs::read_to_string(&path).with_context(|| {
        format!("{}: --reference --record makes the list to compare with", path.display())
    })?;
    Ok(outcomes.print_against(&measure, !options.filters.is_empty()).is_enough())
}

/// The server under test: the one that was named, or Longtide, built.
fn longtide(workspace: &Workspace, named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = named {
        return path.canonicalize().with_context(|| path.display().to_string());
    }
    workspace.cargo(&["build", "--package", "server", "--bin", "longtide"]).run()?;
    Ok(workspace.target()?.join("debug/longtide"))
}
