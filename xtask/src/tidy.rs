//! The tree's rules that no compiler checks.
//!
//! Each rule is a file in this folder with one function from the tree to findings.

mod architecture;
mod attacks;
mod documents;
mod length;
mod links;
mod manifests;
mod todo;
mod tree;
mod words;

use std::fmt;

use anyhow::ensure;

use crate::shell::Workspace;

/// A broken rule: where, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    place: String,
    message: String,
}

impl Finding {
    fn in_file(path: &str, message: impl Into<String>) -> Self {
        Self { place: path.to_owned(), message: message.into() }
    }

    /// `line` counts from zero.
    fn at_line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { place: format!("{path}:{}", line + 1), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

/// Checks every rule and prints what is broken.
///
/// # Errors
/// When anything is broken.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let files = tree::read(workspace.root())?;
    let members = manifests::members(workspace);
    let mut findings = Vec::new();
    findings.extend(length::check(&files));
    findings.extend(words::check(&files));
    findings.extend(todo::check(&files));
    findings.extend(links::check(&files));
    findings.extend(manifests::check(&files, &members));
    findings.extend(architecture::check(&files, &members));
    findings.extend(attacks::check(&files));
    findings.extend(documents::check(workspace)?);
    for finding in &findings {
        println!("{finding}");
    }
    ensure!(findings.is_empty(), "{} broken rules", findings.len());
    Ok(())
}
