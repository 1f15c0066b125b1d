//! How quick the codecs are on one core, beside raw AES-256-GCM of the library below them:
//!
//!     cargo run --release --package longtide-codec --no-default-features --example throughput
//!
//! Raw means: one buffer that is encrypted in place again and again, with a counter for a nonce. A
//! codec takes payloads and gives others, with all that belongs to them; it frees what it was given,
//! and whoever gets the others frees those, so that each payload's end is counted once. Of many rounds
//! the best counts, raw and codecs in turn, and each is shorter than a turn on a core that others want,
//! too: what else the machine does disturbs none or all alike.

use std::{
    hint::black_box,
    io::{Write as _, stdout},
    time::{Duration, Instant},
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use futures_util::FutureExt as _;
use longtide_codec::{
    Codec, CodecError, Context, Encryption, EnvelopeEncryption, KeyRing, Payload,
};
// As in the binary: the allocator of many systems gives large buffers back at once, and most of the
// time would go into getting their pages again.
use mimalloc as _;

const KEY: [u8; 32] = *b"test-key-test-key-test-key-test!";
const ROUNDS: usize = 200;
const ROUND_BYTES: usize = 2 * 1024 * 1024;
const BATCH: usize = 16;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ring = KeyRing::new("test-key-id", KEY);
    let codecs: [(&str, Box<dyn Codec>); 2] = [
        ("samples", Box::new(Encryption::new(&ring)?)),
        ("envelope", Box::new(EnvelopeEncryption::new(&ring)?)),
    ];
    let raw = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &KEY)?);
    let mut out = stdout().lock();
    writeln!(out, "bytes     codec      raw MB/s  encode MB/s  ratio  decode MB/s  ratio")?;
    for size in [1024, 4096, 65_536, 1_048_576] {
        for (name, codec) in &codecs {
            let [mut best_raw, mut best_encode, mut best_decode] = [Duration::MAX; 3];
            for _ in 0..ROUNDS {
                best_raw = best_raw.min(raw_round(&raw, size)?);
                let (encode, decode) = codec_round(codec.as_ref(), size)?;
                best_encode = best_encode.min(encode);
                best_decode = best_decode.min(decode);
            }
            let bytes = (batches(size) * BATCH * size) as f64;
            let speed = |time: Duration| bytes / 1e6 / time.as_secs_f64();
            let ratio = |time: Duration| best_raw.as_secs_f64() / time.as_secs_f64();
            writeln!(
                out,
                "{size:<9} {name:<9} {:>9.0} {:>12.0} {:>6.2} {:>12.0} {:>6.2}",
                speed(best_raw),
                speed(best_encode),
                ratio(best_encode),
                speed(best_decode),
                ratio(best_decode),
            )?;
        }
    }
    Ok(())
}

/// How many a round has, at least one.
fn batches(size: usize) -> usize {
    (ROUND_BYTES / size).div_ceil(BATCH)
}

/// The time that it takes to encrypt so much, a message of this size at a time.
fn raw_round(key: &LessSafeKey, size: usize) -> Result<Duration, aws_lc_rs::error::Unspecified> {
    let mut message = vec![7; size];
    let mut nonce = [0; NONCE_LEN];
    let began = now();
    for number in 0..(batches(size) * BATCH) as u64 {
        if let Some(counter) = nonce.first_chunk_mut() {
            *counter = number.to_be_bytes();
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), &mut message)?;
        black_box(tag.as_ref());
    }
    Ok(began.elapsed())
}

/// The times that it takes a codec to encode so much, and to decode it.
fn codec_round(codec: &dyn Codec, size: usize) -> Result<(Duration, Duration), CodecError> {
    let context = Context::of_namespace("default");
    let payload = Payload::new("json/plain", vec![7; size]);
    let (mut encoding, mut decoding) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..batches(size) {
        let payloads = vec![payload.clone(); BATCH];
        let began = now();
        let encoded = codec.encode(&context, payloads).now_or_never().transpose()?;
        encoding += began.elapsed();
        let encoded = encoded.unwrap_or_default();
        let began = now();
        let decoded = codec.decode(&context, encoded).now_or_never().transpose()?;
        decoding += began.elapsed();
        black_box(decoded);
    }
    Ok((encoding, decoding))
}

#[expect(clippy::disallowed_methods, reason = "a measurement of the real time")]
fn now() -> Instant {
    Instant::now()
}
