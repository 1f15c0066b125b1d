//! Options before the command.

use std::ffi::OsString;

use clap::{ArgAction, Args as _, Command};

use crate::Options;

/// Moves options that stand before the command behind it, where clap expects them:
/// `longtide -o json workflow list`.
pub fn with_options_last(line: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut line = line.into_iter();
    let known = Options::augment_args(Command::new(""));
    let mut out: Vec<OsString> = line.next().into_iter().collect();
    let mut moved = Vec::new();
    while let Some(word) = line.next() {
        let takes_next = match word.to_str().and_then(|text| takes_next(&known, text)) {
            Some(takes_next) => takes_next,
            None => {
                out.push(word);
                break;
            }
        };
        moved.push(word);
        if takes_next {
            moved.extend(line.next());
        }
    }
    let rest: Vec<OsString> = line.collect();
    // What stands behind `--` is no option.
    let end = rest.iter().position(|word| word == "--").unwrap_or(rest.len());
    let (before, after) = rest.split_at(end);
    out.extend(before.iter().cloned());
    out.extend(moved);
    out.extend(after.iter().cloned());
    out
}

/// The words of a line that are options of all commands, with their values.
pub(crate) fn options_of(line: &[OsString]) -> Vec<OsString> {
    let known = Options::augment_args(Command::new(""));
    let mut found = Vec::new();
    let mut words = line.iter();
    while let Some(word) = words.next() {
        let Some(takes_next) = word.to_str().and_then(|text| takes_next(&known, text)) else {
            continue;
        };
        match (takes_next, words.clone().next()) {
            (false, _) => found.push(word.clone()),
            (true, Some(value)) => {
                found.extend([word.clone(), value.clone()]);
                words.next();
            }
            // The value is what is being written.
            (true, None) => {}
        }
    }
    found
}

/// Whether an option takes the next word; none for what is no option of ours.
fn takes_next(known: &Command, word: &str) -> Option<bool> {
    let (name, has_value) = match word.split_once('=') {
        Some((name, _)) => (name, true),
        None => (word, false),
    };
    let option = known.get_arguments().find(|option| match name.strip_prefix("--") {
        Some(long) => option.get_long() == Some(long),
        None => {
            let short = name.strip_prefix('-').and_then(|rest| rest.chars().next());
            short.is_some() && option.get_short() == short
        }
    })?;
    let flag = !matches!(option.get_action(), ArgAction::Set | ArgAction::Append)
        || option.is_require_equals_set();
    // `-ojson` has its value with it.
    let joined = !name.starts_with("--") && name.len() > 2;
    Some(!has_value && !flag && !joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(line: &str) -> String {
        let words = line.split(' ').map(OsString::from);
        let words = with_options_last(words);
        let words: Vec<_> = words.iter().map(|word| word.to_str().unwrap()).collect();
        words.join(" ")
    }

    #[test]
    fn options_go_behind_the_command() {
        assert_eq!(ordered("x -o json workflow list"), "x workflow list -o json");
        assert_eq!(ordered("x --tls -n a workflow list"), "x workflow list --tls -n a");
        assert_eq!(ordered("x --output=json a"), "x a --output=json");
        assert_eq!(ordered("x -ojson a b"), "x a b -ojson");
        assert_eq!(ordered("x --help"), "x --help");
        assert_eq!(ordered("x workflow list -o json"), "x workflow list -o json");
        assert_eq!(ordered("x -o json a -- b"), "x a -o json -- b");
    }
}
