//! `env`: options by environment, in a YAML file.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    Surroundings,
    columns::{Column, plain},
    environments,
    error::{Error, Result},
    options::CommonOptions,
    output::Output,
};

/// Commands about environments.
#[derive(Debug, Subcommand)]
pub enum EnvironmentCommand {
    /// Show an option of an environment, or all.
    Get(Key),
    /// Set an option of an environment.
    Set(Set),
    /// Remove an option of an environment, or all of it.
    Delete(Key),
    /// List environments.
    List,
}

/// See `env get` and `env delete`.
#[derive(Debug, Args)]
pub struct Key {
    /// Name of an option, such as `address`.
    #[arg(long, short = 'k', value_name = "NAME")]
    key: Option<String>,
}

/// See `env set`.
#[derive(Debug, Args)]
pub struct Set {
    /// Name of an option, such as `address`.
    #[arg(long, short = 'k', value_name = "NAME")]
    key: String,
    /// Its value.
    #[arg(long, short = 'v', value_name = "TEXT", allow_hyphen_values = true)]
    value: String,
}

const OPTIONS: &[Column] = &[plain("Property", "/property"), plain("Value", "/value")];
const NAMES: &[Column] = &[plain("Name", "/name")];

impl EnvironmentCommand {
    pub(crate) fn run(
        self,
        options: &CommonOptions,
        around: &Surroundings,
        output: &mut Output,
    ) -> Result {
        let mut file = environments::read(options, around)?;
        let name = environments::name(options.env.as_deref(), around);
        match self {
            Self::List => {
                let names = file.environments.keys();
                let rows: Vec<_> = names.map(|name| json!({ "name": name })).collect();
                output.table_of(NAMES, rows)
            }
            Self::Get(Key { key }) => {
                let known = file.environments.remove(&name).unwrap_or_default();
                let row = |key: &str, value: &str| json!({ "property": key, "value": value });
                let rows = match &key {
                    Some(key) => vec![row(key, known.get(key).map_or("", String::as_str))],
                    None => known.iter().map(|(key, value)| row(key, value)).collect(),
                };
                output.table_of(OPTIONS, rows)
            }
            Self::Set(Set { key, value }) => {
                if key.contains('.') {
                    return Err(Error::usage("property name may not contain dots"));
                }
                file.environments.entry(name).or_default().insert(key, value);
                environments::write(&file, options, around)
            }
            Self::Delete(Key { key: Some(key) }) => {
                if let Some(known) = file.environments.get_mut(&name) {
                    known.remove(&key);
                }
                environments::write(&file, options, around)
            }
            Self::Delete(Key { key: None }) => {
                file.environments.remove(&name);
                environments::write(&file, options, around)
            }
        }
    }
}
