//! Where records go: one file after the other, each with an end that is never half a record.

use std::{
    fs,
    io::{self, BufRead as _, Write as _},
    path::{Path, PathBuf},
};

use model::{Span, Time};

use crate::{
    AuditError, Folder,
    chain::{self, Chain},
    folder,
};

/// Longest line that is read back, in bytes: a call names a few things of a thousand bytes each.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// The file that is written to.
#[derive(Debug)]
pub(crate) struct LogFile {
    folder: Folder,
    _lock: fs::File,
    file: fs::File,
    path: PathBuf,
    /// Bytes of whole records; what is after them was not written as a whole.
    length: u64,
    began: Time,
    is_torn: bool,
    is_dirty: bool,
}

/// Where a log goes on.
#[derive(Debug)]
pub(crate) struct Resumed {
    pub(crate) file: LogFile,
    pub(crate) chain: Chain,
    /// Bytes of half a record that were cut off.
    pub(crate) cut_bytes: u64,
}

impl LogFile {
    /// Opens the last file of a folder and finds where it ends. Half a record, left behind when a
    /// server died, is cut off. What is damaged otherwise stays for `verify` to find; the log goes
    /// on after the last good record or the last checkpoint, whichever is later.
    pub(crate) fn resume(folder: Folder, now: Time) -> Result<Resumed, AuditError> {
        let lock = folder.take()?;
        let head = folder.head()?;
        let head = head.as_deref().and_then(|line| chain::read(line.trim_ascii_end()));
        let mut chain = head.as_ref().map_or_else(Chain::default, Chain::after);
        let (path, end) = match folder.files()?.pop() {
            None => (folder.file(chain.next), End::default()),
            Some((_, path)) => {
                let end = end_of(&path).map_err(|error| folder.failed(&path, error))?;
                (path, end)
            }
        };
        if let Some(last) = end.chain.filter(|last| last.next > chain.next) {
            chain = last;
        }
        let file = folder::open(&path).map_err(|error| folder.failed(&path, error))?;
        let mut file = Self {
            folder,
            _lock: lock,
            file,
            path,
            length: end.length,
            began: now,
            is_torn: end.cut_bytes > 0,
            is_dirty: false,
        };
        file.mend().map_err(|error| file.folder.failed(&file.path, error))?;
        Ok(Resumed { file, chain, cut_bytes: end.cut_bytes })
    }

    /// Writes lines: all of them, or none.
    pub(crate) fn append(&mut self, lines: &str) -> io::Result<()> {
        self.mend()?;
        self.is_torn = true;
        if let Err(error) = self.file.write_all(lines.as_bytes()) {
            // Nothing to do about a failure here: the next attempt begins with it.
            drop(self.mend());
            return Err(error);
        }
        self.is_torn = false;
        self.is_dirty = true;
        self.length += u64::try_from(lines.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Makes what was written durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if self.is_dirty {
            self.file.sync_data()?;
            self.is_dirty = false;
        }
        Ok(())
    }

    /// Replaces the last checkpoint beside the files.
    pub(crate) fn write_head(&mut self, line: &str) -> io::Result<()> {
        self.sync()?;
        self.folder.write_head(line)
    }

    /// True when the next record belongs into another file.
    pub(crate) fn is_full(&self, now: Time, bytes_max: u64, age_max: Span) -> bool {
        let is_old = !age_max.is_zero() && now.since(self.began) >= age_max;
        self.length > 0 && (self.length >= bytes_max || is_old)
    }

    /// Goes on in another file.
    pub(crate) fn rotate(&mut self, next: u64, now: Time) -> io::Result<()> {
        self.sync()?;
        let path = self.folder.file(next);
        self.file = folder::open(&path)?;
        self.folder.sync()?;
        self.path = path;
        (self.length, self.began) = (0, now);
        Ok(())
    }

    /// Files whose last record is older than this, and the number of the last record in them. The
    /// one that is written to is never old.
    pub(crate) fn older_than(&self, age: Span, now: Time) -> (Vec<PathBuf>, Option<u64>) {
        let files = self.folder.files().unwrap_or_default();
        let mut old = Vec::new();
        let mut up_to = None;
        for pair in files.windows(2) {
            let [(_, path), (next, _)] = pair else { break };
            let modified = fs::metadata(path).and_then(|data| data.modified()).ok();
            let modified =
                modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            let is_old =
                modified.is_some_and(|since| now.since(Time::UNSET + Span::from(since)) > age);
            if !is_old {
                break;
            }
            old.push(path.clone());
            up_to = next.checked_sub(1);
        }
        (old, up_to)
    }

    /// Takes away what is after the last whole record.
    fn mend(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.file.set_len(self.length)?;
            self.is_torn = false;
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct End {
    /// Bytes of whole lines.
    length: u64,
    /// Bytes after the last one.
    cut_bytes: u64,
    /// After the last good record.
    chain: Option<Chain>,
}

fn end_of(path: &Path) -> io::Result<End> {
    let mut reader = io::BufReader::new(fs::File::open(path)?);
    let mut end = End::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = io::Read::take(&mut reader, LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(end);
        }
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        let Some(record) = line.strip_suffix(b"\n") else {
            end.cut_bytes += bytes;
            continue;
        };
        // What came before was no end, but a line longer than any record.
        end.length += end.cut_bytes + bytes;
        end.cut_bytes = 0;
        if let Some(placed) = chain::read(record) {
            end.chain = Some(Chain::after(&placed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Body;

    const NOW: Time = Time::from_nanos(1);

    fn resume(path: &Path) -> Resumed {
        LogFile::resume(Folder::at(path.to_owned()), NOW).unwrap()
    }

    fn write(resumed: &mut Resumed) {
        let mut text = String::new();
        resumed.chain.append(NOW, &Body::Dropped { count: 1 }, &mut text).unwrap();
        resumed.file.append(&text).unwrap();
    }

    #[test]
    fn a_log_goes_on_where_it_ended_without_half_a_record() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = resume(folder.path());
        write(&mut first);
        write(&mut first);
        let (path, chain) = (first.file.path.clone(), first.chain.clone());
        drop(first);
        let whole = fs::read(&path).unwrap();
        for cut in 1..10 {
            folder::open(&path).unwrap().write_all(&whole[..cut * 10]).unwrap();
            let again = resume(folder.path());
            assert_eq!(again.chain, chain);
            assert_eq!(again.cut_bytes, u64::try_from(cut * 10).unwrap());
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn a_log_that_was_cut_off_does_not_use_the_missing_numbers_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = resume(folder.path());
        write(&mut first);
        let mut line = String::new();
        let mut chain = first.chain.clone();
        chain.append(NOW, &Body::Dropped { count: 1 }, &mut line).unwrap();
        first.file.append(&line).unwrap();
        first.file.write_head(&line).unwrap();
        let path = first.file.path.clone();
        drop(first);
        let start = fs::read_to_string(&path).unwrap();
        fs::write(&path, start.lines().next().unwrap().to_owned() + "\n").unwrap();
        let again = resume(folder.path());
        assert_eq!((again.chain.next, again.cut_bytes), (3, 0));
    }

    #[test]
    fn a_write_that_fails_leaves_nothing_and_the_next_one_works() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = resume(folder.path());
        write(&mut log);
        let writable =
            std::mem::replace(&mut log.file.file, fs::File::open(&log.file.path).unwrap());
        assert!(log.file.append("half a rec").is_err());
        // As if the disk had taken a part of it.
        folder::open(&log.file.path).unwrap().write_all(b"half").unwrap();
        log.file.file = writable;
        write(&mut log);
        let text = fs::read_to_string(&log.file.path).unwrap();
        assert_eq!(
            text.lines().map(|line| chain::read(line.as_bytes()).unwrap().seq).collect::<Vec<_>>(),
            [1, 2]
        );
    }

    #[test]
    fn two_servers_do_not_write_one_log() {
        let folder = tempfile::tempdir().unwrap();
        let _first = resume(folder.path());
        let second = LogFile::resume(Folder::at(folder.path().to_owned()), NOW);
        assert!(matches!(second, Err(AuditError::InUse(_))), "{second:?}");
    }

    #[test]
    fn files_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let parent = tempfile::tempdir().unwrap();
        let mut log = resume(&parent.path().join("audit"));
        write(&mut log);
        log.file.rotate(2, NOW).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(log.file.folder.path()), 0o700);
        for (_, path) in log.file.folder.files().unwrap() {
            assert_eq!(mode(&path), 0o600);
        }
    }
}
