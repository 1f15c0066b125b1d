//! The options that commands have in common: what is printed, and where the server is.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use clap::{ArgAction, Args, ValueEnum};

use crate::{
    error::Result,
    values::{self, Length},
};

/// Options of every command that talks to a server.
#[derive(Debug, Default, Args)]
pub struct Options {
    #[command(flatten)]
    pub(crate) common: CommonOptions,
    #[command(flatten)]
    pub(crate) client: ClientOptions,
}

impl Options {
    /// The codec server that is named.
    pub fn codec_endpoint(&self) -> Option<&str> {
        self.client.codec_endpoint.as_deref()
    }

    /// The least severe level of logs that is asked for, and how they are to look.
    pub fn log(&self) -> (Option<&str>, Option<&str>) {
        (self.common.log_level.as_deref(), self.common.log_format.as_deref())
    }
}

/// Prints the options of every command.
pub(crate) fn print() -> Result {
    let tree = clap::Command::new("longtide").disable_help_flag(true).help_template("{options}");
    let help = Options::augment_args(tree).render_long_help();
    write!(io::stdout().lock(), "{help}")?;
    Ok(())
}

/// What is printed, and where settings come from.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct CommonOptions {
    /// How results are printed.
    #[arg(long, short = 'o', global = true, value_enum, default_value = "text")]
    pub(crate) output: Form,
    /// How times are printed in text.
    #[arg(long, global = true, value_enum, default_value = "relative")]
    pub(crate) time_format: TimeForm,
    /// When text is coloured.
    #[arg(long, global = true, value_enum, default_value = "auto")]
    pub(crate) color: Color,
    /// Print payloads in JSON as they are on the wire, and not the values in them.
    #[arg(long, global = true)]
    pub(crate) no_json_shorthand_payloads: bool,
    /// End the command after a time.
    #[arg(long, global = true, value_name = "DURATION", value_parser = values::length)]
    pub(crate) command_timeout: Option<Length>,
    /// How long connecting may take.
    #[arg(long, global = true, value_name = "DURATION", value_parser = values::length)]
    pub(crate) client_connect_timeout: Option<Length>,
    /// TOML file with profiles. [env: TEMPORAL_CONFIG_FILE]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) config_file: Option<PathBuf>,
    /// Profile of the file. [env: TEMPORAL_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Take nothing from the file.
    #[arg(long, global = true)]
    pub(crate) disable_config_file: bool,
    /// Take nothing from environment variables.
    #[arg(long, global = true)]
    pub(crate) disable_config_env: bool,
    /// Environment, as `env` keeps them. [env: TEMPORAL_ENV]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// YAML file of environments. [env: TEMPORAL_ENV_FILE]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) env_file: Option<PathBuf>,
    /// Least severe level of logs. This program writes none; accepted for scripts.
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// How logs look. This program writes none; accepted for scripts.
    #[arg(long, global = true, value_name = "FORM")]
    pub(crate) log_format: Option<String>,
}

/// Where the server is, and what is shown to it.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Connection options")]
pub(crate) struct ClientOptions {
    /// The server's gRPC address; `${namespace}` in it stands for the namespace.
    /// [env: TEMPORAL_ADDRESS] [default: localhost:7233]
    #[arg(long, global = true, value_name = "HOST:PORT")]
    pub(crate) address: Option<String>,
    /// Namespace. [env: TEMPORAL_NAMESPACE] [default: default]
    #[arg(long, short = 'n', global = true, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// An API key or a token; turns TLS on unless `--tls=false`. [env: TEMPORAL_API_KEY]
    #[arg(long, global = true, value_name = "KEY")]
    pub(crate) api_key: Option<String>,
    /// Who asks, in events and logs.
    #[arg(long, global = true, value_name = "TEXT")]
    pub(crate) identity: Option<String>,
    /// The `:authority` of requests.
    #[arg(long, global = true, value_name = "HOST")]
    pub(crate) client_authority: Option<String>,
    /// Metadata of requests. May be repeated.
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = values::pair)]
    pub(crate) grpc_meta: Vec<(String, String)>,
    /// Encrypt. [env: TEMPORAL_TLS]
    #[arg(
        long,
        global = true,
        value_name = "BOOL",
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub(crate) tls: Option<bool>,
    /// File of the certificate that is shown. [env: TEMPORAL_TLS_CLIENT_CERT_PATH]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) tls_cert_path: Option<PathBuf>,
    /// The certificate itself. [env: TEMPORAL_TLS_CLIENT_CERT_DATA]
    #[arg(long, global = true, value_name = "PEM")]
    pub(crate) tls_cert_data: Option<String>,
    /// File of its key. [env: TEMPORAL_TLS_CLIENT_KEY_PATH]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) tls_key_path: Option<PathBuf>,
    /// The key itself. [env: TEMPORAL_TLS_CLIENT_KEY_DATA]
    #[arg(long, global = true, value_name = "PEM")]
    pub(crate) tls_key_data: Option<String>,
    /// File of the authorities that are trusted. [env: TEMPORAL_TLS_SERVER_CA_CERT_PATH]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) tls_ca_path: Option<PathBuf>,
    /// The authorities themselves. [env: TEMPORAL_TLS_SERVER_CA_CERT_DATA]
    #[arg(long, global = true, value_name = "PEM")]
    pub(crate) tls_ca_data: Option<String>,
    /// The name that the server has to prove. [env: TEMPORAL_TLS_SERVER_NAME]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) tls_server_name: Option<String>,
    /// Do not ask who the server is: whoever stands on the way may pretend to be it, and read and
    /// change everything. [env: TEMPORAL_TLS_DISABLE_HOST_VERIFICATION]
    #[arg(long, global = true)]
    pub(crate) tls_disable_host_verification: bool,
    /// Codec server that decodes and encodes payloads; `{namespace}` in it stands for the
    /// namespace. [env: TEMPORAL_CODEC_ENDPOINT]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) codec_endpoint: Option<String>,
    /// The `Authorization` header for the codec server. [env: TEMPORAL_CODEC_AUTH]
    #[arg(long, global = true, value_name = "TEXT")]
    pub(crate) codec_auth: Option<String>,
    /// Header for the codec server. May be repeated.
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = values::pair)]
    pub(crate) codec_header: Vec<(String, String)>,
}

/// How results are printed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people.
    #[default]
    Text,
    /// One JSON value; a list is an array.
    Json,
    /// One JSON value a line.
    Jsonl,
    /// YAML documents.
    Yaml,
    /// For people, with frames around tables.
    Table,
    /// Nothing.
    None,
}

/// How times are printed in text.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimeForm {
    /// As the distance from now.
    #[default]
    Relative,
    /// As RFC 3339, in seconds.
    Iso,
    /// As the server sent it.
    Raw,
}

/// When text is coloured.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// Always.
    Always,
    /// Never.
    Never,
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
}
