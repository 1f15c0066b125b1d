//! ARCHITECTURE.md says what is true: its crates exist, their edges are the allowed ones, its
//! paths exist, and its invariants name tests that exist.
//!
//! The document is the source; this file reads three tables from it by their header lines.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, manifests::Member, tree::File};

const DOCUMENT: &str = "ARCHITECTURE.md";

/// Header of the crate table.
const CRATES: &str = "| Crate | Kind | What it is | May depend on |";
/// Header of the table of external crates that have a home.
const HOMES: &str = "| External crate | Only in |";
/// Header of the table of invariants.
const INVARIANTS: &str = "| Invariant | Test |";

/// What a pure crate may not depend on: time, randomness, I/O, the network and logs.
const IMPURE: &[&str] = &[
    "axum",
    "environment",
    "fjall",
    "hyper",
    "prometheus",
    "rand",
    "rusqlite",
    "telemetry",
    "tokio",
    "tonic",
    "tower",
    "tracing",
];

pub(crate) fn check(files: &[File], members: &[Member]) -> Vec<Finding> {
    let Some(document) = files.iter().find(|file| file.path == DOCUMENT) else {
        return vec![Finding::in_file(DOCUMENT, "missing")];
    };
    let mut findings = Vec::new();
    findings.extend(check_crates(&document.text, members));
    findings.extend(check_homes(&document.text, members));
    findings.extend(check_paths(&document.text, files));
    findings.extend(check_invariants(&document.text, files));
    findings
}

fn check_crates(document: &str, members: &[Member]) -> Vec<Finding> {
    let rows: BTreeMap<String, (String, BTreeSet<String>)> = table(document, CRATES)
        .into_iter()
        .filter_map(|row| match row.as_slice() {
            [name, kind, _, edges] => Some((unquoted(name), (kind.to_lowercase(), words(edges)))),
            _ => None,
        })
        .collect();
    let names: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let mut findings = Vec::new();
    for listed in rows.keys().filter(|name| !names.contains(name.as_str())) {
        findings.push(Finding::in_file(DOCUMENT, format!("crate `{listed}` does not exist")));
    }
    for member in members {
        let Some((kind, allowed)) = rows.get(&member.name) else {
            let message = format!("crate `{}` is not in the crate table", member.name);
            findings.push(Finding::in_file(DOCUMENT, message));
            continue;
        };
        for dependency in &member.dependencies {
            let ours = names.contains(dependency.as_str());
            if ours && !allowed.contains(dependency) {
                let message = format!("`{}` may not depend on `{dependency}`", member.name);
                findings.push(Finding::in_file(DOCUMENT, message));
            }
            if kind == "pure" && IMPURE.contains(&dependency.as_str()) {
                let message = format!("`{}` is pure: no `{dependency}`", member.name);
                findings.push(Finding::in_file(DOCUMENT, message));
            }
        }
    }
    findings
}

fn check_homes(document: &str, members: &[Member]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for row in table(document, HOMES) {
        let [external, homes] = row.as_slice() else {
            continue;
        };
        let (external, homes) = (unquoted(external), words(homes));
        for member in members.iter().filter(|member| !homes.contains(&member.name)) {
            if member.dependencies.contains(&external) {
                let message = format!("`{}` may not depend on `{external}`", member.name);
                findings.push(Finding::in_file(DOCUMENT, message));
            }
        }
    }
    findings
}

/// Whatever stands in backquotes and looks like a path of the tree must exist.
fn check_paths(document: &str, files: &[File]) -> Vec<Finding> {
    let exists = |path: &str| {
        let path = path.trim_end_matches('/');
        files.iter().any(|file| {
            file.path == path || file.path.strip_prefix(path).is_some_and(|r| r.starts_with('/'))
        })
    };
    let roots: BTreeSet<&str> =
        files.iter().filter_map(|file| file.path.split_once('/')).map(|(root, _)| root).collect();
    let mut findings = Vec::new();
    for (number, line) in document.lines().enumerate() {
        for quoted in words(line) {
            let is_path = quoted.split_once('/').is_some_and(|(root, _)| roots.contains(root))
                && !quoted.contains(['*', '<', ' ', '{']);
            if is_path && !exists(&quoted) {
                let message = format!("`{quoted}` does not exist");
                findings.push(Finding::at_line(DOCUMENT, number, message));
            }
        }
    }
    findings
}

/// Each invariant names a test function, a check of this tool, or the compiler.
fn check_invariants(document: &str, files: &[File]) -> Vec<Finding> {
    let rows = table(document, INVARIANTS);
    let mut findings = Vec::new();
    if rows.is_empty() {
        findings.push(Finding::in_file(DOCUMENT, format!("no table `{INVARIANTS}`")));
    }
    for row in rows {
        let [invariant, tests] = row.as_slice() else {
            continue;
        };
        let tests = words(tests);
        if tests.is_empty() {
            let message = format!("no test for the invariant `{invariant}`");
            findings.push(Finding::in_file(DOCUMENT, message));
        }
        for test in tests.iter().filter(|test| !is_tested_by(test, files)) {
            let message = format!("no test `{test}` for the invariant `{invariant}`");
            findings.push(Finding::in_file(DOCUMENT, message));
        }
    }
    findings
}

/// True when a test function, a check of this tool, or a lint has this name.
pub(crate) fn is_tested_by(test: &str, files: &[File]) -> bool {
    match test.split_once(' ') {
        Some(("tidy", rule)) => {
            files.iter().any(|file| file.path == format!("xtask/src/tidy/{rule}.rs"))
        }
        Some(("clippy", lint)) => files.iter().any(|file| {
            (file.path == "Cargo.toml" || file.path == "clippy.toml") && file.text.contains(lint)
        }),
        _ => files.iter().any(|file| {
            let function = if file.has_extension("py") {
                format!("def {test}(")
            } else {
                format!("fn {test}(")
            };
            file.text.contains(&function)
        }),
    }
}

/// The cells of the rows under the header line, or nothing without such a table.
fn table(document: &str, header: &str) -> Vec<Vec<String>> {
    let lines = document.lines().skip_while(|line| *line != header).skip(2);
    rows(lines)
}

/// The cells of the rows at the beginning of some lines.
pub(crate) fn rows<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Vec<String>> {
    lines
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// What stands in backquotes.
pub(crate) fn words(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn unquoted(text: &str) -> String {
    text.trim_matches('`').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, dependencies: &[&str]) -> Member {
        Member {
            name: name.to_owned(),
            dependencies: dependencies.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn found(findings: Vec<Finding>) -> Vec<String> {
        findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn crates_edges_and_purity_are_compared_with_the_table() {
        let document = format!(
            "{CRATES}\n|---|---|---|---|\n\
             | `model` | pure | words | |\n\
             | `engine` | pure | decides | `model` |\n\
             | `gone` | shell | was here | |\n"
        );
        let members = [
            member("model", &[]),
            member("engine", &["model", "tokio"]),
            member("new", &["model"]),
        ];
        assert_eq!(
            found(check_crates(&document, &members)),
            [
                "crate `gone` does not exist",
                "`engine` is pure: no `tokio`",
                "crate `new` is not in the crate table",
            ]
        );
        let members = [member("model", &["engine"]), member("engine", &[]), member("gone", &[])];
        assert_eq!(
            found(check_crates(&document, &members)),
            ["`model` may not depend on `engine`"]
        );
    }

    #[test]
    fn external_crates_stay_in_their_homes() {
        let document = format!("{HOMES}\n|---|---|\n| `tonic` | `api`, `frontend` |\n");
        let members = [member("frontend", &["tonic"]), member("history", &["tonic"])];
        assert_eq!(
            found(check_homes(&document, &members)),
            ["`history` may not depend on `tonic`"]
        );
    }

    #[test]
    fn paths_and_tests_must_exist() {
        let files = [
            File::new("crates/a/src/lib.rs", "fn it_holds() {}\n"),
            File::new("tests/e2e/test_a.py", "async def test_it_holds(client):\n"),
            File::new("xtask/src/tidy/words.rs", ""),
        ];
        assert_eq!(
            found(check_paths("`crates/a/src/lib.rs` `crates/a/` `crates/b` `a/b`", &files)),
            ["`crates/b` does not exist"]
        );
        let document = format!(
            "{INVARIANTS}\n|---|---|\n| A | `it_holds`, `test_it_holds` |\n| B | `tidy words` |\n\
             | C | none |\n| D | `it_fails` |\n"
        );
        assert_eq!(
            found(check_invariants(&document, &files)),
            ["no test for the invariant `C`", "no test `it_fails` for the invariant `D`"]
        );
    }
}
