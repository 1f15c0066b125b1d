//! `longtide audit`: checks the audit log, and looks for records in it.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context, bail};
use audit::{Filter, Folder, PublicKey, Report, SigningKey, Verifier, files_of};
use clap::{Args, Subcommand};
use environment::Environment;

use crate::{auditing, configured, files, output};

/// How often `tail --follow` looks for more.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check every record, its place and every signature; what is wrong names the record.
    Verify(Verify),
    /// Show the last records.
    Tail(Tail),
    /// Show the records that are like this.
    Query(Query),
    /// The key that signs.
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
}

/// What is done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key, and show its public half.
    Create {
        /// The file, which may not be there yet.
        file: PathBuf,
    },
    /// Show the public half of a key: keep it where the log is not.
    Show {
        /// The file.
        file: PathBuf,
    },
}

/// Which log.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// A folder of a log, or files of one.
    #[arg(value_name = "PATH", required_unless_present = "config")]
    paths: Vec<PathBuf>,
    /// The log of the server with this configuration.
    #[arg(long, value_name = "FILE", conflicts_with = "paths")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    place: Place,
    /// The public half of the key that has to have signed; that of the configuration when there is
    /// one. Without any, whoever can write the log can also sign it.
    #[arg(long, value_name = "BASE64")]
    public_key: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    place: Place,
    /// Go on as records come.
    #[arg(long, short)]
    follow: bool,
    /// How many.
    #[arg(long, short = 'n', default_value_t = 10)]
    lines: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    #[command(flatten)]
    place: Place,
    /// The name of who called.
    #[arg(long)]
    principal: Option<String>,
    /// The method's bare name.
    #[arg(long)]
    rpc: Option<String>,
    /// The namespace.
    #[arg(long, short)]
    namespace: Option<String>,
    /// allowed, denied or unauthenticated.
    #[arg(long)]
    decision: Option<String>,
    /// The code of the answer, such as NOT_FOUND.
    #[arg(long)]
    outcome: Option<String>,
    /// A name that the request named, such as a workflow id.
    #[arg(long)]
    target: Option<String>,
    /// Not before: a time such as 2026-11-22T10:00:00Z, or so long ago, such as 1h.
    #[arg(long, value_parser = point)]
    since: Option<Point>,
    /// Before this.
    #[arg(long, value_parser = point)]
    until: Option<Point>,
}

/// A point in time, or so long ago.
#[derive(Debug, Clone, Copy)]
enum Point {
    At(SystemTime),
    Ago(Duration),
}

fn point(text: &str) -> Result<Point, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        return Ok(Point::Ago(ago));
    }
    let at = humantime::parse_rfc3339_weak(text).map(Point::At);
    at.map_err(|_| "neither a time such as `2026-11-22T10:00:00Z` nor a length such as `1h`".into())
}

impl Point {
    fn time(self, now: SystemTime) -> SystemTime {
        match self {
            Self::At(time) => time,
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH),
        }
    }
}

/// A log that was found.
struct Found {
    files: Vec<PathBuf>,
    /// Its folder, when all of it is looked at.
    folder: Option<Folder>,
    key: Option<PublicKey>,
}

impl Place {
    fn find(&self) -> anyhow::Result<Found> {
        if let Some(file) = &self.config {
            let settings = configured::read(file)?;
            let Some(log) = &settings.audit else { bail!("{}: audit is off", file.display()) };
            anyhow::ensure!(!log.directory.is_empty(), "audit.directory is not set");
            let key = match log.key_file.as_str() {
                "" => None,
                key => Some(auditing::signing_key(Path::new(key))?.public()),
            };
            let folder = Folder::at(PathBuf::from(&log.directory));
            return Ok(Found { files: files_of(folder.path())?, folder: Some(folder), key });
        }
        let mut files = Vec::new();
        for path in &self.paths {
            files.extend(files_of(path)?);
        }
        let folder = match self.paths.as_slice() {
            [path] if path.is_dir() => Some(Folder::at(path.clone())),
            _ => None,
        };
        Ok(Found { files, folder, key: None })
    }
}

/// Runs a command.
pub(crate) fn run(command: AuditCommand) -> anyhow::Result<()> {
    match command {
        AuditCommand::Verify(options) => verify(&options),
        AuditCommand::Tail(options) => tail(&options),
        AuditCommand::Query(options) => query(&options),
        AuditCommand::Key { command: KeyCommand::Create { file } } => {
            let key = SigningKey::make(Environment::system().entropy.as_ref())?;
            files::write_new(&file, &key.to_pem()?)?;
            output::line(&key.public().to_string());
            Ok(())
        }
        AuditCommand::Key { command: KeyCommand::Show { file } } => {
            output::line(&auditing::signing_key(&file)?.public().to_string());
            Ok(())
        }
    }
}

fn verify(options: &Verify) -> anyhow::Result<()> {
    let found = options.place.find()?;
    let named = options.public_key.as_deref().map(PublicKey::from_text).transpose()?;
    let mut verifier = Verifier::new(named.or(found.key));
    match &found.folder {
        None => verifier = verifier.of_a_part(),
        Some(folder) => {
            if let Some(head) = folder.head()? {
                verifier = verifier.with_head(&head);
            }
        }
    }
    for file in &found.files {
        verifier.begin_file(&file.display().to_string());
        each_line(file, |line| verifier.check(line))?;
    }
    let report = verifier.finish();
    for finding in &report.findings {
        output::line(&finding.to_string());
    }
    for line in summary(&report) {
        output::line(&line);
    }
    let count = report.findings.len();
    anyhow::ensure!(count == 0, "the audit log is not as it was written: {count} findings");
    Ok(())
}

fn summary(report: &Report) -> Vec<String> {
    let Report { records, first, last, checkpoints, unsigned, dropped, keys, .. } = report;
    let mut lines = vec![format!("{records} records, {first} to {last}")];
    if keys.is_empty() {
        lines.push("nothing of it is signed".to_owned());
    } else {
        let keys = keys.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        lines.push(format!("{checkpoints} checkpoints, signed by {keys}"));
        lines.push(format!("{unsigned} records since the last checkpoint"));
    }
    if *dropped > 0 {
        lines.push(format!("{dropped} records were lost while the log could not be written"));
    }
    lines
}

fn each_line(file: &Path, mut act: impl FnMut(&[u8])) -> anyhow::Result<()> {
    let opened = File::open(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let mut reader = BufReader::new(opened);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        act(&line);
    }
}

fn query(options: &Query) -> anyhow::Result<()> {
    let now = Environment::system().clock.now();
    let now = SystemTime::UNIX_EPOCH + Duration::from_nanos(now.nanos().unsigned_abs());
    let filter = Filter {
        principal: options.principal.clone(),
        rpc: options.rpc.clone(),
        namespace: options.namespace.clone(),
        decision: options.decision.clone(),
        outcome: options.outcome.clone(),
        target: options.target.clone(),
        since: options.since.map(|point| point.time(now)),
        until: options.until.map(|point| point.time(now)),
        calls_only: false,
    };
    for file in options.place.find()?.files {
        each_line(&file, |line| {
            let line = String::from_utf8_lossy(line);
            if filter.takes(&line) {
                output::line(line.trim_end());
            }
        })?;
    }
    Ok(())
}

fn tail(options: &Tail) -> anyhow::Result<()> {
    let found = options.place.find()?;
    let mut last = std::collections::VecDeque::new();
    for file in &found.files {
        each_line(file, |line| {
            last.push_back(String::from_utf8_lossy(line).trim_end().to_owned());
            if last.len() > options.lines {
                last.pop_front();
            }
        })?;
    }
    last.iter().for_each(|line| output::line(line));
    if !options.follow {
        return Ok(());
    }
    let mut current = found.files.last().cloned();
    let mut position = match &current {
        Some(file) => File::open(file)?.metadata()?.len(),
        None => 0,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    loop {
        if let Some(file) = &current {
            position += show_from(file, position)?;
        }
        let files = options.place.find()?.files;
        let next = match &current {
            None => files.first(),
            Some(file) => files.iter().find(|other| *other > file),
        };
        match next {
            // What was written just before the next file began is shown first.
            Some(next) => {
                if let Some(file) = &current {
                    show_from(file, position)?;
                }
                (current, position) = (Some(next.clone()), 0);
            }
            None => runtime.block_on(async { tokio::time::sleep(LOOK_EVERY).await }),
        }
    }
}

/// Shows whole lines from a position on, and says how many bytes they were.
fn show_from(file: &Path, position: u64) -> anyhow::Result<u64> {
    let mut opened = File::open(file)?;
    opened.seek(SeekFrom::Start(position))?;
    let mut reader = BufReader::new(opened);
    let mut shown = 0;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        if read == 0 || !line.ends_with(b"\n") {
            return Ok(shown);
        }
        output::line(String::from_utf8_lossy(&line).trim_end());
        shown += u64::try_from(read)?;
    }
}
