//! No source file grows past what one can read.

use super::{Finding, tree::File};

/// The most lines of a source file, its unit tests not counted.
const LINES_MAX: usize = 1000;

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| file.has_extension("rs") && !file.path.contains("/tests/"))
        .filter_map(|file| {
            let code = file.text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let lines = code.lines().count();
            (lines > LINES_MAX).then(|| {
                Finding::in_file(&file.path, format!("{lines} lines; the limit is {LINES_MAX}"))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_tests_do_not_count() {
        let long = "x\n".repeat(LINES_MAX + 1);
        let tested = format!("x\n\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        let files = [
            File::new("crates/a/src/long.rs", &long),
            File::new("crates/a/src/tested.rs", &tested),
            File::new("crates/a/tests/suite.rs", &long),
        ];
        let places: Vec<_> = check(&files).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["crates/a/src/long.rs"]);
    }
}
