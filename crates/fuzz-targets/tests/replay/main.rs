//! Every input of the corpus, and random changes of it, as an ordinary test.
//!
//! The changes are drawn from a fixed seed: a failure repeats. Its input is printed as
//! hexadecimal; `xxd -r -p` makes a file of it for the corpus.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends at the first thing that is wrong"
)]

mod wire;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use fuzz_targets::{TARGETS, Target};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng, seq::IndexedRandom as _};

/// Changed inputs that are tried for each target.
const MUTATIONS: usize = 20_000;

/// The most that the whole corpus may be: it is part of every clone.
const FILES_MAX: usize = 200;
const BYTES_MAX: usize = 200 * 1024;

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn run(name: &str, target: Target, bytes: &[u8], what: &dyn Fn() -> String) {
    if catch_unwind(AssertUnwindSafe(|| target(bytes))).is_err() {
        let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        panic!("{name} fails on {}: {hexadecimal}", what());
    }
}

/// Changes an input in the ways that find most: bits, values of interest, pieces of other inputs.
fn mutate(random: &mut SmallRng, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..random.random_range(1..=4) {
        let place = random.random_range(0..=bytes.len());
        let length = random.random_range(0..=8.min(bytes.len() - place));
        match random.random_range(0..8) {
            0 if place < bytes.len() => bytes[place] ^= 1 << random.random_range(0..8),
            1 if place < bytes.len() => bytes[place] = random.random(),
            2 => {
                let values = [0, 1, 0x7f, 0x80, 0xff];
                let value = *values.choose(random).unwrap();
                bytes.splice(place..place + length, std::iter::repeat_n(value, length));
            }
            // The largest and the smallest numbers as protobuf writes them.
            3 => {
                let mut number = [0xff; 10];
                number[9] = 1;
                let skipped = random.random_range(0..=9);
                bytes.splice(place..place, number.into_iter().skip(skipped));
            }
            4 => drop(bytes.drain(place..place + length)),
            5 => {
                let piece = bytes[place..place + length].to_vec();
                bytes.splice(place..place, piece);
            }
            6 if !other.is_empty() => {
                let from = random.random_range(0..other.len());
                let to = random.random_range(from..=other.len());
                bytes.truncate(place);
                bytes.extend_from_slice(&other[from..to]);
            }
            7 if !other.is_empty() => {
                let from = random.random_range(0..other.len());
                let to = (from + length).min(other.len());
                bytes.splice(place..place + length, other[from..to].iter().copied());
            }
            _ => bytes.truncate(place),
        }
    }
}

fn target_of(name: &str) -> Target {
    TARGETS.iter().find(|(found, _)| *found == name).unwrap().1
}

fn replay(name: &str) {
    let target = target_of(name);
    let corpus = corpus(name);
    assert!(!corpus.is_empty(), "the corpus of {name} is empty");
    for (path, bytes) in &corpus {
        run(name, target, bytes, &|| path.display().to_string());
    }
    let mut random = SmallRng::seed_from_u64(0x5eed);
    for round in 0..MUTATIONS {
        let mut bytes = corpus.choose(&mut random).unwrap().1.clone();
        let other = &corpus.choose(&mut random).unwrap().1;
        // Half of the changes keep messages well-formed, to get past the decoder.
        if round % 2 == 0 {
            mutate(&mut random, &mut bytes, other);
        } else {
            for _ in 0..random.random_range(1..=4) {
                wire::mutate(&mut random, &mut bytes);
            }
        }
        run(name, target, &bytes, &|| format!("change {round}"));
    }
}

#[test]
fn engine_inputs_are_answered_or_refused() {
    replay("engine_inputs");
}

#[test]
fn stored_values_open_or_are_damaged() {
    replay("storage_envelope");
}

#[test]
fn tokens_are_read_or_refused() {
    replay("task_token");
}

#[test]
fn stored_records_are_read_or_refused() {
    replay("transition_record");
}

#[test]
fn queries_are_understood_or_refused() {
    replay("visibility_query");
}

#[test]
fn the_corpus_is_small_and_has_a_folder_for_each_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut folders: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(folders, TARGETS.map(|(name, _)| name));
    let files: Vec<_> = TARGETS.iter().flat_map(|(name, _)| corpus(name)).collect();
    assert!(files.len() <= FILES_MAX, "{} files", files.len());
    let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes <= BYTES_MAX, "{bytes} bytes");
}

/// Inputs that must fail keep the targets honest: a target that accepts everything proves nothing.
#[test]
fn a_failing_target_is_noticed() {
    let always: Target = |bytes| assert!(bytes.is_empty());
    assert!(catch_unwind(|| run("always", always, &[1], &|| "one".to_owned())).is_err());
}
