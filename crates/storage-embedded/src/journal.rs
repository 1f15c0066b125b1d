//! A look at fjall's journals before fjall opens them.
//!
//! A power failure can tear the last batch of the newest journal: some of its blocks are zero. That
//! batch was never acknowledged, and is cut off here (fjall would refuse to open). Damage before an
//! intact batch is another matter: fjall would cut off what follows without a word, so the store
//! refuses to open and says where the damage is.
//!
//! Format (fjall 3, little-endian): a batch is `1`, item count `u32`, seqno `u64`; items; `3`,
//! xxh3 of all items `u64`, `FJL\x03`. An item is `2`, type `u8`, compression `u8`, table `u64`, key
//! length `u16`, value length `u32`, stored length `u32`, key, value; or `4`, table `u64`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use xxhash_rust::xxh3::Xxh3;

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;
const TRAILER: &[u8; 4] = b"FJL\x03";

/// How far behind a break intact batches are looked for (16 MiB): several group commits.
const WINDOW_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes hashed at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Checks all journals and cuts off a torn last batch. Says what was cut, if anything.
pub(crate) fn check(engine: &Path) -> Result<Option<String>, String> {
    let mut journals = journals(engine).map_err(|error| error.to_string())?;
    journals.sort();
    let newest = journals.pop();
    for (_, path) in journals {
        if let Break { at, torn: true, .. } = find_break(&path)? {
            return Err(damaged(&path, at));
        }
    }
    let Some((_, path)) = newest else { return Ok(None) };
    match find_break(&path)? {
        Break { torn: false, .. } => Ok(None),
        Break { at, batch_follows: true, .. } => Err(damaged(&path, at)),
        Break { at, .. } => {
            cut(&path, at).map_err(|error| format!("`{}`: {error}", path.display()))?;
            let path = path.display();
            Ok(Some(format!("an unfinished commit was cut off at byte {at} of journal `{path}`")))
        }
    }
}

/// Empties the newest journal. Only for an engine that is closed and has everything in its tables.
pub(crate) fn empty(engine: &Path) -> io::Result<()> {
    match journals(engine)?.into_iter().max() {
        Some((_, path)) => cut(&path, 0),
        None => Ok(()),
    }
}

/// Where the intact batches of a journal end.
#[derive(Debug)]
struct Break {
    at: u64,
    /// Something other than zeros stands there.
    torn: bool,
    /// An intact batch stands behind it.
    batch_follows: bool,
}

fn damaged(path: &Path, at: u64) -> String {
    format!(
        "journal `{}` is damaged at byte {at}, and acknowledged commits follow; \
         restore the directory from a backup (nothing was changed)",
        path.display()
    )
}

fn journals(engine: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(engine) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut journals = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let (Some(number), true) = (number, path.extension().is_some_and(|end| end == "jnl")) {
            journals.push((number, path));
        }
    }
    Ok(journals)
}

fn find_break(path: &Path) -> Result<Break, String> {
    let find = || -> io::Result<Break> {
        let mut reader = BufReader::with_capacity(CHUNK_BYTES, File::open(path)?);
        let mut at = 0;
        while let Some(length) = read_batch(&mut reader)? {
            at += length;
        }
        let mut file = reader.into_inner();
        file.seek(SeekFrom::Start(at))?;
        let mut rest = Vec::new();
        file.take(WINDOW_BYTES).read_to_end(&mut rest)?;
        let torn = rest.iter().any(|byte| *byte != 0);
        let batch_follows = torn && has_batch(&rest);
        Ok(Break { at, torn, batch_follows })
    };
    find().map_err(|error| format!("journal `{}`: {error}", path.display()))
}

fn cut(path: &Path, at: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(at)?;
    file.sync_all()
}

fn has_batch(bytes: &[u8]) -> bool {
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == START);
    starts
        .filter_map(|(at, _)| bytes.get(at..))
        .filter(|rest| matches!(rest.get(13), Some(&ITEM | &CLEAR)))
        .any(|mut rest| matches!(read_batch(&mut rest), Ok(Some(_))))
}

/// The length of the batch that the reader stands at, or `None` if no intact one stands there.
fn read_batch(reader: &mut impl Read) -> io::Result<Option<u64>> {
    match try_read_batch(reader) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        outcome => outcome,
    }
}

fn try_read_batch(reader: &mut impl Read) -> io::Result<Option<u64>> {
    let [tag] = read(reader)?;
    if tag != START {
        return Ok(None);
    }
    let items = u32::from_le_bytes(read(reader)?);
    let _seqno: [u8; 8] = read(reader)?;
    let mut length = 13;
    let mut hash = Xxh3::new();
    for _ in 0..items {
        match read_item(reader, &mut hash)? {
            Some(item) => length += item,
            None => return Ok(None),
        }
    }
    let [tag] = read(reader)?;
    let checksum = u64::from_le_bytes(read(reader)?);
    let trailer: [u8; 4] = read(reader)?;
    let intact = tag == END && checksum == hash.digest() && trailer == *TRAILER;
    Ok(intact.then_some(length + 13))
}

fn read_item(reader: &mut impl Read, hash: &mut Xxh3) -> io::Result<Option<u64>> {
    let [tag] = read(reader)?;
    hash.update(&[tag]);
    if tag == CLEAR {
        hash.update(&read::<8>(reader)?);
        return Ok(Some(9));
    }
    if tag != ITEM {
        return Ok(None);
    }
    hash.update(&read::<10>(reader)?);
    let key_length: [u8; 2] = read(reader)?;
    let value_length: [u8; 4] = read(reader)?;
    let stored_length: [u8; 4] = read(reader)?;
    hash.update(&key_length);
    hash.update(&value_length);
    hash.update(&stored_length);
    let content =
        u64::from(u16::from_le_bytes(key_length)) + u64::from(u32::from_le_bytes(stored_length));
    let mut rest = content;
    let mut chunk = vec![0; CHUNK_BYTES.min(usize::try_from(content).unwrap_or(CHUNK_BYTES))];
    while rest > 0 {
        let most = usize::try_from(rest).unwrap_or(usize::MAX).min(chunk.len());
        let Some(part) = chunk.get_mut(..most) else { break };
        reader.read_exact(part)?;
        hash.update(part);
        rest -= part.len() as u64;
    }
    Ok(Some(21 + content))
}

fn read<const LENGTH: usize>(reader: &mut impl Read) -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}
