//! The server that a suite talks to: started, awaited, ended.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

/// How long a server may take until it accepts connections.
const START_MAX: Duration = Duration::from_secs(30);

/// Between two looks at whether it does.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What a suite expects of a server beside what all do.
pub(super) struct Wanted {
    /// The port where tests expect it without being told; any free one otherwise.
    pub(super) port: Option<u16>,
    /// A namespace beside the default one.
    pub(super) namespace: Option<&'static str>,
    pub(super) search_attributes: &'static [&'static str],
    /// Settings of the reference; `{http}` stands for the port where it speaks HTTP.
    pub(super) settings: &'static [&'static str],
}

/// What the suites switch on in the reference. Longtide has all of it on, and ignores the flag.
const REFERENCE_SETTINGS: &[&str] = &[
    "activity.enableCallbacks=true",
    "activity.enableStandalone=true",
    "activity.startDelayEnabled=true",
    "component.nexusoperations.recordCancelRequestCompletionEvents=true",
    "frontend.activityAPIsEnabled=true",
    "frontend.enableCancelWorkerPollsOnShutdown=true",
    "frontend.enableExecuteMultiOperation=true",
    "frontend.ListWorkersEnabled=true",
    "frontend.WorkerHeartbeatsEnabled=true",
    "frontend.workerCommandsEnabled=true",
    "frontend.workerVersioningDataAPIs=true",
    "frontend.workerVersioningWorkflowAPIs=true",
    "history.enableChasm=true",
    "history.enableCHASMCallbacks=true",
    "history.enableCHASMSignalBacklinks=true",
    "history.enableRequestIdRefLinks=true",
    "history.enableSignalWithStartFromWorkflow=true",
    "history.enableTransitionHistory=true",
    "history.enableUpdateCallbacks=true",
    "history.enableWorkflowTaskCompletionPagination=true",
    "matching.rps=12000",
    "nexusoperation.enableStandalone=true",
    "system.enableActivityEagerExecution=true",
    "system.enableCancelActivityWorkerCommand=true",
    "system.enableDeployments=true",
    "system.enableDeploymentVersions=true",
    "system.enableEagerWorkflowStart=true",
    "system.forceSearchAttributesCacheRefreshOnRead=true",
    "system.refreshNexusEndpointsMinWait=\"0s\"",
    "system.transactionSizeLimit=33554432",
];

/// A running server. Dropping it ends the process.
pub(super) struct Server {
    process: Child,
    port: u16,
    http_port: u16,
}

impl Server {
    /// Starts the program on free ports of the loopback address, with everything in memory.
    ///
    /// # Errors
    /// When it does not accept connections in time.
    pub(super) fn start(program: &Path, wanted: &Wanted) -> anyhow::Result<Self> {
        let (port, http_port) = (port(wanted.port)?, port(None)?);
        let mut command = Command::new(program);
        command
            .args(["server", "start-dev", "--headless", "--ip", "127.0.0.1"])
            .args(["--log-level", "error"])
            .args(["--port", &port.to_string(), "--http-port", &http_port.to_string()]);
        if let Some(namespace) = wanted.namespace {
            command.args(["--namespace", namespace]);
        }
        for attribute in wanted.search_attributes {
            command.args(["--search-attribute", attribute]);
        }
        for setting in REFERENCE_SETTINGS.iter().chain(wanted.settings) {
            let setting = setting.replace("{http}", &http_port.to_string());
            command.args(["--dynamic-config-value", &setting]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let process = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let mut server = Self { process, port, http_port };
        server.wait_until_it_listens()?;
        Ok(server)
    }

    /// Where clients connect.
    pub(super) fn address(&self) -> String {
        self.socket().to_string()
    }

    /// Where it speaks HTTP.
    pub(super) fn http_address(&self) -> String {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.http_port)).to_string()
    }

    fn socket(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    fn wait_until_it_listens(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        while started.elapsed() < START_MAX {
            if TcpStream::connect(self.socket()).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("the server ended: {status}");
            }
            thread::sleep(LOOK_EVERY);
        }
        bail!("the server does not listen after {START_MAX:?}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; either way nothing is left to do.
        let _ended = self.process.kill().and_then(|()| self.process.wait());
    }
}

/// This port, or any other, if nobody has it.
fn port(wanted: Option<u16>) -> anyhow::Result<u16> {
    let wanted = (Ipv4Addr::LOCALHOST, wanted.unwrap_or(0));
    let listener = TcpListener::bind(wanted);
    let listener =
        listener.with_context(|| format!("the suite wants {}", SocketAddr::from(wanted)))?;
    Ok(listener.local_addr()?.port())
}
