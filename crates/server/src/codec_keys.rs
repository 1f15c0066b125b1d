//! `longtide codec keys`: the file of the keys that payloads are encrypted with.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Subcommand;
use longtide_codec::{new_key_line, read_key_file, read_key_text};

use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key: in a new file, or printed for a variable.
    Generate {
        /// The file, which must not exist.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// The id of the key; one of its own by default.
        #[arg(long)]
        id: Option<String>,
    },
    /// List the ids of the keys; nothing of the keys themselves is shown.
    List {
        /// The file.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Put a new key above the others: it encrypts from now on, they go on decrypting.
    ///
    /// Rotate first where payloads are decrypted, and give them time to read the file, before those
    /// that encrypt do: what nobody knows yet, nobody reads.
    Rotate {
        /// The file.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// The id of the key; one of its own by default.
        #[arg(long)]
        id: Option<String>,
    },
}

/// Runs a command.
pub(crate) fn run(command: KeysCommand) -> anyhow::Result<()> {
    match command {
        KeysCommand::Generate { file, id } => generate(file.as_deref(), id),
        KeysCommand::List { file } => list(&file),
        KeysCommand::Rotate { file, id } => rotate(&file, id),
    }
}

fn generate(file: Option<&Path>, id: Option<String>) -> anyhow::Result<()> {
    let (id, line) = new_key_line(id)?;
    let Some(file) = file else {
        output::line(line.trim_end());
        return Ok(());
    };
    create(file, line.as_bytes())?;
    output::line(&format!("{}: the key {id} encrypts", file.display()));
    Ok(())
}

fn list(file: &Path) -> anyhow::Result<()> {
    let ring = read_key_file(file)?;
    let primary = ring.primary_id();
    output::line(&format!("{primary}  encrypts and decrypts"));
    for id in ring.ids().filter(|id| *id != primary) {
        output::line(&format!("{id}  decrypts"));
    }
    Ok(())
}

/// The file is replaced as a whole: who reads it meanwhile reads the old one or the new one.
fn rotate(file: &Path, id: Option<String>) -> anyhow::Result<()> {
    let place = || format!("cannot read `{}`", file.display());
    let former = zeroize::Zeroizing::new(fs::read_to_string(file).with_context(place)?);
    read_key_text(&former).with_context(|| file.display().to_string())?;
    let (id, line) = new_key_line(id)?;
    let text = zeroize::Zeroizing::new(format!("{}{}", *line, *former));
    // An id that is taken shows here.
    read_key_text(&text)?;
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    create(&beside, text.as_bytes())?;
    if let Ok(known) = fs::metadata(file) {
        fs::set_permissions(&beside, known.permissions())?;
    }
    fs::rename(&beside, file).with_context(|| format!("cannot write `{}`", file.display()))?;
    output::line(&format!("{}: the key {id} encrypts", file.display()));
    Ok(())
}

/// A new file that nobody else can read.
fn create(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut made = match made {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("`{}` is there already", file.display())
        }
        made => made.with_context(|| format!("cannot write `{}`", file.display()))?,
    };
    made.write_all(content)?;
    made.sync_all()?;
    Ok(())
}
