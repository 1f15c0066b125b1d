//! Measures Longtide beside the reference server, or with `--secured` beside itself.

use crate::{reference, shell::Workspace};

/// Builds both programs in release mode, installs the reference and runs the load generator.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    workspace
        .cargo(&["build", "--release", "--package", "server", "--package", "load-generator"])
        .run()?;
    let release = workspace.target()?.join("release");
    let mut command =
        workspace.command(release.join("load-generator")).args(["bench", "--longtide"]);
    command = command.args([release.join("longtide")]);
    let is_alone = arguments.iter().any(|argument| argument == "--secured");
    if !is_alone && !arguments.iter().any(|argument| argument.starts_with("--reference")) {
        command = command.args(["--reference".into(), reference::binary(workspace)?]);
    }
    command.args(arguments).run()
}
