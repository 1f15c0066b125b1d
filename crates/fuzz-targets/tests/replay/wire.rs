//! Changes of protobuf messages that leave them well-formed: they get past the decoder.

use rand::{Rng as _, rngs::SmallRng, seq::IndexedRandom as _};

/// How deep a change goes into messages within messages.
const DEPTH_MAX: usize = 8;

/// How many places are tried before an input counts as one without a message.
const TRIES: usize = 64;

/// Numbers at which arithmetic goes wrong.
const NUMBERS: [u64; 9] = [
    0,
    1,
    2,
    i32::MAX as u64,
    i32::MIN as i64 as u64,
    i64::MAX as u64,
    i64::MIN as u64,
    u32::MAX as u64,
    u64::MAX,
];

enum Value {
    Number(u64),
    Fixed64(Vec<u8>),
    Bytes(Vec<u8>),
    Fixed32(Vec<u8>),
}

struct Field {
    number: u64,
    value: Value,
}

/// Changes one of the messages in an input: the rest of the input from some place on, or bytes
/// behind their length as a little-endian `u16`, which is then put right.
pub(crate) fn mutate(random: &mut SmallRng, bytes: &mut Vec<u8>) {
    for _ in 0..TRIES {
        let start = random.random_range(0..=bytes.len());
        if random.random_bool(0.1) {
            let Some(mut fields) = read(&bytes[start..]).filter(|fields| !fields.is_empty()) else {
                continue;
            };
            change(random, &mut fields, 0);
            bytes.truncate(start);
            write(&fields, bytes);
            return;
        }
        let Some(prefix) = bytes.get(start..start + 2) else { continue };
        let end = start + 2 + usize::from(u16::from_le_bytes([prefix[0], prefix[1]]));
        let Some(mut fields) = bytes.get(start + 2..end).and_then(read) else { continue };
        change(random, &mut fields, 0);
        let mut changed = Vec::new();
        write(&fields, &mut changed);
        let Ok(length) = u16::try_from(changed.len()) else { continue };
        bytes.splice(start..end, length.to_le_bytes().into_iter().chain(changed));
        return;
    }
}

fn change(random: &mut SmallRng, fields: &mut Vec<Field>, depth: usize) {
    if fields.is_empty() || random.random_ratio(1, 8) {
        let place = random.random_range(0..=fields.len());
        let number = random.random_range(1..40);
        let value = match random.random_range(0..3) {
            0 => Value::Number(*NUMBERS.choose(random).unwrap()),
            1 => Value::Bytes(Vec::new()),
            _ => Value::Bytes(vec![0x08, 0x01]),
        };
        fields.insert(place, Field { number, value });
        return;
    }
    let place = random.random_range(0..fields.len());
    match random.random_range(0..10) {
        0 => drop(fields.remove(place)),
        1 => {
            let other = random.random_range(0..fields.len());
            fields.swap(place, other);
        }
        _ => change_value(random, &mut fields[place].value, depth),
    }
}

fn change_value(random: &mut SmallRng, value: &mut Value, depth: usize) {
    match value {
        Value::Number(number) => *number = *NUMBERS.choose(random).unwrap(),
        Value::Fixed64(bytes) | Value::Fixed32(bytes) => {
            let byte = *[0, 0x7f, 0xff].choose(random).unwrap();
            bytes.fill(byte);
        }
        Value::Bytes(bytes) => match read(bytes) {
            Some(mut fields) if depth < DEPTH_MAX => {
                change(random, &mut fields, depth + 1);
                bytes.clear();
                write(&fields, bytes);
            }
            _ if bytes.is_empty() => bytes.push(b'a'),
            _ => {
                let place = random.random_range(0..bytes.len());
                bytes[place] = random.random();
            }
        },
    }
}

fn read(mut bytes: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = read_number(&mut bytes)?;
        let value = match key & 7 {
            0 => Value::Number(read_number(&mut bytes)?),
            1 => Value::Fixed64(take(&mut bytes, 8)?),
            2 => {
                let length = usize::try_from(read_number(&mut bytes)?).ok()?;
                Value::Bytes(take(&mut bytes, length)?)
            }
            5 => Value::Fixed32(take(&mut bytes, 4)?),
            _ => return None,
        };
        fields.push(Field { number: Some(key >> 3).filter(|number| *number > 0)?, value });
    }
    Some(fields)
}

fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take(bytes: &mut &[u8], length: usize) -> Option<Vec<u8>> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken.to_vec())
}

fn write(fields: &[Field], bytes: &mut Vec<u8>) {
    for Field { number, value } in fields {
        let (kind, content) = match value {
            Value::Number(_) => (0, &[][..]),
            Value::Fixed64(content) => (1, &content[..]),
            Value::Bytes(content) => (2, &content[..]),
            Value::Fixed32(content) => (5, &content[..]),
        };
        write_number(number << 3 | kind, bytes);
        match value {
            Value::Number(number) => write_number(*number, bytes),
            Value::Bytes(content) => write_number(content.len() as u64, bytes),
            Value::Fixed64(_) | Value::Fixed32(_) => {}
        }
        bytes.extend_from_slice(content);
    }
}

fn write_number(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
