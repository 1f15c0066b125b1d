//! Open ends are numbered.

use super::{Finding, tree::File};

const MARKS: &[&str] = &["TODO", "FIXME", "XXX", "HACK"];

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| applies_to(file)) {
        for (number, line) in file.text.lines().enumerate() {
            if MARKS.iter().any(|mark| marked(line, mark)) && !is_numbered(line) {
                let message = "write `TODO(#123): what`, with the number of an issue";
                findings.push(Finding::at_line(&file.path, number, message));
            }
        }
    }
    findings
}

fn applies_to(file: &File) -> bool {
    ["rs", "py", "ts", "go", "java", "toml", "sh"].iter().any(|kind| file.has_extension(kind))
        && file.path != "xtask/src/tidy/todo.rs"
}

fn marked(line: &str, mark: &str) -> bool {
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == mark)
}

/// True for `TODO(#` and a number.
fn is_numbered(line: &str) -> bool {
    line.split_once("TODO(#")
        .and_then(|(_, rest)| rest.split_once(')'))
        .is_some_and(|(number, rest)| number.parse::<u32>().is_ok() && rest.starts_with(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbered_marks_pass() {
        let text = "// TODO: later\n// TODO(#12): resets\n// FIXME(#1): no\nlet TODOS = 1;\n";
        let places: Vec<_> = check(&[File::new("crates/a/src/lib.rs", text)])
            .into_iter()
            .map(|finding| finding.place)
            .collect();
        assert_eq!(places, ["crates/a/src/lib.rs:1", "crates/a/src/lib.rs:3"]);
    }
}
