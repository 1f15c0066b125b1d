//! Measures what indexing costs and how fast a large index answers. Run by hand, optimised:
//! `cargo test -p visibility --release -- --ignored --nocapture a_million_runs`. Where a release build
//! takes too long, `--config profile.dev.package.libsqlite3-sys.opt-level=3`, and the same for
//! `rusqlite` and `visibility`, does as well.

use std::{fs, time::Instant};

use visibility::{Change, Index, Location, Record};
use visibility_query::{AttributeType, Predicate, SystemAttribute, parse};

use crate::support::{NOW, closed, namespace, payload, record, schema, settle, slot};

const RUNS: u64 = 1_000_000;
const OPEN: u64 = 10_000;

/// How often each query is asked.
const REPEATED: usize = 30;

const QUERIES: [&str; 22] = [
    "",
    "ExecutionStatus = 'Running'",
    "ExecutionStatus = 'Failed'",
    "ExecutionStatus IN ('Failed', 'TimedOut', 'Terminated')",
    "WorkflowType = 'workflow-type-3'",
    "WorkflowType = 'workflow-type-3' AND ExecutionStatus = 'Failed'",
    "WorkflowType = 'workflow-type-3' AND ExecutionStatus = 'Running'",
    "WorkflowType = 'none'",
    "WorkflowId = 'order-0'",
    "WorkflowId STARTS_WITH 'order-00001'",
    "StartTime > '1970-01-01T00:00:01.0009Z'",
    "StartTime BETWEEN '1970-01-01T00:00:01.0001Z' AND '1970-01-01T00:00:01.00011Z'",
    "CloseTime < '1970-01-01T00:00:02.00001Z'",
    "Kw = 'customer-10'",
    "Kw = 'customer-10' AND ExecutionStatus = 'Running'",
    "Kw STARTS_WITH 'customer-'",
    "Txt = 'word-77'",
    "TaskQueue = 'orders'",
    "TaskQueue = 'none'",
    "RootWorkflowId = 'order-0'",
    "ORDER BY StartTime DESC",
    "Kw = 'customer-10' ORDER BY WorkflowId",
];

fn started(number: u64) -> Record {
    let mut record = record(number, 1);
    // As real ids: the run's starts with its time, the workflow's is without order.
    let mixed = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    record.run_id =
        model::RunId::from_bytes((u128::from(number / 10) << 80 | mixed >> 48).to_be_bytes());
    record.workflow_id = format!("order-{mixed:032x}");
    record.workflow_type = format!("workflow-type-{}", number % 10);
    record.task_queue = "orders".to_owned();
    if number.is_multiple_of(10) {
        let customer = format!("\"customer-{}\"", number % 1000);
        record.search_attributes.insert("Kw".into(), payload(AttributeType::Keyword, &customer));
        let text = format!("\"some text with word-{}\"", number % 500);
        record.search_attributes.insert("Txt".into(), payload(AttributeType::Text, &text));
    }
    record
}

fn ended(number: u64) -> Record {
    let mut record = started(number);
    record.version = 2;
    let status = if number.is_multiple_of(1000) { 3 } else { 2 };
    closed(record, status, 2_000_000_000 + number.cast_signed())
}

/// Time of the writing thread, in microseconds.
fn writer_cpu() -> u128 {
    let ticks: u128 = fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("stat")).ok())
        .filter(|stat| stat.contains("(visibility-writ"))
        .map(|stat| {
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
            fields[11].parse::<u128>().unwrap() + fields[12].parse::<u128>().unwrap()
        })
        .sum();
    ticks * 10_000
}

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
#[ignore = "takes a minute and wants an optimised build"]
#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
async fn a_million_runs() {
    let from = Instant::now();
    drop(Index::open(&Location::Memory).unwrap());
    println!("an index in memory opens and closes in {:?}", from.elapsed());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("visibility.sqlite");
    let index = Index::open(&Location::File(path.clone())).unwrap();
    let (from, cpu) = (Instant::now(), writer_cpu());
    let mut seq = 0;
    // Runs overlap: each ends a while after it started, in another batch.
    for number in 0..RUNS + OPEN {
        let mut changes = Vec::new();
        if number < RUNS {
            changes.push(started(number));
        }
        if number >= OPEN {
            changes.push(ended(number - OPEN));
        }
        if number.is_multiple_of(100_000) {
            let cpu = (writer_cpu() - cpu) / 1000;
            println!("{number} runs: {cpu} ms of writer CPU, {:?}", from.elapsed());
        }
        for record in changes {
            seq += 1;
            index.submit(slot(), seq, Change::Upsert(Box::new(record))).await.unwrap();
        }
    }
    for number in RUNS..RUNS + OPEN {
        seq += 1;
        let change = Change::Upsert(Box::new(started(number)));
        index.submit(slot(), seq, change).await.unwrap();
    }
    settle(&index).await;
    let (elapsed, cpu) = (from.elapsed(), writer_cpu() - cpu);
    println!(
        "{seq} upserts in {elapsed:?}, {} us of writer CPU each, file {} MB, resident {} MB",
        cpu as f64 / seq as f64,
        fs::metadata(&path).unwrap().len() / 1_000_000,
        resident_kib() / 1024
    );
    for text in QUERIES {
        let mut query = parse(text, &schema(), NOW).unwrap();
        // As the server asks.
        let plain = parse("TemporalNamespaceDivision IS NULL", &schema(), NOW).unwrap();
        query.filter = Predicate::all([query.filter, plain.filter]);
        let mut times = [const { Vec::new() }; 3];
        let (mut listed, mut counted) = (0, 0);
        for _ in 0..REPEATED {
            let from = Instant::now();
            let page = index.list_sorted(namespace(1), &query.filter, &query.order_by, 100, &[]);
            listed = page.await.unwrap().records.len();
            times[0].push(from.elapsed());
            let from = Instant::now();
            counted = index.count(namespace(1), &query.filter).await.unwrap();
            times[1].push(from.elapsed());
            let from = Instant::now();
            let status = SystemAttribute::ExecutionStatus.into();
            index.count_by(namespace(1), &query.filter, &status).await.unwrap();
            times[2].push(from.elapsed());
        }
        let [list, count, group] = times.map(|mut times| {
            times.sort_unstable();
            let last = times.len() - 1;
            // Of so few, the second slowest stands for the 99th percentile.
            format!("{:?} (p99 {:?})", times[last / 2], times[last - 1])
        });
        println!(
            "list {listed}: {list}, count {counted}: {count}, by status: {group}, for: {text}"
        );
    }
    let (from, mut token, mut pages) = (Instant::now(), Vec::new(), 0);
    while pages < 200 {
        let all = parse("", &schema(), NOW).unwrap().filter;
        token = index.list(namespace(1), &all, 1000, &token).await.unwrap().next_page_token;
        pages += 1;
    }
    println!(
        "{pages} pages of 1000 in {:?}, resident {} MB",
        from.elapsed(),
        resident_kib() / 1024
    );
}
