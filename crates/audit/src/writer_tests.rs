//! The log as a whole: what callers tell is in the files, and checked.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use environment::{Environment, SeededEntropy};
use model::Span;
use telemetry::Metrics;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    AuditLog, Call, DataPlane, Decision, Folder, Keep, Names, OnFailure, Pending, Policy, Report,
    Settings, SigningKey, Verifier, Webhook, Who,
};

fn settings(folder: &Path) -> Settings {
    let key = SigningKey::make(&SeededEntropy::new(1)).unwrap();
    Settings {
        policy: Policy { data_plane: DataPlane::All, ..Policy::default() },
        directory: Some(folder.to_owned()),
        stdout: false,
        webhook: None,
        key: Some(Arc::new(key)),
        on_failure: OnFailure::Block,
        rotate_bytes: 64 * 1024 * 1024,
        rotate_after: Span::ZERO,
        retention: Span::ZERO,
        checkpoint_interval: Span::from_secs(60),
        version: "test",
    }
}

fn open(settings: Settings) -> Arc<AuditLog> {
    let metrics = Metrics::new().unwrap().audit().clone();
    AuditLog::open(settings, &Environment::system(), metrics).unwrap()
}

fn call(workflow_id: &str) -> Call {
    let mut target = Names::default();
    target.add("workflow_id", workflow_id);
    Call {
        principal: Who { kind: "api-key".to_owned(), name: "ci".to_owned() },
        source: "10.0.0.1:1234".to_owned(),
        rpc: "StartWorkflowExecution",
        service: "",
        namespace: "orders".to_owned(),
        target,
        decision: Decision::Allowed,
        rule: "role write on `orders`".to_owned(),
        outcome: "OK",
    }
}

fn read(folder: &Path) -> Vec<serde_json::Value> {
    let files = Folder::at(folder.to_owned()).files().unwrap();
    let texts = files.iter().map(|(_, path)| fs::read_to_string(path).unwrap());
    let text: String = texts.collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn verified(folder: &Path) -> Report {
    let folder = Folder::at(folder.to_owned());
    let mut verifier = Verifier::new(None);
    if let Some(head) = folder.head().unwrap() {
        verifier = verifier.with_head(&head);
    }
    for (_, path) in folder.files().unwrap() {
        verifier.begin_file(&path.display().to_string());
        let bytes = fs::read(&path).unwrap();
        bytes.split_inclusive(|byte| *byte == b'\n').for_each(|line| verifier.check(line));
    }
    verifier.finish()
}

fn kinds(records: &[serde_json::Value]) -> Vec<&str> {
    records.iter().map(|record| record["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_told_is_written_and_signed_when_the_log_closes() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(settings(folder.path()));
    log.record(call("a")).await;
    // Who waits sees the record at once.
    assert_eq!(kinds(&read(folder.path())), ["opened", "call"]);
    log.tell(call("b"));
    log.close().await;
    let records = read(folder.path());
    assert_eq!(kinds(&records), ["opened", "call", "call", "checkpoint"]);
    assert_eq!(records[1]["target"]["workflow_id"], "a");
    assert_eq!(records[3]["closing"], true);
    let report = verified(folder.path());
    assert_eq!(report.findings, []);
    assert_eq!((report.records, report.checkpoints, report.unsigned), (4, 1, 0));
}

#[tokio::test]
async fn the_chain_goes_on_over_starts_and_files() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let log = open(Settings { rotate_bytes: 1, ..settings(folder.path()) });
        for name in ["a", "b"] {
            log.record(call(name)).await;
        }
        log.close().await;
    }
    let report = verified(folder.path());
    assert_eq!(report.findings, []);
    assert!(Folder::at(folder.path().to_owned()).files().unwrap().len() > 3);
    assert_eq!(kinds(&read(folder.path())).iter().filter(|kind| **kind == "call").count(), 6);
}

#[tokio::test]
async fn a_call_whose_caller_goes_away_is_kept_and_worker_traffic_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(settings(folder.path()));
    let gone = Call { outcome: "CANCELLED", ..call("a") };
    drop(Pending::new(Arc::clone(&log), Keep::Each, gone));
    for _ in 0..5 {
        let poll = Call { rpc: "PollWorkflowTaskQueue", ..call("") };
        Pending::new(Arc::clone(&log), Keep::Count, poll).answered("OK").await;
    }
    log.close().await;
    let records = read(folder.path());
    assert_eq!(kinds(&records), ["opened", "call", "counted", "checkpoint"]);
    assert_eq!(records[1]["outcome"], "CANCELLED");
    assert_eq!((&records[2]["count"], &records[2]["source"]), (&5.into(), &"10.0.0.1".into()));
}

#[tokio::test]
async fn whoever_is_refused_again_and_again_fills_no_disk() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(settings(folder.path()));
    for _ in 0..1000 {
        log.tell(Call { decision: Decision::Denied, outcome: "PERMISSION_DENIED", ..call("a") });
        log.tell(Call { outcome: "RESOURCE_EXHAUSTED", ..call("a") });
    }
    log.close().await;
    let records = read(folder.path());
    assert_eq!(kinds(&records).iter().filter(|kind| **kind == "call").count(), 100);
    let counted: u64 = records.iter().filter_map(|record| record["count"].as_u64()).sum();
    assert_eq!(counted, 900 + 1000);
}

#[tokio::test]
async fn old_files_are_deleted_and_the_log_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(Settings { rotate_bytes: 1, ..settings(folder.path()) });
    first.record(call("a")).await;
    first.record(call("b")).await;
    first.close().await;
    let before = Folder::at(folder.path().to_owned()).files().unwrap();
    assert!(before.len() > 1);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let second = open(Settings { retention: Span::from_millis(1), ..settings(folder.path()) });
    second.record(call("c")).await;
    second.close().await;
    let records = read(folder.path());
    assert!(records[0]["seq"].as_u64().unwrap() > 1);
    assert!(kinds(&records).contains(&"forgotten"));
    assert_eq!(verified(folder.path()).findings, []);
}

/// Answers every request with the status that `status` gives, and keeps the bodies.
async fn receiver(
    status: impl Fn(usize) -> u16 + Send + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/audit", listener.local_addr().unwrap());
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&bodies);
    tokio::spawn(async move {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = Vec::new();
            loop {
                stream.read_buf(&mut text).await.unwrap();
                let seen = String::from_utf8_lossy(&text).into_owned();
                let Some((head, body)) = seen.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|line| {
                    line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
                });
                if body.len() >= length.unwrap() {
                    kept.lock().unwrap().push(seen);
                    break;
                }
            }
            let answer = format!(
                "HTTP/1.1 {} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                status(number)
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, bodies)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_gets_what_the_file_has_and_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let (url, requests) = receiver(|number| if number == 0 { 503 } else { 200 }).await;
    let webhook = Webhook { url, token: "secret".to_owned() };
    let log = open(Settings { webhook: Some(webhook), ..settings(folder.path()) });
    log.record(call("a")).await;
    log.close().await;
    let requests = requests.lock().unwrap();
    assert!(requests[0].contains("authorization: Bearer secret"));
    let bodies = requests[1..].iter().map(|request| request.split_once("\r\n\r\n").unwrap().1);
    let file = &Folder::at(folder.path().to_owned()).files().unwrap()[0].1;
    assert_eq!(bodies.collect::<String>(), fs::read_to_string(file).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_webhook_blocks_or_loses_as_it_is_told() {
    for on_failure in [OnFailure::Block, OnFailure::Drop] {
        let folder = tempfile::tempdir().unwrap();
        let (url, requests) = receiver(|_| 500).await;
        let webhook = Webhook { url, token: String::new() };
        let settings = Settings { webhook: Some(webhook), on_failure, ..settings(folder.path()) };
        let log = open(settings);
        log.record(call("a")).await;
        while requests.lock().unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(log.is_blocked(), on_failure == OnFailure::Block);
        log.close().await;
        assert_eq!(verified(folder.path()).findings, []);
    }
}

#[tokio::test]
async fn a_webhook_without_encryption_is_refused_off_loopback() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["http://example.com/audit", "ftp://127.0.0.1", ""] {
        let webhook = Some(Webhook { url: url.to_owned(), token: String::new() });
        let metrics = Metrics::new().unwrap().audit().clone();
        let settings = Settings { webhook, ..settings(folder.path()) };
        assert!(AuditLog::open(settings, &Environment::system(), metrics).is_err(), "{url}");
    }
}
