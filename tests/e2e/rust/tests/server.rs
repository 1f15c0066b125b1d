//! The server under test: one process for each test, ended with it.
//!
//! The executable comes from `LONGTIDE_E2E_SERVER` and has to understand `server start-dev`, as both
//! `longtide` and `temporal` do, so that the tests run unchanged on either.

use std::{
    env,
    fs::File,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use temporalio_client::{
    Client, ClientOptions, Connection, ConnectionOptions, Url, WorkflowCountOptions,
};
use tokio::time::{Instant, sleep};

/// How long a server may take from its start until it serves the namespace `default`.
const START: Duration = Duration::from_secs(30);

/// Between two looks at a condition.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// One server process on a port of its own; in memory, or durable when given a file.
pub struct Server {
    port: u16,
    folder: tempfile::TempDir,
    db_filename: Option<PathBuf>,
    process: Child,
}

impl Server {
    /// A server in memory.
    pub async fn start() -> Result<Self> {
        Self::start_with(|_| None).await
    }

    /// A server with `--db-filename`.
    pub async fn start_durable() -> Result<Self> {
        Self::start_with(|folder| Some(folder.join("server.db"))).await
    }

    async fn start_with(db_filename: impl FnOnce(&Path) -> Option<PathBuf>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let db_filename = db_filename(folder.path());
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let process = spawn(port, folder.path(), db_filename.as_deref())?;
        let mut server = Self { port, folder, db_filename, process };
        server.client().await?;
        Ok(server)
    }

    /// Ends the process as a power cut would, and starts it on the same port and file.
    pub async fn restart_after_kill(&mut self) -> Result<()> {
        ensure!(self.db_filename.is_some(), "a server in memory forgets everything");
        self.process.kill()?;
        self.process.wait()?;
        self.process = spawn(self.port, self.folder.path(), self.db_filename.as_deref())?;
        self.client().await?;
        Ok(())
    }

    /// A client of the namespace `default`, as soon as the server serves it.
    pub async fn client(&mut self) -> Result<Client> {
        let deadline = Instant::now() + START;
        loop {
            if let Some(status) = self.process.try_wait()? {
                bail!("the server ended with {status}: {}", self.log());
            }
            match self.connect().await {
                Ok(client) => return Ok(client),
                Err(error) if Instant::now() > deadline => {
                    return Err(error.context(format!("no answer: {}", self.log())));
                }
                Err(_) => sleep(LOOK_EVERY).await,
            }
        }
    }

    async fn connect(&self) -> Result<Client> {
        let url = Url::parse(&format!("http://127.0.0.1:{}", self.port))?;
        let connection = Connection::connect(ConnectionOptions::new(url).build()).await?;
        let client = Client::new(connection, ClientOptions::new("default").build())?;
        client.count_workflows("", WorkflowCountOptions::default()).await?;
        Ok(client)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended_already = self.process.kill();
        let _reaped = self.process.wait();
    }
}

fn spawn(port: u16, folder: &Path, db_filename: Option<&Path>) -> Result<Child> {
    let executable = env::var_os("LONGTIDE_E2E_SERVER")
        .context("LONGTIDE_E2E_SERVER must name the server's executable")?;
    let log = File::options().create(true).append(true).open(folder.join("log"))?;
    let mut command = Command::new(executable);
    command
        .args(["server", "start-dev", "--headless", "--log-level", "warn"])
        .args(["--port", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    if let Some(db_filename) = db_filename {
        command.arg("--db-filename").arg(db_filename);
    }
    Ok(command.spawn()?)
}
