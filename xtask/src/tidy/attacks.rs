//! The list of known attacks says what is true: each names a test, and each test exists.

use super::{
    Finding,
    architecture::{is_tested_by, rows, words},
    tree::File,
};

const DOCUMENT: &str = "docs/security/attacks.md";

/// Header of each of its tables.
const ATTACKS: &str = "| Attack | Test |";

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let Some(document) = files.iter().find(|file| file.path == DOCUMENT) else {
        return vec![Finding::in_file(DOCUMENT, "missing")];
    };
    let lines: Vec<&str> = document.text.lines().collect();
    let headers = lines.iter().enumerate().filter(|(_, line)| **line == ATTACKS);
    let mut findings = Vec::new();
    let mut attacks = 0;
    for (header, _) in headers {
        for row in rows(lines.iter().skip(header + 2).copied()) {
            let [attack, tests] = row.as_slice() else {
                let message = format!("`{}` is no attack with its test", row.join(" | "));
                findings.push(Finding::in_file(DOCUMENT, message));
                continue;
            };
            attacks += 1;
            let tests = words(tests);
            if tests.is_empty() {
                let message = format!("no test for the attack `{attack}`");
                findings.push(Finding::in_file(DOCUMENT, message));
            }
            for test in tests.iter().filter(|test| !is_tested_by(test, files)) {
                let message = format!("no test `{test}` for the attack `{attack}`");
                findings.push(Finding::in_file(DOCUMENT, message));
            }
        }
    }
    if attacks == 0 {
        findings.push(Finding::in_file(DOCUMENT, format!("no table `{ATTACKS}`")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(document: &str) -> Vec<String> {
        let files = [
            File::new(DOCUMENT, document),
            File::new("tests/e2e/test_a.py", "async def test_it_fails(client):\n"),
            File::new("crates/a/src/lib.rs", "fn it_fails() {}\n"),
        ];
        check(&files).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn each_attack_has_a_test_that_exists() {
        let document = format!(
            "{ATTACKS}\n|---|---|\n| a | `it_fails`, `test_it_fails` |\n\n## More\n\n\
             {ATTACKS}\n|---|---|\n| b | `it_succeeds` |\n| c | somewhere |\n| d |\n"
        );
        assert_eq!(
            found(&document),
            [
                "no test `it_succeeds` for the attack `b`",
                "no test for the attack `c`",
                "`d` is no attack with its test",
            ]
        );
        assert_eq!(found("no table"), [format!("no table `{ATTACKS}`")]);
    }
}
