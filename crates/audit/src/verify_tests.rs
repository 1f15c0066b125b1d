use environment::SeededEntropy;
use model::Time;
use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::*;
use crate::{Body, SigningKey, chain::Chain, checkpoint::checkpoint};

const RECORDS: u64 = 60;
const CHECKPOINT_EVERY: u64 = 20;

fn key(seed: u64) -> SigningKey {
    SigningKey::make(&SeededEntropy::new(seed)).unwrap()
}

/// A log whose every twentieth record, and its last, is a checkpoint.
fn log(key: &SigningKey) -> Vec<String> {
    let mut chain = Chain::default();
    let mut lines = Vec::new();
    while chain.next <= RECORDS {
        let now = Time::from_nanos(i64::try_from(chain.next).unwrap() * 1_000_000_007);
        let body = if chain.next.is_multiple_of(CHECKPOINT_EVERY) {
            checkpoint(&chain, now, key, false)
        } else {
            Body::Dropped { count: chain.next }
        };
        let mut line = String::new();
        chain.append(now, &body, &mut line).unwrap();
        lines.push(line);
    }
    lines
}

fn verify_bytes(bytes: &[u8], head: Option<&str>) -> Report {
    let mut verifier = Verifier::new(Some(key(1).public()));
    if let Some(head) = head {
        verifier = verifier.with_head(head.as_bytes());
    }
    verifier.begin_file("log");
    bytes.split_inclusive(|byte| *byte == b'\n').for_each(|line| verifier.check(line));
    verifier.finish()
}

fn verify(lines: &[String]) -> Report {
    verify_bytes(lines.concat().as_bytes(), lines.last().map(String::as_str))
}

fn told(report: &Report) -> Vec<String> {
    report.findings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_log_as_it_was_written_is_good() {
    let report = verify(&log(&key(1)));
    assert_eq!(told(&report), [""; 0]);
    assert_eq!((report.records, report.first, report.last), (RECORDS, 1, RECORDS));
    assert_eq!((report.checkpoints, report.unsigned), (3, 0));
    assert_eq!(report.keys, BTreeSet::from([key(1).public().to_string()]));
}

#[test]
fn every_one_of_ten_thousand_flipped_bits_is_found_and_names_its_record() {
    let lines = log(&key(1));
    let whole = lines.concat().into_bytes();
    let head = lines.last().unwrap();
    let mut random = SmallRng::seed_from_u64(7);
    for _ in 0..10_000 {
        let (at, bit) = (random.random_range(0..whole.len()), random.random_range(0..8));
        let mut flipped = whole.clone();
        flipped[at] ^= 1_u8 << bit;
        let newlines = whole[..at].iter().filter(|byte| **byte == b'\n').count();
        let damaged = u64::try_from(newlines).unwrap() + 1;
        let report = verify_bytes(&flipped, Some(head));
        let named: Vec<Option<u64>> = report.findings.iter().map(Finding::record).collect();
        assert_eq!(named, [Some(damaged)], "byte {at}, bit {bit}: {:?}", told(&report));
        assert!(matches!(report.findings[0], Finding::Damaged { .. }));
    }
}

#[test]
fn a_record_that_is_taken_out_is_missing() {
    for taken in [0, 10, 19, 40] {
        let mut lines = log(&key(1));
        lines.remove(taken);
        assert_eq!(told(&verify(&lines)), [format!("record {} is missing", taken + 1)]);
    }
}

#[test]
fn records_that_change_places_are_told() {
    let mut lines = log(&key(1));
    lines.swap(30, 31);
    assert_eq!(told(&verify(&lines)), ["record 31 is out of its place: log:32"]);
    let mut lines = log(&key(1));
    lines.insert(5, lines[3].clone());
    assert_eq!(told(&verify(&lines)), ["record 4 is out of its place: log:6"]);
    let mut lines = log(&key(1));
    lines.insert(5, "{\"kind\":\"call\"}\n".to_owned());
    assert_eq!(told(&verify(&lines)), ["log:6 is no record"]);
}

#[test]
fn a_log_that_is_cut_off_ends_before_its_last_checkpoint() {
    let lines = log(&key(1));
    let head = lines.last().map(String::as_str);
    let report = verify_bytes(lines[..50].concat().as_bytes(), head);
    assert_eq!(told(&report), ["records 51 to 60 are missing"]);
    assert_eq!(told(&verify_bytes(b"", head)), ["records 1 to 60 are missing"]);
    let mut half = lines.concat().into_bytes();
    half.truncate(half.len() - 5);
    assert_eq!(told(&verify_bytes(&half, head)), ["record 60 is damaged: log:60"]);
    let whole = lines.concat();
    let report = verify_bytes(whole.trim_end().as_bytes(), head);
    assert_eq!(told(&report), ["the end of record 60 is cut off: log:60"]);
}

#[test]
fn a_log_that_begins_late_has_to_say_why() {
    let lines = log(&key(1));
    let report = verify_bytes(lines[30..].concat().as_bytes(), None);
    assert_eq!(told(&report), ["records 1 to 30 are missing"]);
    let mut chain = Chain::after(&read(lines[59].trim_end().as_bytes()).unwrap());
    let mut forgotten = String::new();
    chain.append(Time::from_nanos(1), &Body::Forgotten { up_to: 30 }, &mut forgotten).unwrap();
    let told_so = lines[30..].concat() + &forgotten;
    assert_eq!(told(&verify_bytes(told_so.as_bytes(), None)), [""; 0]);
    let mut part = Verifier::new(None).of_a_part();
    lines[30..50].iter().for_each(|line| part.check(line.as_bytes()));
    assert_eq!(told(&part.finish()), [""; 0]);
}

#[test]
fn somebody_without_the_key_cannot_write_a_record_anew() {
    // The record, and all hashes after it, are made to fit; the signatures cannot be.
    let genuine = log(&key(1));
    let mut chain = Chain::default();
    let mut forged = Vec::new();
    for line in &genuine {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let now = Time::from_nanos(i64::try_from(chain.next).unwrap() * 1_000_000_007);
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let body = if value["kind"] == "checkpoint" {
            let (public_key, signature) = (text("public_key"), text("signature"));
            Body::Checkpoint { public_key, signature, closing: crate::Closing(false) }
        } else {
            Body::Dropped { count: if chain.next == 27 { 1 } else { chain.next } }
        };
        let mut line = String::new();
        chain.append(now, &body, &mut line).unwrap();
        forged.push(line);
    }
    assert_eq!(forged[..26], genuine[..26]);
    let report = verify_bytes(forged.concat().as_bytes(), None);
    assert_eq!(
        told(&report)[0],
        "the signature of checkpoint 40 is wrong: something in the records 21 to 40 was changed"
    );
    let report = verify_bytes(log(&key(2)).concat().as_bytes(), None);
    assert!(told(&report)[0].starts_with("checkpoint 20 is signed by another key: "));
}

#[test]
fn a_record_that_another_has_replaced_is_told() {
    let mut lines = log(&key(1));
    let mut chain = Chain::after(&read(lines[9].trim_end().as_bytes()).unwrap());
    let mut other = String::new();
    chain.append(Time::from_nanos(5), &Body::Dropped { count: 5 }, &mut other).unwrap();
    lines[10] = other;
    assert_eq!(told(&verify(&lines)), ["record 11 was replaced by another"]);
}
