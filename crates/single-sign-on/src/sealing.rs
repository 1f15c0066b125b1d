//! Values that only the holder of a key can read or make: AES-256-GCM with random nonces.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use environment::Entropy;

/// Length of a key, in bytes.
pub(crate) const KEY_BYTES: usize = 32;

/// A key as it is.
pub(crate) type Secret = [u8; KEY_BYTES];

/// What follows from a secret for one purpose, and says nothing of the secret.
pub(crate) fn derived(secret: &Secret, purpose: &[&[u8]]) -> Secret {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    for part in purpose {
        // With its length, so that no two lists of parts are the same bytes.
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut derived = [0; KEY_BYTES];
    derived.iter_mut().zip(context.sign().as_ref()).for_each(|(byte, made)| *byte = *made);
    derived
}

fn key(secret: &Secret) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, secret).ok().map(LessSafeKey::new)
}

/// `nonce ‖ ciphertext ‖ tag`. Nothing when the library fails, which it does not say why.
pub(crate) fn seal(
    secret: &Secret,
    entropy: &dyn Entropy,
    associated: &[u8],
    value: Vec<u8>,
) -> Option<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    entropy.fill(&mut nonce);
    let mut text = value;
    key(secret)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated),
            &mut text,
        )
        .ok()?;
    Some([nonce.as_slice(), &text].concat())
}

/// The value, if it was sealed with this key and these associated bytes.
pub(crate) fn open(secret: &Secret, associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut text = text.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length = key(secret)?.open_in_place(nonce, Aad::from(associated), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

#[cfg(test)]
mod tests {
    use environment::SeededEntropy;

    use super::*;

    #[test]
    fn every_flipped_bit_and_every_other_place_is_found() {
        let entropy = SeededEntropy::new(1);
        let sealed = seal(&[1; 32], &entropy, b"here", b"value".to_vec()).unwrap();
        assert_eq!(open(&[1; 32], b"here", &sealed).unwrap(), b"value");
        assert_eq!(open(&[1; 32], b"there", &sealed), None);
        assert_eq!(open(&[2; 32], b"here", &sealed), None);
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&[1; 32], b"here", &changed), None, "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(open(&[1; 32], b"here", &sealed[..length]), None);
        }
        assert_ne!(seal(&[1; 32], &entropy, b"here", b"value".to_vec()).unwrap(), sealed);
    }

    #[test]
    fn parts_of_a_purpose_do_not_run_into_each_other() {
        let of = |parts: &[&[u8]]| derived(&[1; 32], parts);
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"abc"]), of(&[b"abc", b""]));
        assert_eq!(of(&[b"abc"]), of(&[b"abc"]));
    }
}
