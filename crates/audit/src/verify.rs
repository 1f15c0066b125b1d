//! Checks a log: every record, its place, and every signature. What is wrong names the record.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Deserialize;

use crate::{
    PublicKey,
    chain::{Placed, START, read},
    checkpoint::Checkpoint,
};

/// Most findings that are kept; a log with more is no log.
const FINDINGS_MAX: usize = 10_000;

/// Checks lines in the order of their files.
#[derive(Debug, Default)]
pub struct Verifier {
    key: Option<PublicKey>,
    /// Where the log begins is of no interest: only some of its files are looked at.
    is_part: bool,
    file: String,
    line: u64,
    last: Option<Placed>,
    /// Lines since then that are no records.
    bad: Vec<Place>,
    head: Option<Placed>,
    signed: Option<u64>,
    /// The last records of deleted files.
    forgotten: BTreeSet<u64>,
    report: Report,
    missing: BTreeMap<u64, Finding>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// How many records are as they were written.
    pub records: u64,
    /// The first record of the log, and the last.
    pub first: u64,
    /// See `first`.
    pub last: u64,
    /// Checkpoints whose signature is right.
    pub checkpoints: u64,
    /// Records after the last of them: nobody has signed these yet.
    pub unsigned: u64,
    /// Records that the log says were lost while it could not be written.
    pub dropped: u64,
    /// The keys that have signed, in base64.
    pub keys: BTreeSet<String>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A record is not as it was written.
    Damaged {
        /// Its number.
        record: u64,
        /// Where it is.
        place: Place,
    },
    /// The file ends within a record.
    CutOff {
        /// Its number.
        record: u64,
        /// Where it is.
        place: Place,
    },
    /// Records are not there.
    Missing {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// A record is where another should be, or there twice.
    OutOfPlace {
        /// Its number.
        record: u64,
        /// Where it is.
        place: Place,
    },
    /// A line that was never a record.
    Foreign {
        /// Where it is.
        place: Place,
    },
    /// A record is another one than the next one was written after.
    Replaced {
        /// Its number.
        record: u64,
    },
    /// A signature is wrong: something before it was changed by somebody without the key.
    Signature {
        /// The number of the checkpoint.
        record: u64,
        /// The first record that the signature alone vouches for.
        since: u64,
    },
    /// Somebody else has signed.
    OtherKey {
        /// The number of the checkpoint.
        record: u64,
        /// The key, in base64.
        key: String,
    },
    /// The last checkpoint beside the log is damaged, or of another log.
    Head,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from one on.
    pub line: u64,
}

#[derive(Deserialize)]
struct Said {
    kind: String,
    #[serde(default)]
    up_to: u64,
    #[serde(default)]
    count: u64,
}

impl Verifier {
    /// Begins. With a key, no other may have signed.
    pub fn new(key: Option<PublicKey>) -> Self {
        Self { key, ..Self::default() }
    }

    /// Only some files of a log are looked at: it may begin and end anywhere.
    #[must_use]
    pub fn of_a_part(self) -> Self {
        Self { is_part: true, ..self }
    }

    /// Says what the last checkpoint is: the log has to go that far.
    #[must_use]
    pub fn with_head(mut self, line: &[u8]) -> Self {
        self.head = read(line.trim_ascii_end());
        if self.head.is_none() {
            self.find(Finding::Head);
        }
        self
    }

    /// Goes on with another file.
    pub fn begin_file(&mut self, name: &str) {
        name.clone_into(&mut self.file);
        self.line = 0;
    }

    /// Checks a line, with its end if it has one.
    pub fn check(&mut self, line: &[u8]) {
        self.line += 1;
        match line.strip_suffix(b"\n") {
            Some(whole) => self.check_whole(whole),
            None if read(line).is_some() => {
                self.check_whole(line);
                let record = self.last.as_ref().map_or(0, |last| last.seq);
                self.find(Finding::CutOff { record, place: self.place() });
            }
            None => self.check_whole(line),
        }
    }

    fn check_whole(&mut self, line: &[u8]) {
        if let Some(placed) = read(line) {
            return self.accept(placed, line);
        }
        self.bad.push(self.place());
        // Where the end of a line was damaged, the next record is in the same line.
        let start = START.as_bytes();
        let later = line.windows(start.len()).skip(1).position(|part| part == start);
        if let Some(rest) = later.and_then(|at| line.get(at + 1..))
            && let Some(placed) = read(rest)
        {
            self.accept(placed, rest);
        }
    }

    fn accept(&mut self, placed: Placed, line: &[u8]) {
        let expected = self.last.as_ref().map(|last| last.seq.saturating_add(1));
        if expected.is_some_and(|expected| placed.seq < expected) {
            let place = self.place();
            return self.find(Finding::OutOfPlace { record: placed.seq, place });
        }
        self.settle(placed.seq);
        if expected == Some(placed.seq)
            && self.last.as_ref().is_some_and(|last| last.hash != placed.prev)
        {
            self.find(Finding::Replaced { record: placed.seq.saturating_sub(1) });
        }
        if let Some(head) = &self.head
            && head.seq == placed.seq
            && head.hash != placed.hash
        {
            self.find(Finding::Replaced { record: placed.seq });
        }
        if self.report.records == 0 {
            self.report.first = placed.seq;
        }
        self.report.records += 1;
        self.read_body(&placed, line);
        self.last = Some(placed);
    }

    /// Says what became of the records before this one, and of the lines that are none.
    fn settle(&mut self, next: u64) {
        let bad = std::mem::take(&mut self.bad);
        let missing = match &self.last {
            Some(last) => last.seq.saturating_add(1)..next,
            // At the very beginning only lines that are there tell of records.
            None => next.saturating_sub(u64::try_from(bad.len()).unwrap_or(0)).max(1)..next,
        };
        let mut bad = bad.into_iter();
        let mut rest = missing.clone();
        for place in bad.by_ref() {
            match rest.next() {
                Some(record) => self.find(Finding::Damaged { record, place }),
                // A line that became two when a byte turned into the end of a line.
                None if !missing.is_empty() => {}
                None => self.find(Finding::Foreign { place }),
            }
        }
        if !rest.is_empty() {
            let (first, last) = (rest.start, rest.end.saturating_sub(1));
            self.missing.insert(first, Finding::Missing { first, last });
        }
    }

    fn read_body(&mut self, placed: &Placed, line: &[u8]) {
        let Ok(said) = serde_json::from_slice::<Said>(line) else { return };
        match said.kind.as_str() {
            "forgotten" => {
                self.forgotten.insert(said.up_to);
            }
            "dropped" => self.report.dropped += said.count,
            "checkpoint" => self.read_checkpoint(placed, line),
            _ => {}
        }
    }

    fn read_checkpoint(&mut self, placed: &Placed, line: &[u8]) {
        let record = placed.seq;
        let since = self.signed.map_or(self.report.first, |signed| signed + 1);
        let Ok(checkpoint) = serde_json::from_slice::<Checkpoint>(line) else {
            return self.find(Finding::Signature { record, since });
        };
        if !checkpoint.is_signed(placed) {
            return self.find(Finding::Signature { record, since });
        }
        let key = checkpoint.public_key;
        if self.key.as_ref().is_some_and(|expected| expected.to_string() != key) {
            return self.find(Finding::OtherKey { record, key });
        }
        self.report.checkpoints += 1;
        self.report.keys.insert(key);
        self.signed = Some(record);
    }

    /// Says what was found.
    pub fn finish(mut self) -> Report {
        let last = self.last.as_ref().map_or(0, |last| last.seq);
        let bad = u64::try_from(self.bad.len()).unwrap_or(0);
        // The last lines are damaged: how many records they were nobody knows but the checkpoint.
        let end =
            self.head.as_ref().map_or(0, |head| head.seq).max(if bad > 0 { last + 1 } else { 0 });
        if end > last && !self.is_part {
            if self.last.is_none() && self.bad.is_empty() {
                let finding = Finding::Missing { first: 1, last: end };
                self.missing.insert(1, finding);
            } else {
                self.settle(end.saturating_add(1));
            }
        } else {
            self.settle(last.saturating_add(1 + bad));
        }
        let first = self.report.first;
        if first > 1 && !self.is_part && !self.forgotten.contains(&(first - 1)) {
            // The lines before the first good record have told of some of them already.
            let told = self.report.findings.iter().filter_map(Finding::record).min();
            let last = told.unwrap_or(first).min(first).saturating_sub(1);
            if last > 0 && !self.forgotten.contains(&last) {
                self.missing.insert(0, Finding::Missing { first: 1, last });
            }
        }
        let out_of_place: BTreeSet<u64> = self
            .report
            .findings
            .iter()
            .filter(|finding| matches!(finding, Finding::OutOfPlace { .. }))
            .filter_map(Finding::record)
            .collect();
        for missing in std::mem::take(&mut self.missing).into_values() {
            let Finding::Missing { first, last } = missing else { continue };
            // What is found elsewhere is not missing.
            let is_elsewhere =
                (first..=last).take(FINDINGS_MAX).all(|record| out_of_place.contains(&record));
            if !is_elsewhere {
                self.find(missing);
            }
        }
        self.report.last = last;
        self.report.unsigned = last.saturating_sub(self.signed.unwrap_or(first.saturating_sub(1)));
        self.report
    }

    fn place(&self) -> Place {
        Place { file: self.file.clone(), line: self.line }
    }

    fn find(&mut self, finding: Finding) {
        if self.report.findings.len() < FINDINGS_MAX {
            self.report.findings.push(finding);
        }
    }
}

impl Finding {
    /// The record that it names, if it is one.
    pub const fn record(&self) -> Option<u64> {
        match self {
            Self::Damaged { record, .. }
            | Self::CutOff { record, .. }
            | Self::OutOfPlace { record, .. }
            | Self::Replaced { record }
            | Self::Signature { record, .. }
            | Self::OtherKey { record, .. } => Some(*record),
            Self::Missing { .. } | Self::Foreign { .. } | Self::Head => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { record, place } => {
                write!(formatter, "record {record} is damaged: {place}")
            }
            Self::CutOff { record, place } => {
                write!(formatter, "the end of record {record} is cut off: {place}")
            }
            Self::Missing { first, last } if first == last => {
                write!(formatter, "record {first} is missing")
            }
            Self::Missing { first, last } => {
                write!(formatter, "records {first} to {last} are missing")
            }
            Self::OutOfPlace { record, place } => {
                write!(formatter, "record {record} is out of its place: {place}")
            }
            Self::Foreign { place } => write!(formatter, "{place} is no record"),
            Self::Replaced { record } => {
                write!(formatter, "record {record} was replaced by another")
            }
            Self::Signature { record, since } => write!(
                formatter,
                "the signature of checkpoint {record} is wrong: something in the records {since} \
                 to {record} was changed"
            ),
            Self::OtherKey { record, key } => {
                write!(formatter, "checkpoint {record} is signed by another key: {key}")
            }
            Self::Head => formatter.write_str("the last checkpoint beside the log is damaged"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
