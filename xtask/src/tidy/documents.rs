//! Generated documents are up to date.

use std::fs;

use super::Finding;
use crate::{generate, shell::Workspace};

pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let documents = generate::documents(workspace)?;
    Ok(documents
        .iter()
        .filter(|(path, content)| {
            fs::read_to_string(workspace.root().join(path)).unwrap_or_default() != *content
        })
        .map(|(path, _)| Finding::in_file(path, "out of date: run `cargo xtask tidy --write`"))
        .collect())
}
