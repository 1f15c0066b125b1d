//! Links between documents lead somewhere.

use std::collections::{HashMap, HashSet};

use super::{Finding, tree::File};

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let paths: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let documents: HashMap<&str, &File> = files
        .iter()
        .filter(|file| file.has_extension("md"))
        .map(|file| (file.path.as_str(), file))
        .collect();
    let mut findings = Vec::new();
    for file in documents.values() {
        for (number, line) in file.text.lines().enumerate() {
            for target in targets(line) {
                if let Some(problem) = problem(&file.path, target, &paths, &documents) {
                    findings.push(Finding::at_line(&file.path, number, problem));
                }
            }
        }
    }
    findings.sort_by(|one, other| one.place.cmp(&other.place));
    findings
}

/// What stands in `](…)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
}

fn problem(
    from: &str,
    target: &str,
    paths: &HashSet<&str>,
    documents: &HashMap<&str, &File>,
) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { from.to_owned() } else { resolve(from, path) };
    let exists = paths.contains(path.as_str())
        || paths.iter().any(|known| known.starts_with(&format!("{path}/")));
    if !exists {
        return Some(format!("`{target}` leads nowhere"));
    }
    let document = documents.get(path.as_str())?;
    let found = anchor.is_empty() || anchors(&document.text).any(|known| known == anchor);
    (!found).then(|| format!("`{target}`: no heading of that name"))
}

/// The path of `target` as seen from the document `from`.
fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The anchors that headings get: lower case, spaces as hyphens, other marks dropped.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|heading| {
        heading
            .trim_start_matches('#')
            .trim()
            .to_lowercase()
            .chars()
            .filter_map(|c| match c {
                ' ' => Some('-'),
                c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
                _ => None,
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_folders_and_headings_are_followed() {
        let files = [
            File::new(
                "docs/guide/start.md",
                "# Start\n## The `data` folder\n[a](../../README.md) [b](../design) \
                 [c](#the-data-folder) [d](https://example.com/x)\n",
            ),
            File::new("docs/design/0001.md", "[gone](0002.md) [no](../guide/start.md#stop)\n"),
            File::new("README.md", "[up](docs/guide/start.md#start)\n"),
        ];
        let found: Vec<_> = check(&files).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "docs/design/0001.md:1: `0002.md` leads nowhere",
                "docs/design/0001.md:1: `../guide/start.md#stop`: no heading of that name",
            ]
        );
    }
}
