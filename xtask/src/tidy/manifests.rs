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
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    workspace
        .packages()
        .iter()
        .map(|package| Member {
            name: text(package, "name"),
            dependencies: package
                .get("dependencies")
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice)
                .iter()
                .filter(|dependency| text(dependency, "kind") != "dev")
                .map(|dependency| text(dependency, "name"))
                .collect(),
        })
        .collect()
}

/// Crates that our lints do not fit: what they hold is generated.
const WITHOUT_LINTS: &[&str] = &["crates/api/Cargo.toml"];

pub(crate) fn check(files: &[File], members: &[Member]) -> Vec<Finding> {
    let root = files.iter().find(|file| file.path == "Cargo.toml");
    let denied = root.map_or_else(Vec::new, |root| denied_lints(&root.text));
    files
        .iter()
        .filter(|file| is_member(file, members))
        .flat_map(|file| findings(file, &denied))
        .collect()
}

/// The lines of the workspace's lint tables that deny or forbid something.
fn denied_lints(root_manifest: &str) -> Vec<&str> {
    root_manifest
        .lines()
        .skip_while(|line| !line.starts_with("[workspace.lints"))
        .take_while(|line| !line.starts_with('[') || line.starts_with("[workspace.lints"))
        .filter(|line| line.contains("\"deny\"") || line.contains("\"forbid\""))
        .collect()
}

fn is_member(file: &File, members: &[Member]) -> bool {
    members.iter().any(|member| {
        file.path == format!("crates/{}/Cargo.toml", member.name)
            || file.path == format!("{}/Cargo.toml", member.name)
    })
}

fn findings(file: &File, denied_lints: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for key in ["version", "edition", "rust-version", "license", "publish"] {
        if !file.text.contains(&format!("\n{key}.workspace = true\n")) {
            findings.push(Finding::in_file(&file.path, format!("`{key}.workspace = true`")));
        }
    }
    // A crate may be stricter than the workspace: then it repeats all that the workspace denies.
    let shared_lints = file.text.contains("\n[lints]\nworkspace = true\n");
    if !shared_lints && !WITHOUT_LINTS.contains(&file.path.as_str()) {
        for lint in denied_lints {
            if !file.text.lines().any(|line| line == *lint) {
                let message = format!("`[lints] workspace = true`, or `{lint}` and its like");
                findings.push(Finding::in_file(&file.path, message));
            }
        }
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
    fn lints_of_its_own_may_only_be_stricter() {
        let root = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n\
                    [workspace.lints.clippy]\npanic = \"deny\"\nnoisy = \"allow\"\n\
                    [profile.dev]\nx = \"deny\"\n";
        let denied = denied_lints(root);
        assert_eq!(denied, ["unsafe_code = \"forbid\"", "panic = \"deny\""]);
        let keys = ["version", "edition", "rust-version", "license", "publish"]
            .map(|key| format!("{key}.workspace = true\n"))
            .concat();
        let text = format!("[package]\n{keys}[lints.clippy]\npanic = \"deny\"\ntodo = \"deny\"\n");
        let found = findings(&File::new("crates/a/Cargo.toml", &text), &denied);
        let messages: Vec<_> = found.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(
            messages,
            ["`[lints] workspace = true`, or `unsafe_code = \"forbid\"` and its like"]
        );
    }

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
        let found: Vec<_> =
            findings(&file, &["panic = \"deny\""]).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["crates/a/Cargo.toml:14: versions live in the root manifest: `workspace = true`"]
        );
    }
}
