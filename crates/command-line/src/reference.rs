//! The tree of client commands as a page: `docs/reference/cli.md`.

use std::io::{self, Write as _};

use clap::{Arg, Args as _, Command, Subcommand as _};

use crate::{CommonOptions, ConfigCommand, Options, error::Result};

/// Prints the page.
///
/// # Errors
/// When it cannot be printed.
pub fn print_reference() -> Result {
    io::stdout().lock().write_all(reference().as_bytes())?;
    Ok(())
}

/// The client commands, and no others.
fn tree() -> Command {
    let config = Command::new("config").about("Profiles of clients.");
    let config = ConfigCommand::augment_subcommands(CommonOptions::augment_args(config));
    crate::Command::augment_subcommands(Command::new("longtide")).subcommand(config)
}

/// The page: of each command a line, its options, and its subcommands behind it.
fn reference() -> String {
    let mut tree = tree();
    tree.build();
    let mut page = String::from(
        "# The client commands\n\nGenerated from the tree of commands, by `cargo run --example client \
         -- reference`. A server\'s own commands\nsay by `--help` what they take. Options of all \
         commands stand at the end.\n",
    );
    for command in shown(&tree) {
        page.push_str(&format!("\n## {}\n", command.get_name()));
        write(&mut page, "longtide", command);
    }
    let mut everywhere = Options::augment_args(Command::new("longtide"));
    everywhere.build();
    page.push_str("\n## Options of all commands\n\n");
    for option in everywhere.get_arguments().filter(|option| is_shown(option)) {
        page.push_str(&line(option));
    }
    page
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|one| !one.is_hide_set() && one.get_name() != "help")
}

fn is_shown(option: &Arg) -> bool {
    !option.is_hide_set() && !["help", "version"].contains(&option.get_id().as_str())
}

fn write(page: &mut String, parent: &str, command: &Command) {
    let path = format!("{parent} {}", command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    page.push_str(&format!("\n**`{path}`**: {}\n", in_one_line(&about)));
    // An option that all commands below have, too, is told where it is from.
    let own = command.get_arguments().filter(|option| is_shown(option) && !option.is_global_set());
    let lines: Vec<_> = own.map(line).collect();
    if !lines.is_empty() {
        page.push('\n');
        page.extend(lines);
    }
    for below in shown(command) {
        write(page, &path, below);
    }
}

/// An option in a line.
fn line(option: &Arg) -> String {
    let value = || {
        let names = option.get_value_names().unwrap_or_default();
        names.iter().map(|name| format!(" {name}")).collect::<String>()
    };
    let takes_value = option.get_action().takes_values();
    let value = if takes_value { value() } else { String::new() };
    let name = match (option.get_short(), option.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}{value}"),
        (None, Some(long)) => format!("--{long}{value}"),
        (Some(short), None) => format!("-{short}{value}"),
        (None, None) => value.trim().to_owned(),
    };
    let help = option.get_help().map(ToString::to_string).unwrap_or_default();
    let mut extras = Vec::new();
    if option.is_required_set() {
        extras.push("required".to_owned());
    }
    let possible: Vec<_> = option
        .get_possible_values()
        .iter()
        .filter(|value| takes_value && !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !possible.is_empty() {
        extras.push(possible.join(", "));
    }
    let defaults = option.get_default_values().iter().filter_map(|value| value.to_str());
    let defaults: Vec<_> = defaults.map(|value| format!("`{value}`")).collect();
    if !defaults.is_empty() && takes_value && !option.is_hide_default_value_set() {
        extras.push(format!("default {}", defaults.join(", ")));
    }
    let extras =
        if extras.is_empty() { String::new() } else { format!(" ({})", extras.join("; ")) };
    format!("- `{name}`: {}{extras}\n", in_one_line(&help))
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/cli.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        let is_current = page == reference();
        assert!(is_current, "cargo run --example client -- reference > docs/reference/cli.md");
    }
}
