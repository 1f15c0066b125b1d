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
    drop(writeln!(io::stderr().lock(), "error: {error:#}"));
}
