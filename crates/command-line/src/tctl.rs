//! `tctl`: the lines of the older command line, as lines of this one.
//!
//! What guides and scripts use of it is here: its names of commands and options, long and short,
//! and its variables `TEMPORAL_CLI_*`. What is printed is what this command line prints.

mod namespace;
mod workflow;

use std::{ffi::OsString, path::Path};

use clap::{Args, Parser, Subcommand};

use self::{namespace::NamespaceCommand, workflow::WorkflowCommand};
use crate::{
    Surroundings,
    error::{Error, Result},
};

/// The name that the program is called by to be this.
const NAME: &str = "tctl";

/// The older command line. Its commands and options, done by the newer one.
#[derive(Debug, Parser)]
#[command(name = "tctl", rename_all = "snake_case", subcommand_required = true)]
struct Tctl {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: TctlCommand,
}

/// Options before the command.
#[derive(Debug, Default, Args)]
struct Global {
    /// The server's gRPC address. [env: TEMPORAL_CLI_ADDRESS]
    #[arg(long, alias = "ad", global = true)]
    address: Option<String>,
    /// Namespace. [env: TEMPORAL_CLI_NAMESPACE]
    #[arg(long, alias = "ns", global = true)]
    namespace: Option<String>,
    /// The header `authorization`, as it is. [env: TEMPORAL_CLI_AUTH]
    #[arg(long, global = true)]
    auth: Option<String>,
    /// How many seconds a command may take. [env: TEMPORAL_CONTEXT_TIMEOUT]
    #[arg(long = "context_timeout", alias = "ct", global = true)]
    context_timeout: Option<u64>,
    /// Codec server. [env: TEMPORAL_CLI_CODEC_ENDPOINT]
    #[arg(long = "codec_endpoint", alias = "remote_data_converter_endpoint", global = true)]
    codec_endpoint: Option<String>,
    /// The header `authorization` for the codec server. [env: TEMPORAL_CLI_CODEC_AUTH]
    #[arg(long = "codec_auth", global = true)]
    codec_auth: Option<String>,
    /// File of the certificate that is shown. [env: TEMPORAL_CLI_TLS_CERT]
    #[arg(long = "tls_cert_path", global = true)]
    tls_cert_path: Option<String>,
    /// File of its key. [env: TEMPORAL_CLI_TLS_KEY]
    #[arg(long = "tls_key_path", global = true)]
    tls_key_path: Option<String>,
    /// File of the authorities that are trusted. [env: TEMPORAL_CLI_TLS_CA]
    #[arg(long = "tls_ca_path", global = true)]
    tls_ca_path: Option<String>,
    /// The authorities themselves.
    #[arg(long = "tls_ca_data", global = true)]
    tls_ca_data: Option<String>,
    /// The name that the server has to prove. [env: TEMPORAL_CLI_TLS_SERVER_NAME]
    #[arg(long = "tls_server_name", global = true)]
    tls_server_name: Option<String>,
    /// Do not ask who the server is. [env: TEMPORAL_CLI_TLS_DISABLE_HOST_VERIFICATION]
    #[arg(long = "tls_disable_host_verification", global = true)]
    tls_disable_host_verification: bool,
    /// Encrypt.
    #[arg(long = "tls_force_enable", global = true)]
    tls_force_enable: bool,
    /// Programs that convert data are not loaded: a codec server does that work.
    #[arg(long = "data_converter_plugin", alias = "dcp", global = true, hide = true)]
    data_converter_plugin: Option<String>,
    /// Programs that give headers are not loaded: `--auth` gives one.
    #[arg(long = "headers_provider_plugin", alias = "hpp", global = true, hide = true)]
    headers_provider_plugin: Option<String>,
}

#[derive(Debug, Subcommand)]
enum TctlCommand {
    /// Workflows.
    #[command(alias = "wf", alias = "w", subcommand)]
    Workflow(WorkflowCommand),
    /// Namespaces.
    #[command(alias = "n", subcommand)]
    Namespace(NamespaceCommand),
    /// Task queues.
    #[command(alias = "tq", subcommand)]
    Taskqueue(TaskQueueCommand),
    /// The cluster.
    #[command(alias = "cl", subcommand)]
    Cluster(ClusterCommand),
    /// Payloads.
    #[command(alias = "dc", subcommand)]
    Dataconverter(DataConverterCommand),
}

#[derive(Debug, Subcommand)]
enum ClusterCommand {
    /// Ask whether the server serves.
    #[command(alias = "h")]
    Health,
    /// Show the server's version and what it can do.
    System,
    /// List search attributes.
    #[command(name = "get-search-attributes", alias = "gsa")]
    GetSearchAttributes,
}

#[derive(Debug, Subcommand)]
enum TaskQueueCommand {
    /// Show who polls.
    #[command(alias = "desc")]
    Describe {
        #[arg(long, alias = "tq")]
        taskqueue: String,
        #[arg(long, alias = "tqt", default_value = "workflow")]
        taskqueuetype: String,
    },
}

#[derive(Debug, Subcommand)]
enum DataConverterCommand {
    /// Decode payloads for the web UI of old, which asks by a web socket.
    Web {
        /// The address of the web UI: no other page is answered.
        #[arg(long = "web_ui_url")]
        web_ui_url: String,
        /// Port to listen on; any free one when missing. [env: TEMPORAL_CLI_DATA_CONVERTER_PORT]
        #[arg(long)]
        port: Option<u16>,
    },
}

/// Words of a line of this command line.
#[derive(Debug, Default)]
struct Words(Vec<String>);

impl Words {
    fn of(words: &[&str]) -> Self {
        Self(words.iter().map(|word| (*word).to_owned()).collect())
    }

    fn option(mut self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        if let Some(value) = value {
            self.0.push(format!("--{name}={}", value.as_ref()));
        }
        self
    }

    fn flag(mut self, name: &str, set: bool) -> Self {
        if set {
            self.0.push(format!("--{name}"));
        }
        self
    }
}

/// A line as it stands, or, when it is one of `tctl`, as this command line writes it.
///
/// # Errors
/// When it is a line of `tctl` that cannot be written so. What is wrong with its words, and its
/// help, is printed at once, and the program ends.
pub fn from_tctl(line: Vec<OsString>, around: &Surroundings) -> Result<Vec<OsString>> {
    let called = line.first().map(|name| Path::new(name).file_stem() == Some(NAME.as_ref()));
    let told = line.get(1).is_some_and(|word| word == NAME);
    let words = match (called, told) {
        (Some(true), _) => line,
        (_, true) => line.into_iter().skip(1).collect(),
        _ => return Ok(line),
    };
    let tctl = Tctl::parse_from(words.into_iter().map(with_two_dashes));
    Ok(translated(tctl, around)?.into_iter().map(OsString::from).collect())
}

/// `-wid` as `--wid`: one dash is as good as two there.
fn with_two_dashes(word: OsString) -> OsString {
    let long = word.to_str().and_then(|text| {
        let rest = text.strip_prefix('-')?;
        let name = rest.split('=').next()?;
        let is_name = name.len() > 1 && name.starts_with(|first: char| first.is_ascii_lowercase());
        is_name.then(|| format!("-{text}"))
    });
    long.map_or(word, OsString::from)
}

fn translated(tctl: Tctl, around: &Surroundings) -> Result<Vec<String>> {
    let Tctl { global, command } = tctl;
    let plugin = global
        .data_converter_plugin
        .as_deref()
        .or_else(|| around.variable("TEMPORAL_CLI_PLUGIN_DATA_CONVERTER"));
    let has_codec =
        global.codec_endpoint.is_some() || around.variable("TEMPORAL_CLI_CODEC_ENDPOINT").is_some();
    if plugin.is_some() && !has_codec {
        return Err(Error::usage(
            "programs that convert data are not loaded: run a codec server (`longtide codec-server` \
             is one) and name it with --codec_endpoint",
        ));
    }
    let headers = around.variable("TEMPORAL_CLI_PLUGIN_HEADERS_PROVIDER");
    if global.headers_provider_plugin.is_some() || headers.is_some() {
        return Err(Error::usage(
            "programs that give headers are not loaded: give the header with --auth",
        ));
    }
    let mut namespace = global.namespace.clone();
    let words = match command {
        TctlCommand::Workflow(command) => command.words()?,
        TctlCommand::Namespace(command) => command.words(&mut namespace),
        TctlCommand::Taskqueue(TaskQueueCommand::Describe { taskqueue, taskqueuetype }) => {
            Words::of(&["task-queue", "describe"])
                .option("task-queue", Some(taskqueue))
                .option("task-queue-type", Some(taskqueuetype.to_lowercase()))
        }
        TctlCommand::Cluster(ClusterCommand::Health) => {
            Words::of(&["operator", "cluster", "health"])
        }
        TctlCommand::Cluster(ClusterCommand::System) => {
            Words::of(&["operator", "cluster", "system"])
        }
        TctlCommand::Cluster(ClusterCommand::GetSearchAttributes) => {
            Words::of(&["operator", "search-attribute", "list"])
        }
        TctlCommand::Dataconverter(DataConverterCommand::Web { web_ui_url, port }) => {
            let port = port.map(|port| port.to_string());
            let port = port.as_deref();
            let port = port.or_else(|| around.variable("TEMPORAL_CLI_DATA_CONVERTER_PORT"));
            Words::of(&["data-converter", "web"])
                .option("web-ui-url", Some(web_ui_url))
                .option("port", port)
        }
    };
    let mut line = vec![NAME.to_owned()];
    line.extend(words.0);
    line.extend(globals(&global, namespace, around).0);
    Ok(line)
}

/// The options that every line has.
fn globals(global: &Global, namespace: Option<String>, around: &Surroundings) -> Words {
    let or = |given: &Option<String>, name: &str| {
        given.clone().or_else(|| around.variable(name).map(ToOwned::to_owned))
    };
    let auth = or(&global.auth, "TEMPORAL_CLI_AUTH").map(|auth| format!("authorization={auth}"));
    let seconds = global.context_timeout.map(|seconds| seconds.to_string());
    let seconds = or(&seconds, "TEMPORAL_CONTEXT_TIMEOUT").map(|seconds| format!("{seconds}s"));
    let anybody = around.variable("TEMPORAL_CLI_TLS_DISABLE_HOST_VERIFICATION") == Some("true");
    Words::default()
        .option("address", or(&global.address, "TEMPORAL_CLI_ADDRESS"))
        .option("namespace", or(&namespace, "TEMPORAL_CLI_NAMESPACE"))
        .option("grpc-meta", auth)
        .option("command-timeout", seconds)
        .option("codec-endpoint", or(&global.codec_endpoint, "TEMPORAL_CLI_CODEC_ENDPOINT"))
        .option("codec-auth", or(&global.codec_auth, "TEMPORAL_CLI_CODEC_AUTH"))
        .option("tls-cert-path", or(&global.tls_cert_path, "TEMPORAL_CLI_TLS_CERT"))
        .option("tls-key-path", or(&global.tls_key_path, "TEMPORAL_CLI_TLS_KEY"))
        .option("tls-ca-path", or(&global.tls_ca_path, "TEMPORAL_CLI_TLS_CA"))
        .option("tls-ca-data", global.tls_ca_data.as_ref())
        .option("tls-server-name", or(&global.tls_server_name, "TEMPORAL_CLI_TLS_SERVER_NAME"))
        .flag("tls-disable-host-verification", global.tls_disable_host_verification || anybody)
        .flag("tls", global.tls_force_enable)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn lined(line: &str, variables: &[(&str, &str)]) -> Result<String> {
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let around = Surroundings::of(variables);
        let words = line.split(' ').map(OsString::from).collect();
        let words = from_tctl(words, &around)?;
        let words: Vec<_> = words.iter().map(|word| word.to_str().unwrap()).collect();
        Ok(words.join(" "))
    }

    #[test]
    fn the_tree_is_consistent() {
        Tctl::command().debug_assert();
    }

    #[test]
    fn lines_of_guides_are_understood() {
        let cases = [
            (
                "tctl n re --retention 1 default",
                "operator namespace create --retention=1d --namespace=default",
            ),
            (
                "tctl --auth secret namespace list",
                "operator namespace list --grpc-meta=authorization=secret",
            ),
            ("x tctl workflow showid w r", "workflow show --workflow-id=w --run-id=r"),
            (
                "/bin/tctl --codec_endpoint http://c wf show -wid w",
                "workflow show --workflow-id=w --codec-endpoint=http://c",
            ),
            (
                "tctl --ns n wf desc -w x -r y",
                "workflow describe --workflow-id=x --run-id=y --namespace=n",
            ),
            (
                "tctl wf start --tq q --wt kind --et 60 --wid w -i 1",
                "workflow start --task-queue=q --type=kind --workflow-id=w \
                 --execution-timeout=60s --input=1",
            ),
            ("tctl wf term -w x --re why", "workflow terminate --workflow-id=x --reason=why"),
            ("tctl cl h", "operator cluster health"),
            (
                "tctl --ct 5 wf l -q a=b",
                "workflow list --query=a=b --limit=10 --command-timeout=5s",
            ),
        ];
        for (theirs, ours) in cases {
            assert_eq!(lined(theirs, &[]).unwrap(), format!("tctl {ours}"));
        }
        assert_eq!(lined("longtide workflow list", &[]).unwrap(), "longtide workflow list");
    }

    #[test]
    fn variables_stand_in_for_options() {
        let variables = [("TEMPORAL_CLI_ADDRESS", "a:1"), ("TEMPORAL_CLI_TLS_CA", "ca.pem")];
        let line = lined("tctl --tls_ca_path mine.pem cl h", &variables).unwrap();
        let expected = "tctl operator cluster health --address=a:1 --tls-ca-path=mine.pem";
        assert_eq!(line, expected);
    }

    #[test]
    fn a_plugin_is_refused_with_advice() {
        let plugin = [("TEMPORAL_CLI_PLUGIN_DATA_CONVERTER", "x")];
        let error = lined("tctl dataconverter web --web_ui_url http://u", &plugin).unwrap_err();
        assert!(error.to_string().contains("--codec_endpoint"), "{error}");
        let line = "tctl --codec_endpoint http://c dataconverter web --web_ui_url http://u";
        let expected = "tctl data-converter web --web-ui-url=http://u --codec-endpoint=http://c";
        assert_eq!(lined(line, &plugin).unwrap(), expected);
    }
}
