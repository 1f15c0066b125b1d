//! A killed server loses nothing that it acknowledged and keeps nothing by halves.
//!
//! The parent starts this same test program as a child that writes as fast as it can and prints
//! each acknowledgement, kills it at a random moment, and checks what is in the directory.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, mpsc},
    time::Duration,
};

use bytes::Bytes;
use model::{RunId, SlotId};
use storage::{
    Scan, Store, Table, Write,
    conformance::{Writer, slot},
    history_key, history_prefix, prefix_end, run_key,
};
use storage_embedded::{EmbeddedStore, Settings};

const ROUNDS: u64 = 21;
const SLOTS: u16 = 16;

/// Small buffers, so that kills meet flushes, compactions and rotations of the journal.
fn settings() -> Settings {
    Settings { write_buffer_bytes: 1024 * 1024, free_bytes_min: 0, ..Settings::default() }
}

fn open(directory: &Path) -> Arc<dyn Store> {
    Arc::new(EmbeddedStore::open(&directory.join("data"), settings()).unwrap())
}

fn run() -> RunId {
    RunId::from_bytes([3; 16])
}

/// Every eighth record is large. Its content follows from its place.
fn value(slot: SlotId, seq: u64) -> Bytes {
    let length = if seq.is_multiple_of(8) { 8_000 } else { 300 };
    let mut value = vec![seq.to_be_bytes()[7]; length];
    value.extend(seq.to_be_bytes());
    value.extend(slot.number().to_be_bytes());
    value.into()
}

/// Batch `seq` adds a history record and replaces the snapshot: both or neither.
fn writes(slot: SlotId, seq: u64) -> Vec<Write> {
    let event = i64::try_from(seq).unwrap();
    vec![
        Write::Put {
            table: Table::History,
            namespace: None,
            key: history_key(slot, run(), 0, event, 0),
            value: value(slot, seq),
        },
        Write::Put {
            table: Table::Run,
            namespace: None,
            key: run_key(slot, run()),
            value: seq.to_be_bytes().to_vec().into(),
        },
    ]
}

/// Not a test of its own: the child that is killed. Runs only in a folder with the parent's mark.
#[tokio::test]
#[ignore = "started by the parent test"]
async fn child() {
    let folder = std::env::current_dir().unwrap();
    if !folder.join("killed-here").exists() {
        return;
    }
    let store = open(&folder);
    let epoch = store.claim().await.unwrap().epoch;
    let writers = (0..SLOTS).map(|number| write_for_ever(&store, slot(number), epoch));
    futures_util::future::join_all(writers).await;
}

async fn write_for_ever(store: &Arc<dyn Store>, slot: SlotId, epoch: storage::Epoch) {
    let mut writer = Writer::of(store, slot, epoch).await;
    loop {
        let receipts: Vec<_> = (0..4)
            .map(|_| {
                let seq = writer.seq;
                (seq, writer.submit(writes(slot, seq)))
            })
            .collect();
        for (seq, receipt) in receipts {
            receipt.await.unwrap();
            let mut output = std::io::stdout().lock();
            writeln!(output, "ack {} {}", slot.number(), seq + 1).unwrap();
            output.flush().unwrap();
        }
    }
}

/// Lets a child write for a while, kills it, and gives the last acknowledged seq of each slot.
fn kill_a_writer(folder: &Path, after: Duration) -> BTreeMap<u16, u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (lines, received) = mpsc::sync_channel(1_000_000);
    let reader = std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            lines.send(line).unwrap();
        }
    });
    let (never, wait) = mpsc::channel::<()>();
    assert!(wait.recv_timeout(after).is_err());
    drop(never);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    let mut acknowledged = BTreeMap::new();
    for line in received {
        let mut words = line.split(' ');
        if words.next() != Some("ack") {
            continue;
        }
        let numbers: Option<(u16, u64)> =
            (|| Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?)))();
        let (slot, seq) = numbers.unwrap();
        acknowledged.insert(slot, seq);
    }
    acknowledged
}

/// Every slot holds exactly the batches below its seq, each as a whole. Reads those from `first` on.
async fn check_slot(store: &dyn Store, slot: SlotId, acknowledged: u64, first: u64) -> u64 {
    let row = store.slot_row(slot).await.unwrap();
    assert!(row.seq >= acknowledged, "slot {slot:?}: {acknowledged} acknowledged, {row:?} stored");
    let snapshot = store.read(Table::Run, run_key(slot, run())).await.unwrap();
    let expected = row.seq.checked_sub(1).map(|seq| Bytes::from(seq.to_be_bytes().to_vec()));
    assert_eq!(snapshot, expected, "slot {slot:?}: {row:?}");
    let mut seq = first.min(row.seq);
    let mut from = history_key(slot, run(), 0, i64::try_from(seq).unwrap(), 0);
    let to = prefix_end(&history_prefix(slot, run(), 0));
    loop {
        let scan = Scan {
            table: Table::History,
            from: from.clone(),
            to: to.clone(),
            reverse: false,
            records_max: 500,
            bytes_max: 4 << 20,
        };
        let page = store.scan(scan).await.unwrap();
        let Some(last) = page.last() else { break };
        from = [last.key.as_ref(), &[0]].concat().into();
        for record in page {
            let event = i64::try_from(seq).unwrap();
            assert_eq!(record.key, history_key(slot, run(), 0, event, 0));
            assert!(record.value.unwrap() == value(slot, seq), "slot {slot:?} record {seq}");
            seq += 1;
        }
    }
    assert_eq!(seq, row.seq, "slot {slot:?}");
    row.seq
}

#[tokio::test]
async fn a_killed_writer_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("killed-here"), "").unwrap();
    let mut acknowledged: BTreeMap<u16, u64> = BTreeMap::new();
    let mut random: u64 = u64::from(std::process::id());
    let mut stored = 0;
    for round in 0..ROUNDS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // Some kills come while the store is being opened.
        let after = Duration::from_millis(10 + (random >> 33) % 250);
        let before = acknowledged.clone();
        acknowledged.extend(kill_a_writer(folder.path(), after));
        // Every third time the next child opens what was killed, unseen by the parent.
        if round % 3 == 1 {
            continue;
        }
        let store = open(folder.path());
        stored = 0;
        for number in 0..SLOTS {
            let of = |seqs: &BTreeMap<u16, u64>| seqs.get(&number).copied().unwrap_or(0);
            // The last round reads everything, the others what the last child wrote.
            let first = if round + 1 == ROUNDS { 0 } else { of(&before) };
            stored += check_slot(&*store, slot(number), of(&acknowledged), first).await;
        }
        store.close().await;
    }
    let total: u64 = acknowledged.values().sum();
    println!("{ROUNDS} kills, {total} batches acknowledged, {stored} stored");
    assert!(total > 100, "the children hardly wrote anything");
}
