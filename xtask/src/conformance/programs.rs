//! The servers that a suite starts itself: found where SDKs keep what they have downloaded.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::Run;

/// Makes a folder of temporary files in which an SDK of this name finds its servers: the
/// development server, and, if it is Longtide's, the test server that skips time. The reference
/// has none that could be given here.
pub(super) fn folder(run: &Run<'_>, sdk: &str, versions: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = run.folder.join("programs");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for version in versions {
        let name = |server: &str| folder.join(format!("{server}-{sdk}-{version}"));
        write(&name("temporal"), run.program, "")?;
        if !run.is_reference {
            write(&name("temporal-test-server"), run.program, "test-server")?;
        }
    }
    Ok(folder)
}

fn write(path: &Path, program: &Path, command: &str) -> anyhow::Result<()> {
    fs::write(path, format!("#!/bin/sh\nexec '{}' {command} \"$@\"\n", program.display()))?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}
