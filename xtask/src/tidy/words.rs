//! Words that have no place in the tree.

use super::{Finding, tree::File};

/// A banned word (in lower case, bounded by anything that is no letter) and what to do instead.
const BANNED: &[(&str, &str)] = &[
    ("wft", "spell out `workflow_task`"),
    ("decision task", "Temporal calls it a workflow task"),
    ("decisiontask", "Temporal calls it a workflow task"),
    ("session", "say connection, run or process, whichever it is"),
    (concat!("/", "work/"), "no absolute paths of one machine"),
    (concat!("/", "root/"), "no absolute paths of one machine"),
    (concat!("/", "home/"), "no absolute paths of one machine"),
    ("static.crates.io", "no registry hosts"),
    ("index.crates.io", "no registry hosts"),
    ("crates.io", "no registry hosts"),
    ("pypi.org", "no registry hosts"),
    ("pythonhosted.org", "no registry hosts"),
    ("registry.npmjs.org", "no registry hosts"),
    ("npmjs.com", "no registry hosts"),
    ("proxy.golang.org", "no registry hosts"),
    ("sum.golang.org", "no registry hosts"),
    ("repo.maven.apache.org", "no registry hosts"),
];

const SIGNED_IN: &str = "the word for how long somebody is signed in";

/// Files or folders in which a word may stand, with the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("xtask/src/tidy/words.rs", "", "this list"),
    ("crates/engine/src/time_skipping/", "session", "a field of the API"),
    ("crates/engine/tests/", "session", "a field of the API"),
    ("crates/frontend/src/validation/time_skipping.rs", "session", "a field of the API"),
    ("crates/simulator/src/client.rs", "session", "a field of the API"),
    ("tests/e2e/", "session", "the widest scope of a pytest fixture"),
    ("ARCHITECTURE.md", "session", SIGNED_IN),
    ("CHANGELOG.md", "session", SIGNED_IN),
    ("GLOSSARY.md", "session", SIGNED_IN),
    ("crates/config/src/single_sign_on.rs", "session", SIGNED_IN),
    ("crates/frontend/src/http_server/sign_in.rs", "session", SIGNED_IN),
    ("crates/openid-connect/", "session", SIGNED_IN),
    ("crates/config/src/web_ui.rs", "session", SIGNED_IN),
    ("crates/frontend/src/http_server/sessions.rs", "session", SIGNED_IN),
    ("crates/server/src/sessions_commands.rs", "session", SIGNED_IN),
    ("crates/server/src/sessions_service.rs", "session", SIGNED_IN),
    ("crates/server/src/signing_in.rs", "session", SIGNED_IN),
    ("crates/server/src/ui_sign_in.rs", "session", SIGNED_IN),
    ("crates/single-sign-on/", "session", SIGNED_IN),
    ("docs/guide/", "session", SIGNED_IN),
    ("docs/security/", "session", SIGNED_IN),
    ("ui/", "session", SIGNED_IN),
    ("crates/tls/src/host.rs", "session", "the library's word for what is resumed"),
    ("crates/pkcs11/src/", "session", "the standard's word for a login"),
    ("crates/command-line/src/commands/data_converter.rs", "session", "a line that scripts read"),
    ("tests/conformance/", "wft", "names of tests that others wrote"),
    ("tests/conformance/", "session", "names of tests that others wrote"),
    ("Cargo.lock", "crates.io", "cargo writes its registry's name"),
    ("tests/e2e/rust/Cargo.lock", "crates.io", "cargo writes its registry's name"),
    ("fuzz/Cargo.lock", "crates.io", "cargo writes its registry's name"),
];

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            let lower = line.to_lowercase();
            for (word, advice) in BANNED {
                if stands_in(&lower, word) && !is_excepted(&file.path, word) {
                    let message = format!("`{word}`: {advice}");
                    findings.push(Finding::at_line(&file.path, number, message));
                }
            }
        }
    }
    findings
}

/// True when the word stands in the line with no letter directly before or after it; `_` and
/// digits bound a word, so that `wft_id` is found.
fn stands_in(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, found)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        let after = line.get(start + found.len()..).and_then(|text| text.chars().next());
        let is_letter = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphabetic);
        let bounded_by_itself = |edge: Option<char>| edge.is_some_and(|c| !c.is_alphabetic());
        (bounded_by_itself(word.chars().next()) || !is_letter(before))
            && (bounded_by_itself(word.chars().next_back()) || !is_letter(after))
    })
}

fn is_excepted(path: &str, word: &str) -> bool {
    EXCEPTIONS.iter().any(|(place, allowed, _)| {
        path.starts_with(place) && (allowed.is_empty() || *allowed == word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_names_and_texts_but_not_inside_other_words() {
        for (line, word) in [
            ("let wft_timeout = 1;", "wft"),
            ("the WFT ends", "wft"),
            (concat!("see /", "work/main for it"), concat!("/", "work/")),
            ("a Decision Task", "decision task"),
        ] {
            assert!(stands_in(&line.to_lowercase(), word), "{line}");
        }
        for (line, word) in [("swift", "wft"), ("possession", "session"), ("obsessions", "session")]
        {
            assert!(!stands_in(line, word), "{line}");
        }
    }

    #[test]
    fn an_exception_covers_one_word_of_one_place() {
        let host = "registry = \"crates.io\"\n";
        let files = [File::new("Cargo.lock", host), File::new("README.md", host)];
        let places: Vec<_> = check(&files).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["README.md:1"]);
        assert!(!is_excepted("Cargo.lock", "session"));
    }
}
