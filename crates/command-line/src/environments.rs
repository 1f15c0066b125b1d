//! Environments: the older way to keep options, in a YAML file; profiles are the newer one.
//!
//! What an environment says is put behind the words of a command that takes such an option, and
//! was not given it: as in the reference, it is stronger than a variable or a profile.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use clap::{ArgAction, Command};
use serde::{Deserialize, Serialize};

use crate::{
    Surroundings,
    error::{Error, Result},
    options::CommonOptions,
    private_file,
};

/// The environment that is used when none is named.
const DEFAULT: &str = "default";

/// A file of environments: of each, the values of options by their names.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EnvironmentFile {
    #[serde(default, rename = "env")]
    pub(crate) environments: BTreeMap<String, BTreeMap<String, String>>,
}

/// The file's place.
fn place(named: Option<&Path>, around: &Surroundings) -> Option<PathBuf> {
    named
        .map(Path::to_owned)
        .or_else(|| around.variable("TEMPORAL_ENV_FILE").map(PathBuf::from))
        .or_else(|| {
            let home = Path::new(around.variable("HOME")?);
            Some(home.join(".config/temporalio/temporal.yaml"))
        })
}

/// The environment's name.
pub(crate) fn name(named: Option<&str>, around: &Surroundings) -> String {
    named.or_else(|| around.variable("TEMPORAL_ENV")).unwrap_or(DEFAULT).to_owned()
}

/// Reads the file; one that is missing is empty.
pub(crate) fn read(options: &CommonOptions, around: &Surroundings) -> Result<EnvironmentFile> {
    read_from(place(options.env_file.as_deref(), around))
}

fn read_from(path: Option<PathBuf>) -> Result<EnvironmentFile> {
    let Some(path) = path else { return Ok(EnvironmentFile::default()) };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(EnvironmentFile::default());
        }
        Err(source) => return Err(Error::File { path, source }),
    };
    if text.trim().is_empty() {
        return Ok(EnvironmentFile::default());
    }
    serde_norway::from_str(&text)
        .map_err(|error| Error::usage(format!("`{}`: {error}", path.display())))
}

/// Writes the file, readable by its owner only: it may hold keys.
pub(crate) fn write(
    file: &EnvironmentFile,
    options: &CommonOptions,
    around: &Surroundings,
) -> Result {
    let path = place(options.env_file.as_deref(), around)
        .ok_or_else(|| Error::usage("no home directory; name an --env-file"))?;
    let text = serde_norway::to_string(file).map_err(|error| Error::usage(error.to_string()))?;
    let failed = |source| Error::File { path: path.clone(), source };
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    private_file::write(&path, text.as_bytes()).map_err(failed)
}

/// The words of a command with those of its options that the environment knows and nobody gave.
///
/// # Errors
/// When the environment's file cannot be read.
pub fn with_environment(
    tree: impl FnOnce() -> Command,
    line: Vec<OsString>,
    around: &Surroundings,
) -> Result<Vec<OsString>> {
    let words: Vec<&str> = line.iter().filter_map(|word| word.to_str()).collect();
    let file = place(value_of(&words, "--env-file").map(Path::new), around);
    let mut environments = read_from(file)?.environments;
    let name = name(value_of(&words, "--env"), around);
    let Some(known) = environments.remove(&name).filter(|known| !known.is_empty()) else {
        return Ok(line);
    };
    let mut tree = tree();
    tree.build();
    let command = command_of(&tree, &words);
    // Where a server is said apart from its clients, and where environments are kept, they do not
    // count.
    if words.get(1).is_some_and(|first| ["env", "config", "server"].contains(first)) {
        return Ok(line);
    }
    let added: Vec<OsString> =
        known.iter().filter_map(|(key, value)| option(command, &words, key, value)).collect();
    let end = line.iter().position(|word| word == "--").unwrap_or(line.len());
    let mut line = line;
    line.splice(end..end, added);
    Ok(line)
}

/// The value of an option as it stands in a line.
fn value_of<'a>(words: &[&'a str], option: &str) -> Option<&'a str> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word == option {
            return words.next().copied();
        }
        if let Some(value) = word.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value);
        }
    }
    None
}

/// The command that a line names.
pub(crate) fn command_of<'a>(tree: &'a Command, words: &[&str]) -> &'a Command {
    let mut command = tree;
    for word in words.iter().skip(1).take_while(|word| **word != "--") {
        if let Some(next) = command.find_subcommand(word) {
            command = next;
        }
    }
    command
}

/// An option as a word, if the command takes it and nobody gave it.
fn option(command: &Command, words: &[&str], key: &str, value: &str) -> Option<OsString> {
    let known = command.get_arguments().find(|option| option.get_long() == Some(key))?;
    let long = format!("--{key}");
    let given = words.iter().take_while(|word| **word != "--").any(|word| {
        let is_long =
            word.strip_prefix(&long).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
        let is_short = known.get_short().is_some_and(|short| {
            word.strip_prefix('-').is_some_and(|rest| rest.starts_with(short))
        });
        is_long || is_short
    });
    match (given, known.get_action()) {
        (true, _) => None,
        (false, ArgAction::SetTrue) => (value == "true").then(|| long.into()),
        (false, _) => Some(format!("{long}={value}").into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Subcommand as _;

    use super::*;

    fn lined(line: &str, known: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("environments.yaml");
        fs::write(&path, known).unwrap();
        let path = path.to_str().unwrap().to_owned();
        let around = Surroundings::of([("TEMPORAL_ENV_FILE".to_owned(), path)]);
        let tree = || crate::Command::augment_subcommands(Command::new("x"));
        let line = line.split(' ').map(OsString::from).collect();
        let line = with_environment(tree, line, &around).unwrap();
        let words: Vec<_> = line.iter().map(|word| word.to_str().unwrap()).collect();
        words.join(" ")
    }

    const KNOWN: &str = "env:\n  default:\n    address: a:1\n    workflow-id: w\n    tls: \"true\"\n  \
                         blue:\n    address: b:1\n";

    #[test]
    fn a_command_is_given_the_options_it_takes() {
        let line = "x workflow describe";
        assert_eq!(lined(line, KNOWN), format!("{line} --address=a:1 --tls=true --workflow-id=w"));
        let line = "x workflow list";
        assert_eq!(lined(line, KNOWN), format!("{line} --address=a:1 --tls=true"));
    }

    #[test]
    fn what_is_given_stays() {
        let line = "x workflow describe -w mine --address=c:1 --tls";
        assert_eq!(lined(line, KNOWN), line);
    }

    #[test]
    fn an_environment_is_named() {
        let line = "x workflow list --env blue";
        assert_eq!(lined(line, KNOWN), format!("{line} --address=b:1"));
        assert_eq!(lined("x workflow list --env none", KNOWN), "x workflow list --env none");
        assert_eq!(lined("x env list", KNOWN), "x env list");
    }
}
