//! The 32-bit FarmHash fingerprint, which decides the jitter of a time. The reference uses it, and
//! with it the same schedule acts at the same times on both.

const C1: u32 = 0xcc9e_2d51;
const C2: u32 = 0x1b87_3593;

/// The fingerprint of some bytes.
pub(crate) fn fingerprint(bytes: &[u8]) -> u32 {
    match bytes.len() {
        0..=4 => up_to_4(bytes),
        5..=12 => up_to_12(bytes),
        13..=24 => up_to_24(bytes),
        _ => longer(bytes),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the length counts modulo 2^32")]
fn length(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}

fn fetch(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
    u32::from_le_bytes(four.unwrap_or_default())
}

/// The four bytes that begin so far before the end.
fn fetch_back(bytes: &[u8], back: usize) -> u32 {
    fetch(bytes, bytes.len().saturating_sub(back))
}

fn finish(mut hash: u32) -> u32 {
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

fn mix(value: u32) -> u32 {
    value.wrapping_mul(C1).rotate_right(17).wrapping_mul(C2)
}

fn stir(hash: u32) -> u32 {
    hash.rotate_right(19).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

fn murmur(value: u32, hash: u32) -> u32 {
    stir(hash ^ mix(value))
}

fn up_to_4(bytes: &[u8]) -> u32 {
    let (mut b, mut c) = (0_u32, 9_u32);
    for byte in bytes {
        let signed = i32::from(i8::from_ne_bytes([*byte])).cast_unsigned();
        b = b.wrapping_mul(C1).wrapping_add(signed);
        c ^= b;
    }
    finish(murmur(b, murmur(length(bytes), c)))
}

fn up_to_12(bytes: &[u8]) -> u32 {
    let size = length(bytes);
    let a = size.wrapping_add(fetch(bytes, 0));
    let b = size.wrapping_mul(5).wrapping_add(fetch_back(bytes, 4));
    let c = 9_u32.wrapping_add(fetch(bytes, (bytes.len() >> 1) & 4));
    let d = size.wrapping_mul(5);
    finish(murmur(c, murmur(b, murmur(a, d))))
}

fn up_to_24(bytes: &[u8]) -> u32 {
    let half = bytes.len() >> 1;
    let a = fetch(bytes, half - 4);
    let b = fetch(bytes, 4);
    let c = fetch_back(bytes, 8);
    let d = fetch(bytes, half);
    let e = fetch(bytes, 0);
    let f = fetch_back(bytes, 4);
    let mut hash = d.wrapping_mul(C1).wrapping_add(length(bytes));
    let a = a.rotate_right(12).wrapping_add(f);
    hash = murmur(c, hash).wrapping_add(a);
    let a = a.rotate_right(3).wrapping_add(c);
    hash = murmur(e, hash).wrapping_add(a);
    let a = a.wrapping_add(f).rotate_right(12).wrapping_add(d);
    hash = murmur(b, hash).wrapping_add(a);
    finish(hash)
}

fn longer(bytes: &[u8]) -> u32 {
    let size = length(bytes);
    let mut h = size;
    let mut g = C1.wrapping_mul(size);
    let mut f = g;
    h = stir(h ^ mix(fetch_back(bytes, 4)));
    h = stir(h ^ mix(fetch_back(bytes, 16)));
    g = stir(g ^ mix(fetch_back(bytes, 8)));
    g = stir(g ^ mix(fetch_back(bytes, 12)));
    f = f.wrapping_add(mix(fetch_back(bytes, 20))).rotate_right(19).wrapping_add(113);
    for block in bytes.chunks(20).take((bytes.len() - 1) / 20) {
        let [a, b, c, d, e] = [0, 4, 8, 12, 16].map(|at| fetch(block, at));
        h = h.wrapping_add(a);
        g = g.wrapping_add(b);
        f = f.wrapping_add(c);
        h = murmur(d, h).wrapping_add(e);
        g = murmur(c, g).wrapping_add(a);
        f = murmur(b.wrapping_add(e.wrapping_mul(C1)), f).wrapping_add(d);
        f = f.wrapping_add(g);
        g = g.wrapping_add(f);
    }
    let twice = |value: u32| {
        let once = value.rotate_right(11).wrapping_mul(C1);
        once.rotate_right(17).wrapping_mul(C1)
    };
    for part in [twice(g), twice(f)] {
        h = stir(h.wrapping_add(part)).rotate_right(17).wrapping_mul(C1);
    }
    h
}
