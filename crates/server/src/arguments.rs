//! The command line.
//!
//! `server start-dev` takes every flag of `temporal server start-dev`, so that tools which start
//! that can start this. Flags without a meaning here are accepted, with a warning.

use std::{ffi::OsString, net::IpAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};

/// A durable-execution server for Temporal's SDKs and tools.
#[derive(Debug, Parser)]
#[command(name = "longtide", version, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a server.
    Server {
        #[command(subcommand)]
        command: ServerCommand,
    },
    /// Run a server for tests: in memory, its time passes at once while nobody works.
    ///
    /// It stands in for the test server of Temporal's SDKs, which start it with the port alone.
    TestServer(TestServer),
    /// Who may do what.
    Auth {
        #[command(subcommand)]
        command: Box<crate::auth_commands::AuthCommand>,
    },
    /// Who called what: check the audit log, and look into it.
    Audit {
        #[command(subcommand)]
        command: crate::audit_commands::AuditCommand,
    },
    Doctor(crate::doctor::Doctor),
    /// The keys that the server encrypts and authenticates with.
    Keys {
        #[command(subcommand)]
        command: crate::keys_commands::KeysCommand,
    },
    /// Payloads by hand, and the keys that encrypt them.
    Codec {
        #[command(subcommand)]
        command: Box<crate::codec_commands::CodecCommand>,
    },
    CodecServer(crate::codec_command::Arguments),
    CodecProxy(crate::codec_proxy_command::Arguments),
    Ui(Box<crate::ui_command::Arguments>),
    #[command(flatten)]
    Client(command_line::Command),
    Completion(command_line::Completion),
    #[command(hide = true)]
    Complete(command_line::Complete),
    /// Configurations of servers, and profiles of clients.
    Config {
        #[command(flatten)]
        options: command_line::CommonOptions,
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServerCommand {
    /// Start a development server: nothing to configure, in memory unless told otherwise.
    StartDev(Box<StartDev>),
    /// Start a server from a configuration file.
    Start(Start),
    Init(crate::init::Init),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check a configuration file without starting anything.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// List every setting with its meaning, unit, default and range.
    Explain,
    #[command(flatten)]
    Client(command_line::ConfigCommand),
}

/// See [`ServerCommand::Start`].
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The configuration file.
    #[arg(long)]
    pub(crate) config: PathBuf,
}

/// See [`ServerCommand::StartDev`].
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub(crate) struct StartDev {
    /// Directory of the server's data; without it everything is in memory.
    #[arg(long, short = 'f', value_name = "PATH")]
    pub(crate) db_filename: Option<PathBuf>,
    /// Namespaces to make, besides `default`.
    #[arg(long, short = 'n', value_name = "NAME")]
    pub(crate) namespace: Vec<String>,
    /// Port of the gRPC API; 0 for any free one.
    #[arg(long, short = 'p', default_value_t = GRPC_PORT)]
    pub(crate) port: u16,
    /// Address to listen on.
    #[arg(long, default_value = "localhost", value_parser = address)]
    pub(crate) ip: Ip,
    /// Port of the metrics; any free one by default.
    #[arg(long, default_value_t = 0)]
    pub(crate) metrics_port: u16,
    /// Search attributes to make in every namespace named here, as NAME=TYPE.
    #[arg(long, value_name = "NAME=TYPE", value_parser = pair)]
    pub(crate) search_attribute: Vec<(String, String)>,
    /// Listen on other addresses than loopback, although there is no encryption and no identity:
    /// whoever reaches the port may do everything.
    #[arg(long)]
    pub(crate) dangerous_plaintext: bool,
    /// The least severe level that is logged: debug, info, warn, error or never.
    #[arg(long, default_value = "warn")]
    pub(crate) log_level: String,
    /// How log lines look: text, json or pretty.
    #[arg(long, default_value = "text")]
    pub(crate) log_format: String,
    /// Print the configuration to standard error.
    #[arg(long)]
    pub(crate) log_config: bool,
    /// Start without the web UI.
    #[arg(long)]
    pub(crate) headless: bool,
    /// Port of HTTP; 0 for any free one. By default 7243 beside the default port of gRPC, and any
    /// free one beside another.
    #[arg(long)]
    pub(crate) http_port: Option<u16>,
    /// Settings of the reference's internals, of which a few have a meaning here.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) dynamic_config_value: Vec<String>,
    /// Port of the web UI; by default the port of gRPC and 1000.
    #[arg(long)]
    pub(crate) ui_port: Option<u16>,
    /// Address of the web UI; by default that of gRPC.
    #[arg(long, value_parser = address)]
    pub(crate) ui_ip: Option<Ip>,
    /// Folder of another web UI.
    #[arg(long, value_name = "PATH")]
    pub(crate) ui_asset_path: Option<PathBuf>,
    /// Path below which the web UI is.
    #[arg(long, value_name = "PATH")]
    pub(crate) ui_public_path: Option<String>,
    /// The codec server that the web UI asks.
    #[arg(long, value_name = "URL")]
    pub(crate) ui_codec_endpoint: Option<String>,
    /// The web UI fetches no news. Ours never does.
    #[arg(long)]
    pub(crate) ui_disable_news_fetch: bool,
    #[command(flatten)]
    pub(crate) ignored: crate::ignored::Ignored,
}

/// See [`Command::TestServer`].
#[derive(Debug, Args)]
pub(crate) struct TestServer {
    /// Port of the gRPC API; 0 for any free one.
    pub(crate) port: u16,
    /// Pass over idle time from the start, and not only once a caller has unlocked time.
    #[arg(long)]
    pub(crate) enable_time_skipping: bool,
    /// Namespaces to make, besides `default`.
    #[arg(long, short = 'n', value_name = "NAME")]
    pub(crate) namespace: Vec<String>,
    /// Search attributes to make in every namespace named here, as NAME=TYPE.
    #[arg(long, value_name = "NAME=TYPE", value_parser = pair)]
    pub(crate) search_attribute: Vec<(String, String)>,
    /// The least severe level that is logged: debug, info, warn, error or never.
    #[arg(long, default_value = "warn")]
    pub(crate) log_level: String,
    /// How log lines look: text, json or pretty.
    #[arg(long, default_value = "text")]
    pub(crate) log_format: String,
}

/// The command line with the command that SDKs leave out: they start a program that is only a test
/// server, with the port as its first argument.
pub(crate) fn with_command(line: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut line: Vec<OsString> = line.into_iter().collect();
    let first = line.get(1).and_then(|word| word.to_str());
    if first.is_some_and(|word| word.parse::<u16>().is_ok()) {
        line.insert(1, "test-server".into());
    }
    line
}

/// The default ports of gRPC and HTTP.
const GRPC_PORT: u16 = 7233;
const HTTP_PORT: u16 = 7243;

impl StartDev {
    /// The port of HTTP; 0 for any free one.
    pub(crate) fn http_port(&self) -> u16 {
        self.http_port.unwrap_or(if self.port == GRPC_PORT { HTTP_PORT } else { 0 })
    }
}

/// How far the port of the web UI is from that of gRPC.
const UI_PORT_DISTANCE: u16 = 1000;

impl StartDev {
    /// Where the web UI listens.
    pub(crate) fn ui_ip(&self) -> &Ip {
        self.ui_ip.as_ref().unwrap_or(&self.ip)
    }

    /// The port of the web UI; 0 for any free one, `None` for no UI.
    pub(crate) fn ui_port(&self) -> Option<u16> {
        let beside = if self.port == 0 { None } else { self.port.checked_add(UI_PORT_DISTANCE) };
        (!self.headless).then(|| self.ui_port.or(beside).unwrap_or(0))
    }
}

/// An address to listen on, and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ip {
    pub(crate) text: String,
    pub(crate) address: IpAddr,
}

pub(crate) fn address(text: &str) -> Result<Ip, String> {
    let address = match text {
        "localhost" => IpAddr::from([127, 0, 0, 1]),
        other => other.parse().map_err(|_| format!("`{other}` is no IP address"))?,
    };
    Ok(Ip { text: text.to_owned(), address })
}

fn pair(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("`{text}` is not of the form KEY=VALUE"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn start_dev(line: &str) -> StartDev {
        let words = line.split(' ').filter(|word| !word.is_empty());
        let all = ["longtide", "server", "start-dev"].into_iter().chain(words);
        match Arguments::try_parse_from(all).unwrap().command {
            Command::Server { command: ServerCommand::StartDev(options) } => *options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_reference_s_flags_are_taken() {
        let options = start_dev(
            "--port 7000 -n one --namespace two --ip 127.0.0.1 --db-filename /tmp/x --headless \
             --http-port 7001 --metrics-port 7002 --ui-port 7003 --ui-ip 127.0.0.1 \
             --ui-asset-path a --ui-codec-endpoint b --ui-public-path /c --ui-disable-news-fetch \
             --search-attribute City=Keyword --dynamic-config-value a.b=true \
             --sqlite-pragma journal_mode=wal --log-config --log-level error --log-format pretty \
             --color never -o json --env e --env-file f --time-format iso --config-file g \
             --profile h --disable-config-env --disable-config-file --command-timeout 1s \
             --client-connect-timeout 2s --no-json-shorthand-payloads",
        );
        assert_eq!((options.port, options.metrics_port), (7000, 7002));
        assert_eq!(options.namespace, ["one", "two"]);
        assert_eq!(options.search_attribute, [("City".to_owned(), "Keyword".to_owned())]);
        assert_eq!(options.ignored.warnings().len(), 13);
        assert_eq!((options.ui_port, options.ui_port()), (Some(7003), None));
        assert_eq!(options.http_port(), 7001);
    }

    #[test]
    fn a_port_alone_means_a_test_server() {
        for line in ["7233 --enable-time-skipping", "test-server 7233 --enable-time-skipping"] {
            let words = std::iter::once("longtide").chain(line.split(' ')).map(OsString::from);
            let parsed = Arguments::try_parse_from(with_command(words)).unwrap();
            let Command::TestServer(options) = parsed.command else { panic!("{parsed:?}") };
            assert!(options.port == 7233 && options.enable_time_skipping);
        }
    }

    #[test]
    fn the_defaults_are_the_reference_s() {
        let options = start_dev("");
        assert_eq!((options.port, options.metrics_port), (7233, 0));
        assert_eq!(options.ip, Ip { text: "localhost".to_owned(), address: [127, 0, 0, 1].into() });
        assert_eq!(options.http_port(), 7243);
        assert_eq!(start_dev("--port 7000").http_port(), 0);
        assert_eq!((options.ui_port(), start_dev("--headless").ui_port()), (Some(8233), None));
        assert_eq!(start_dev("--port 65000").ui_port(), Some(0));
        assert_eq!(options.log_level, "warn");
        assert!(options.ignored.warnings().is_empty());
    }
}
