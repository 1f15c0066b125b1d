//! The pages of the web UI, which npm builds.

use std::{
    fs::{self, File},
    path::Path,
    time::SystemTime,
};

use anyhow::Context;

use crate::shell::{Workspace, is_installed};

/// What the pages are made of, below `ui/`.
const SOURCES: &[&str] = &["src", "public", "index.html", "package-lock.json", "vite.config.ts"];

/// Builds the pages where they are older than what they are made of. Without npm there are none, and
/// the server says how to get them.
pub(crate) fn build(workspace: &Workspace) -> anyhow::Result<()> {
    let folder = workspace.root().join("ui");
    let built = modified(&folder.join("dist/index.html"));
    let newest = SOURCES.iter().filter_map(|name| newest(&folder.join(name))).max();
    if built.is_some() && built >= newest {
        return Ok(());
    }
    if !is_installed("npm") {
        println!("`npm` is not installed: the server is built without the web UI");
        return Ok(());
    }
    let npm = |arguments: &[&str]| {
        workspace.command("npm").args(arguments).current_dir(&folder).run().context("the web UI")
    };
    npm(&["install", "--no-save", "--no-progress", "--silent"])?;
    npm(&["run", "--silent", "build"])?;
    // The crate looks at a folder only once it knows of it.
    let script = workspace.root().join("crates/web-ui/build.rs");
    File::options().append(true).open(script)?.set_modified(SystemTime::now())?;
    Ok(())
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// When a file, or anything below a folder, was changed last.
fn newest(path: &Path) -> Option<SystemTime> {
    let own = modified(path);
    let Ok(entries) = fs::read_dir(path) else { return own };
    entries.filter_map(|entry| newest(&entry.ok()?.path())).max().max(own)
}
