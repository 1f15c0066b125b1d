//! What people see on the terminal: facts on standard output, warnings and errors beside it.

use std::io::{self, Write};

/// Writes a line to standard output. A reader that has gone is no reason to stop.
pub(crate) fn line(text: &str) {
    let mut out = io::stdout().lock();
    drop(writeln!(out, "{text}"));
    drop(out.flush());
}

/// Writes a warning to standard error.
pub(crate) fn warning(text: &str) {
    drop(writeln!(io::stderr().lock(), "warning: {text}"));
}

/// Writes an error with its causes to standard error.
pub(crate) fn error(error: &anyhow::Error) {
    drop(writeln!(io::stderr().lock(), "error: {}", with_causes(error)));
}

/// An error and its causes. Many texts end with their cause, for those who print nothing else: it is
/// told once.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_an_error_names_is_told_once() {
        let unreadable = || anyhow::Error::new(io::Error::other("no disk"));
        let named = unreadable().context("cannot read `a`: no disk").context("in `b`");
        assert_eq!(with_causes(&named), "in `b`: cannot read `a`: no disk");
        let unnamed = unreadable().context("cannot read `a`");
        assert_eq!(with_causes(&unnamed), "cannot read `a`: no disk");
    }
}
