//! The server under measurement as a child process.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::{
    client::{Access, Client},
    clock, fsync_trace,
    in_flight::InFlight,
    metrics_page,
    process::{self, Usage},
};

const SERVING_TIMEOUT: Duration = Duration::from_secs(60);
const SERVING_INTERVAL: Duration = Duration::from_millis(5);
const LOG_BYTES_SHOWN: usize = 2_000;

/// The reference's rate limits, lifted so that only its speed is measured.
const LIFTED_LIMITS: [&str; 14] = [
    "frontend.rps",
    "frontend.namespaceRPS",
    "frontend.namespaceRPS.visibility",
    "frontend.namespaceCount",
    "frontend.globalNamespaceRPS",
    "frontend.persistenceMaxQPS",
    "frontend.persistenceNamespaceMaxQPS",
    "history.rps",
    "history.persistenceMaxQPS",
    "history.persistenceNamespaceMaxQPS",
    "matching.rps",
    "matching.persistenceMaxQPS",
    "matching.persistenceNamespaceMaxQPS",
    "worker.persistenceMaxQPS",
];
const LIFTED_TO: u32 = 1_000_000;

/// Which of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The server of this repository.
    Longtide,
    /// Temporal's own development server.
    Reference,
    /// The server of this repository with all that secures it.
    Secured,
}

impl Kind {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Longtide => "longtide",
            Self::Reference => "reference",
            Self::Secured => "secured",
        }
    }
}

/// A server that can be started.
#[derive(Debug, Clone)]
pub struct Target {
    pub kind: Kind,
    pub executable: PathBuf,
    /// Where data directories are made; must be on the disk that is to be measured.
    pub data_parent: PathBuf,
}

/// Where the numbers of a running server are read.
#[derive(Debug, Clone, Default)]
pub struct Probe {
    pub pid: u32,
    /// `host:port` of its Prometheus page.
    pub metrics_address: Option<String>,
    /// The log of its fsync calls.
    pub trace: Option<PathBuf>,
}

impl Probe {
    /// What the process used so far.
    ///
    /// # Errors
    /// When it has ended.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        process::usage(self.pid).context("the server has ended")
    }

    /// The fsync calls so far, from the trace or the server's own counter; `None` when neither is
    /// there.
    ///
    /// # Errors
    /// When the trace or the page cannot be read.
    pub async fn fsyncs(&self) -> anyhow::Result<Option<f64>> {
        if let Some(trace) = &self.trace {
            return Ok(Some(fsync_trace::count(trace)? as f64));
        }
        match &self.metrics_address {
            Some(address) => metrics_page::counter(address, metrics_page::FSYNCS).await,
            None => Ok(None),
        }
    }
}

/// A started server with a data directory of its own; ends when dropped.
#[derive(Debug)]
pub struct Server {
    /// Its gRPC services.
    pub access: Access,
    pub probe: Probe,
    /// From the start of the process to its first answer.
    pub start_to_serving: Duration,
    child: Child,
    directory: TempDir,
}

impl Target {
    /// Starts the server, durable, in a new directory, and waits until it serves.
    ///
    /// # Errors
    /// When it cannot be started or does not serve in time.
    pub async fn start(&self, traced: bool) -> anyhow::Result<Server> {
        let directory = tempfile::Builder::new()
            .prefix("load-generator-")
            .tempdir_in(&self.data_parent)
            .with_context(|| format!("cannot use {}", self.data_parent.display()))?;
        let [port, metrics_port, http_port] = free_ports()?;
        let trace = traced.then(|| directory.path().join("fsync-trace"));
        let mut words = trace.as_deref().map(fsync_trace::prefix).unwrap_or_default();
        words.push(self.executable.clone());
        let (program, leading) = words.split_first().context("nothing to start")?;
        let mut command = Command::new(program);
        command
            .args(leading)
            .args(["server", "start-dev", "--headless", "--ip", "127.0.0.1"])
            .args(["--port", &port.to_string(), "--metrics-port", &metrics_port.to_string()])
            .args(["--http-port", &http_port.to_string()])
            .args(self.own_arguments(directory.path()));
        let access = Access::plain(format!("127.0.0.1:{port}"));
        Launch { command, directory, access, port, metrics_port, trace }.serving().await
    }

    fn own_arguments(&self, directory: &Path) -> Vec<String> {
        let path = |name: &str| directory.join(name).display().to_string();
        let mut arguments = vec!["--db-filename".to_owned()];
        match self.kind {
            Kind::Longtide | Kind::Secured => {
                arguments.extend([path("data"), "--log-level".into(), "error".into()]);
            }
            Kind::Reference => {
                arguments.extend([path("data.sqlite"), "--log-level".into(), "never".into()]);
                for pragma in ["journal_mode=WAL", "synchronous=FULL"] {
                    arguments.extend(["--sqlite-pragma".to_owned(), pragma.to_owned()]);
                }
                for limit in LIFTED_LIMITS {
                    arguments.push("--dynamic-config-value".to_owned());
                    arguments.push(format!("{limit}={LIFTED_TO}"));
                }
            }
        }
        arguments
    }
}

/// A server that is about to be started, in a directory of its own.
pub(crate) struct Launch {
    pub(crate) command: Command,
    pub(crate) directory: TempDir,
    pub(crate) access: Access,
    pub(crate) port: u16,
    pub(crate) metrics_port: u16,
    /// The log of its fsync calls, when the command is a tracer's.
    pub(crate) trace: Option<PathBuf>,
}

impl Launch {
    /// Starts the server and waits until it serves.
    pub(crate) async fn serving(self) -> anyhow::Result<Server> {
        let Self { mut command, directory, access, port, metrics_port, trace } = self;
        let log = fs::File::create(directory.path().join("server.log"))?;
        let (begin, traced) = (clock::now(), trace.is_some());
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let pid = child.id().context("the server ended at once")?;
        let probe =
            Probe { pid, metrics_address: Some(format!("127.0.0.1:{metrics_port}")), trace };
        let start_to_serving = Duration::ZERO;
        let mut server = Server { access, probe, start_to_serving, child, directory };
        server.wait_until_serving().await?;
        server.start_to_serving = begin.elapsed();
        if traced {
            server.probe.pid = process::first_child(pid).context("no process under strace")?;
        }
        anyhow::ensure!(
            process::listens_on(server.probe.pid, port),
            "another server took port {port}: {}",
            server.log_tail()
        );
        Ok(server)
    }
}

impl Server {
    async fn wait_until_serving(&mut self) -> anyhow::Result<()> {
        let begin = clock::now();
        while begin.elapsed() < SERVING_TIMEOUT {
            let client = Client::connect(&self.access, Arc::new(InFlight::default())).await;
            if let Ok(client) = client
                && client.is_serving().await
            {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("the server ended with {status}: {}", self.log_tail());
            }
            tokio::time::sleep(SERVING_INTERVAL).await;
        }
        anyhow::bail!("the server does not serve: {}", self.log_tail())
    }

    /// The end of what the server printed.
    pub fn log_tail(&self) -> String {
        let log = fs::read(self.directory.path().join("server.log")).unwrap_or_default();
        let tail = log.get(log.len().saturating_sub(LOG_BYTES_SHOWN)..).unwrap_or_default();
        String::from_utf8_lossy(tail).trim().to_owned()
    }

    /// Ends the server and removes its data.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        if self.probe.trace.is_some() {
            // A traced server outlives its tracer, so end the server; the tracer follows.
            Command::new("kill").args(["-9", &self.probe.pid.to_string()]).status().await?;
        } else {
            self.child.start_kill()?;
        }
        self.child.wait().await?;
        self.directory.close().context("cannot remove the server's data")
    }
}

/// Ports that nothing listens on; all are held at once, so that they differ.
pub(crate) fn free_ports<const N: usize>() -> anyhow::Result<[u16; N]> {
    let mut listeners = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}
