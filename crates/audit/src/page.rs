//! Reads a log backwards, a page at a time.
//!
//! What is read is what the writer has written so far; a record that is being written is not seen.
//! Neither chain nor signatures are checked: [`crate::Verifier`] does that.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use crate::{AuditError, Filter, Folder, chain::START};

/// Most records of a page.
pub const PAGE_RECORDS_MAX: usize = 500;

/// Most bytes of a log that are looked at for one page: a page may have few records, or none, and
/// still not be the last.
const PAGE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Bytes that are read at once.
const BLOCK_BYTES: u64 = 64 * 1024;

/// Longest line that is read, in bytes; what is longer is no record.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// How far a clock may have been set back between two records of a log: so much further a search
/// for a time goes.
const CLOCK_SLACK: Duration = Duration::from_secs(60 * 60);

/// Records that a filter takes, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The lines, as they were written.
    pub records: Vec<String>,
    /// The number of the record before which the next page begins; nothing when there is none.
    pub next: Option<u64>,
}

impl Folder {
    /// The latest records that a filter takes, of those before the one with this number.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn page(
        &self,
        filter: &Filter,
        before: Option<u64>,
        records_max: usize,
    ) -> Result<Page, AuditError> {
        let mut search = Search {
            filter,
            before: before.unwrap_or(u64::MAX),
            records_max: records_max.clamp(1, PAGE_RECORDS_MAX),
            bytes_left: PAGE_BYTES_MAX,
            page: Page::default(),
        };
        for (first, path) in self.files()?.into_iter().rev() {
            if first >= search.before {
                continue;
            }
            let looked = search.look_through(&path);
            match looked.map_err(|error| self.failed(&path, error))? {
                Progress::GoesOn => {}
                Progress::Enough => return Ok(search.page),
                Progress::TooFarBack => break,
            }
        }
        search.page.next = None;
        Ok(search.page)
    }
}

enum Progress {
    GoesOn,
    /// The page is full, or as much was read as may be.
    Enough,
    /// All that is left is older than what is wanted.
    TooFarBack,
}

struct Search<'a> {
    filter: &'a Filter,
    before: u64,
    records_max: usize,
    bytes_left: u64,
    page: Page,
}

impl Search<'_> {
    fn look_through(&mut self, path: &Path) -> io::Result<Progress> {
        let mut file = match File::open(path) {
            // It was old, and is deleted.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Progress::GoesOn),
            opened => opened?,
        };
        let end = end_of_interest(&mut file, |record| self.is_later(record))?;
        let mut lines = Backwards::new(file, end);
        while let Some(line) = lines.next()? {
            let bytes = u64::try_from(line.len()).unwrap_or(u64::MAX);
            self.bytes_left = self.bytes_left.saturating_sub(bytes);
            let Some(record) = parsed(&line) else { continue };
            let Some(number) = number(&record).filter(|number| *number < self.before) else {
                continue;
            };
            if self.is_too_old(&record) {
                return Ok(Progress::TooFarBack);
            }
            if self.filter.takes_record(&record) {
                self.page.records.push(String::from_utf8_lossy(&line).into_owned());
            }
            self.page.next = Some(number).filter(|number| *number > 1);
            if self.page.records.len() >= self.records_max || self.bytes_left == 0 {
                return Ok(Progress::Enough);
            }
        }
        Ok(Progress::GoesOn)
    }

    /// Whether a record, and all after it, is later than what is wanted.
    fn is_later(&self, record: &Value) -> bool {
        let until = self.filter.until.and_then(|until| until.checked_add(CLOCK_SLACK));
        let is_late = |until| time(record).is_some_and(|time| time >= until);
        number(record).is_some_and(|number| number >= self.before) || until.is_some_and(is_late)
    }

    fn is_too_old(&self, record: &Value) -> bool {
        let since = self.filter.since.and_then(|since| since.checked_sub(CLOCK_SLACK));
        since.is_some_and(|since| time(record).is_some_and(|time| time < since))
    }
}

fn parsed(line: &[u8]) -> Option<Value> {
    line.starts_with(START.as_bytes()).then(|| serde_json::from_slice(line).ok()).flatten()
}

fn number(record: &Value) -> Option<u64> {
    record.get("seq").and_then(Value::as_u64)
}

fn time(record: &Value) -> Option<SystemTime> {
    let time = record.get("time").and_then(Value::as_str)?;
    humantime::parse_rfc3339(time).ok()
}

/// Where to begin to read backwards: all that is wanted is before, and little else. Found by halves,
/// because a file may be much larger than a page.
fn end_of_interest(file: &mut File, is_later: impl Fn(&Value) -> bool) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let (mut low, mut high) = (0, length);
    while high - low > BLOCK_BYTES {
        let middle = low + (high - low) / 2;
        match record_after(file, middle)? {
            Some(record) if !is_later(&record) => low = middle,
            Some(_) => high = middle,
            // Nothing to go by: what is there is read line by line.
            None => break,
        }
    }
    Ok(length.min(high.saturating_add(BLOCK_BYTES)))
}

/// The first whole record that begins after a position, if it is within a block.
fn record_after(file: &mut File, position: u64) -> io::Result<Option<Value>> {
    file.seek(SeekFrom::Start(position))?;
    let mut block = Vec::new();
    io::Read::by_ref(file).take(BLOCK_BYTES).read_to_end(&mut block)?;
    let mut lines = block.split_inclusive(|byte| *byte == b'\n').skip(1);
    Ok(lines.find_map(|line| parsed(line.strip_suffix(b"\n")?)))
}

/// The whole lines of a file up to a position, the last one first.
struct Backwards {
    file: File,
    /// What is before this has not been read.
    position: u64,
    /// What was read and not given, in its order.
    held: Vec<u8>,
    /// The line that ends at `held`'s end is whole.
    ends_whole: bool,
}

impl Backwards {
    const fn new(file: File, position: u64) -> Self {
        Self { file, position, held: Vec::new(), ends_whole: false }
    }

    /// The line before, without its end.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let start = self.held.iter().rposition(|byte| *byte == b'\n');
            let is_first = self.position == 0 && start.is_none() && !self.held.is_empty();
            if start.is_some() || is_first {
                let line = self.held.split_off(start.map_or(0, |at| at + 1));
                // The end of the line before is gone with this one.
                self.held.truncate(start.unwrap_or(0));
                let is_whole = std::mem::replace(&mut self.ends_whole, start.is_some());
                if is_whole && line.len() <= LINE_BYTES_MAX {
                    return Ok(Some(line));
                }
                continue;
            }
            if self.position == 0 {
                return Ok(None);
            }
            if self.held.len() > LINE_BYTES_MAX {
                // The beginning of a line that is none is of no use.
                self.held.clear();
                self.ends_whole = false;
            }
            self.read_block()?;
        }
    }

    fn read_block(&mut self) -> io::Result<()> {
        let from = self.position.saturating_sub(BLOCK_BYTES);
        let bytes = usize::try_from(self.position - from).unwrap_or_default();
        let mut block = vec![0; bytes];
        self.file.seek(SeekFrom::Start(from))?;
        self.file.read_exact(&mut block)?;
        block.append(&mut self.held);
        self.held = block;
        self.position = from;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use model::Time;

    use super::*;
    use crate::{Body, Call, Decision, Names, Who, chain::Chain};

    /// Seconds since 1970 of the first record; each is a second after the one before.
    const BEGIN: u64 = 1_000_000;

    fn call(number: u64) -> Body {
        let name = if number.is_multiple_of(10) { "alice" } else { "bob" };
        Body::Call(Call {
            principal: Who { kind: "jwt".to_owned(), name: name.to_owned() },
            source: "127.0.0.1:5".to_owned(),
            rpc: "StartWorkflowExecution",
            service: "",
            namespace: "orders".to_owned(),
            target: Names::default(),
            decision: Decision::Allowed,
            rule: String::new(),
            outcome: "OK",
        })
    }

    /// A log of so many files with so many calls each.
    fn log(files: u64, records: u64) -> (tempfile::TempDir, Folder) {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::at(directory.path().to_owned());
        let mut chain = Chain::default();
        for _ in 0..files {
            let (path, mut text) = (folder.file(chain.next), String::new());
            for _ in 0..records {
                let now =
                    Time::from_nanos(i64::try_from((BEGIN + chain.next) * 1_000_000_000).unwrap());
                chain.append(now, &call(chain.next), &mut text).unwrap();
            }
            fs::write(path, text).unwrap();
        }
        (directory, folder)
    }

    fn numbers(page: &Page) -> Vec<u64> {
        let read = |line: &String| number(&serde_json::from_str(line).unwrap()).unwrap();
        page.records.iter().map(read).collect()
    }

    fn at(number: u64) -> Option<SystemTime> {
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(BEGIN + number))
    }

    #[test]
    fn pages_go_back_to_the_first_record_over_all_files() {
        let (_directory, folder) = log(3, 1_000);
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = folder.page(&Filter::default(), before, 300).unwrap();
            assert!(page.records.len() <= 300);
            all.extend(numbers(&page));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(all, (1..=3_000).rev().collect::<Vec<_>>());
    }

    #[test]
    fn a_page_begins_anywhere_and_has_what_the_filter_takes() {
        let (_directory, folder) = log(2, 2_000);
        let filter = Filter { principal: Some("alice".to_owned()), ..Filter::default() };
        for before in [1, 2, 11, 1_999, 2_001, 2_002, 3_333, 4_000, 4_001, 9_000] {
            let page = folder.page(&filter, Some(before), 4).unwrap();
            let expected = (1..before.min(4_001)).rev().filter(|number| number % 10 == 0).take(4);
            assert_eq!(numbers(&page), expected.collect::<Vec<_>>(), "{before}");
        }
    }

    #[test]
    fn a_search_for_a_time_reads_little_else() {
        let (_directory, folder) = log(2, 30_000);
        let filter = Filter { since: at(20_000), until: at(20_003), ..Filter::default() };
        let page = folder.page(&filter, None, 100).unwrap();
        assert_eq!(numbers(&page), [20_002, 20_001, 20_000]);
        assert_eq!(page.next, None);
    }

    #[test]
    fn what_is_no_record_and_what_is_half_written_is_passed_over() {
        let (_directory, folder) = log(1, 3);
        let (_, path) = folder.files().unwrap().remove(0);
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let long = "x".repeat(LINE_BYTES_MAX + 5);
        let [one, two, three] = lines.as_slice() else { panic!("{lines:?}") };
        fs::write(&path, format!("{one}\n{long}\n\n{two}\nnoise\n{}", three.split_at(90).0))
            .unwrap();
        let page = folder.page(&Filter::default(), None, 100).unwrap();
        assert_eq!(numbers(&page), [2, 1]);
    }

    #[test]
    fn an_empty_log_has_an_empty_page() {
        let (_directory, folder) = log(0, 0);
        assert_eq!(folder.page(&Filter::default(), None, 10).unwrap(), Page::default());
        let (_directory, folder) = log(1, 0);
        assert_eq!(folder.page(&Filter::default(), None, 10).unwrap(), Page::default());
    }
}
