//! Flags of the reference that have no meaning here.

use std::path::PathBuf;

use clap::Args;

/// Flags that are accepted and not used.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Accepted for compatibility and not used")]
pub(crate) struct Ignored {
    /// Settings of the reference's database.
    #[arg(long, value_name = "PRAGMA=VALUE")]
    sqlite_pragma: Vec<String>,
    #[arg(long)]
    color: Option<String>,
    #[arg(long, short = 'o')]
    output: Option<String>,
    #[arg(long)]
    time_format: Option<String>,
    #[arg(long)]
    env: Option<String>,
    #[arg(long)]
    env_file: Option<PathBuf>,
    #[arg(long)]
    config_file: Option<PathBuf>,
    #[arg(long)]
    profile: Option<String>,
    #[arg(long)]
    disable_config_env: bool,
    #[arg(long)]
    disable_config_file: bool,
    #[arg(long)]
    command_timeout: Option<String>,
    #[arg(long)]
    client_connect_timeout: Option<String>,
    #[arg(long)]
    no_json_shorthand_payloads: bool,
}

impl Ignored {
    /// One line for each flag that was given.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let given = [
            ("sqlite-pragma", !self.sqlite_pragma.is_empty()),
            ("color", self.color.is_some()),
            ("output", self.output.is_some()),
            ("time-format", self.time_format.is_some()),
            ("env", self.env.is_some()),
            ("env-file", self.env_file.is_some()),
            ("config-file", self.config_file.is_some()),
            ("profile", self.profile.is_some()),
            ("disable-config-env", self.disable_config_env),
            ("disable-config-file", self.disable_config_file),
            ("command-timeout", self.command_timeout.is_some()),
            ("client-connect-timeout", self.client_connect_timeout.is_some()),
            ("no-json-shorthand-payloads", self.no_json_shorthand_payloads),
        ];
        let flags = given.into_iter().filter(|(_, given)| *given);
        flags.map(|(flag, _)| format!("--{flag} is accepted and not used")).collect()
    }
}
