//! What a program is given by those who start it: variables, a terminal, a user.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// What the program's surroundings say; the binary collects it, so that this crate reads none.
#[derive(Debug, Default)]
pub struct Surroundings {
    variables: BTreeMap<String, String>,
    /// Whether standard output is a terminal.
    pub terminal: bool,
}

impl Surroundings {
    /// Takes environment variables. Those that are no text or empty count as unset.
    pub fn new(variables: impl Iterator<Item = (OsString, OsString)>, terminal: bool) -> Self {
        let text = variables
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(_, value)| !value.is_empty());
        Self { variables: text.collect(), terminal }
    }

    #[cfg(test)]
    pub(crate) fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect(), terminal: false }
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The user's name.
    pub(crate) fn user(&self) -> &str {
        self.variable("USER").or_else(|| self.variable("LOGNAME")).unwrap_or("unknown-user")
    }

    /// Where the settings of Temporal's tools are.
    pub(crate) fn configuration_directory(&self) -> Option<PathBuf> {
        let home = || self.variable("HOME").map(Path::new);
        let base = if cfg!(target_os = "macos") {
            home()?.join("Library/Application Support")
        } else if cfg!(windows) {
            PathBuf::from(self.variable("APPDATA")?)
        } else {
            match self.variable("XDG_CONFIG_HOME") {
                Some(directory) => PathBuf::from(directory),
                None => home()?.join(".config"),
            }
        };
        Some(base.join("temporalio"))
    }
}
