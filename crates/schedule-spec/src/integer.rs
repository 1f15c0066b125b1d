//! Whole numbers in texts.

use crate::{SpecError, quoted};

/// Reads a decimal number, perhaps with a sign.
pub(crate) fn parse(text: &str) -> Result<i64, SpecError> {
    let refused =
        |why: &str| SpecError::new(format!("strconv.Atoi: parsing {}: {why}", quoted(text)));
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused("invalid syntax"));
    }
    text.parse().map_err(|_| refused("value out of range"))
}
