//! Manifests take everything shared from the workspace.

use serde_json::Value;

use super::{Finding, tree::File};
use crate::shell::Workspace;

/// A workspace member.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Normal and build dependencies, optional ones included.
    pub(crate) dependencies: Vec<String>,
}

/// The workspace members with what they depend on outside of their tests.
pub(crate) fn members(workspace: &Workspace) -> Vec<Member> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    workspace
        .packages()
        .iter()
        .map(|package| Member {
            name: text(&package["name"]),
            dependencies: package["dependencies"]
                .as_array()
                .map_or(&[][..], Vec::as_slice)
                .iter()
                .filter(|dependency| dependency["kind"] != "dev")
                .map(|dependency| text(&dependency["name"]))
                .collect(),
        })
        .collect()
}

/// Crates whose lints are their own, with the reason in their manifest.
const OWN_LINTS: &[&str] = &["crates/api/Cargo.toml"];

pub(crate) fn check(files: &[File], members: &[Member]) -> Vec<Finding> {
    files.iter().filter(|file| is_member(file, members)).flat_map(findings).collect()
}

fn is_member(file: &File, members: &[Member]) -> bool {
    members.iter().any(|member| {
        file.path == format!("crates/{}/Cargo.toml", member.name)
            || file.path == format!("{}/Cargo.toml", member.name)
    })
}

fn findings(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for key in ["version", "edition", "rust-version", "license", "publish"] {
        if !file.text.contains(&format!("\n{key}.workspace = true\n")) {
            findings.push(Finding::in_file(&file.path, format!("`{key}.workspace = true`")));
        }
    }
    let shared_lints = file.text.contains("\n[lints]\nworkspace = true\n");
    if !shared_lints && !OWN_LINTS.contains(&file.path.as_str()) {
        findings.push(Finding::in_file(&file.path, "`[lints] workspace = true`"));
    }
    let mut in_dependencies = false;
    for (number, line) in file.text.lines().enumerate() {
        if line.starts_with('[') {
            in_dependencies = line.contains("dependencies");
        } else if in_dependencies && line.contains('=') && is_dependency(line) {
            let shared = line.contains("workspace = true") || line.contains(".workspace");
            if !shared {
                let message = "versions live in the root manifest: `workspace = true`";
                findings.push(Finding::at_line(&file.path, number, message));
            }
        }
    }
    findings
}

/// True for `name = …`, false for the following lines of a list.
fn is_dependency(line: &str) -> bool {
    line.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_of_its_own_is_found() {
        let keys = ["version", "edition", "rust-version", "license", "publish"]
            .map(|key| format!("{key}.workspace = true\n"))
            .concat();
        let file = File::new(
            "crates/a/Cargo.toml",
            &format!(
                "[package]\nname = \"a\"\n{keys}\n[dependencies]\nbytes.workspace = true\n\
                 tokio = {{ workspace = true, features = [\n    \"rt\",\n] }}\nserde = \"1\"\n\n\
                 [lints]\nworkspace = true\n"
            ),
        );
        let found: Vec<_> = findings(&file).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["crates/a/Cargo.toml:14: versions live in the root manifest: `workspace = true`"]
        );
    }
}
